# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
#
# Fisher's exact test by R of the pairs in Chorale's pair table, counted anew in the PLINK file set, and compared.
#   Rscript perf/peers/pairs_vs_plink.R PREFIX PAIRS_TSV
# Prints one line: processor seconds of a pair; largest relative difference of p and of the conditional odds ratio with
# its interval. A wrong cell ends it.
source("perf/peers/study.R")
args <- commandArgs(trailingOnly = TRUE)
genes <- read.delim(paste0(args[1], ".bim"), header = FALSE, sep = " ")$V2
n_patients <- nrow(read.delim(paste0(args[1], ".fam"), header = FALSE, sep = " "))
bytes <- ceiling(n_patients / 4)
bed <- matrix(readBin(paste0(args[1], ".bed"), "raw", 3 + bytes * length(genes))[-(1:3)], bytes)
carries <- function(gene) {
  bits <- matrix(as.integer(rawToBits(bed[, match(gene, genes)])), 2)[, seq_len(n_patients)]
  bits[1, ] == 0 & bits[2, ] == 1
}

pairs <- read.delim(args[2])
time <- difference <- numeric(0)
for (i in seq_len(nrow(pairs))) {
  a <- carries(pairs$feature_a[i])
  b <- carries(pairs$feature_b[i])
  cells <- c(sum(a & b), sum(a & !b), sum(!a & b), sum(!a & !b))
  stopifnot(cells == unlist(pairs[i, c("n11", "n10", "n01", "n00")]))
  time[i] <- seconds(for (repetition in 1:10) r <- fisher.test(matrix(cells, 2))) / 10  # R's clock ticks in ms
  # R's odds ratio and limits are roots to a tolerance of 1e-4 or so; a limit of 0 needs none
  ours <- unlist(pairs[i, c("odds_ratio", "or_lower", "or_upper")])
  theirs <- c(r$estimate, r$conf.int)
  rough <- abs(ours - theirs) / pmax(theirs, 1e-300)
  difference <- rbind(difference, c(abs(10^pairs$log10_p[i] / r$p.value - 1), max(rough[is.finite(rough)])))
}
cat(sprintf("%.6f %.2e %.2e\n", sum(time) / length(time), max(difference[, 1]), max(difference[, 2])))
