# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
#
# Expected values of tests/kernels/log_linear_test.cpp, R 4.2.2: Rscript tests/oracle/log_linear.R
# Expected counts and likelihood ratio: stats::loglin, iterated to the end. Interaction: stats::glm, Poisson.
# Cells in the order of R's arrays, the first feature's subscript running fastest: not carried, carried.
tables <- list(
  even = c(40, 20, 25, 15, 30, 12, 18, 30),
  cohort = c(81234, 6120, 9011, 702, 1503, 140, 211, 61),
  empty_highest = c(500, 40, 30, 6, 20, 4, 3, 0),
  empty_pair = c(500, 40, 30, 0, 20, 4, 3, 7),
  strong = c(900, 20, 30, 400, 10, 700, 800, 50),
  four = c(700, 80, 90, 21, 60, 14, 17, 9, 50, 12, 8, 5, 11, 4, 6, 3),
  pair = c(60, 20, 15, 12))
number <- function(v) paste(sprintf("%.15g", v), collapse = ", ")
for (name in names(tables)) {
  n <- tables[[name]]; k <- log2(length(n)); x <- array(n, rep(2, k))
  lower <- lapply(seq_len(k), function(j) setdiff(seq_len(k), j))
  fit <- loglin(x, lower, fit = TRUE, eps = 1e-13, iter = 1e6, print = FALSE)
  m <- as.numeric(fit$fit)
  g2 <- 2 * sum(ifelse(n > 0, n * log(n / m), 0))
  cat(sprintf("%-14s", name), "expected", number(m[length(m)]), " g2", number(g2), " log10 p",
      number(pchisq(g2, 1, lower.tail = FALSE, log.p = TRUE) / log(10)), "\n")
  if (all(n > 0)) {
    d <- expand.grid(rep(list(0:1), k)); d$n <- n
    f <- glm(as.formula(paste("n ~", paste(names(d)[seq_len(k)], collapse = " * "))), poisson, d,
             control = list(epsilon = 1e-15, maxit = 100))
    last <- summary(f)$coefficients[length(n), ]
    cat(sprintf("%-14s", ""), "interaction", number(last[1]), " se", number(last[2]), "\n")
  }
}
