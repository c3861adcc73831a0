# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
# Expected values of the weighted tests in tests/kernels/log_rank_test.cpp.
#   Rscript tests/oracle/log_rank.R          (R 4.2, survival 3.5.3)
suppressMessages(library(survival))
show <- function(name, x) cat(sprintf("%-28s", name), formatC(as.numeric(x), digits = 15, format = "g"), "\n")
d <- data.frame(  # the 24 patients of survival.R
  time    = c(0,1,2,2,3,4, 4,5,5,5,6,7, 7,8,9,9,9,10, 11,12,12,13,14,15),
  event   = c(1,1,1,0,1,1, 1,0,1,1,1,0, 1,1,1,1,0,1, 0,1,1,1,0,1),
  weight  = c(1,2,1,1,3,1, 2,1,1,2,1,1, 1,4,1,2,1,1, 1,2,1,1,3,1),
  stratum = c(0,1,0,0,0,1, 1,1,0,0,0,1, 0,1,0,1,0,1, 0,1,1,1,0,1),
  group   = (0:23) %% 3)
lr <- function(name, s) {
  show(paste(name, "obs"), rowSums(as.matrix(s$obs))); show(paste(name, "exp"), rowSums(as.matrix(s$exp)))
  show(paste(name, "var"), s$var); show(paste(name, "chisq"), s$chisq)
}
lr("rho 1", survdiff(Surv(time, event) ~ group, d, rho = 1))
lr("rho 0.5 strata", survdiff(Surv(time, event) ~ group + strata(stratum), d, rho = 0.5))
copies <- d[rep(seq_len(24), d$weight), ]
lr("copies", survdiff(Surv(time, event) ~ group, copies, rho = 1))
# survdiff has no gamma: Fleming and Harrington's sums as they stand; gamma = 0 agrees with survdiff
g <- function(d, rho, gamma) {
  o <- e <- numeric(3); v <- matrix(0, 3, 3); s <- 1
  for (t in sort(unique(d$time[d$event == 1]))) {
    r <- d$time >= t; n <- sum(r); k <- d$time == t & d$event == 1; dd <- sum(k); u <- s^rho * (1 - s)^gamma
    p <- sapply(0:2, function(j) sum(r & d$group == j)) / n
    o <- o + u * sapply(0:2, function(j) sum(k & d$group == j)); e <- e + u * dd * p
    if (n > 1) v <- v + u^2 * dd * (n - dd) / (n - 1) * (diag(p) - p %o% p)
    s <- s * (1 - dd / n)
  }
  list(obs = o, exp = e, var = v, chisq = c((o - e)[-1] %*% solve(v[-1, -1]) %*% (o - e)[-1]))
}
stopifnot(abs(g(d, 1, 0)$chisq - survdiff(Surv(time, event) ~ group, d, rho = 1)$chisq) < 1e-12)
lr("rho 1 gamma 1", g(d, 1, 1)); lr("gamma 1", g(d, 0, 1))
