# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
"""Cohorts whose law is known, as study folders, and what a model of one is worth on patients that it has not seen."""
import math
import os

import numpy as np

days_per_year = 365.25
horizons = (365.25, 1095.75, 1826.25)

# log hazards of the clinic, by term of the model; all other candidates of a clinic have none
clinic_truth = {"AGE": 0.03, "SEX=Male": 0.2, "log10(WBC)": 0.5, "BLASTS": 0.006, "RISK=B": 0.5, "RISK=C": 1.1,
                "DEL": 0.8, "MUT": -0.5, "NOISE": 0.0}
# of the sites, in the population; those of a patient among others of the site are these divided by `stability`
sites_truth = {"AGE": 0.03, "DRUG": -0.5, "LOAD": 0.4, "PROTOCOL": 0.5}
stability = 0.85


class Cohort:
    """fields: name to (values, "NUMBER" or "STRING"); terms: columns of the model; times in years and in days."""

    def __init__(self, fields, terms, features, log_hazard, rng, shape=0.8, rate=0.3, frailty=1.0):
        n = len(log_hazard)
        self.n, self.fields, self.terms, self.features = n, fields, terms, features
        self.years = (rng.exponential(size=n) / (rate * frailty * np.exp(log_hazard))) ** (1 / shape)
        # the data are cut 2 to 10 years after entry, 2 % a year are lost before
        censored = np.minimum(2 + 8 * rng.random(n), rng.exponential(50, n))
        self.followed = np.minimum(self.years, censored)
        self.event = self.years <= censored
        self.days = np.ceil(days_per_year * self.followed)


def clinic(n, rng, n_noise=0, informative=True):
    """Age, sex, white cells and blasts that go together, risk in three levels, two findings, noise."""
    white, blast = rng.normal(size=n), rng.normal(size=n)
    blast = 0.4 * white + math.sqrt(1 - 0.16) * blast
    age = np.round(60 + 13 * rng.normal(size=n))
    wbc = np.maximum(0.1, np.round(15 * np.exp(1.2 * white), 1))
    blasts = np.round(100 * np.array([0.5 * math.erfc(-b / math.sqrt(2)) for b in blast]))
    male, risk = rng.random(n) < 0.55, np.searchsorted([0.3, 0.75], rng.random(n))
    deletion = rng.random(n) < np.where(risk == 2, 0.2, 0.05)
    mutation, noise = rng.random(n) < 0.3, np.round(rng.normal(size=n), 3)
    fields = {"AGE": (age, "NUMBER"), "SEX": (np.where(male, "Male", "Female"), "STRING"), "WBC": (wbc, "NUMBER"),
              "BLASTS": (blasts, "NUMBER"), "RISK": (np.array(list("ABC"))[risk], "STRING"),
              "DEL": (deletion.astype(int), "NUMBER"), "MUT": (mutation.astype(int), "NUMBER"),
              "NOISE": (noise, "NUMBER")}
    terms = {"AGE": age, "SEX=Male": male, "log10(WBC)": np.log10(wbc), "BLASTS": blasts, "RISK=B": risk == 1,
             "RISK=C": risk == 2, "DEL": deletion, "MUT": mutation, "NOISE": noise}
    features = ["DEL", "MUT"]
    for k in range(n_noise):
        name = f"X{k + 1}"
        values = (rng.random(n) < 0.25).astype(int) if k % 2 else np.round(rng.normal(size=n), 3)
        fields[name], terms[name] = (values, "NUMBER"), values
        features += [name] if k % 2 else []
    log_hazard = sum(beta * (terms[name] - np.mean(middle(name))) for name, beta in clinic_truth.items())
    return Cohort(fields, terms, features, log_hazard if informative else np.zeros(n), rng)


def middle(name):
    """About the mean of a term, so that coefficients do not decide how many die."""
    return {"AGE": 60, "log10(WBC)": 1.18, "BLASTS": 50, "SEX=Male": 0.55, "RISK=B": 0.45, "RISK=C": 0.25}.get(name, 0)


def sites(n_sites, rng):
    """Patients of sites that share a positive stable frailty Z, E exp(-sZ) = exp(-s^a): mixed over Z, hazards remain
    proportional, with a times the log hazards (Hougaard 1986). So what a model without the sites estimates is known."""
    size = rng.integers(5, 41, n_sites)
    site = np.repeat(np.arange(n_sites), size)
    n, a = len(site), stability
    u, w = np.pi * rng.random(n_sites), rng.exponential(size=n_sites)
    frailty = np.sin(a * u) / np.sin(u) ** (1 / a) * (np.sin((1 - a) * u) / w) ** ((1 - a) / a)  # Kanter 1975
    age, drug = np.round(60 + 13 * rng.normal(size=n)), (rng.random(n) < 0.5).astype(int)
    load = np.round((rng.normal(size=n_sites)[site] + rng.normal(size=n)) / math.sqrt(2), 3)
    protocol = (rng.permutation(n_sites) % 2)[site]
    terms = {"AGE": age, "DRUG": drug, "LOAD": load, "PROTOCOL": protocol}
    fields = {name: (values, "NUMBER") for name, values in terms.items()}
    fields["CENTRE"] = (np.array([f"C{k:05d}" for k in site]), "STRING")
    log_hazard = sum(beta / a * (terms[name] - middle(name)) for name, beta in sites_truth.items())
    return Cohort(fields, terms, ["DRUG", "PROTOCOL"], log_hazard, rng, rate=0.25, frailty=frailty[site])


def write_study(cohort, folder):
    def meta(name, kind, attributes):
        with open(os.path.join(folder, f"meta_{name}.txt"), "w", encoding="utf-8") as file:
            file.write(f"cancer_study_identifier: known\n{kind}{attributes}")

    def table(name, columns):
        with open(os.path.join(folder, f"data_{name}.txt"), "w", encoding="utf-8") as file:
            for key in (0, 0, 1, 2):
                file.write("#" + "\t".join((c[0], c[1], "1")[key] for c in columns) + "\n")
            file.write("\t".join(c[0] for c in columns) + "\n")
            file.writelines("\t".join(row) + "\n" for row in zip(*(c[2] for c in columns)))

    os.makedirs(folder, exist_ok=True)
    meta("study", "type_of_cancer: aml\n", "name: known\ndescription: patients of a known law\n")
    for who in ("patient", "sample"):
        meta(f"clinical_{who}", "genetic_alteration_type: CLINICAL\n",
             f"datatype: {who.upper()}_ATTRIBUTES\ndata_filename: data_clinical_{who}.txt\n")
    ids = [f"P{i}" for i in range(cohort.n)]
    columns = [("PATIENT_ID", "STRING", ids)]
    columns += [(name, kind, [str(v) for v in values.tolist()]) for name, (values, kind) in cohort.fields.items()]
    columns.append(("OS_DAYS", "NUMBER", [str(int(d)) for d in cohort.days]))
    columns.append(("OS_STATUS", "STRING", ["1:DECEASED" if e else "0:LIVING" for e in cohort.event]))
    table("clinical_patient", columns)
    table("clinical_sample", [("PATIENT_ID", "STRING", ids), ("SAMPLE_ID", "STRING", ids)])


def later_and_lower(values):
    """Of each position, how many later ones have a lower value; ties count half. Merges of runs that double."""
    n = 1 << max(0, len(values) - 1).bit_length()
    rank = np.unique(np.concatenate([values, np.full(n - len(values), np.inf)]), return_inverse=True)[1]
    count, position, width = np.zeros(n), np.arange(n), 1
    while width < n:
        position = position.reshape(-1, 2 * width)
        left, right = position[:, :width], position[:, width:]
        offset = np.arange(len(position))[:, None] * (n + 1)  # makes one ascending list of all right halves
        flat = (rank[right] + offset).ravel()
        begin = np.arange(len(position))[:, None] * width
        for side in ("left", "right"):
            count[left] += 0.5 * (np.searchsorted(flat, rank[left] + offset, side) - begin)
        order = np.argsort(rank[position], axis=1, kind="stable")
        position = np.take_along_axis(position, order, axis=1).ravel()
        width *= 2
    return count[:len(values)]


def concordance(time, counts, risk):
    """Share of pairs, the earlier of which counts, in which the earlier has the higher risk; times differ."""
    order = np.argsort(time)
    counts, lower = counts[order], later_and_lower(risk[order])
    return (lower * counts).sum() / ((len(time) - 1 - np.arange(len(time))) * counts).sum()


def slope(time, event, risk):
    """Cox coefficient of one column by Newton's steps; times differ. NaN where the column is constant."""
    if np.ptp(risk) == 0:
        return math.nan
    order = np.argsort(-time)
    event, x = event[order], risk[order] - risk.mean()
    beta = 1.0
    for _ in range(25):
        w = np.exp(beta * x)
        s0, s1, s2 = (np.cumsum(w * x ** k) for k in range(3))
        step = (x - s1 / s0)[event].sum() / (s2 / s0 - (s1 / s0) ** 2)[event].sum()
        beta += step
        if abs(step) < 1e-9:
            break
    return beta


def worth(model, fresh):
    """The measures of the job on fresh patients, by their full survival wherever the measure means that."""
    risk = sum((t["coefficient"] * np.asarray(fresh.terms[t["name"]], float) for t in model["terms"]),
               np.zeros(fresh.n))
    full_days = np.ceil(days_per_year * fresh.years)
    found = {"harrell_c": concordance(fresh.followed, fresh.event, risk),
             "uno_c": concordance(fresh.years, full_days < horizons[-1], risk),
             "calibration_slope": slope(fresh.followed, fresh.event, risk)}
    baseline = model["baseline"][0]
    for horizon in horizons:
        dead = full_days <= horizon
        last = np.searchsorted(baseline["time"], horizon, "right") - 1
        hazard = 0.0 if last < 0 else baseline["cumulative_hazard"][last]
        survival = np.exp(-hazard * np.exp(risk - model["centre"]))
        found[f"brier {horizon:g}"] = np.mean(np.where(dead, survival ** 2, (1 - survival) ** 2))
        ascending = np.sort(risk[~dead])
        below = sum(np.searchsorted(ascending, risk[dead], side) for side in ("left", "right")) / 2
        found[f"auc {horizon:g}"] = below.sum() / (dead.sum() * (~dead).sum())
    return found
