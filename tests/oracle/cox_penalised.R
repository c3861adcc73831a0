# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
# Expected values of tests/kernels/cox_ridge_test.cpp and cox_firth_test.cpp.
#   Rscript tests/oracle/cox_penalised.R > tests/oracle/cox_penalised.json          (R 4.2, survival 3.5.3)
suppressMessages(library(survival))
options(warn = -1)  # "did not converge" to the last digit
tight <- suppressWarnings(coxph.control(eps = 1e-14, iter.max = 60, outer.max = 60))

# the 24 patients of twenty_four() in tests/kernels/survival_data.hpp, as in survival.R
d <- data.frame(
  entry   = c(0,0,0,0,0,0, 1,0,2,0,0,0, 0,3,0,0,0,4, 0,0,5,0,0,0),
  time    = c(0,1,2,2,3,4, 4,5,5,5,6,7, 7,8,9,9,9,10, 11,12,12,13,14,15),
  event   = c(1,1,1,0,1,1, 1,0,1,1,1,0, 1,1,1,1,0,1, 0,1,1,1,0,1),
  x       = c(0,1,0,1,1,0, 1,0,0,1,0,1, 0,0,1,0,1,0, 0,1,0,0,1,0),
  z       = c(5,3,8,1,4,4, 2,9,6,7,3,5, 1,2,8,6,4,9, 2,3,7,5,6,1) / 2,
  half    = c(1,2,1,1,3,1, 2,1,1,2,1,1, 1,4,1,2,1,1, 1,2,1,1,3,1) / 2,
  stratum = c(0,1,0,0,0,1, 1,1,0,0,0,1, 0,1,0,1,0,1, 0,1,1,1,0,1))
d$apart <- ifelse(d$x == 1, 0, d$event)  # nobody with x = 1 dies
e <- d[-1, ]                             # for entry times: R drops time 0, Surv(0, 0) is missing

numbers <- function(v) paste(formatC(as.numeric(v), digits = 15, format = "g", width = 1), collapse = ", ")
line <- function(name, v) cat(sprintf(",\n  \"%s\": [%s]", name, numbers(v)))
cat("{\n  \"made by\": \"tests/oracle/cox_penalised.R\"")

# ---- ridge: coefficients, variance, log partial likelihood, penalty, effective degrees of freedom
ridged <- function(name, f, df = sum(f$df)) {
  line(paste(name, "beta"), coef(f)); line(paste(name, "var"), f$var)
  line(paste(name, "loglik penalty df"), c(f$loglik[2], f$penalty[2], df))
}
breslow_all <- list()
for (m in c("efron", "breslow")) {
  for (scale in c(TRUE, FALSE)) {
    unit <- if (scale) "variance" else "plain"
    ridged(paste(m, unit), coxph(Surv(time, event) ~ ridge(z, x, theta = 2, scale = scale), d, ties = m, control = tight))
    ridged(paste(m, unit, "apart"), coxph(Surv(time, apart) ~ ridge(z, x, theta = 0.5, scale = scale), d, ties = m, control = tight))
    breslow_all[[unit]] <- coxph(Surv(entry, time, event) ~ ridge(z, x, theta = 2, scale = scale) + strata(stratum), e, weights = half, robust = FALSE, ties = "breslow", control = tight)
  }
  # a column without penalty beside one with: coxph's df is by term there, the trace is that of both
  f <- coxph(Surv(time, event) ~ z + ridge(x, theta = 3, scale = FALSE), d, ties = m, control = tight)
  ridged(paste(m, "two"), f, 2 - 3 * f$var[2, 2])
}
d$copy <- 1 - d$x
ridged("copies", coxph(Surv(time, event) ~ ridge(z, x, copy, theta = 2, scale = FALSE), d, control = tight))

# ---- Firth: l + log|I| / 2, its score with the correction tr(I^-1 dI/db) / 2, all from sums over each risk set as written
parts <- function(s, beta, ties) {
  p <- ncol(s$X); r <- s$w * exp(drop(s$X %*% beta)); l <- 0; U <- numeric(p); I <- matrix(0, p, p); D <- array(0, c(p, p, p))
  for (g in unique(s$g)) for (t in sort(unique(s$time[s$event == 1 & s$g == g]))) {
    at <- s$g == g & s$entry < t & s$time >= t; dies <- at & s$time == t & s$event == 1; n <- sum(dies); W <- sum(s$w[dies])
    l <- l + sum(s$w[dies] * log(r[dies] / s$w[dies])); U <- U + colSums(s$w[dies] * s$X[dies, , drop = FALSE])
    for (k in 0:(n - 1)) {
      q <- ifelse(at, r, 0); if (ties == "efron") q[dies] <- q[dies] * (1 - k / n)
      S <- sum(q); q <- q / S; m <- colSums(q * s$X); Z <- sweep(s$X, 2, m)
      l <- l - W / n * log(S); U <- U - W / n * m; I <- I + W / n * t(Z) %*% (q * Z)
      for (j in 1:p) D[, , j] <- D[, , j] + W / n * t(Z) %*% (q * Z[, j] * Z)
    }
  }
  V <- solve(I)
  list(l = l, I = I, star = l + determinant(I)$modulus[1] / 2, U0 = U, U = U + sapply(1:p, function(j) sum(V * D[, , j]) / 2))
}
climb <- function(s, ties, beta, free) {
  for (step in 1:500) {
    here <- parts(s, beta, ties); if (!length(free) || max(abs(here$U[free])) < 1e-12) break
    move <- solve(here$I[free, free, drop = FALSE], here$U[free]); move <- move / max(1, abs(move))
    repeat { to <- replace(beta, free, beta[free] + move); if (parts(s, to, ties)$star >= here$star - 1e-13 * abs(here$star)) break; move <- move / 2 }
    beta <- to
  }
  stopifnot(!length(free) || max(abs(here$U[free])) < 1e-9)
  list(beta = beta, at = here)
}
firth <- function(name, s, ties) {
  p <- ncol(s$X); full <- climb(s, ties, numeric(p), 1:p); top <- full$at$star
  # the maximum is also optim's, and likelihood and information are those of coxph
  o <- optim(numeric(p), function(b) -parts(s, b, ties)$star, method = "BFGS", control = list(reltol = 1e-15, maxit = 500))
  held <- coxph(Surv(s$entry, s$time, s$event) ~ s$X + strata(s$g), weights = s$w, robust = FALSE, ties = ties, init = full$beta, control = coxph.control(iter.max = 0))
  stopifnot(abs(o$par - full$beta) < 1e-4, abs(o$value + top) < 1e-8, abs(held$loglik[2] - full$at$l) < 1e-10, abs(held$var - solve(full$at$I)) < 1e-8)
  line(paste(name, "beta"), full$beta); line(paste(name, "var"), solve(full$at$I))
  line(paste(name, "null and penalised loglik"), c(parts(s, numeric(p), ties)$star, top))
  lost <- function(j, b) 2 * (top - climb(s, ties, replace(full$beta, j, b), setdiff(1:p, j))$at$star)
  line(paste(name, "lrt"), sapply(1:p, lost, 0))
  limit <- function(j, sign) {
    over <- function(a) lost(j, full$beta[j] + sign * a) - qchisq(0.95, 1); far <- 1
    while (over(far) < 0) far <- 2 * far
    full$beta[j] + sign * uniroot(over, c(0, far), tol = 1e-11)$root
  }
  line(paste(name, "lower"), sapply(1:p, limit, -1)); line(paste(name, "upper"), sapply(1:p, limit, 1))
}
# ridge with entries, weights and strata from the same sums: with Efron's ties coxph's penalised likelihood is not the one
# that coxph itself has at these coefficients (survival 3.5.3); with Breslow's it is, and both agree
ridge_all <- function(name, s, strength, ties, check) {
  beta <- numeric(ncol(s$X))
  for (step in 1:50) { h <- parts(s, beta, ties); H <- h$I + diag(strength); beta <- beta + solve(H, h$U0 - strength * beta) }
  stopifnot(max(abs(h$U0 - strength * beta)) < 1e-12)
  held <- coxph(Surv(s$entry, s$time, s$event) ~ s$X + strata(s$g), weights = s$w, robust = FALSE, ties = ties, init = beta, control = coxph.control(iter.max = 0))
  stopifnot(abs(held$loglik[2] - h$l) < 1e-10)
  if (ties == "breslow") stopifnot(abs(check$coef - beta) < 1e-8, abs(check$var - solve(H)) < 1e-8, abs(check$loglik[2] - h$l) < 1e-8, abs(sum(check$df) - sum(diag(solve(H, h$I)))) < 1e-8)
  line(paste(name, "beta"), beta); line(paste(name, "var"), solve(H))
  line(paste(name, "loglik penalty df"), c(h$l, sum(strength * beta^2) / 2, sum(diag(solve(H, h$I)))))
}
cohort <- function(d, event, all) list(time = d$time, event = event, X = as.matrix(d[, c("z", "x")]), entry = if (all) d$entry else rep(-1, nrow(d)),
                                       w = if (all) d$half else rep(1, nrow(d)), g = if (all) d$stratum else rep(0, nrow(d)))
for (m in c("efron", "breslow")) {
  both <- cohort(e, e$event, TRUE)
  ridge_all(paste(m, "variance all"), both, 2 * apply(both$X, 2, var), m, breslow_all$variance)
  ridge_all(paste(m, "plain all"), both, c(2, 2), m, breslow_all$plain)
  firth(paste(m, "firth"), cohort(d, d$event, FALSE), m)
  firth(paste(m, "firth apart"), cohort(d, d$apart, FALSE), m)
  firth(paste(m, "firth all"), cohort(e, e$event, TRUE), m)
  firth(paste(m, "firth all apart"), cohort(e, e$apart, TRUE), m)
}
cat("\n}\n")
