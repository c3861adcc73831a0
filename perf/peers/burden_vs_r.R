# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
#
# DISCOVER's test (Canisius, Martens, Wessels 2016, Genome Biology 17:261) of a few pairs in plain R, timed, and compared
# with Chorale's p.
#   Rscript perf/peers/burden_vs_r.R STUDY PAIRS_TSV N_PAIRS
# Prints one line: processor seconds of a pair patient by patient, of a pair by groups of equal burden; largest relative
# difference of p.
source("perf/peers/study.R")
args <- commandArgs(trailingOnly = TRUE)
study <- read_study(args[1])
pairs <- read.delim(args[2])
# from pairs that nobody has to pairs that many have
pairs <- pairs[order(pairs$n11), ][round(seq(1, nrow(pairs), length.out = as.integer(args[3]))), ]

# background, not timed: logit P = alpha(burden) + beta(gene), margins met by one Newton step of either side in turn
by_gene <- lapply(study$genes, study$carriers)
burden <- tabulate(unlist(by_gene), nrow(study$clinical))
sums <- sort(unique(burden[burden > 0]))
n <- as.numeric(table(factor(burden, sums)))
genes <- lengths(by_gene)
alpha <- qlogis(sums / length(genes))
beta <- qlogis(genes / sum(n)) - mean(qlogis(genes / sum(n)))
repeat {
  p <- plogis(outer(alpha, beta, "+"))
  alpha <- alpha + (sums - rowSums(p)) / rowSums(p * (1 - p))
  p <- plogis(outer(alpha, beta, "+"))
  left <- (genes - colSums(n * p)) / colSums(n * p * (1 - p))
  beta <- beta + left
  if (max(abs(left), abs(rowSums(p) / sums - 1)) < 1e-12) break
}
of_patient <- match(burden, sums)

# P(X <= 0), ..., P(X <= k): each patient's trial moves some of the distribution up by one
by_patient <- function(p, k) {
  d <- c(1, numeric(k))
  for (each in p) d <- d * (1 - each) + c(0, d[seq_len(k)]) * each
  cumsum(d)
}
# the same from one binomial distribution per burden
by_burden <- function(p, k) {
  d <- c(1, numeric(k))
  for (r in seq_along(p)) {
    own <- dbinom(0:k, n[r], p[r])
    d <- vapply(0:k, function(x) sum(d[1 + 0:x] * own[1 + x:0]), 0)
  }
  cumsum(d)
}
two_sided <- function(lower, k) min(1, 2 * min(lower[k + 1], 1 - if (k > 0) lower[k] else 0))

slow <- quick <- difference <- numeric(0)
for (i in seq_len(nrow(pairs))) {
  k <- pairs$n11[i]
  both <- p[, pairs$feature_a[i] == study$genes] * p[, pairs$feature_b[i] == study$genes]
  of_each <- ifelse(is.na(of_patient), 0, both[of_patient])
  slow[i] <- seconds(found <- two_sided(by_patient(of_each, k), k))
  quick[i] <- seconds(grouped <- two_sided(by_burden(both, k), k))
  difference[i] <- max(abs(10^pairs$log10_p[i] / found - 1), abs(grouped / found - 1))
}
cat(sprintf("%.6f %.6f %.2e\n", mean(slow), mean(quick), max(difference)))
