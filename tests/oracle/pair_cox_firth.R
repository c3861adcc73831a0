# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
# Expected values of tests/kernels/pair_cox_firth_test.cpp: Firth's penalised likelihood l + log|I| / 2, both from
# survival's coxph held at given coefficients, maximised by optim.
#   Rscript tests/oracle/pair_cox_firth.R          (R 4.2, survival 3.5.3)
suppressMessages(library(survival))
options(digits = 12, width = 110)
show <- function(name, x) cat(sprintf("%-28s", name), formatC(as.numeric(x), digits = 12, format = "g"), "\n")

# the 40 patients of pair_cox.R; nobody with both a and b dies
i <- 0:39
d <- data.frame(
  time = 1 + (7 * i) %% 17, event = as.integer(i %% 5 != 2), a = as.integer((i * i) %% 7 %in% c(1, 2)),
  b = as.integer((3 * i) %% 8 < 3), z = ((11 * i) %% 13) / 4, y = ((5 * i) %% 9) / 3,
  entry = ifelse(i %% 4 == 1, (i %% 3) / 3, 0), weight = (1 + i %% 3) / 2, stratum = i %% 2)
d$event[d$a == 1 & d$b == 1] <- 0
d$ab <- d$a * d$b

penalised <- function(name, model, weight, ties) {
  d$w <- weight
  held <- function(beta) suppressWarnings(
    coxph(model, d, weights = w, robust = FALSE, ties = ties, init = beta, control = coxph.control(iter.max = 0)))
  value <- function(beta) { f <- held(beta); -(f$loglik[2] - determinant(f$var)$modulus / 2) }
  p <- length(coef(suppressWarnings(coxph(model, d, weights = w, robust = FALSE, ties = ties, control = coxph.control(iter.max = 1)))))
  tight <- function(start, f) {
    for (k in 1:4) start <- optim(start, f, method = "BFGS", control = list(reltol = 1e-16, ndeps = rep(1e-4, length(start)), maxit = 1000))$par
    start
  }
  full <- tight(rep(0, p), value)
  less <- tight(full[-p], function(beta) value(c(beta, 0)))
  show(paste(name, "beta"), full)
  show(paste(name, "se"), sqrt(diag(held(full)$var)))
  show(paste(name, "l* without with"), -c(value(c(less, 0)), value(full)))
}
for (m in c("efron", "breslow")) {
  penalised(paste(m, "crude"), Surv(time, event) ~ a + b + ab, 1, m)
  penalised(paste(m, "all"), Surv(entry, time, event) ~ z + y + strata(stratum) + a + b + ab, d$weight, m)
}
# RERI and its standard error by the delta method, at the crude fit of pair_cox.R
d$event <- as.integer(i %% 5 != 2)
f <- coxph(Surv(time, event) ~ a + b + ab, d, control = suppressWarnings(coxph.control(eps = 1e-14, iter.max = 60)))
h <- exp(c(sum(coef(f)), coef(f)[1:2]))
g <- c(h[1] - h[2], h[1] - h[3], h[1])
se <- sqrt(c(g %*% vcov(f) %*% g))
show("reri se lower upper", c(h[1] - h[2] - h[3] + 1, se, h[1] - h[2] - h[3] + 1 + qnorm(c(0.025, 0.975)) * se))
