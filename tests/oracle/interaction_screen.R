# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
# Expected values of tests/jobs/interaction_screen_aml_test.cpp: the triple of NPM1, DNMT3A and FLT3-ITD.
#   Rscript tests/oracle/interaction_screen.R <folder with data/aml_knowledge_bank>          (R 4.2.2, survival 3.5.3)
suppressMessages(library(survival))
study <- file.path(commandArgs(TRUE)[1], "data", "aml_knowledge_bank")
cl <- read.delim(file.path(study, "data_clinical_patient.txt"), comment.char = "#", na.strings = "")
mf <- read.delim(file.path(study, "data_mutations.txt"), na.strings = "", quote = "")
has <- function(g) as.integer(cl$PATIENT_ID %in% mf$Tumor_Sample_Barcode[mf$Hugo_Symbol == g])
y <- Surv(cl$OS_MONTHS, as.integer(substr(cl$OS_STATUS, 1, 1)))
a <- has("NPM1"); b <- has("DNMT3A"); c <- has("FLT3-ITD"); sex <- as.integer(cl$SEX == "Male")
tight <- suppressWarnings(coxph.control(eps = 1e-14, iter.max = 60))
without <- coxph(y ~ cl$AGE + sex + (a + b + c)^2, control = tight)
with <- coxph(y ~ cl$AGE + sex + a * b * c, control = tight)
lrt <- 2 * (with$loglik[2] - without$loglik[2])
for (term in names(coef(with))) cat(sprintf("%-8s %.15g  se %.15g\n", term, coef(with)[term], sqrt(vcov(with)[term, term])))
cat(sprintf("lrt %.15g  log10 p %.15g\n", lrt, pchisq(lrt, 1, lower.tail = FALSE, log.p = TRUE) / log(10)))

# against what pairs explain
cells <- as.data.frame(table(a, b, c))
pairs <- glm(Freq ~ (a + b + c)^2, poisson, cells, control = glm.control(epsilon = 1e-13, maxit = 100))
all <- glm(Freq ~ a * b * c, poisson, cells, control = glm.control(epsilon = 1e-13, maxit = 100))
cat(sprintf("expected %.15g  log ratio %.15g  se %.15g  G2 %.15g\n", fitted(pairs)[8], coef(all)[8],
            sqrt(sum(1 / cells$Freq)), deviance(pairs)))

# Printed:
#   cl$AGE   0.0362893076284398  se 0.00302799368045715
#   sex      0.153797714004803  se 0.0679364919628488
#   a        -0.477116225085937  se 0.137581887896381
#   b        0.155320591807621  se 0.130230206315312
#   c        0.288440935067742  se 0.114420094214153
#   a:b      -0.254002677337593  se 0.22826730651613
#   a:c      0.0938923429570166  se 0.231767074668186
#   b:c      -0.273103802735327  se 0.283960146394369
#   a:b:c    1.0356305282731  se 0.391188654144697
#   lrt 7.27044779277094  log10 p -2.15429236015936
#   expected 96.4582490824738  log ratio -0.328219261924152  se 0.304381634231027  G2 1.14454492689608
