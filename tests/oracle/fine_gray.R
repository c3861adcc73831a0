# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
# Expected values of tests/kernels/fine_gray_test.cpp.
#   Rscript tests/oracle/fine_gray.R          (R 4.2, survival 3.5.3, cmprsk 2.2.11)
suppressMessages({library(survival); library(cmprsk)})
show <- function(name, x) cat(sprintf("%-22s", name), paste(formatC(as.numeric(x), digits = 15, format = "g"), collapse = ", "), "\n")
d <- data.frame(  # the 24 patients of survival.R; every event has one of two causes
  time    = c(0,1,2,2,3,4, 4,5,5,5,6,7, 7,8,9,9,9,10, 11,12,12,13,14,15),
  cause   = c(1,2,1,0,1,1, 2,0,1,2,1,0, 2,1,1,2,0,1, 0,1,2,1,0,2),
  x       = c(0,1,0,1,1,0, 1,0,0,1,0,1, 0,0,1,0,1,0, 0,1,0,0,1,0),
  z       = c(5,3,8,1,4,4, 2,9,6,7,3,5, 1,2,8,6,4,9, 2,3,7,5,6,1) / 2,
  half    = c(1,2,1,1,3,1, 2,1,1,2,1,1, 1,4,1,2,1,1, 1,2,1,1,3,1) / 2,
  stratum = c(0,1,0,0,0,1, 1,1,0,0,0,1, 0,1,0,1,0,1, 0,1,1,1,0,1), id = 1:24)
d$f <- factor(d$cause, 0:2, c("censored", "one", "two"))
fg <- function(name, f) { show(paste(name, "beta"), f$coef); show(paste(name, "naive"), f$invinf); show(paste(name, "var"), f$var); show(paste(name, "loglik"), c(f$loglik.null, f$loglik)) }
m <- as.matrix(d[, c("z", "x")])
for (k in 1:2) fg(paste("cause", k), crr(d$time, d$cause, m, failcode = k, gtol = 1e-14))
fg("groups", crr(d$time, d$cause, m, cengroup = d$stratum, gtol = 1e-14))
copies <- rep(1:24, 2 * d$half)
fg("copies", crr(d$time[copies], d$cause[copies], m[copies, ], gtol = 1e-14))
# the sandwich as defined, patient by patient; crr's with one censoring group
sandwich <- function(time, cause, z, group, beta) {
  n <- length(time); p <- ncol(z); r <- exp(drop(z %*% beta)); times <- sort(unique(time[cause == 1]))
  G <- function(g, t) {
    s <- group == g; u <- sort(unique(time[s & cause == 0]))
    if (t > max(time[s])) 0 else prod(vapply(u[u < t], function(x) 1 - sum(time[s] == x & cause[s] == 0) / sum(time[s] >= x), 0))
  }
  w <- sapply(times, function(t) sapply(1:n, function(i) if (time[i] >= t) 1 else if (cause[i] == 2) G(group[i], t) / G(group[i], time[i]) else 0))
  s0 <- colSums(w * r); mean <- t(sapply(seq_along(times), function(k) colSums(w[, k] * r * z) / s0[k]))
  d <- sapply(times, function(t) sum(time == t & cause == 1)); hazard <- d / s0; information <- matrix(0, p, p)
  for (k in seq_along(times)) information <- information + d[k] * (t(z) %*% (w[, k] * r * z) / s0[k] - mean[k, ] %o% mean[k, ])
  residual <- matrix(0, n, p)
  for (i in 1:n) for (k in seq_along(times))
    residual[i, ] <- residual[i, ] + (z[i, ] - mean[k, ]) * w[i, k] * ((time[i] == times[k] & cause[i] == 1) - r[i] * hazard[k])
  for (g in unique(group)) for (u in unique(time[group == g & cause == 0])) {
    s <- which(group == g); at_risk <- sum(time[s] >= u); share <- sum(time[s] == u & cause[s] == 0) / at_risk; q <- numeric(p)
    for (i in s) if (cause[i] == 2 && time[i] < u) for (k in which(times >= u)) q <- q + (z[i, ] - mean[k, ]) * w[i, k] * r[i] * hazard[k]
    for (i in s) if (time[i] >= u) residual[i, ] <- residual[i, ] + q / at_risk * ((time[i] == u & cause[i] == 0) - share)
  }
  solve(information) %*% t(residual) %*% residual %*% solve(information)
}
one <- crr(d$time, d$cause, m, gtol = 1e-14); groups <- crr(d$time, d$cause, m, cengroup = d$stratum, gtol = 1e-14)
stopifnot(abs(sandwich(d$time, d$cause, m, rep(1, 24), one$coef) - one$var) < 1e-13)
show("groups sandwich", sandwich(d$time, d$cause, m, d$stratum, groups$coef))
# finegray wants positive times
d$time <- d$time + 1
tight <- coxph.control(eps = 1e-14, iter.max = 60)
w <- finegray(Surv(time, f) ~ ., d, etype = "one")
f <- coxph(Surv(fgstart, fgstop, fgstatus) ~ z + x, w, weights = fgwt, ties = "breslow", control = tight, robust = FALSE)
show("finegray beta", coef(f)); show("finegray naive", vcov(f))
f <- coxph(Surv(fgstart, fgstop, fgstatus) ~ z + x + strata(stratum), w, weights = fgwt, ties = "breslow", control = tight, robust = FALSE)
show("finegray strata beta", coef(f)); show("finegray strata naive", vcov(f))
# fractional weights, which finegray leaves out of G: rows cut at every event time, G(t-) from weighted survfit, deaths first
by_hand <- function(half) {
  g <- survfit(Surv(ifelse(d$cause == 0, d$time + 0.25, d$time), d$cause == 0) ~ 1, weights = half)
  G <- function(t) c(1, g$surv)[findInterval(t - 1e-9, g$time) + 1]
  times <- sort(unique(d$time[d$cause == 1])); rows <- NULL
  for (i in 1:24) {
    own <- times[times <= d$time[i]]; after <- if (d$cause[i] == 2) times[times > d$time[i]]
    rows <- rbind(rows, data.frame(i = i, start = 0, stop = d$time[i], event = d$cause[i] == 1, w = half[i]))
    if (length(after)) rows <- rbind(rows, data.frame(i = i, start = c(d$time[i], head(after, -1)), stop = after, event = FALSE, w = half[i] * G(after) / G(d$time[i])))
  }
  rows <- rows[rows$w > 0, ]
  coxph(Surv(start, stop, event) ~ z + x, cbind(rows, d[rows$i, c("z", "x")]), weights = w, ties = "breslow", control = tight, robust = FALSE)
}
h <- by_hand(rep(1, 24)); w <- finegray(Surv(time, f) ~ ., d, etype = "one")
stopifnot(abs(coef(h) - coef(coxph(Surv(fgstart, fgstop, fgstatus) ~ z + x, w, weights = fgwt, ties = "breslow", control = tight))) < 1e-9)
h <- by_hand(d$half); show("fractional weights beta", coef(h)); show("fractional weights naive", vcov(h))
d$entry <- c(0,0,0,0,0,0, 1,0,2,0,0,0, 0,3,0,0,0,4, 0,0,5,0,0,0)
d$time <- d$time - 1; d <- d[-1, ]
w <- finegray(Surv(entry, time, f) ~ ., d, etype = "one", id = id)
f <- coxph(Surv(fgstart, fgstop, fgstatus) ~ z + x, w, weights = fgwt, ties = "breslow", control = tight, robust = TRUE, cluster = id)
show("entry beta", coef(f)); show("entry naive", f$naive.var); show("entry robust", vcov(f)); show("entry loglik", f$loglik)
