# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
#
# A simulated study as a PLINK file set: who carries a gene is heterozygous for it, everyone else homozygous; cases are
# those with an event.
#   python3 perf/peers/pairs_vs_plink.py STUDY PREFIX
import csv
import os
import sys

import numpy

study, prefix = sys.argv[1:3]
nonsilent = {  # the class set "nonsilent", io/study/
    "Missense_Mutation", "Nonsense_Mutation", "Nonstop_Mutation", "Frame_Shift_Del", "Frame_Shift_Ins",
    "In_Frame_Del", "In_Frame_Ins", "Splice_Site", "Translation_Start_Site"}


def rows(name):
    with open(os.path.join(study, name), newline="") as file:
        yield from csv.DictReader((line for line in file if not line.startswith("#")), delimiter="\t")


patients = [(row["PATIENT_ID"], row["OS_STATUS"][:1]) for row in rows("data_clinical_patient.txt")]
place = {patient: i for i, (patient, _) in enumerate(patients)}
sample = {row["SAMPLE_ID"]: place[row["PATIENT_ID"]] for row in rows("data_clinical_sample.txt")}
carriers = {}
for row in rows("data_mutations.txt"):
    if row["Variant_Classification"] in nonsilent:
        carriers.setdefault(row["Hugo_Symbol"], []).append(sample[row["Tumor_Sample_Barcode"]])

with open(prefix + ".fam", "w") as fam:
    for patient, event in patients:
        fam.write(f"{patient} {patient} 0 0 0 {2 if event == '1' else 1}\n")
with open(prefix + ".bim", "w") as bim, open(prefix + ".bed", "wb") as bed:
    bed.write(bytes([0x6C, 0x1B, 0x01]))  # variant by variant
    for number, gene in enumerate(sorted(carriers)):
        bim.write(f"1 {gene} 0 {number + 1} T C\n")
        genotype = numpy.full(-(-len(patients) // 4) * 4, 3, numpy.uint8)  # 3: CC, 2: TC
        genotype[carriers[gene]] = 2
        genotype[len(patients):] = 0
        four = genotype.reshape(-1, 4)
        bed.write((four[:, 0] | four[:, 1] << 2 | four[:, 2] << 4 | four[:, 3] << 6).tobytes())
