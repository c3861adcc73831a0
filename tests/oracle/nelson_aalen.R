# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
# Expected values of tests/kernels/{nelson_aalen,restricted_mean}_test.cpp.
#   Rscript tests/oracle/nelson_aalen.R          (R 4.2, survival 3.5.3)
suppressMessages(library(survival))
show <- function(name, x) cat(sprintf("%-20s", name), paste(formatC(as.numeric(x), digits = 15, format = "g"), collapse = ", "), "\n")
d <- data.frame(  # the 24 patients of survival.R
  entry   = c(0,0,0,0,0,0, 1,0,2,0,0,0, 0,3,0,0,0,4, 0,0,5,0,0,0),
  time    = c(0,1,2,2,3,4, 4,5,5,5,6,7, 7,8,9,9,9,10, 11,12,12,13,14,15),
  event   = c(1,1,1,0,1,1, 1,0,1,1,1,0, 1,1,1,1,0,1, 0,1,1,1,0,1),
  x       = c(0,1,0,1,1,0, 1,0,0,1,0,1, 0,0,1,0,1,0, 0,1,0,0,1,0),
  weight  = c(1,2,1,1,3,1, 2,1,1,2,1,1, 1,4,1,2,1,1, 1,2,1,1,3,1))
for (k in 1:2) {
  hz <- function(name, f) { show(paste(name, "hazard"), f$cumhaz); show(paste(name, "var"), f$std.chaz^2) }
  hz(paste("ctype", k), survfit(Surv(time, event) ~ 1, d, ctype = k))
  hz(paste("ctype", k, "entry"), survfit(Surv(entry, time, event) ~ 1, d[-1, ], ctype = k))
  hz(paste("ctype", k, "weights"), survfit(Surv(time, event) ~ 1, d, weights = weight, ctype = k))
}
for (s in c("log", "log-log")) {
  f <- survfit(Surv(time, event) ~ 1, d, stype = 2, ctype = 1, conf.type = s)
  show(paste(s, "lower"), -log(f$upper)); show(paste(s, "upper"), -log(f$lower))
}
rm <- function(name, f, tau) { t <- survival:::survmean(f, rmean = tau)$matrix; show(name, if (is.matrix(t)) t[, 5:6] else t[5:6]) }
rm("rmean 10", survfit(Surv(time, event) ~ 1, d), 10)
rm("rmean 15", survfit(Surv(time, event) ~ 1, d), 15)
rm("rmean 9.5 x", survfit(Surv(time, event) ~ x, d), 9.5)
rm("rmean 9.5 entry", survfit(Surv(entry, time, event) ~ 1, d[-1, ]), 9.5)
rm("rmean 9.5 weights", survfit(Surv(time, event) ~ 1, d, weights = weight), 9.5)
