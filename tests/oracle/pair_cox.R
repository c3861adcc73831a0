# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
# Expected values of tests/kernels/pair_cox_test.cpp.
#   Rscript tests/oracle/pair_cox.R          (R 4.2, survival 3.5.3)
suppressMessages(library(survival))
options(digits = 16, width = 110)
show <- function(name, x) cat(sprintf("%-28s", name), formatC(as.numeric(x), digits = 15, format = "g"), "\n")
tight <- suppressWarnings(coxph.control(eps = 1e-14, iter.max = 60))

# The 40 patients of forty() in tests/kernels/pair_data.hpp: remainders of a few products, so that both sides can
# write them down; ties, late entries, weights, two strata.
i <- 0:39
d <- data.frame(
  time = 1 + (7 * i) %% 17, event = as.integer(i %% 5 != 2), a = as.integer((i * i) %% 7 %in% c(1, 2)),
  b = as.integer((3 * i) %% 8 < 3), z = ((11 * i) %% 13) / 4, y = ((5 * i) %% 9) / 3,
  entry = ifelse(i %% 4 == 1, (i %% 3) / 3, 0), weight = (1 + i %% 3) / 2, stratum = i %% 2)

pair <- function(name, full, less, ties, weight) {
  d$w <- weight
  cox <- function(model, ...) coxph(model, d, weights = w, robust = FALSE, ties = ties, ...)
  f <- cox(full, control = tight)
  g <- cox(less, control = tight)
  k <- length(coef(f)) - 2:0
  show(paste(name, "a b ab"), coef(f)[k])
  show(paste(name, "se"), sqrt(diag(vcov(f)))[k])
  show(paste(name, "cov a,b a,ab b,ab"), vcov(f)[k, k][upper.tri(diag(3))])
  show(paste(name, "null without with"), c(f$loglik[1], g$loglik[2], f$loglik[2]))
  # score test of ab at the fit without it
  s <- suppressWarnings(cox(full, init = c(coef(g), 0), control = coxph.control(iter.max = 0)))
  show(paste(name, "score"), s$score)
}
for (m in c("efron", "breslow")) {
  pair(paste(m, "crude"), Surv(time, event) ~ a + b + a:b, Surv(time, event) ~ a + b, m, 1)
  pair(paste(m, "all"), Surv(entry, time, event) ~ z + y + strata(stratum) + a + b + a:b,
       Surv(entry, time, event) ~ z + y + strata(stratum) + a + b, m, d$weight)
}
print(ftable(table(d[c("a", "b", "event")])))
