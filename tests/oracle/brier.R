# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
# Expected values of tests/kernels/{brier,time_auc,calibration}_test.cpp.
#   Rscript tests/oracle/brier.R          (R 4.2, survival 3.5.3)
suppressMessages(library(survival))
tight <- suppressWarnings(coxph.control(eps = 1e-14, iter.max = 60))

# the 24 patients of twenty_four() in tests/kernels/survival_data.hpp, as in survival.R
d <- data.frame(
  time    = c(0,1,2,2,3,4, 4,5,5,5,6,7, 7,8,9,9,9,10, 11,12,12,13,14,15),
  event   = c(1,1,1,0,1,1, 1,0,1,1,1,0, 1,1,1,1,0,1, 0,1,1,1,0,1),
  z       = c(5,3,8,1,4,4, 2,9,6,7,3,5, 1,2,8,6,4,9, 2,3,7,5,6,1) / 2,
  half    = c(1,2,1,1,3,1, 2,1,1,2,1,1, 1,4,1,2,1,1, 1,2,1,1,3,1) / 2,
  stratum = c(0,1,0,0,0,1, 1,1,0,0,0,1, 0,1,0,1,0,1, 0,1,1,1,0,1))
d$survival <- (1 + d$z) / 8  # a prediction that is not a good one
show <- function(name, v) cat(sprintf("%-24s", name), paste(formatC(v, digits = 15, format = "g", width = 1), collapse = ", "), "\n")

# the curve of censoring: who is censored on a day is so after the deaths of that day
G <- function(d, w) {
  f <- survfit(Surv(ifelse(d$event == 1, d$time, d$time + 0.25), 1 - d$event) ~ 1, weights = w)
  list(at = function(t) stats::approx(c(-1, f$time), c(1, f$surv), t + 0.25, method = "constant", rule = 2)$y,
       before = function(t) stats::approx(c(-1, f$time), c(1, f$surv), t, method = "constant", rule = 2)$y)
}
parts <- function(d, w, h, survival) {
  g <- G(d, w)
  dead <- d$time <= h & d$event == 1; alive <- d$time > h
  list(case = ifelse(dead, w / g$before(d$time), 0), control = ifelse(alive, w / g$at(h), 0))
}
split_by <- function(d, by) if (by) split(seq_len(24), d$stratum) else list(1:24)
all_parts <- function(w, h, by) {
  p <- list(case = rep(0, 24), control = rep(0, 24))
  for (i in split_by(d, by)) { q <- parts(d[i, ], w[i], h); p$case[i] <- q$case; p$control[i] <- q$control }
  p
}
for (k in list(list("plain", rep(1, 24), FALSE), list("weights", d$half, FALSE), list("strata weights", d$half, TRUE)))
  for (h in c(4, 8.5, 12)) {
    p <- all_parts(k[[2]], h, k[[3]])
    show(paste(k[[1]], h, "brier"), sum(p$case * d$survival^2 + p$control * (1 - d$survival)^2) / sum(k[[2]]))
    o <- outer(d$z, d$z, ">") + outer(d$z, d$z, "==") / 2
    show(paste(k[[1]], h, "auc"), drop(p$case %*% o %*% p$control) / (sum(p$case) * sum(p$control)))
  }
# calibration slopes
for (m in c("efron", "breslow")) {
  f <- coxph(Surv(time, event) ~ z, d, ties = m, control = tight); show(paste(m, "slope"), c(coef(f), sqrt(vcov(f))))
  f <- coxph(Surv(time, event) ~ z + strata(stratum), d, weights = half, robust = FALSE, ties = m, control = tight); show(paste(m, "slope all"), c(coef(f), sqrt(vcov(f))))
}
# thirds by the middle of the weight below and at a prediction, at day 8.5
for (k in list(list("plain", rep(1, 24)), list("whole weights", 2 * d$half))) {
  w <- k[[2]]
  middle <- sapply(d$survival, function(s) sum(w[d$survival < s]) + sum(w[d$survival == s]) / 2) / sum(w)
  group <- floor(3 * middle)
  for (g in 0:2) {
    i <- group == g
    s <- summary(survfit(Surv(time, event) ~ 1, d[i, ], weights = w[i], conf.type = "log-log"), times = 8.5)
    show(paste(k[[1]], "group", g), c(sum(i), sum(w[i]), weighted.mean(d$survival[i], w[i]), s$surv, s$std.err, s$lower, s$upper))
  }
}
