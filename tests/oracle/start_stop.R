# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
# Expected values of tests/kernels/start_stop_test.cpp: a covariate that changes with time, several rows for a person.
#   Rscript tests/oracle/start_stop.R > tests/oracle/start_stop.json          (R 4.2, survival 3.5.3)
suppressMessages(library(survival))
tight <- suppressWarnings(coxph.control(eps = 1e-14, iter.max = 60))
numbers <- function(v) paste(formatC(as.numeric(v), digits = 15, format = "g", width = 1), collapse = ", ")
line <- function(name, v) cat(sprintf(",\n  \"%s\": [%s]", name, numbers(v)))
cat("{\n  \"made by\": \"tests/oracle/start_stop.R\"")

# the 24 patients of twenty_four(), a day later as tmerge wants positive times; treated from day `wait` on
p <- data.frame(
  id = 1:24,
  time    = c(0,1,2,2,3,4, 4,5,5,5,6,7, 7,8,9,9,9,10, 11,12,12,13,14,15) + 1,
  event   = c(1,1,1,0,1,1, 1,0,1,1,1,0, 1,1,1,1,0,1, 0,1,1,1,0,1),
  z       = c(5,3,8,1,4,4, 2,9,6,7,3,5, 1,2,8,6,4,9, 2,3,7,5,6,1) / 2,
  half    = c(1,2,1,1,3,1, 2,1,1,2,1,1, 1,4,1,2,1,1, 1,2,1,1,3,1) / 2,
  wait    = c(NA,1,2,NA,1,3, NA,2,5,NA,4,4, NA,6,2,3,NA,5, 7,NA,4,9,NA,8),
  stratum = c(0,1,0,0,0,1, 1,1,0,0,0,1, 0,1,0,1,0,1, 0,1,1,1,0,1))
d <- tmerge(p, p, id = id, died = event(time, event), treated = tdc(wait))
d <- survSplit(Surv(tstart, tstop, died) ~ ., d, cut = c(4, 8))  # more rows, nothing else
for (v in c("tstart", "tstop", "died", "id", "z", "treated", "half", "stratum")) line(v, d[[v]])
fits <- list(
  efron = coxph(Surv(tstart, tstop, died) ~ z + treated, d, cluster = id, control = tight),
  breslow = coxph(Surv(tstart, tstop, died) ~ z + treated, d, cluster = id, ties = "breslow", control = tight),
  all = coxph(Surv(tstart, tstop, died) ~ z + treated + strata(stratum), d, weights = half, cluster = id, control = tight))
for (name in names(fits)) {
  f <- fits[[name]]
  line(paste(name, "beta"), coef(f)); line(paste(name, "naive"), f$naive.var); line(paste(name, "cluster"), vcov(f))
  line(paste(name, "loglik"), f$loglik)
  line(paste(name, "martingale"), residuals(f, type = "martingale"))
  line(paste(name, "martingale by person"), residuals(f, type = "martingale", collapse = d$id, weighted = FALSE))
  line(paste(name, "score by person"), residuals(f, type = "score", collapse = d$id, weighted = name == "all"))
  line(paste(name, "zph"), cox.zph(f, transform = "identity", terms = FALSE)$table[, "chisq"])
  h <- survfit(f, newdata = data.frame(z = 2, treated = 1, stratum = 1)); k <- h$n.event > 0
  line(paste(name, "survival"), h$surv[k]); line(paste(name, "survival se"), h$std.err[k])
}
line("concordance", unlist(concordance(Surv(tstart, tstop, died) ~ z, d, cluster = id, reverse = TRUE)[c("concordance", "var")]))
s <- summary(survfit(Surv(tstart, tstop, died) ~ 1, d, robust = FALSE)); line("curve", s$surv); line("curve se", s$std.err[s$surv > 0])
# the same persons in one row each
one <- summary(survfit(Surv(time, event) ~ 1, p)); stopifnot(all.equal(one$surv, s$surv), all.equal(one$std.err, s$std.err))
cat("\n}\n")
