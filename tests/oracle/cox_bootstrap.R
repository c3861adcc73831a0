# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
# Expected values of tests/kernels/cox_bootstrap_test.cpp.
#   Rscript tests/oracle/cox_bootstrap.R          (R 4.2, survival 3.5.3)
suppressMessages(library(survival))
tight <- suppressWarnings(coxph.control(eps = 1e-14, iter.max = 60))

# 200 patients, many ties, late entries, case weights, two strata; one replicate's copies
i <- 0:199
d <- data.frame(
  time = 1 + (37 * i) %% 29, event = as.integer(i %% 5 != 2), z = ((11 * i) %% 13) / 4, y = ((5 * i) %% 9) / 3,
  u = as.numeric((i * i) %% 7 < 2), entry = ifelse(i %% 4 == 1, (i %% 3) / 3, 0), weight = (1 + i %% 3) / 2,
  stratum = i %% 2)
copies <- ((i * i + 3 * i) %% 11) %/% 4

show <- function(name, fit) {
  cat(name, formatC(c(coef(fit), fit$loglik), digits = 15, format = "g"), sep = ", "); cat("\n")
}
for (m in c("efron", "breslow")) {
  rows <- d[rep(seq_along(i), copies), ]
  kept <- d[copies > 0, ]
  k <- copies[copies > 0]
  show(paste(m, "rows"), coxph(Surv(time, event) ~ z + y + u, rows, ties = m, control = tight))
  show(paste(m, "weights"), coxph(Surv(time, event) ~ z + y + u, kept, weights = k, robust = FALSE, ties = m, control = tight))
  show(paste(m, "rows all"), coxph(Surv(entry, time, event) ~ z + y + u + strata(stratum), rows, weights = weight,
                                   robust = FALSE, ties = m, control = tight))
  show(paste(m, "weights all"), coxph(Surv(entry, time, event) ~ z + y + u + strata(stratum), kept, weights = k * weight,
                                      robust = FALSE, ties = m, control = tight))
}
