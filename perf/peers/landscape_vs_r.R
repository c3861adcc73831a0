# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
#
# One round of R's side: outcome of a sample of features, timed, and compared with Chorale's features.tsv.
#   Rscript landscape_vs_r.R STUDY FEATURES_TSV N_FEATURES
# Prints one line: seconds per feature of coxph.fit, of the score test, of survdiff; largest difference.
suppressPackageStartupMessages(library(survival))
args <- commandArgs(trailingOnly = TRUE)
study <- args[1]
n_features <- as.integer(args[3])

columns <- function(file, wanted, ...) {
  header <- strsplit(grep("^#", readLines(file, n = 10), value = TRUE, invert = TRUE)[1], "\t")[[1]]
  classes <- ifelse(header %in% wanted, NA_character_, "NULL")
  read.delim(file, comment.char = "#", colClasses = classes, quote = "", ...)
}
clinical <- columns(file.path(study, "data_clinical_patient.txt"), c("PATIENT_ID", "OS_STATUS", "OS_MONTHS"))
clinical <- clinical[!is.na(clinical$OS_MONTHS) & clinical$OS_STATUS != "", ]
samples <- columns(file.path(study, "data_clinical_sample.txt"), c("PATIENT_ID", "SAMPLE_ID"))
variants <- columns(file.path(study, "data_mutations.txt"),
                    c("Hugo_Symbol", "Variant_Classification", "Tumor_Sample_Barcode"))
# the class set "nonsilent", io/study/: patients of this cohort are all tested for all genes
nonsilent <- c("Missense_Mutation", "Nonsense_Mutation", "Nonstop_Mutation", "Frame_Shift_Del", "Frame_Shift_Ins",
               "In_Frame_Del", "In_Frame_Ins", "Splice_Site", "Translation_Start_Site")
variants <- variants[variants$Variant_Classification %in% nonsilent, ]
patient <- match(samples$PATIENT_ID[match(variants$Tumor_Sample_Barcode, samples$SAMPLE_ID)], clinical$PATIENT_ID)
y <- Surv(clinical$OS_MONTHS, as.integer(substr(clinical$OS_STATUS, 1, 1)))

ours <- read.delim(args[2])
ours <- ours[ours$group == "all" & is.finite(ours$log_hazard), ]
# the same sample in every round: every k-th feature, from frequent to rare
ours <- ours[order(-ours$carriers), ][round(seq(1, nrow(ours), length.out = n_features)), ]

seconds <- function(expression) system.time(expression, gcFirst = FALSE)[["elapsed"]]
cox <- score <- test <- difference <- numeric(0)
for (i in seq_len(nrow(ours))) {
  x <- numeric(nrow(clinical))
  carriers <- patient[variants$Hugo_Symbol == ours$feature[i]]
  x[carriers[!is.na(carriers)]] <- 1
  X <- matrix(x, ncol = 1)
  fit <- function(init = NULL, ...) {
    suppressWarnings(coxph.fit(X, y, NULL, NULL, init, coxph.control(...), NULL, "efron", NULL))
  }
  cox[i] <- seconds(fit())
  score[i] <- seconds(null <- fit(iter.max = 0))
  if (i <= 3) test[i] <- seconds(logrank <- survdiff(y ~ x)) # slow: three of them are enough
  # R's own fit ends where rounding of the log-likelihood hides the last steps; so R evaluates its score U and
  # information I at Chorale's coefficient instead: sqrt(U²/I) is what is left to go, in standard errors
  here <- fit(init = ours$log_hazard[i], iter.max = 0)
  relative <- function(found, expected) abs(found - expected) / abs(expected)
  difference[i] <- max(sqrt(here$score), relative(ours$se[i], sqrt(here$var[1, 1])),
                       relative(ours$loglik[i], here$loglik[2]), relative(ours$score_chi2[i], null$score),
                       if (i <= 3) relative(ours$logrank_chi2[i], logrank$chisq) else 0)
}
cat(sprintf("%.6f %.6f %.6f %.2e\n", median(cox), median(score), median(test), max(difference)))
