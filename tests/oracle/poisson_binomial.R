# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
#
# Expected values of tests/kernels/poisson_binomial_test.cpp, R 4.2.2: Rscript tests/oracle/poisson_binomial.R
# Binomial densities (stats::dbinom) of the groups convolved by their definition; no term is subtracted.
density_of <- function(n, p) {
  f <- 1
  for (g in seq_along(n)) {
    each <- dbinom(0:n[g], n[g], p[g]); sum <- numeric(length(f) + n[g])
    for (y in seq_along(each)) sum[y - 1 + seq_along(f)] <- sum[y - 1 + seq_along(f)] + each[y] * f
    f <- sum
  }
  f
}
cases <- list(
  list(n = c(3, 2), p = c(0.5, 0.25), k = 2),
  list(n = c(40, 25, 5), p = c(0.01, 0.2, 0.7), k = 12),
  list(n = c(40, 25, 5), p = c(0.01, 0.2, 0.7), k = 40),
  list(n = c(2000, 300, 20), p = c(0.001, 0.02, 0.4), k = 3),
  list(n = c(2000, 300, 20), p = c(0.001, 0.02, 0.4), k = 120),
  list(n = c(3000, 800, 100), p = c(0.3, 0.5, 0.9), k = 1500),
  list(n = c(3000, 800, 100), p = c(0.3, 0.5, 0.9), k = 1390),
  list(n = c(3000, 800, 100), p = c(0.3, 0.5, 0.9), k = 1000))
for (case in cases) {
  f <- density_of(case$n, case$p); at <- case$k + 1
  cat(sprintf("{{%s}, {%s}, %d, %.15g, %.15g},\n", paste(case$n, collapse = ", "), paste(case$p, collapse = ", "),
              case$k, log10(sum(f[1:at])), log10(sum(rev(f[at:length(f)])))))
}
