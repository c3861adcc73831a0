# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
# Expected values of tests/kernels/{timeline,kaplan_meier,log_rank,two_group,cox}_test.cpp.
#   Rscript tests/oracle/survival.R          (R 4.2, survival 3.5.3)
suppressMessages(library(survival))
options(digits = 16, width = 110)
show <- function(name, x) cat(sprintf("%-28s", name), formatC(as.numeric(x), digits = 15, format = "g"), "\n")
tight <- suppressWarnings(coxph.control(eps = 1e-14, iter.max = 60))

# 24 patients: ties, a zero time, late entries, weights, two strata; x is a 0/1 feature, z a covariate.
d <- data.frame(
  entry   = c(0,0,0,0,0,0, 1,0,2,0,0,0, 0,3,0,0,0,4, 0,0,5,0,0,0),
  time    = c(0,1,2,2,3,4, 4,5,5,5,6,7, 7,8,9,9,9,10, 11,12,12,13,14,15),
  event   = c(1,1,1,0,1,1, 1,0,1,1,1,0, 1,1,1,1,0,1, 0,1,1,1,0,1),
  x       = c(0,1,0,1,1,0, 1,0,0,1,0,1, 0,0,1,0,1,0, 0,1,0,0,1,0),
  z       = c(5,3,8,1,4,4, 2,9,6,7,3,5, 1,2,8,6,4,9, 2,3,7,5,6,1) / 2,
  weight  = c(1,2,1,1,3,1, 2,1,1,2,1,1, 1,4,1,2,1,1, 1,2,1,1,3,1),
  half    = c(1,2,1,1,3,1, 2,1,1,2,1,1, 1,4,1,2,1,1, 1,2,1,1,3,1) / 2,
  stratum = c(0,1,0,0,0,1, 1,1,0,0,0,1, 0,1,0,1,0,1, 0,1,1,1,0,1))
e <- d[-1, ]  # for entry times: R drops time 0, Surv(0, 0) is missing

one <- function(name, f, k = 1) {
  show(paste(name, "beta"), coef(f)); show(paste(name, "se"), sqrt(diag(vcov(f))))
  show(paste(name, "loglik"), f$loglik); show(paste(name, "score"), f$score)
}
cat("two_group, cox: y ~ x\n")
for (m in c("efron", "breslow")) {
  one(paste(m, "plain"), coxph(Surv(time, event) ~ x, d, ties = m, control = tight))
  one(paste(m, "weights"), coxph(Surv(time, event) ~ x, d, weights = half, robust = FALSE, ties = m, control = tight))
  one(paste(m, "strata"), coxph(Surv(time, event) ~ x + strata(stratum), d, ties = m, control = tight))
  one(paste(m, "entry"), coxph(Surv(entry, time, event) ~ x, e, ties = m, control = tight))
  one(paste(m, "all"), coxph(Surv(entry, time, event) ~ x + strata(stratum), e, weights = half, robust = FALSE, ties = m, control = tight))
}
cat("cox: y ~ z + x\n")
for (m in c("efron", "breslow")) {
  one(paste(m, "plain"), coxph(Surv(time, event) ~ z + x, d, ties = m, control = tight))
  one(paste(m, "offset"), coxph(Surv(time, event) ~ x + offset(z / 4), d, ties = m, control = tight))
  one(paste(m, "all"), coxph(Surv(entry, time, event) ~ z + x + strata(stratum), e, weights = half, robust = FALSE, ties = m, control = tight))
}
f <- coxph(Surv(time, event) ~ z + I(2 * z - 1) + x, d, control = tight)
show("aliased beta", coef(f)); show("aliased loglik", f$loglik)
cat("log-rank\n")
lr <- function(name, s) { show(paste(name, "obs"), rowSums(as.matrix(s$obs))); show(paste(name, "exp"), rowSums(as.matrix(s$exp))); show(paste(name, "var"), s$var); show(paste(name, "chisq"), s$chisq) }
lr("x", survdiff(Surv(time, event) ~ x, d))
lr("x strata", survdiff(Surv(time, event) ~ x + strata(stratum), d))
d$group <- (seq_len(24) - 1) %% 3
lr("group", survdiff(Surv(time, event) ~ group, d))
lr("group strata", survdiff(Surv(time, event) ~ group + strata(stratum), d))
cat("Kaplan-Meier\n")
km <- function(name, f, at) {
  s <- summary(f, censored = TRUE)
  for (v in c("time", "n.risk", "n.event", "n.censor", "surv", "std.err", "lower", "upper")) show(paste(name, v), s[[v]])
  show(paste(name, "median"), s$table[c("median", "0.95LCL", "0.95UCL")])
  if (length(at)) { p <- summary(f, times = at); for (v in c("time", "n.risk", "surv", "std.err", "lower", "upper")) show(paste(name, "at", v), p[[v]]) }
}
for (t in c("plain", "log", "log-log")) km(t, survfit(Surv(time, event) ~ 1, d, conf.type = t), c(0, 4.5, 9))
km("weights", survfit(Surv(time, event) ~ 1, d, weights = weight, conf.type = "log"), c())
km("entry", survfit(Surv(entry, time, event) ~ 1, e, conf.type = "log-log"), c())
for (k in 0:1) km(paste("arm", k), survfit(Surv(time, event) ~ 1, d[d$x == k, ], conf.type = "log-log"), c(3, 8.5))
h <- data.frame(time = c(1, 2, 3, 4), event = c(1, 1, 0, 1))  # rests on one half from 2 to 4
km("half", survfit(Surv(time, event) ~ 1, h, conf.type = "plain"), c())
cat("tied times\n")
g <- data.frame(time = c(1, 1 + 1e-9, 2, 3 - 1e-9, 3, 4), event = 1)
show("times", survfit(Surv(time, event) ~ 1, g)$time)
show("n.event", survfit(Surv(time, event) ~ 1, g)$n.event)
cat("heavy ties: 12 die together among 20, then 5 among 6\n")
k <- data.frame(time = rep(c(1, 1.5, 2, 3), c(12, 2, 5, 1)), event = rep(c(1, 0, 1, 0), c(12, 2, 5, 1)), x = rep(c(1, 0, 0, 1, 1), 4))
one("heavy", coxph(Surv(time, event) ~ x, k, control = tight))
