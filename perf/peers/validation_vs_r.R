# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
# Processor seconds of a replicate: rms::validate alone; what a user would add for Brier's score, a fit of the sample scored on
# the sample and on all patients, by hand and by survival:::brier; rms::calibrate in ten groups; and the corrected Dxy:
# Rscript perf/peers/validation_vs_r.R STUDY
source("perf/peers/study.R")
suppressMessages({ library(survival); library(rms) })
s <- read_study(commandArgs(TRUE)[1])
d <- s$clinical
x <- cbind(AGE = d$AGE, SEX = as.numeric(d$SEX == "Male"), sapply(sort(s$genes)[1:18], s$indicator))
y <- Surv(d$OS_MONTHS, d$event)
horizon <- 36 # months, 1095.75 days
f <- cph(y ~ x, x = TRUE, y = TRUE, surv = TRUE, time.inc = horizon)
set.seed(1)
validated <- seconds(v <- validate(f, B = 40)) / 40

patients <- data.frame(time = d$OS_MONTHS, event = d$event, x)
by_hand <- function(fit) {
  hazard <- basehaz(fit)
  gathered <- c(0, hazard$hazard)[findInterval(horizon, hazard$time) + 1]
  function(d) {
    alive <- exp(-gathered * exp(predict(fit, d)))
    g <- survfit(Surv(time, 1 - event) ~ 1, d)
    known <- function(t, left) c(1, g$surv)[findInterval(t, g$time, left.open = left) + 1]
    mean(ifelse(d$time > horizon, (1 - alive)^2 / known(horizon, FALSE), d$event * alive^2 / known(d$time, TRUE)))
  }
}
by_survival <- function(fit) function(d) survival:::brier(fit, times = horizon, newdata = d)$brier
scored <- function(score_of, B) {
  seconds(for (b in 1:B) {
    drawn <<- patients[sample(nrow(patients), replace = TRUE), ] # where a fit looks for its data again
    score <- score_of(coxph(Surv(time, event) ~ ., drawn, x = TRUE, y = TRUE))
    score(drawn)
    score(patients)
  }) / B
}
hand <- scored(by_hand, 20)
package <- scored(by_survival, 2)

# what a replicate adds: many less few
groups <- function(B) {
  invisible(capture.output(t <- seconds(calibrate(f, u = horizon, cmethod = "KM", m = nrow(patients) / 10, B = B))))
  t
}
calibrated <- (groups(22) - groups(2)) / 20
cat(validated, hand, package, calibrated, abs(v["Dxy", "index.corrected"]), "\n")
