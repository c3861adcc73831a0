# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
# Percentile and BCa intervals, optimism and the .632+ estimate by their formulas: Rscript tests/oracle/bootstrap_interval.R
t <- c(0.31, 0.12, 0.57, 0.44, 0.29, 0.38, 0.51, 0.22, 0.35, 0.41, 0.48, 0.19, 0.33, 0.62, 0.27, 0.39, 0.45, 0.36, 0.53, 0.25)
show <- function(name, x) cat(name, format(x, digits = 15), "\n")
show("percentile 90 %", quantile(t, c(0.05, 0.95), names = FALSE))
show("percentile 95 %", quantile(t, c(0.025, 0.975), names = FALSE))
bca <- function(t, t0, a, level) {
  z0 <- qnorm((sum(t < t0) + 0.5 * sum(t == t0)) / length(t)); z <- qnorm((1 + level) / 2) * c(-1, 1)
  quantile(t, pnorm(z0 + (z0 + z) / (1 - a * (z0 + z))), names = FALSE)
}
show("bca t0 = 0.40, a = 0.05", bca(t, 0.40, 0.05, 0.9))
show("bca t0 = 0.39 (tied), a = -0.02", bca(t, 0.39, -0.02, 0.9))
u <- c(0.3, -0.1, 0.05, -0.4, 0.7, 0.02, -0.25)
show("acceleration", sum(u^3) / (6 * sum(u^2)^1.5))
# C: apparent 0.75, chance 0.5
boot <- c(0.78, 0.76, 0.80, 0.74); orig <- c(0.73, 0.74, 0.72, 0.735); oob <- c(0.70, 0.71, 0.66, 0.69)
o <- mean(boot - orig); show("optimism, corrected", c(o, 0.75 - o)); show("interval 90 %", 0.75 - o + quantile(boot, c(0.05, 0.95), names = FALSE) - mean(boot))
plus <- function(app, oob, gamma) {
  r <- (oob - app) / (gamma - app); if (r > 1) oob <- gamma; r <- min(max(r, 0), 1); w <- 0.632 / (1 - 0.368 * r); (1 - w) * app + w * oob
}
show(".632, .632+", c(0.368 * 0.75 + 0.632 * mean(oob), plus(0.75, mean(oob), 0.5)))
show("Brier .632+", plus(0.10, 0.16, 0.25)); show("worse than chance", plus(0.75, 0.45, 0.5)); show("better than apparent", plus(0.75, 0.77, 0.5))
