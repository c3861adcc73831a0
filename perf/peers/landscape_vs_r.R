# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
#
# One round of R's side: outcome of a sample of features, timed, and compared with Chorale's features.tsv.
#   Rscript perf/peers/landscape_vs_r.R STUDY FEATURES_TSV N_FEATURES
# Prints one line: seconds per feature of coxph.fit, of the score test, of survdiff; largest difference.
suppressPackageStartupMessages(library(survival))
source("perf/peers/study.R")
args <- commandArgs(trailingOnly = TRUE)
study <- read_study(args[1])
n_features <- as.integer(args[3])
y <- with(study$clinical, Surv(OS_MONTHS, event))

ours <- read.delim(args[2])
ours <- ours[ours$group == "all" & is.finite(ours$log_hazard), ]
# the same sample in every round: every k-th feature, from frequent to rare
ours <- ours[order(-ours$carriers), ][round(seq(1, nrow(ours), length.out = n_features)), ]

seconds <- function(expression) system.time(expression, gcFirst = FALSE)[["elapsed"]]  # as in the run record
cox <- score <- test <- difference <- numeric(0)
for (i in seq_len(nrow(ours))) {
  x <- study$indicator(ours$feature[i])
  X <- matrix(x, ncol = 1)
  fit <- function(init = NULL, ...) {
    suppressWarnings(coxph.fit(X, y, NULL, NULL, init, coxph.control(...), NULL, "efron", NULL))
  }
  cox[i] <- seconds(fit())
  score[i] <- seconds(null <- fit(iter.max = 0))
  if (i <= 3) test[i] <- seconds(logrank <- survdiff(y ~ x)) # slow: three of them are enough
  # R's own fit ends where rounding of the log-likelihood hides the last steps; so R evaluates its score U and
  # information I at Chorale's coefficient instead: sqrt(U²/I) is what is left to go, in standard errors
  here <- fit(init = ours$log_hazard[i], iter.max = 0)
  relative <- function(found, expected) abs(found - expected) / abs(expected)
  difference[i] <- max(sqrt(here$score), relative(ours$se[i], sqrt(here$var[1, 1])),
                       relative(ours$loglik[i], here$loglik[2]), relative(ours$score_chi2[i], null$score),
                       if (i <= 3) relative(ours$logrank_chi2[i], logrank$chisq) else 0)
}
cat(sprintf("%.6f %.6f %.6f %.2e\n", median(cox), median(score), median(test), max(difference)))
