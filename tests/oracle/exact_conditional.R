# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
#
# Expected values of tests/kernels/exact_conditional_test.cpp, R 4.2.2: Rscript tests/oracle/exact_conditional.R
# stats::mantelhaen.test(exact = TRUE) for p; its estimate and interval stop at uniroot's 1e-4, so those are solved here
# from the same conditional density with a tight tolerance.
sets <- list(
  admissions = aperm(UCBAdmissions, c(2, 1, 3)),  # datasets::UCBAdmissions: gender, admitted, department
  with_empty_margin = array(c(12, 5, 9, 30, 0, 7, 0, 9, 3, 2, 8, 11, 0, 0, 4, 6), c(2, 2, 4)),
  strong = array(c(90, 10, 12, 200, 45, 6, 4, 70), c(2, 2, 2)),
  weak = array(c(5, 5, 5, 6, 4, 4, 3, 3), c(2, 2, 2)))
density_of <- function(x) {
  f <- 1; low <- 0
  for (k in seq_len(dim(x)[3])) {
    t <- x[, , k]; row1 <- sum(t[1, ]); row2 <- sum(t[2, ]); col1 <- sum(t[, 1])
    support <- max(0, col1 - row2):min(row1, col1); each <- dhyper(support, row1, row2, col1)
    sum <- numeric(length(f) + length(each) - 1)
    for (i in seq_along(each)) sum[i - 1 + seq_along(f)] <- sum[i - 1 + seq_along(f)] + each[i] * f
    f <- sum; low <- low + support[1]
  }
  list(f = f, y = low + seq_along(f) - 1)
}
number <- function(v) paste(sprintf("%.15g", v), collapse = ", ")
for (name in names(sets)) {
  x <- sets[[name]]; s <- sum(x[1, 1, ]); d <- density_of(x)
  tilted <- function(a) { w <- log(d$f) + a * (d$y - s); w <- exp(w - max(w)); w / sum(w) }
  solve_for <- function(g) exp(uniroot(g, c(-8, 12), tol = 1e-14, maxiter = 10000)$root)
  estimate <- solve_for(function(a) sum(tilted(a) * (d$y - s)))
  lower <- solve_for(function(a) sum(tilted(a)[d$y >= s]) - 0.025)
  upper <- solve_for(function(a) 0.025 - sum(tilted(a)[d$y <= s]))
  test <- mantelhaen.test(x, exact = TRUE)
  near <- function(a, b) all(pmin(abs(a - b), abs(1 / a - 1 / b)) < 1e-3)  # uniroot looks for ratios or inverses
  stopifnot(near(test$estimate, estimate), near(test$conf.int, c(lower, upper)))
  p <- sapply(c("two.sided", "less", "greater"), function(a) mantelhaen.test(x, exact = TRUE, alternative = a)$p.value)
  cat(name, ": log10 p two-sided, less, greater; odds ratio, interval\n", number(log10(p)), "\n",
      number(c(estimate, lower, upper)), "\n", sep = "")
}
