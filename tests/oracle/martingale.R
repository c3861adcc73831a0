# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
# Expected values of tests/kernels/martingale_test.cpp.
#   Rscript tests/oracle/martingale.R          (R 4.2, survival 3.5.3)
suppressMessages(library(survival))
tight <- suppressWarnings(coxph.control(eps = 1e-14, iter.max = 60))

# the 40 patients of forty() in tests/kernels/pair_data.hpp, as in pair_cox.R
i <- 0:39
d <- data.frame(
  time = 1 + (7 * i) %% 17, event = as.integer(i %% 5 != 2), z = ((11 * i) %% 13) / 4, y = ((5 * i) %% 9) / 3,
  entry = ifelse(i %% 4 == 1, (i %% 3) / 3, 0), weight = (1 + i %% 3) / 2, stratum = i %% 2)

show <- function(name, fit) {
  m <- residuals(fit, type = "martingale")
  cat(name, "\n", paste(formatC(m, digits = 15, format = "g"), collapse = ", "), "\n")
}
for (m in c("efron", "breslow")) {
  show(paste(m, "null"), coxph(Surv(time, event) ~ 1, d, ties = m))
  show(paste(m, "all"), coxph(Surv(entry, time, event) ~ z + y + strata(stratum), d, weights = weight, robust = FALSE,
                              ties = m, control = tight))
}
