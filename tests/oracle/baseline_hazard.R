# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
# Expected values of tests/kernels/baseline_hazard_test.cpp.
#   Rscript tests/oracle/baseline_hazard.R          (R 4.2, survival 3.5.3)
suppressMessages(library(survival))
tight <- suppressWarnings(coxph.control(eps = 1e-14, iter.max = 60))

# the 24 patients of twenty_four() in tests/kernels/survival_data.hpp, as in survival.R
d <- data.frame(
  entry   = c(0,0,0,0,0,0, 1,0,2,0,0,0, 0,3,0,0,0,4, 0,0,5,0,0,0),
  time    = c(0,1,2,2,3,4, 4,5,5,5,6,7, 7,8,9,9,9,10, 11,12,12,13,14,15),
  event   = c(1,1,1,0,1,1, 1,0,1,1,1,0, 1,1,1,1,0,1, 0,1,1,1,0,1),
  z       = c(5,3,8,1,4,4, 2,9,6,7,3,5, 1,2,8,6,4,9, 2,3,7,5,6,1) / 2,
  half    = c(1,2,1,1,3,1, 2,1,1,2,1,1, 1,4,1,2,1,1, 1,2,1,1,3,1) / 2,
  stratum = c(0,1,0,0,0,1, 1,1,0,0,0,1, 0,1,0,1,0,1, 0,1,1,1,0,1))
e <- d[-1, ]  # for entry times: R drops time 0, Surv(0, 0) is missing

# the coefficient, and the cumulative hazard of z = 0 at event times only
show <- function(name, f, data) {
  h <- basehaz(f, centered = FALSE)
  k <- if (is.null(h$strata)) rep(1, nrow(h)) else as.integer(h$strata)
  keep <- unlist(tapply(seq_along(k), k, function(i) i[c(h$hazard[i][1] > 0, diff(h$hazard[i]) > 1e-12)]))
  cat(name, formatC(coef(f), digits = 16, format = "g"), "\n ",
      paste(formatC(h$hazard[keep], digits = 15, format = "g"), collapse = ", "), "\n")
}
for (m in c("efron", "breslow")) {
  show(m, coxph(Surv(time, event) ~ z, d, ties = m, control = tight))
  show(paste(m, "weights"), coxph(Surv(time, event) ~ z, d, weights = half, robust = FALSE, ties = m, control = tight))
  show(paste(m, "all"), coxph(Surv(entry, time, event) ~ z + strata(stratum), e, weights = half, robust = FALSE, ties = m, control = tight))
}
f <- coxph(Surv(time, event) ~ z, d, control = tight)
s <- summary(survfit(f, newdata = d[1:3, ], se.fit = FALSE), times = c(4.5, 9))$surv
cat("survival of the first three at 4.5 and 9\n", formatC(t(s), digits = 15, format = "g"), "\n")
