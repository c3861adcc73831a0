# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
#
# A simulated study as R's side of the measurements needs it; sourced from the repository's root.

# clinical (follow-up known), and carriers(gene): rows of it that carry a variant of the class set "nonsilent",
# io/study/. Patients of these cohorts are all tested for all genes.
read_study <- function(study, more = character()) {
  columns <- function(file, wanted) {
    header <- strsplit(grep("^#", readLines(file, n = 10), value = TRUE, invert = TRUE)[1], "\t")[[1]]
    classes <- ifelse(header %in% wanted, NA_character_, "NULL")
    read.delim(file, comment.char = "#", colClasses = classes, quote = "")
  }
  clinical <- columns(file.path(study, "data_clinical_patient.txt"),
                      c("PATIENT_ID", "AGE", "SEX", "OS_STATUS", "OS_MONTHS", more))
  clinical <- clinical[!is.na(clinical$OS_MONTHS) & clinical$OS_STATUS != "", ]
  clinical$event <- as.integer(substr(clinical$OS_STATUS, 1, 1))
  samples <- columns(file.path(study, "data_clinical_sample.txt"), c("PATIENT_ID", "SAMPLE_ID"))
  variants <- columns(file.path(study, "data_mutations.txt"),
                      c("Hugo_Symbol", "Variant_Classification", "Tumor_Sample_Barcode"))
  nonsilent <- c("Missense_Mutation", "Nonsense_Mutation", "Nonstop_Mutation", "Frame_Shift_Del", "Frame_Shift_Ins",
                 "In_Frame_Del", "In_Frame_Ins", "Splice_Site", "Translation_Start_Site")
  variants <- variants[variants$Variant_Classification %in% nonsilent, ]
  patient <- match(samples$PATIENT_ID[match(variants$Tumor_Sample_Barcode, samples$SAMPLE_ID)], clinical$PATIENT_ID)
  known <- !is.na(patient)
  by_gene <- lapply(split(patient[known], variants$Hugo_Symbol[known]), function(x) sort(unique(x)))
  list(clinical = clinical, genes = names(by_gene), carriers = function(gene) by_gene[[gene]],
       indicator = function(gene) replace(numeric(nrow(clinical)), by_gene[[gene]], 1))
}

# processor seconds, as Chorale's side is timed
seconds <- function(expression) sum(system.time(expression, gcFirst = FALSE)[c("user.self", "sys.self")])
