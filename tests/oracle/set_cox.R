# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
# Expected values of tests/kernels/set_cox_test.cpp.
#   Rscript tests/oracle/set_cox.R          (R 4.2, survival 3.5.3)
suppressMessages(library(survival))
options(digits = 16, width = 110)
show <- function(name, x) cat(sprintf("%-26s", name), formatC(as.numeric(x), digits = 15, format = "g"), "\n")
tight <- suppressWarnings(coxph.control(eps = 1e-14, iter.max = 60))

# The 150 patients of hundred_fifty() in tests/kernels/set_cox_test.cpp: remainders of a few products, so that both
# sides can write them down; ties, late entries, weights, two strata.
i <- 0:149
d <- data.frame(
  time = 1 + (7 * i + i %/% 10) %% 23, event = as.integer((i + i %/% 7) %% 5 != 2),
  a = as.integer((i * i) %% 7 %in% c(1, 2)), b = as.integer((3 * i + i %/% 9) %% 8 < 3),
  c = as.integer((5 * i + i %/% 11) %% 11 < 5), e = as.integer((2 * i + i %/% 6) %% 9 < 4),
  z = ((11 * i) %% 13) / 4, y = ((5 * i) %% 9) / 3,
  entry = ifelse(i %% 4 == 1, (i %% 3) / 3, 0), weight = (1 + i %% 3) / 2, stratum = i %% 2)

# terms by their bits: a b ab c ac bc abc …
by_bits <- function(f, features) {
  names_of <- sapply(strsplit(names(coef(f)), ":"), function(parts) sum(2^(match(parts, features) - 1)))
  order(names_of, na.last = NA)
}
triple <- function(name, left, right, features, ties, weight) {
  d$w <- weight
  cox <- function(power) {
    terms <- paste0("(", paste(features, collapse = " + "), ")^", power)
    coxph(as.formula(paste(left, "~", right, "+", terms)), d, weights = w, robust = FALSE, ties = ties,
          control = tight)
  }
  f <- cox(length(features)); g <- cox(length(features) - 1)
  k <- by_bits(f, features)
  show(paste(name, "coefficients"), coef(f)[k])
  show(paste(name, "se"), sqrt(diag(vcov(f)))[k])
  show(paste(name, "null without with"), c(f$loglik[1], g$loglik[2], f$loglik[2]))
}
abc <- c("a", "b", "c")
for (m in c("efron", "breslow")) {
  triple(paste(m, "crude"), "Surv(time, event)", "0", abc, m, 1)
  triple(paste(m, "all"), "Surv(entry, time, event)", "z + y + strata(stratum)", abc, m, d$weight)
}
triple("four", "Surv(time, event)", "z", c(abc, "e"), "efron", 1)
print(table(d$a + 2 * d$b + 4 * d$c, d$event))
