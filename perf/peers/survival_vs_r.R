# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
# Outcome kernels beside R's survival and cmprsk, rounds R, Chorale, R, Chorale …; processor time, one thread.
#   Rscript perf/peers/survival_vs_r.R build/perf/perf/peers/survival [rounds [patients]]
suppressMessages({ library(survival); with_crr <- requireNamespace("cmprsk", quietly = TRUE) })
args <- commandArgs(TRUE)
rounds <- if (length(args) > 1) as.integer(args[2]) else 5
n <- if (length(args) > 2) as.integer(args[3]) else 100000L
few <- 5000L  # of whom crr, quadratic in them, is asked
cohort_of <- function(n) {
  file <- tempfile(fileext = ".bin")
  ours <- function() read.table(text = system2(args[1], c(file, n), stdout = TRUE), col.names = c("measure", "value", "ms"))
  invisible(ours())
  m <- matrix(readBin(file, "double", 25 * n), n)
  list(ours = ours, time = m[, 1], event = m[, 2], cause = m[, 3], site = m[, 4], feature = m[, 5], x = m[, 6:25])
}
big <- cohort_of(n); small <- cohort_of(few)
y <- Surv(big$time, big$event)
f <- factor(big$cause, 0:2, c("censored", "one", "two"))
z <- matrix(big$feature, ncol = 1)
tight <- suppressWarnings(coxph.control(eps = 1e-12, iter.max = 30))
score <- function() coxph.fit(z, y, NULL, NULL, NULL, coxph.control(iter.max = 0), NULL, "efron", NULL)$score
fit <- coxph(y ~ big$x, control = tight)
r <- list(
  cox_and_log_rank = score,
  cox_fit = function() coef(coxph.fit(big$x, y, NULL, NULL, NULL, tight, NULL, "efron", NULL))[[1]],
  robust = function() crossprod(residuals(fit, type = "dfbeta"))[1, 1],
  cluster = function() crossprod(rowsum(residuals(fit, type = "dfbeta"), big$site))[1, 1],
  aalen_johansen = function() { s <- survfit(Surv(big$time, f) ~ 1); k <- rowSums(s$n.event) > 0; s$std.err[k, 2][sum(k) %/% 2 + 1] })
d <- data.frame(time = small$time, f = factor(small$cause, 0:2, c("censored", "one", "two")), small$x)
r_small <- list(
  finegray_coxph = function() {
    w <- finegray(Surv(time, f) ~ ., d, etype = "one")
    coef(coxph(Surv(fgstart, fgstop, fgstatus) ~ ., w[, grep("^X|^fg", names(w))][, c(paste0("X", 1:20), "fgstart", "fgstop", "fgstatus")],
               weights = w$fgwt, ties = "breslow", robust = FALSE, control = tight))[[1]]
  },
  crr = if (with_crr) function() cmprsk::crr(small$time, small$cause, small$x, variance = FALSE)$coef[[1]])
spent <- function(g) { t <- system.time(v <- g(), gcFirst = FALSE); list(v, 1000 * sum(t[c("user.self", "sys.self")])) }
all <- names(r); ms_r <- value_r <- list(); ms <- ms_small <- NULL
for (k in seq_len(rounds)) {
  for (m in all) { s <- spent(r[[m]]); ms_r[[m]][k] <- s[[2]]; value_r[[m]] <- s[[1]] }
  o <- big$ours(); ms <- rbind(ms, setNames(o$ms, o$measure)); value <- setNames(o$value, o$measure)
}
for (k in seq_len(min(rounds, 3))) {
  for (m in names(r_small)) { s <- spent(r_small[[m]]); ms_r[[m]][k] <- s[[2]]; value_r[[m]] <- s[[1]] }
  o <- small$ours(); ms_small <- rbind(ms_small, setNames(o$ms, o$measure)); value_small <- setNames(o$value, o$measure)
}
ms[, "cox_and_log_rank"] <- ms[, "cox_and_log_rank"] / 1000  # a thousand features
a <- sapply(ms_r, median); b <- apply(ms, 2, median)[all]; c <- apply(ms_small, 2, median)["fine_gray"]
relative <- abs(value[all] / unlist(value_r[all]) - 1)
print(data.frame(R_ms = signif(a[all], 4), chorale_ms = signif(b, 3), times = signif(a[all] / b, 3), relative_difference = signif(relative, 2)))
g <- names(r_small)
print(data.frame(R_ms = signif(a[g], 4), chorale_ms = signif(rep(c, length(g)), 3), times = signif(a[g] / c, 3),
                 difference = signif(abs(unlist(value_r[g]) - value_small["fine_gray"]), 2), row.names = paste(g, "at", few)))
gray <- apply(ms, 2, median)[c("fine_gray", "fine_gray_fit", "fine_gray_sandwich")]
cat(sprintf("fine_gray at %d: fit %.1f ms, with its sandwich %.1f, with the design too %.1f; robust %.2f and cluster %.2f of our own cox_fit\n",
            n, gray[2], gray[3], gray[1], b["robust"] / b["cox_fit"], b["cluster"] / b["cox_fit"]))
# fastcmprsk (not in Debian): 840 ms where coxph.fit of one feature with age and sex took 65 ms
three <- cbind(big$feature, big$x[, 1:2])
one <- median(replicate(5, spent(function() coxph.fit(three, y, NULL, NULL, NULL, coxph.control(), NULL, "efron", NULL))[[2]]))
cat(sprintf("coxph.fit of three columns: %.0f ms here, so fastcmprsk, which leaves the variance to a bootstrap, about %.0f ms: %.0f times our fit, %.0f times with design and sandwich\n",
            one, 840 * one / 65, 840 * one / 65 / gray[2], 840 * one / 65 / gray[1]))
stopifnot(relative < 1e-6, abs(value_r$finegray_coxph - value_small["fine_gray"]) < 1e-6)
