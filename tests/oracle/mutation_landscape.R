# What R computes for tests/jobs/mutation_landscape_test.cpp on the AML knowledge bank.
#   Rscript tests/oracle/mutation_landscape.R STUDY_FOLDER        (R 4.2.2, survival 3.5.3)
suppressMessages(library(survival))
S <- commandArgs(TRUE)[1]
cl <- read.delim(file.path(S, "data_clinical_patient.txt"), comment.char = "#", na.strings = "", stringsAsFactors = FALSE)
mf <- read.delim(file.path(S, "data_mutations.txt"), na.strings = "", stringsAsFactors = FALSE, quote = "")
male <- as.integer(cl$SEX == "Male")
carries <- function(g) as.integer(cl$PATIENT_ID %in% mf$Tumor_Sample_Barcode[mf$Hugo_Symbol == g])
y <- Surv(cl$OS_MONTHS, as.integer(substr(cl$OS_STATUS, 1, 1)))
tight <- coxph.control(eps = 1e-14, iter.max = 60, toler.chol = 1e-15)
show <- function(...) cat(sprintf("%.15g", c(...)), sep = ", ", fill = 200)

cat("adjusted for AGE and SEX, strata TRIAL: beta, se, loglik at 0, covariates alone, fitted\n")
for (g in c("NPM1", "TP53", "FLT3-ITD")) {
  x <- carries(g)
  f0 <- coxph(y ~ AGE + male + strata(TRIAL), cl, control = tight)
  f1 <- coxph(y ~ AGE + male + strata(TRIAL) + x, cl, control = tight)
  cat(g, ": "); show(coef(f1)[3], sqrt(diag(vcov(f1)))[3], f1$loglik[1], f0$loglik[2], f1$loglik[2])
}
cat("T_8_21, missing where karyotype is: beta, se, loglik at 0, fitted, n\n")
f <- coxph(y ~ cl$T_8_21, control = tight); show(coef(f), sqrt(vcov(f)[1]), f$loglik, f$n)

cat("ELN Favorable against Adverse, strata TRIAL: Fisher p, CMH common odds ratio, lower, upper, chi2, p\n")
for (g in c("NPM1", "TP53", "ASXL1")) {
  k <- cl$ELN_2011 %in% c("Favorable", "Adverse"); a <- factor(cl$ELN_2011[k], c("Favorable", "Adverse"))
  x <- factor(carries(g)[k], 1:0); m <- mantelhaen.test(table(a, x, cl$TRIAL[k]), correct = TRUE)
  cat(g, ": "); show(fisher.test(table(a, x))$p.value, m$estimate, m$conf.int, m$statistic, m$p.value)
}
