# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
# Expected values of tests/kernels/concordance_test.cpp.
#   Rscript tests/oracle/concordance.R          (R 4.2, survival 3.5.3)
suppressMessages(library(survival))

# the 24 patients of twenty_four() in tests/kernels/survival_data.hpp, as in survival.R
d <- data.frame(
  entry   = c(0,0,0,0,0,0, 1,0,2,0,0,0, 0,3,0,0,0,4, 0,0,5,0,0,0),
  time    = c(0,1,2,2,3,4, 4,5,5,5,6,7, 7,8,9,9,9,10, 11,12,12,13,14,15),
  event   = c(1,1,1,0,1,1, 1,0,1,1,1,0, 1,1,1,1,0,1, 0,1,1,1,0,1),
  z       = c(5,3,8,1,4,4, 2,9,6,7,3,5, 1,2,8,6,4,9, 2,3,7,5,6,1) / 2,
  half    = c(1,2,1,1,3,1, 2,1,1,2,1,1, 1,4,1,2,1,1, 1,2,1,1,3,1) / 2,
  stratum = c(0,1,0,0,0,1, 1,1,0,0,0,1, 0,1,0,1,0,1, 0,1,1,1,0,1))
e <- d[-1, ]  # for entry times: R drops time 0, Surv(0, 0) is missing

show <- function(name, f) {
  k <- if (is.matrix(f$count)) colSums(f$count) else f$count
  cat(sprintf("{\"%s\", {%s}},\n", name,
              paste(formatC(c(f$concordance, sqrt(f$var), k), digits = 15, format = "g"), collapse = ", ")))
}
show("plain", concordance(Surv(time, event) ~ z, d, reverse = TRUE))
show("weights", concordance(Surv(time, event) ~ z, d, weights = half, reverse = TRUE))
show("strata", concordance(Surv(time, event) ~ z + strata(stratum), d, reverse = TRUE))
show("entry", concordance(Surv(entry, time, event) ~ z, e, reverse = TRUE))
show("all", concordance(Surv(entry, time, event) ~ z + strata(stratum), e, weights = half, reverse = TRUE))
show("uno", concordance(Surv(time, event) ~ z, d, timewt = "n/G2", reverse = TRUE))
show("uno weights to 9", concordance(Surv(time, event) ~ z, d, weights = half, timewt = "n/G2", ymax = 9, reverse = TRUE))
show("uno strata weights", concordance(Surv(time, event) ~ z + strata(stratum), d, weights = half, timewt = "n/G2", reverse = TRUE))
