# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
#
# Expected values of tests/kernels/proportion_test.cpp, R 4.2.2: Rscript tests/oracle/proportion.R
cases <- rbind(c(0, 10, 0.95), c(1, 10, 0.95), c(10, 10, 0.95), c(433, 1540, 0.95), c(433, 1540, 0.99),
               c(3, 100000, 0.95), c(1, 1, 0.8))
for (i in seq_len(nrow(cases))) {
  k <- cases[i, ]
  bounds <- suppressWarnings(prop.test(k[1], k[2], conf.level = k[3], correct = FALSE))$conf.int
  cat(sprintf("{%d, %d, %g, %.15g, %.15g},\n", k[1], k[2], k[3], bounds[1], bounds[2]))
}
