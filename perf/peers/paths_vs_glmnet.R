# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
# One workload of paths_vs_glmnet.sh: Rscript perf/peers/paths_vs_glmnet.R PATH_FIT dense|sparse ROUNDS [TIGHT_ROUNDS]
args <- commandArgs(TRUE)
program <- args[1]; kind <- args[2]; rounds <- as.integer(args[3])
tight_rounds <- if (length(args) > 3) as.integer(args[4]) else 1
suppressMessages({library(glmnet); library(survival)})
folder <- tempfile(); dir.create(folder)
numbers <- function(name) { f <- file.path(folder, name); readBin(f, "double", file.size(f) / 8) }
stopifnot(system2(program, c(kind, folder)) == 0)
weight <- numbers("weight"); n <- length(weight); kept <- weight > 0
y <- Surv(numbers("time"), numbers("event"))[kept]
x <- matrix(numbers("dense"), n)[kept, ]
if (kind == "sparse") {
  # a plain matrix: glmnet's walk over it takes a quarter of the time that its sparse one takes
  carried <- matrix(0, n, 500); carried[cbind(numbers("patient"), numbers("column"))] <- 1
  x <- cbind(x, carried[kept, ]); rm(carried)
}
cpu <- function(call) { gc(FALSE); t <- system.time(call, gcFirst = FALSE); sum(t[c("user.self", "sys.self")]) }
fit <- function(...) glmnet(x, y, family = "cox", weights = weight[kept], ...)
lambda <- fit()$lambda # glmnet's sequence, to where it stops
writeBin(lambda, file.path(folder, "lambda"))
ours <- function() scan(text = system2(program, c(kind, folder, 5), stdout = TRUE), quiet = TRUE)
default <- guide <- plain <- guided <- tight <- c()
for (k in seq_len(rounds)) {
  default[k] <- cpu(loose <- fit(lambda = lambda))
  o <- ours(); guide[k] <- o[1]; plain[k] <- o[2]; guided[k] <- o[3]
}
for (k in seq_len(tight_rounds)) {
  tight[k] <- cpu(exact <- fit(lambda = lambda, thresh = 1e-12, maxit = 1e7))
  o <- ours(); plain[rounds + k] <- o[2]; guided[rounds + k] <- o[3]
}
beta <- matrix(numbers("beta"), ncol(x))
difference <- function(f) { m <- seq_along(f$lambda); max(abs(as.matrix(f$beta) - beta[, m])) }
cat(sprintf("%s: %d patients drawn, %d columns, %d penalties, %d nonzero at the last\n", kind, sum(kept), ncol(x),
            length(lambda), sum(beta[, length(lambda)] != 0)))
row <- function(name, s, note = "") cat(sprintf("  %-46s %8.3f s %s\n", name, median(s), note))
times <- function(s) sprintf("%.1f times", median(s) / median(guided))
row("glmnet, its default thresh", default, sprintf("%s, coefficients differ by %.1e", times(default), difference(loose)))
row("glmnet, thresh = 1e-12", tight, sprintf("%s, %.1e", times(tight), difference(exact)))
row("Chorale cox_path, nothing shared", plain, sprintf("glmnet's default %.1f times", median(default) / median(plain)))
row("Chorale cox_path, a replicate by the guide", guided)
row("  its guide, once for all replicates", guide)
