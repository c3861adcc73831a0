# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
# Expected values of tests/kernels/{competing_risks,gray_test}_test.cpp.
#   Rscript tests/oracle/competing_risks.R          (R 4.2, survival 3.5.3, cmprsk 2.2.11)
suppressMessages({library(survival); library(cmprsk)})
show <- function(name, x) cat(sprintf("%-26s", name), paste(formatC(as.numeric(x), digits = 15, format = "g"), collapse = ", "), "\n")
d <- data.frame(  # the 24 patients of survival.R; every event has one of two causes
  entry   = c(0,0,0,0,0,0, 1,0,2,0,0,0, 0,3,0,0,0,4, 0,0,5,0,0,0),
  time    = c(0,1,2,2,3,4, 4,5,5,5,6,7, 7,8,9,9,9,10, 11,12,12,13,14,15),
  cause   = c(1,2,1,0,1,1, 2,0,1,2,1,0, 2,1,1,2,0,1, 0,1,2,1,0,2),
  half    = c(1,2,1,1,3,1, 2,1,1,2,1,1, 1,4,1,2,1,1, 1,2,1,1,3,1) / 2,
  stratum = c(0,1,0,0,0,1, 1,1,0,0,0,1, 0,1,0,1,0,1, 0,1,1,1,0,1), id = 1:24, group = (0:23) %% 3)
d$f <- factor(d$cause, 0:2, c("censored", "one", "two"))
aj <- function(name, f) {
  k <- rowSums(f$n.event) > 0
  show(paste(name, "time"), f$time[k])
  for (c in 2:3) { show(paste(name, "F", c - 1), f$pstate[k, c]); show(paste(name, "se", c - 1), f$std.err[k, c]) }
  show(paste(name, "lower 1"), f$lower[k, 2]); show(paste(name, "upper 1"), f$upper[k, 2])
}
aj("plain", survfit(Surv(time, f) ~ 1, d))
aj("weights", survfit(Surv(time, f) ~ 1, d, weights = half, conf.type = "log-log"))
aj("entry", survfit(Surv(entry, time, f) ~ 1, d[-1, ], id = id, conf.type = "plain"))
aj("entry weights", survfit(Surv(entry, time, f) ~ 1, d[-1, ], id = id, weights = half))
ci <- cuminc(d$time, d$cause)
for (c in 1:2) { t <- timepoints(ci, sort(unique(d$time[d$cause > 0]))); show(paste("cuminc est", c), t$est[c, ]); show(paste("cuminc var", c), t$var[c, ]) }
for (rho in 0:1) {
  show(paste("gray groups rho", rho), cuminc(d$time, d$cause, d$group, rho = rho)$Tests)
  show(paste("gray strata rho", rho), cuminc(d$time, d$cause, d$group, d$stratum, rho = rho)$Tests)
}
copies <- d[rep(seq_len(24), 2 * d$half), ]
show("gray copies", cuminc(copies$time, copies$cause, copies$group)$Tests)
