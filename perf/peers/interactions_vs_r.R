# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
#
# One round of R's side: interaction of a few pairs with age and sex beside it, timed, and compared with Chorale's fits.
#   Rscript perf/peers/interactions_vs_r.R STUDY FITS_TSV PAIRS_TSV       fits of pair_fit; the job's pair table
# Prints one line: processor seconds of a pair by coxph and by coxph.fit; largest difference of the fits, and of the
# job's reported pairs from coxph.
suppressPackageStartupMessages(library(survival))
source("perf/peers/study.R")
args <- commandArgs(trailingOnly = TRUE)
study <- read_study(args[1])
y <- with(study$clinical, Surv(OS_MONTHS, event))
fits <- read.delim(args[2])

as_written <- function(gene_a, gene_b) {
  d <- data.frame(t = study$clinical$OS_MONTHS, e = study$clinical$event, AGE = study$clinical$AGE,
                  SEX = study$clinical$SEX, a = study$indicator(gene_a), b = study$indicator(gene_b))
  list(seconds = seconds(fit <- suppressWarnings(coxph(Surv(t, e) ~ AGE + SEX + a * b, d))), fit = fit, data = d)
}
relative <- function(found, expected) max(abs(found - expected) / abs(expected))

formula_time <- matrix_time <- difference <- numeric(0)
for (i in seq_len(nrow(fits))) {
  written <- as_written(fits$feature_a[i], fits$feature_b[i])
  formula_time[i] <- written$seconds
  X <- with(written$data, cbind(AGE, SEX == "Male", a, b, a * b))
  fit <- function(init = NULL, ...) {
    suppressWarnings(coxph.fit(X, y, NULL, NULL, init, coxph.control(...), NULL, "efron", NULL))
  }
  matrix_time[i] <- seconds(fit())
  # R's own fit ends where rounding of the log-likelihood hides the last steps; so R evaluates its score U and
  # information I at Chorale's coefficients instead: sqrt(U' I^-1 U) is what is left to go, in standard errors
  at <- unlist(fits[i, c("age", "sex", "a", "b", "ab")])
  here <- fit(init = at, iter.max = 0)
  difference[i] <- max(sqrt(here$score), relative(unlist(fits[i, c("se_a", "se_b", "se_ab")]), sqrt(diag(here$var))[3:5]),
                       relative(fits$loglik[i], here$loglik[2]))
}
# the job's own table: within the little way that R's fit stops early
reported <- read.delim(args[3])
reported <- reported[reported$method == "cox, efron", ]
job <- 0
for (i in seq_len(nrow(reported))) {
  fit <- as_written(reported$feature_a[i], reported$feature_b[i])$fit
  terms <- c("a", "b", "a:b")
  se <- sqrt(diag(vcov(fit)))[terms]
  ours <- unlist(reported[i, c("log_hazard_a", "log_hazard_b", "log_hazard_ab")])
  job <- max(job, abs(ours - coef(fit)[terms]) / se, relative(unlist(reported[i, c("se_a", "se_b", "se_ab")]), se))
}
cat(sprintf("%.6f %.6f %.2e %.2e\n", median(formula_time), median(matrix_time), max(difference), job))
