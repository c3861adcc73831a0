# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
# How far the default stop of coxph (relative change of the likelihood below 1e-9) leaves the coefficients of
# tests/kernels/pair_cox_aml_test.cpp from their limit.
#   Rscript tests/oracle/pair_cox_aml.R <folder with data/aml_knowledge_bank>          (R 4.2, survival 3.5.3)
suppressMessages(library(survival))
study <- file.path(commandArgs(TRUE)[1], "data", "aml_knowledge_bank")
cl <- read.delim(file.path(study, "data_clinical_patient.txt"), comment.char = "#", na.strings = "")
mf <- read.delim(file.path(study, "data_mutations.txt"), na.strings = "", quote = "")
has <- function(g) as.integer(cl$PATIENT_ID %in% mf$Tumor_Sample_Barcode[mf$Hugo_Symbol == g])
y <- Surv(cl$OS_MONTHS, as.integer(substr(cl$OS_STATUS, 1, 1)))
for (pair in list(c("DNMT3A", "RAD21"), c("NRAS", "WT1"))) {
  a <- has(pair[1]); b <- has(pair[2])
  for (eps in c(1e-9, 1e-14)) {
    f <- coxph(y ~ a + b + a:b, control = suppressWarnings(coxph.control(eps = eps, iter.max = 60)))
    cat(sprintf("%-14s eps %-6g ab %.12g  se %.12g\n", paste(pair, collapse = " "), eps, coef(f)[3], sqrt(vcov(f)[3, 3])))
  }
}
