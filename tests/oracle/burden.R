# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
#
# Expected values of tests/kernels/burden_test.cpp, R 4.2.2: Rscript tests/oracle/burden.R
# Logistic regression of carrying on patient and feature: its fitted values have the margins of the table, and of all
# such tables the largest entropy.
table <- rbind(c(1, 0, 0, 0, 1), c(1, 1, 0, 0, 0), c(0, 1, 0, 0, 0), c(1, 1, 1, 0, 0), c(0, 0, 1, 0, 0),
               c(1, 1, 0, 1, 0), c(1, 0, 1, 1, 1), c(1, 0, 0, 0, 0))
data <- data.frame(y = c(table), patient = factor(row(table)), feature = factor(col(table)))
fit <- glm(y ~ patient + feature, binomial, data, control = glm.control(epsilon = 1e-14, maxit = 100))
fitted <- matrix(fitted(fit), nrow(table))
cat("row sums ", rowSums(table), "  column sums ", colSums(table), "\n")
for (r in sort(unique(rowSums(table)))) {
  cat("burden", r, ":", sprintf("%.12f", fitted[match(r, rowSums(table)), ]), "\n")
}
