# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
#
# Expected values of tests/kernels/tail_test.cpp, R 4.2.2: Rscript tests/oracle/tail.R
decades <- function(log_p) sprintf("%.17g", log_p / log(10))

cat("// x, df, log10 upper\n")
for (df in c(1, 2, 3, 7, 100, 5000)) {
  for (x in df * c(if (df < 1000) 1e-3, 0.5, 1, 1.5, 4, 20, 1000)) {
    cat("{", x, ", ", df, ", ", decades(pchisq(x, df, lower.tail = FALSE, log.p = TRUE)), "},\n", sep = "")
  }
}
cat("{460000, 1, ", decades(pchisq(460000, 1, lower.tail = FALSE, log.p = TRUE)), "},\n", sep = "")
cat("{460000, 4, ", decades(pchisq(460000, 4, lower.tail = FALSE, log.p = TRUE)), "},\n", sep = "")

cat("// z, log10 two-sided\n")
for (z in c(0.01, 0.5, 1, 1.96, 5, 10, 29, 31, 38, 100, 678)) {
  cat("{", z, ", ", decades(log(2) + pnorm(-z, log.p = TRUE)), "},\n", sep = "")
}

cat("// p, quantile\n")
for (p in c(1e-300, 1e-20, 1e-10, 0.001, 0.025, 0.0749, 0.0751, 0.3, 0.5, 0.7, 0.975, 1 - 1e-10)) {
  cat("{", format(p, digits = 17), ", ", sprintf("%.17g", qnorm(p)), "},\n", sep = "")
}
