# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
"""Runs the prognosis job on cohorts whose law is known and prints what its numbers are worth. See prognosis.sh."""
import csv
import json
import math
import os
import re
import shutil
import subprocess
import sys

import numpy as np

import prognosis_cohorts as law

program, work, share = sys.argv[1], sys.argv[2], float(sys.argv[3])
here = os.path.dirname(os.path.abspath(__file__))

none, bic, cv = "", 'selection = "elastic_net"\n', 'selection = "elastic_net"\ntuning = "cv"\n'
discrimination = 'measures = ["harrell_c", "uno_c"]\n'
all_but_integral = 'measures = ["harrell_c", "uno_c", "auc", "brier", "calibration"]\n'
scenes = {  # what: cohorts, how one is drawn, settings of each run
    "clinic": (1000, lambda rng: law.clinic(rng.integers(400, 1001), rng),
               {"none": "replicates = 500\n" + discrimination}),
    "clinic again": (200, lambda rng: law.clinic(rng.integers(400, 1001), rng),
                     {"none": "replicates = 200\n" + all_but_integral,
                      "bic": "replicates = 200\n" + all_but_integral + bic}),
    "small": (200, lambda rng: law.clinic(200, rng, 21),
              {"none": "replicates = 200\n" + all_but_integral,
               "bic": "replicates = 200\n" + all_but_integral + bic}),
    "small, cv": (40, lambda rng: law.clinic(200, rng, 21), {"cv": "replicates = 50\n" + all_but_integral + cv}),
    "20 sites": (500, lambda rng: law.sites(20, rng),
                 {"none": 'replicates = 500\ncluster = "CENTRE"\n' + discrimination}),
    "60 sites": (500, lambda rng: law.sites(60, rng),
                 {"none": 'replicates = 500\ncluster = "CENTRE"\n' + discrimination}),
}
for n_patients, n_cohorts, with_cv in ((200, 400, 60), (1000, 150, 20), (5000, 30, 0)):
    def draw(rng, n=n_patients):
        return law.clinic(n, rng, 21, informative=False)
    common = "replicates = 100\n" + discrimination
    scenes[f"noise {n_patients}"] = (n_cohorts, draw, {"none": common, "bic": common + bic})
    if with_cv > 0:
        scenes[f"noise {n_patients}, cv"] = (with_cv, draw, {"cv": common + cv})


def table(folder, name):
    with open(os.path.join(folder, name + ".tsv"), encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def chorale(*words):
    done = subprocess.run([program, *words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(done.stdout + done.stderr)


def analyse(cohort, output, seed, tables, own):
    """The job's answer: coefficients, performance, model."""
    config = output + ".toml"
    with open(config, "w", encoding="utf-8") as file:
        file.write(f'job = "prognosis"\ncohort = "{cohort}"\noutput = "{output}"\nseed = {seed}\n{tables}'
                   f"[run]\nthreads = 1\n[prognosis]\n{own}")
    chorale("run", config, "--fresh")
    with open(os.path.join(output, "model.json"), encoding="utf-8") as file:
        model = json.load(file)
    return table(output, "coefficients"), table(output, "performance"), model


def number(text):
    return float(text) if text != "" else None


limits = ("log_hazard", "se", "robust_se", "boot_lower", "boot_upper", "bca_lower", "bca_upper")


def one_cohort(scene, seed, draw, runs):
    rng = np.random.default_rng([seed, *scene.encode()])
    cohort, folder = draw(rng), os.path.join(work, "now")
    shutil.rmtree(folder, ignore_errors=True)
    law.write_study(cohort, os.path.join(folder, "study"))
    chorale("ingest", os.path.join(folder, "study"), os.path.join(folder, "cohort"))
    quoted = [f'"{name}"' for name in cohort.features]
    covariates = [f'"{name}"' for name in cohort.fields if name not in cohort.features and name != "CENTRE"]
    tables = (f'[features]\nfields = [{", ".join(quoted)}]\n[outcome]\nendpoint = "OS"\n'
              f'covariates = [{", ".join(covariates)}]\n')
    log10 = 'log10 = ["WBC"]\n' if "WBC" in cohort.fields else ""
    fresh = draw_fresh(scene, rng)
    record = {"seed": seed, "n": cohort.n, "events": int(cohort.event.sum()),
              "tied": 1 - len(np.unique(cohort.days[cohort.event])) / int(cohort.event.sum()), "runs": {}}
    for name, own in runs.items():
        terms, measures, model = analyse(os.path.join(folder, "cohort"), os.path.join(folder, "run"), seed, tables,
                                         log10 + own)
        record["runs"][name] = {
            "terms": {row["term"]: {key: number(row[key]) for key in limits} for row in terms},
            "n_terms": len(model["terms"]),
            "measures": {" ".join(filter(None, (row["measure"], row["horizon"] if row["measure"] in ("auc", "brier")
                                                else ""))):
                         {key: number(row[key]) for key in ("apparent", "corrected", "lower", "upper", "est_632",
                                                            "est_632plus", "oob")} for row in measures},
            "fresh": law.worth(model, fresh) if fresh else {}}
    return record


def draw_fresh(scene, rng):
    """Patients whom the model has not seen; nobody where the truth is known anyway."""
    if scene.startswith("clinic"):
        return law.clinic(10000, rng)
    return law.clinic(10000, rng, 21) if scene.startswith("small") else None


def records(scene):
    """Of every cohort, those of an earlier run read back."""
    n_cohorts, draw, runs = scenes[scene]
    n_cohorts = max(2, round(share * n_cohorts))
    path = os.path.join(work, scene.replace(", ", "-").replace(" ", "-") + ".jsonl")
    known = {}
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            known = {record["seed"]: record for record in map(json.loads, file)}
    with open(path, "a", encoding="utf-8") as file:
        for seed in range(1, n_cohorts + 1):
            if seed in known:
                continue
            known[seed] = one_cohort(scene, seed, draw, runs)
            file.write(json.dumps(known[seed]) + "\n")
            file.flush()
            if seed % 50 == 0:
                print(f"{scene}: {seed} of {n_cohorts}", file=sys.stderr)
    return [known[seed] for seed in range(1, n_cohorts + 1)]


def percent(hits):
    """Share with its Monte Carlo error."""
    if len(hits) == 0:
        return "-"
    p = np.mean(hits)
    return f"{100 * p:.1f} ± {100 * math.sqrt(p * (1 - p) / len(hits)):.1f}"


def mean_of(values):
    return np.mean(values), np.std(values, ddof=1) / math.sqrt(len(values))


def intervals(row):
    z = 1.959963984540054
    yield "Wald", row["log_hazard"] - z * row["se"], row["log_hazard"] + z * row["se"]
    if row["robust_se"] is not None:
        yield "robust", row["log_hazard"] - z * row["robust_se"], row["log_hazard"] + z * row["robust_se"]
    yield "percentile", row["boot_lower"], row["boot_upper"]
    if row["bca_lower"] is not None:
        yield "BCa", row["bca_lower"], row["bca_upper"]


def show_coverage(scene, truth):
    cohorts = records(scene)
    print(f"\n{scene}: {len(cohorts)} cohorts of {min(c['n'] for c in cohorts)} to {max(c['n'] for c in cohorts)} "
          f"patients; events {100 * np.mean([c['events'] / c['n'] for c in cohorts]):.0f} %, of which "
          f"{100 * np.mean([c['tied'] for c in cohorts]):.0f} % share their day")
    hits, errors, skipped = {}, {}, 0
    for cohort in cohorts:
        for term, beta in truth.items():
            row = cohort["runs"]["none"]["terms"][term]
            if row["log_hazard"] is None or math.isinf(row["log_hazard"]):
                skipped += 1
                continue
            errors.setdefault(term, []).append(row["log_hazard"] - beta)
            for kind, lower, upper in intervals(row):
                hits.setdefault(kind, {}).setdefault(term, []).append(lower <= beta <= upper)
    print(f"  coverage of 95 % intervals, %; coefficients that are not finite: {skipped}")
    print("  " + f"{'term':<12} {'truth':>7} {'mean error':>18}" + "".join(f"{kind:>15}" for kind in hits))
    for term, beta in truth.items():
        mean, error = mean_of(errors[term])
        print("  " + f"{term:<12} {beta:>7} {mean:>9.4f} ± {error:.4f}" +
              "".join(f"{percent(hits[kind][term]):>15}" for kind in hits))
    print("  " + f"{'all':<38}" + "".join(f"{percent(sum(hits[kind].values(), [])):>15}" for kind in hits))


def show_optimism(scene, run):
    cohorts = records(scene)
    print(f"\n{scene}, selection {run}: {len(cohorts)} cohorts, mean "
          f"{np.mean([c['runs'][run]['n_terms'] for c in cohorts]):.1f} terms; mean on fresh patients, and mean error "
          "of the job's estimates of it")
    print("  " + f"{'measure':<18} {'fresh':>7} {'apparent':>17} {'corrected':>17} {'.632':>17} {'.632+':>17} "
          f"{'in interval, %':>15}")
    for measure in (m for m in cohorts[0]["runs"][run]["fresh"] if m in cohorts[0]["runs"][run]["measures"]):
        kept = [(c["runs"][run]["fresh"][measure], c["runs"][run]["measures"][measure]) for c in cohorts]
        kept = [(t, m) for t, m in kept if t is not None and not math.isnan(t) and m["corrected"] is not None]
        line = f"{measure:<18} {np.mean([t for t, _ in kept]):>7.4f}"
        for estimate in ("apparent", "corrected", "est_632", "est_632plus"):
            mean, error = mean_of([m[estimate] - t for t, m in kept])
            line += f" {mean:>8.4f} ± {error:.4f}"
        print("  " + line + f" {percent([m['lower'] <= t <= m['upper'] for t, m in kept]):>15}")


def show_noise():
    print("\nnoise: 30 candidate terms and no effects; every estimate should be 0.5")
    kinds = ("apparent", "corrected", "oob", "est_632plus")
    print("  " + f"{'patients':<8} {'selection':<9} {'cohorts':>7} {'terms':>6}  {'measure':<9}" +
          "".join(f"{kind:>18}" for kind in kinds) + f"{'in interval, %':>16}")
    for scene in (name for name in scenes if name.startswith("noise")):
        cohorts = records(scene)
        for run in scenes[scene][2]:
            for measure in ("harrell_c", "uno_c"):
                rows = [c["runs"][run]["measures"][measure] for c in cohorts]
                rows = [row for row in rows if row["corrected"] is not None]
                means = [mean_of([row[kind] for row in rows]) for kind in kinds]
                print("  " + f"{cohorts[0]['n']:<8} {run:<9} {len(rows):>7} "
                      f"{np.mean([c['runs'][run]['n_terms'] for c in cohorts]):>6.1f}  {measure:<9}" +
                      "".join(f"{mean:>9.4f} ± {error:.4f}" for mean, error in means) +
                      f"{percent([row['lower'] <= 0.5 <= row['upper'] for row in rows]):>16}")


planted_fields = {"numbers": ["AGE", "HB"], "log10": ["WBC", "PLATELETS", "LDH"],
                  "levels": ["SEX", "ECOG", "TREATMENT"]}


def planted_truth(cohort, entity, reference):
    """Log hazards of the entity's terms: log10(X) per factor of ten, levels against the reference."""
    effects = [row for row in table(os.path.join(cohort, "truth"), "effects") if row["entity"] == entity]
    planted = {(row["term"], row["per"]): float(row["log_hazard"]) for row in effects}
    truth = {}
    for (term, per), beta in planted.items():
        if per == "carrier":
            truth[term] = beta
        elif per == "unit":
            truth[term] = beta
        elif per == "doubling":
            truth[f"log10({term})"] = beta / math.log10(2)
        elif reference.get(term):
            truth[f"{term}={per}"] = beta - planted[(term, reference[term])]
    return truth


def planted_cohort(name, seed, interactions, patients):
    """A cohort of jobs/simulate/default.toml, with its interactions or without."""
    cohort, spec = os.path.join(work, "cohort-" + name), os.path.join(work, name + ".toml")
    if not os.path.exists(os.path.join(cohort, "cohort.json")):
        with open(os.path.join(here, "..", "..", "jobs", "simulate", "default.toml"), encoding="utf-8") as file:
            text = file.read()
        with open(spec, "w", encoding="utf-8") as file:
            file.write(text if interactions else re.sub(r"\ninteractions = \[\n.*?\n\]\n", "\n", text, flags=re.S))
        chorale("simulate", spec, cohort, "--set", f"seed={seed}", "--set", f"patients={patients}")
    return cohort


def planted_run(seed, interactions, patients, entity="AML"):
    """Per term: truth, coefficient and limits."""
    name = f"planted-{'with' if interactions else 'without'}-{patients}-{seed}"
    path = os.path.join(work, name + ".json")
    if not os.path.exists(path):
        cohort = planted_cohort(name, seed, interactions, patients)
        effects = [row for row in table(os.path.join(cohort, "truth"), "effects") if row["entity"] == entity]
        carried = sorted({row["term"] for row in effects if row["per"] == "carrier"})
        columns = {row["feature"] for row in table(os.path.join(cohort, "truth"), "frequencies")
                   if row["kind"] == "aberration"}
        names = sum(planted_fields.values(), [])
        listed = {key: ", ".join(f'"{name}"' for name in values)
                  for key, values in (("genes", carried), ("fields", [c for c in carried if c in columns]),
                                      ("covariates", names), ("log10", planted_fields["log10"]))}
        output = os.path.join(work, "now-planted")
        terms, _, _ = analyse(
            cohort, output, seed,
            f'[select]\nwhere = [{{ field = "SUBTYPE", is = ["{entity}"] }}]\n'
            f'[features]\nmin_carriers = {patients // 1000}\nfields = [{listed["fields"]}]\ninclude = [{listed["genes"]}]\n'
            f'[outcome]\nendpoint = "OS"\nstrata = ["SITE"]\ncovariates = [{listed["covariates"]}]\n',
            f'replicates = 500\nlog10 = [{listed["log10"]}]\nmeasures = ["harrell_c"]\n')
        reference = {row["variable"]: row["reference"] for row in table(output, "variables")}
        truth = planted_truth(cohort, entity, reference)
        with open(os.path.join(output, "summary.json"), encoding="utf-8") as file:
            numbers = json.load(file)["numbers"]
        pairs = [row for row in table(os.path.join(cohort, "truth"), "interactions") if row["entity"] == entity]
        found = {"n": numbers["n_analysed"], "events": numbers["n_events"],
                 "interact": sorted({row[side] for row in pairs for side in "ab"}),
                 "terms": {row["term"]: {"truth": truth[row["term"]], **{key: number(row[key]) for key in limits}}
                           for row in terms if row["term"] in truth}}
        with open(path, "w", encoding="utf-8") as file:
            json.dump(found, file)
        shutil.rmtree(cohort)
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def show_planted():
    for n_seeds, patients, interactions in ((20, 20000, False), (10, 200000, False), (20, 20000, True)):
        runs = [planted_run(seed, interactions, patients) for seed in range(1, max(2, round(n_seeds * share)) + 1)]
        print(f"\nAML of jobs/simulate/default.toml {'as it is' if interactions else 'without its interactions'}, "
              f"{patients} patients, {len(runs)} seeds: {np.mean([r['n'] for r in runs]):.0f} complete cases, "
              f"{np.mean([r['events'] for r in runs]):.0f} events, {np.mean([len(r['terms']) for r in runs]):.0f} terms")
        pools = {"all terms": lambda run, term: True}
        if interactions:
            pools = {"terms of an interaction": lambda run, term: term in run["interact"],
                     "other terms": lambda run, term: term not in run["interact"]}
        for pool, belongs in pools.items():
            hits, worst = {}, {}
            for run in runs:
                for term, row in run["terms"].items():
                    if not belongs(run, term) or row["log_hazard"] is None or math.isinf(row["log_hazard"]):
                        continue
                    for kind, lower, upper in intervals(row):
                        hits.setdefault(kind, []).append(lower <= row["truth"] <= upper)
                    worst.setdefault(term, []).append(hits["Wald"][-1])
            print(f"  {pool}: " + "; ".join(f"{kind} {percent(h)} %" for kind, h in hits.items()))
            least = sorted(worst, key=lambda term: np.mean(worst[term]))[:4]
            print("    least often (Wald): " + ", ".join(f"{t} {sum(worst[t])} of {len(worst[t])}" for t in least))


os.makedirs(work, exist_ok=True)
show_coverage("clinic", law.clinic_truth)
show_optimism("clinic", "none")
for scene_of_fresh in ("clinic again", "small", "small, cv"):
    for selection in scenes[scene_of_fresh][2]:
        show_optimism(scene_of_fresh, selection)
show_noise()
for scene_of_sites in ("20 sites", "60 sites"):
    show_coverage(scene_of_sites, law.sites_truth)
show_planted()
