# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
# Processor seconds of one glmnet path with bootstrap weights: Rscript perf/peers/prognosis_vs_r.R STUDY
source("perf/peers/study.R")
suppressMessages({ library(survival); library(glmnet) })
labs <- c("AGE", "HB", "PLATELETS", "BM_BLASTS", "LDH", "ALBUMIN", "CREATININE", "BILIRUBIN", "CRP", "FERRITIN", "CALCIUM", "PB_BLASTS", "BMI")
s <- read_study(commandArgs(TRUE)[1], labs[-1])
d <- s$clinical
x <- cbind(as.matrix(d[, labs]), SEX = as.numeric(d$SEX == "Male"), sapply(s$genes, s$indicator))
set.seed(1)
w <- tabulate(sample(nrow(d), replace = TRUE), nrow(d))
keep <- w > 0
x <- x[keep, ]
y <- Surv(d$OS_MONTHS, d$event)[keep]
cat(seconds(glmnet(x, y, family = "cox", weights = w[keep])), "\n")
