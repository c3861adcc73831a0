# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
# Measures of a prediction, 100,000 patients, one core, beside R's survival; R's Brier score and area are vectorised formulas.
#   Rscript perf/peers/prediction_vs_r.R build/perf/perf/peers/prediction [rounds]
args <- commandArgs(TRUE)
rounds <- if (length(args) > 1) as.integer(args[2]) else 5
if (!requireNamespace("survival", quietly = TRUE)) { cat("R's survival is not there\n"); quit() }
suppressMessages(library(survival))
cohort <- tempfile(fileext = ".csv")
ours <- function() read.table(text = system2(args[1], cohort, stdout = TRUE), col.names = c("measure", "value", "ms"))
invisible(ours())
d <- read.csv(cohort)
y <- Surv(d$time, d$event); h <- 1000

hazard_at <- function() {
  f <- coxph(y ~ offset(0.2 * d$risk))
  # R centres the offset
  basehaz(f, centered = FALSE)$hazard[findInterval(h, sort(unique(d$time)))] * exp(-mean(0.2 * d$risk))
}
# G of censoring, who dies on a day before who is censored on it; cases and controls at h
weights <- function() {
  f <- survfit(Surv(ifelse(d$event == 1, d$time, d$time + 0.25), 1 - d$event) ~ 1, se.fit = FALSE)
  before <- c(1, f$surv)[findInterval(d$time, f$time) + 1]
  at <- c(1, f$surv)[findInterval(h + 0.25, f$time) + 1]
  list(case = (d$time <= h & d$event == 1) / before, control = (d$time > h) / at)
}
r <- list(
  harrell = function() survival::concordancefit(y, d$risk, reverse = TRUE, timefix = FALSE, std.err = FALSE)$concordance,
  harrell_se = function() sqrt(survival::concordancefit(y, d$risk, reverse = TRUE, timefix = FALSE)$var),
  uno = function() survival::concordancefit(y, d$risk, reverse = TRUE, timefix = FALSE, timewt = "n/G2", std.err = FALSE)$concordance,
  uno_se = function() sqrt(survival::concordancefit(y, d$risk, reverse = TRUE, timefix = FALSE, timewt = "n/G2")$var),
  baseline = hazard_at,
  brier = function() { w <- weights(); mean(w$case * s^2 + w$control * (1 - s)^2) },
  auc = function() {
    w <- weights(); o <- order(d$risk); below <- cumsum(w$control[o]) - w$control[o] / 2
    sum(w$case[o] * below) / (sum(w$case) * sum(w$control))  # risks are not tied
  })
s <- exp(-hazard_at() * exp(0.2 * d$risk))
ms_r <- ms_ours <- matrix(NA, rounds, length(r), dimnames = list(NULL, names(r)))
for (k in seq_len(rounds)) {
  for (m in names(r)) ms_r[k, m] <- 1000 * system.time(value <- r[[m]](), gcFirst = FALSE)[["elapsed"]]
  o <- ours(); ms_ours[k, o$measure] <- o$ms
}
value <- sapply(r, function(f) f())
o <- ours(); mine <- setNames(o$value, o$measure)[names(r)]
stopifnot(abs(mine - value) < 1e-9)
a <- apply(ms_r, 2, median); b <- apply(ms_ours, 2, median)
print(data.frame(R_ms = round(a), chorale_ms = signif(b, 3), ratio = round(a / b), difference = signif(abs(mine - value), 2)))
