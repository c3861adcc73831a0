# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
#
# Expected values of tests/kernels/multiplicity_test.cpp, R 4.2.2: Rscript tests/oracle/multiplicity.R
p <- c(0.01, NA, 0.02, 0.02, 0.04, 1e-200, 0.9, 1, 0.041, NA, 1e-7)
numbers <- function(v) paste(ifelse(is.na(v), "missing", sprintf("%.15g", v)), collapse = ", ")
cat("p   ", numbers(p), "\n")
cat("BH  ", numbers(p.adjust(p, "BH")), "\n")
cat("Bonf", numbers(p.adjust(p, "bonferroni")), "\n")
cat("BH of the four smallest among 20", numbers(p.adjust(sort(p)[1:4], "BH", n = 20)), "\n")
