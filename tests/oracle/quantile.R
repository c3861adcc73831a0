# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
#
# Expected values of tests/kernels/quantile_test.cpp, R 4.2.2: Rscript tests/oracle/quantile.R
vaf <- c(0.48, 0.05, NA, 0.5, 0.31, 0.48, 0.95, 0.12)
cat(sprintf("%.15g", quantile(vaf, c(0, 0.1, 0.25, 0.5, 0.75, 0.9, 1), na.rm = TRUE)), sep = ", ")
cat("\n")
