# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
#
# Expected values of tests/kernels/mantel_haenszel_test.cpp, R 4.2.2: Rscript tests/oracle/mantel_haenszel.R
# Cochran-Mantel-Haenszel: stats::mantelhaen.test. Breslow-Day with Tarone's correction: the formulas, below.
breslow_day <- function(x) {
  keep <- apply(x, 3, function(t) all(rowSums(t) > 0, colSums(t) > 0)); x <- x[, , keep]
  n <- apply(x, 3, sum); psi <- sum(x[1, 1, ] * x[2, 2, ] / n) / sum(x[1, 2, ] * x[2, 1, ] / n)
  terms <- sapply(seq_along(n), function(k) {
    t <- x[, , k]; row1 <- sum(t[1, ]); row2 <- sum(t[2, ]); col1 <- sum(t[, 1])
    f <- function(a) log(a) + log(row2 - col1 + a) - log(psi) - log(row1 - a) - log(col1 - a)
    lo <- max(0, col1 - row2); hi <- min(row1, col1); gap <- (hi - lo) * 1e-12
    a <- uniroot(f, c(lo + gap, hi - gap), tol = 1e-14, maxiter = 10000)$root
    c(t[1, 1] - a, 1 / (1 / a + 1 / (row1 - a) + 1 / (col1 - a) + 1 / (row2 - col1 + a)))
  })
  chi2 <- sum(terms[1, ]^2 / terms[2, ]); tarone <- chi2 - sum(terms[1, ])^2 / sum(terms[2, ])
  c(chi2, tarone, pchisq(tarone, length(n) - 1, lower.tail = FALSE, log.p = TRUE) / log(10))
}
sets <- list(
  admissions = aperm(UCBAdmissions, c(2, 1, 3)),  # datasets::UCBAdmissions: gender, admitted, department
  with_empty_margin = array(c(12, 5, 9, 30, 0, 7, 0, 9, 3, 2, 8, 11, 0, 0, 4, 6), c(2, 2, 4)),
  strong = array(c(900, 100, 120, 2000, 450, 60, 40, 700), c(2, 2, 2)),
  weak = array(c(5, 5, 5, 6, 4, 4, 3, 3), c(2, 2, 2)))
number <- function(v) paste(sprintf("%.15g", v), collapse = ", ")
for (name in names(sets)) {
  x <- sets[[name]]
  plain <- mantelhaen.test(x, correct = FALSE); corrected <- mantelhaen.test(x)
  cat("// ", name, ": n11 n10 n01 n00\n", sep = "")
  cat("{", paste(apply(x, 3, function(t) paste0("{", paste(c(t[1, 1], t[1, 2], t[2, 1], t[2, 2]), collapse = ", "), "}")), collapse = ", "), "}\n", sep = "")
  cat("odds ratio ", number(c(plain$estimate, plain$conf.int)), "\n")
  cat("chi2 ", number(c(plain$statistic, pchisq(plain$statistic, 1, lower.tail = FALSE, log.p = TRUE) / log(10))), "\n")
  cat("corrected ", number(c(corrected$statistic, pchisq(corrected$statistic, 1, lower.tail = FALSE, log.p = TRUE) / log(10))), "\n")
  cat("Breslow-Day ", number(breslow_day(x)), "\n")
}
