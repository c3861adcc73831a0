# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
#
# Expected values of tests/kernels/fisher_test.cpp, R 4.2.2: Rscript tests/oracle/fisher.R
# p: stats::fisher.test where it does not underflow, the same sum in logarithms where it does.
# Odds ratio and interval: the functions that fisher.test solves, with uniroot(tol = 1e-14) instead of its 1e-4.
tables <- rbind(c(3, 1, 1, 3), c(5, 65, 30, 1440), c(0, 70, 10, 1460), c(10, 0, 0, 10), c(0, 9, 8, 0),
                c(7, 63, 350, 1120), c(40, 400, 9, 1000), c(300, 700, 700, 98300), c(1000, 2000, 3000, 94000),
                c(1200, 8800, 1100, 88900), c(400000, 100000, 100000, 400000), c(250300, 249700, 249700, 250300))

in_logs <- function(k) {
  row1 <- k[1] + k[2]; row2 <- k[3] + k[4]; col1 <- k[1] + k[3]
  support <- max(0, col1 - row2):min(row1, col1)
  list(row1 = row1, row2 = row2, col1 = col1, support = support, d = dhyper(support, row1, row2, col1, log = TRUE))
}
log_sum <- function(v) { m <- max(v); m + log(sum(exp(v - m))) }
log10_p <- function(k) {
  h <- in_logs(k); p <- fisher.test(matrix(k, 2, byrow = TRUE))$p.value
  if (p > 1e-290) return(log10(p))
  log_sum(h$d[h$d <= h$d[h$support == k[1]] + log1p(1e-7)]) / log(10)
}
odds_ratio <- function(k) {
  h <- in_logs(k); x <- k[1]; lo <- h$support[1]; hi <- tail(h$support, 1)
  density <- function(log_psi) { v <- h$d + log_psi * h$support; exp(v - log_sum(v)) }
  root <- function(f) exp(uniroot(f, c(-40, 40), tol = 1e-14, maxiter = 10000)$root)
  c(if (x == lo) 0 else if (x == hi) Inf else root(function(t) sum(density(t) * h$support) - x),
    if (x == lo) 0 else root(function(t) sum(density(t)[h$support >= x]) - 0.025),
    if (x == hi) Inf else root(function(t) sum(density(t)[h$support <= x]) - 0.025))
}
number <- function(v) ifelse(is.infinite(v), "infinity", sprintf("%.15g", v))
for (i in seq_len(nrow(tables))) {
  k <- tables[i, ]
  lower <- phyper(k[1], k[1] + k[2], k[3] + k[4], k[1] + k[3], log.p = TRUE) / log(10)
  upper <- phyper(k[1] - 1, k[1] + k[2], k[3] + k[4], k[1] + k[3], lower.tail = FALSE, log.p = TRUE) / log(10)
  cat("{{", paste(sprintf("%.0f", k), collapse = ", "), "}, ", paste(number(c(log10_p(k), lower, upper)), collapse = ", "),
      ", {", paste(number(odds_ratio(k)), collapse = ", "), "}},\n", sep = "")
}
