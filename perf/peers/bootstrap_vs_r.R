# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
#
# One round of R's side: replicates of a bootstrap, coxph.fit on a ready matrix with weights, started from the full
# data's coefficients, its default eps.
#   Rscript perf/peers/bootstrap_vs_r.R FOLDER        what bootstrap_fits wrote
# Prints one line: median processor seconds a replicate; the largest difference of Chorale's coefficients in standard
# errors where R evaluates its own score, and from where R stops.
suppressPackageStartupMessages(library(survival))
folder <- commandArgs(trailingOnly = TRUE)[1]
numbers <- function(file) {
  path <- file.path(folder, file)
  readBin(path, "double", file.size(path) / 8)
}
n <- 100000; p <- 20
cohort <- matrix(numbers("cohort.bin"), n)
y <- Surv(cohort[, 1], cohort[, 2])
X <- cohort[, -(1:2)]
copies <- matrix(numbers("copies.bin"), n)
fits <- matrix(numbers("fits.bin"), p)  # the full data's, then one column a replicate
seconds <- score <- stopped <- numeric(0)
for (r in seq_len(ncol(copies))) {
  # rows are chosen before the clock starts
  drawn <- copies[, r] > 0
  Xr <- X[drawn, ]; yr <- y[drawn]; w <- copies[drawn, r]
  fit <- function(init, ...) suppressWarnings(coxph.fit(Xr, yr, NULL, NULL, init, coxph.control(...), w, "efron", NULL))
  seconds[r] <- sum(system.time(found <- fit(fits[, 1]))[c("user.self", "sys.self")])
  ours <- fits[, 1 + r]
  # sqrt(U' I^-1 U) at Chorale's coefficients is what R still sees to go, in standard errors
  score[r] <- sqrt(fit(ours, iter.max = 0)$score)
  stopped[r] <- max(abs(found$coefficients - ours) / sqrt(diag(found$var)))
}
cat(sprintf("%.6f %.2e %.2e\n", median(seconds), max(score), max(stopped)))
