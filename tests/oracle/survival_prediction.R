# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
# Expected values of tests/kernels/survival_prediction_test.cpp.
#   Rscript tests/oracle/survival_prediction.R > tests/oracle/survival_prediction.json          (R 4.2, survival 3.5.3)
suppressMessages(library(survival))
tight <- suppressWarnings(coxph.control(eps = 1e-14, iter.max = 60))

# the 24 patients of twenty_four() in tests/kernels/survival_data.hpp, as in survival.R
d <- data.frame(
  entry   = c(0,0,0,0,0,0, 1,0,2,0,0,0, 0,3,0,0,0,4, 0,0,5,0,0,0),
  time    = c(0,1,2,2,3,4, 4,5,5,5,6,7, 7,8,9,9,9,10, 11,12,12,13,14,15),
  event   = c(1,1,1,0,1,1, 1,0,1,1,1,0, 1,1,1,1,0,1, 0,1,1,1,0,1),
  x       = c(0,1,0,1,1,0, 1,0,0,1,0,1, 0,0,1,0,1,0, 0,1,0,0,1,0),
  z       = c(5,3,8,1,4,4, 2,9,6,7,3,5, 1,2,8,6,4,9, 2,3,7,5,6,1) / 2,
  half    = c(1,2,1,1,3,1, 2,1,1,2,1,1, 1,4,1,2,1,1, 1,2,1,1,3,1) / 2,
  stratum = c(0,1,0,0,0,1, 1,1,0,0,0,1, 0,1,0,1,0,1, 0,1,1,1,0,1), site = (0:23) %% 5)
e <- d[-1, ]  # for entry times: R drops time 0, Surv(0, 0) is missing
new <- data.frame(z = c(0.5, 2, 4.5), x = c(1, 0, 1), stratum = c(0, 1, 1), o = c(0.3, -0.2, 0))

numbers <- function(v) paste(formatC(as.numeric(v), digits = 15, format = "g", width = 1), collapse = ", ")
line <- function(name, v) cat(sprintf(",\n  \"%s\": [%s]", name, gsub("NaN|NA", "null", numbers(v))))
cat("{\n  \"made by\": \"tests/oracle/survival_prediction.R\"")
# hazard, its error, survival and limits of each new patient at the event times, patient after patient
predicted <- function(name, fit, type = "log") {
  of <- lapply(1:3, function(i) {
    s <- survfit(fit, newdata = new[i, ], conf.type = type); k <- s$n.event > 0
    list(time = s$time[k], hazard = s$cumhaz[k], se = s$std.err[k], survival = s$surv[k], lower = s$lower[k], upper = s$upper[k])
  })
  for (v in names(of[[1]])) line(paste(name, v), unlist(lapply(of, `[[`, v)))
}
for (m in c("efron", "breslow")) {
  predicted(m, coxph(Surv(time, event) ~ z + x, d, ties = m, control = tight))
  predicted(paste(m, "weights"), coxph(Surv(time, event) ~ z + x, d, weights = half, robust = FALSE, ties = m, control = tight))
  predicted(paste(m, "all"), coxph(Surv(entry, time, event) ~ z + x + strata(stratum), e, weights = half, robust = FALSE, ties = m, control = tight))
}
f <- coxph(Surv(time, event) ~ z + x, d, control = tight)
predicted("plain", f, "plain"); predicted("log-log", f, "log-log")
predicted("robust", coxph(Surv(time, event) ~ z + x, d, cluster = site, control = tight))
d$o <- ((0:23) %% 4) / 5
predicted("offset", coxph(Surv(time, event) ~ z + x + offset(o), d, control = tight))
cat("\n}\n")
