# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
"""Reads a cohort with h5py alone, as an analyst without Chorale would, and checks that it explains itself and adds up."""
import json
import os
import sys

import h5py
import numpy as np

folder = sys.argv[1]
with open(os.path.join(folder, "cohort.json"), encoding="utf-8") as file:
    manifest = json.load(file)
classes = set(manifest["variant_class_set"]["classes"])
fields = {field["name"]: field for field in manifest["fields"]}


def texts(dataset):
    return [value.decode() for value in dataset[:]]


def check(holds, what):
    if not holds:
        sys.exit(f"{shard['file']}: {what}")


n_patients = 0
for shard in manifest["shards"]:
    with h5py.File(os.path.join(folder, shard["file"]), "r") as h5:
        h5.visititems(lambda name, item: check(not isinstance(item, h5py.Dataset) or item.fletcher32,
                                               f"{name} has no fletcher32"))
        n = len(h5["patient/id"])
        check(n == shard["n_patients"], "patients differ from the manifest")
        check(len(set(texts(h5["patient/id"]))) == n, "ids are not unique")

        check(set(h5["clinical"]) == set(fields), "fields differ from the manifest")
        for name, field in fields.items():
            column = h5["clinical"][name]
            check(len(column) == n, f"{name} has another length")
            check(column.attrs["unit"].decode() == field["unit"], f"{name} has another unit")
            if field["kind"] == "category":
                levels = [level.decode() for level in column.attrs["levels"]]
                check(levels == field["levels"] == sorted(levels), f"{name} has other levels")
                check(column[:].min() >= -1 and column[:].max() < len(levels), f"{name} leaves its levels")
            else:
                check(column.dtype == np.float64, f"{name} is no float64")
        check(h5["clinical/AGE"].attrs["unit"] == b"years", "AGE is not in years")

        for endpoint in manifest["endpoints"]:
            group = h5["survival"][endpoint["name"]]
            known = group["event"][:] >= 0
            check(group["time"].attrs["unit"] == b"days", "times are not in days")
            check(np.array_equal(known, ~np.isnan(group["time"][:])), "times and events are not known together")
            check(np.all(group["time"][known] > group["entry"][known]), "someone leaves before entering")

        genes, features = texts(h5["dictionary/gene"]), texts(h5["dictionary/feature"])
        check(genes == manifest["genes"], "genes differ from the manifest")
        counted = np.array([name in classes for name in texts(h5["dictionary/class"])])
        rows = np.repeat(np.arange(n), np.diff(h5["variant/offset"][:]))
        nonsilent = counted[h5["variant/class"][:]]
        from_variants = set(zip(rows[nonsilent], (genes[g] for g in h5["variant/gene"][:][nonsilent])))
        rows = np.repeat(np.arange(n), np.diff(h5["alteration/offset"][:]))
        carried = list(zip(rows, (features[f] for f in h5["alteration/feature"][:])))
        check(len(carried) == shard["n_alterations"], "alterations differ from the manifest")
        check(set(carried) == from_variants and len(carried) == len(from_variants),
              "carriers are not those with a variant of the class set")

        tested = [set(genes) if panel.get("whole_exome") else {genes[g] for g in panel["genes"]}
                  for panel in manifest["panels"]]
        panel = h5["panel/mutation"][:]
        check(all(panel[row] >= 0 and gene in tested[panel[row]] for row, gene in carried),
              "someone carries a gene that was not tested")
        vaf = h5["variant/vaf"][:]
        check(np.all((vaf > 0) & (vaf <= 1)), "an allele fraction lies outside (0, 1]")
        n_patients += n
print(f"{n_patients} patients add up")
