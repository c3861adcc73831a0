# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
# Numbers for tests/kernels/cox_path_test.cpp and cox_cv_test.cpp.
#   Rscript tests/oracle/cox_path.R          (R 4.2, glmnet 4.1-6, survival 3.5-3)
# glmnet moves censored times by 2.2e-14 to put them behind deaths of the same day; that is lost beyond day 100, where
# the order of rows decides. Days here are few.
suppressMessages({library(glmnet); library(survival)})
glmnet.control(epsnr = 1e-15, mxitnr = 10000)
entry <- c(0,0,0,0,0,0,1,0,2,0,0,0,0,3,0,0,0,4,0,0,5,0,0,0)
time <- c(0,1,2,2,3,4,4,5,5,5,6,7,7,8,9,9,9,10,11,12,12,13,14,15) + 1
event <- c(1,1,1,0,1,1,1,0,1,1,1,0,1,1,1,1,0,1,0,1,1,1,0,1)
x <- c(0,1,0,1,1,0,1,0,0,1,0,1,0,0,1,0,1,0,0,1,0,0,1,0)
z <- c(5,3,8,1,4,4,2,9,6,7,3,5,1,2,8,6,4,9,2,3,7,5,6,1) / 2
v <- rev(z)^2 / 10 - z * x
weight <- c(1,2,1,1,3,1,2,1,1,2,1,1,1,4,1,2,1,1,1,2,1,1,3,1) / 2
stratum <- c(0,1,0,0,0,1,1,1,0,0,0,1,0,1,0,1,0,1,0,1,1,1,0,1)
columns <- cbind(z, v, x)
lambda <- c(0.2, 0.05, 0.01)
show <- function(name, f) {
  cat(sprintf("// %s: nulldev %.15g\n", name, f$nulldev))
  for (k in seq_along(f$lambda))
    cat("{", paste(sprintf("%.13g", f$beta[, k]), collapse = ", "), "},  // dev.ratio", sprintf("%.13g\n", f$dev.ratio[k]))
}
fit <- function(y, ...) glmnet(columns, y, family = "cox", lambda = lambda, thresh = 1e-20, maxit = 1e7, ...)
right <- Surv(time, event)
show("lasso", fit(right))
show("weights, alpha 0.5", fit(right, weights = weight, alpha = 0.5))
show("ridge", fit(right, alpha = 0))
show("strata, weights", fit(stratifySurv(right, stratum), weights = weight))
show("truncation, alpha 0.5", fit(Surv(entry, time, event), alpha = 0.5))
show("offset", fit(right, offset = z / 4))
show("factors 0, 2, 1, alpha 0.5", fit(right, penalty.factor = c(0, 2, 1), alpha = 0.5))
show("factors 1, Inf, 3", fit(right, penalty.factor = c(1, Inf, 3)))
show("not standardised", fit(right, standardize = FALSE))
for (a in c(1, 0)) {
  own <- glmnet(columns, right, family = "cox", thresh = 1e-20, maxit = 1e7, alpha = a, weights = weight)
  cat(sprintf("own sequence, alpha %g: %d of them, first %.15g last %.15g, dev.ratio %.13g beta %s\n", a, length(own$lambda),
              own$lambda[1], tail(own$lambda, 1), tail(own$dev.ratio, 1),
              paste(sprintf("%.13g", own$beta[, length(own$lambda)]), collapse = ", ")))
}
free <- glmnet(columns, right, family = "cox", thresh = 1e-20, maxit = 1e7, penalty.factor = c(0, 2, 1))
cat(sprintf("factors 0, 2, 1: %d, first %.15g, beta %s\n", length(free$lambda), free$lambda[1],
            paste(sprintf("%.13g", free$beta[, 1]), collapse = ", ")))
for (d in 0:2) {
  f <- glmnet(columns, right, family = "cox", thresh = 1e-20, dfmax = d)
  g <- try(suppressWarnings(glmnet(columns, right, family = "cox", thresh = 1e-20, pmax = d)), silent = TRUE)
  cat("dfmax", d, "lambdas", length(f$lambda), "df", f$df, "| pmax lambdas", if (inherits(g, "try-error")) NA else length(g$lambda), "\n")
}
fold <- rep(1:4, 6)
# with case weights cv.glmnet scales those of the whole and of each training set to mean 1, so that their likelihoods differ
# in scale; here both are taken with the weights as they are
lambdas <- c(0.3, lambda)
deviance_of <- function(b, rows) {
  d <- tapply(weight[rows] * event[rows], time[rows], sum); d <- d[d > 0]
  f <- coxph(right[rows] ~ offset(drop(columns[rows, ] %*% b)), weights = weight[rows], ties = "breslow")
  2 * (-sum(d * log(d)) - f$loglik[1])
}
events <- tapply(weight * event, fold, sum)
raw <- t(sapply(1:4, function(k) {
  train <- which(fold != k)
  f <- glmnet(columns[train, ], right[train], family = "cox", weights = weight[train], lambda = lambdas, thresh = 1e-20, maxit = 1e7)
  apply(f$beta, 2, function(b) deviance_of(b, 1:24) - deviance_of(b, train))
})) / as.vector(events)
cvm <- apply(raw, 2, weighted.mean, events)
cat("cvm", sprintf("%.13g", cvm), "\ncvsd", sprintf("%.13g", sqrt(apply(sweep(raw, 2, cvm)^2, 2, weighted.mean, events) / 3)), "\n")
cv <- cv.glmnet(columns, stratifySurv(right, stratum), family = "cox", foldid = fold, lambda = c(0.3, lambda), thresh = 1e-20, maxit = 1e7)
cat("strata: cvm", sprintf("%.13g", cv$cvm), "\ncvsd", sprintf("%.13g", cv$cvsd), "\nmin", cv$lambda.min, "1se", cv$lambda.1se, "\n")
# more columns than explain anything: where the sequence ends when nearly everything is explained
set.seed(1)
m <- matrix(rnorm(12 * 30), 12); f <- glmnet(m, Surv(1:12, rep(1, 12)), family = "cox", thresh = 1e-14)
cat("wide:", length(f$lambda), sprintf("%.6f", tail(f$dev.ratio, 5)), "\n")
