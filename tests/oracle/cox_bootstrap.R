# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
# Expected values of tests/kernels/cox_bootstrap_test.cpp, cox_bootstrap_fills_test.cpp and bootstrap_fills_test.cpp.
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

# z, y and u have gaps; each replicate fills them with the median of its own rows, u with its most frequent value
holes <- transform(d, z = ifelse(i %% 7 == 3, NA, z), y = ifelse(i %% 11 == 5, NA, y), u = ifelse(i %% 6 == 1, NA, u))
rows <- holes[rep(seq_along(i), copies), ]
fills <- c(median(rows$z, na.rm = TRUE), median(rows$y, na.rm = TRUE), as.numeric(names(which.max(table(rows$u)))))
cat("fills", formatC(fills, digits = 15, format = "g"), sep = ", "); cat("\n")
for (k in 1:3) holes[[c("z", "y", "u")[k]]][is.na(holes[[c("z", "y", "u")[k]]])] <- fills[k]
show("filled rows", coxph(Surv(time, event) ~ z + y + u, holes[rep(seq_along(i), copies), ], ties = "efron", control = tight))
show("filled weights all", coxph(Surv(entry, time, event) ~ z + y + u + strata(stratum), holes[copies > 0, ], weights = copies[copies > 0] * weight,
                                 robust = FALSE, ties = "efron", control = tight))
show("filled rows all", coxph(Surv(entry, time, event) ~ z + y + u + strata(stratum), holes[rep(seq_along(i), copies), ],
                              weights = weight, robust = FALSE, ties = "efron", control = tight))

# tests/kernels/bootstrap_fills_test.cpp: 203 patients, 12 replicates; the median of an even number of copies lies between two values
i <- 0:202
v <- ifelse(i %% 7 == 3, NA, ((37 * i) %% 101) / 8)
code <- ifelse(i %% 5 == 2, NA, (i * i) %% 7)
for (r in 0:11) {
  rows <- rep(seq_along(i), ((i * i + r * i) %% 11) %/% 4)
  cat("median", r, formatC(median(v[rows], na.rm = TRUE), digits = 15, format = "g"), "mode", names(which.max(table(code[rows]))), "\n")
}
