# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
# Processor seconds of a replicate of rms::validate, and its corrected Dxy: Rscript perf/peers/validation_vs_r.R STUDY
source("perf/peers/study.R")
suppressMessages({ library(survival); library(rms) })
s <- read_study(commandArgs(TRUE)[1])
d <- s$clinical
x <- cbind(AGE = d$AGE, SEX = as.numeric(d$SEX == "Male"), sapply(sort(s$genes)[1:18], s$indicator))
y <- Surv(d$OS_MONTHS, d$event)
f <- cph(y ~ x, x = TRUE, y = TRUE)
set.seed(1)
t <- seconds(v <- validate(f, B = 40))
cat(t / 40, abs(v["Dxy", "index.corrected"]), "\n")
