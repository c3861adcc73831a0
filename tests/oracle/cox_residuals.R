# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
# Expected values of tests/kernels/cox_residuals_test.cpp and cox_zph_test.cpp.
#   Rscript tests/oracle/cox_residuals.R > tests/oracle/cox_residuals.json          (R 4.2, survival 3.5.3)
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
  stratum = c(0,1,0,0,0,1, 1,1,0,0,0,1, 0,1,0,1,0,1, 0,1,1,1,0,1),
  site    = (0:23) %% 5)
e <- d[-1, ]  # for entry times: R drops time 0, Surv(0, 0) is missing

numbers <- function(v) paste(formatC(v, digits = 15, format = "g", width = 1), collapse = ", ")
line <- function(fit, type, v) cat(sprintf(",\n  \"%s %s\": [%s]", fit, type, numbers(v)))
fits <- list()
for (m in c("efron", "breslow")) {
  fits[[paste(m, "plain")]] <- coxph(Surv(time, event) ~ z + x, d, ties = m, control = tight, x = TRUE)
  fits[[paste(m, "all")]] <- coxph(Surv(entry, time, event) ~ z + x + strata(stratum), e, weights = half, robust = FALSE, ties = m, control = tight, x = TRUE)
}
cat("{\n  \"made by\": \"tests/oracle/cox_residuals.R\"")
for (name in names(fits)) {
  f <- fits[[name]]
  for (type in c("deviance", "score", "dfbeta", "dfbetas", "schoenfeld", "scaledsch"))
    line(name, type, residuals(f, type = type))
  D <- residuals(f, type = "dfbeta", weighted = TRUE)
  line(name, "robust", crossprod(D))
  line(name, "cluster", crossprod(rowsum(D, if (nrow(D) == 24) d$site else e$site)))
  for (g in c("km", "identity", "log", "rank")) {
    if (g == "log" && nrow(D) == 24) next  # somebody dies at time 0
    line(name, paste("zph", g), cox.zph(f, transform = g, terms = FALSE)$table[, "chisq"])
  }
}
# robust errors as coxph gives them are the same
stopifnot(all.equal(crossprod(residuals(fits[[1]], type = "dfbeta")),
  coxph(Surv(time, event) ~ z + x, d, control = tight, robust = TRUE)$var, check.attributes = FALSE))
# two columns as one term
d$z2 <- d$z^2
f <- coxph(Surv(time, event) ~ cbind(z, z2) + x, d, control = tight)
line("efron terms", "zph identity", cox.zph(f, transform = "identity")$table[, "chisq"])
cat("\n}\n")
