# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
"""What the runs of tests/calibration/interaction_screen.sh say together."""
import csv
import json
import math
import os
import sys

work, n_seeds = sys.argv[1], int(sys.argv[2])
seeds = range(1, n_seeds + 1)


def table(*path):
    with open(os.path.join(work, *path), encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def numbers(job, seed):
    with open(os.path.join(work, f"{job}-{seed}", "summary.json"), encoding="utf-8") as file:
        return json.load(file)["numbers"]


def chi_square_upper(x, df):
    """P(X > x); df odd: Abramowitz and Stegun 26.4.4."""
    term, total = math.sqrt(2 * x / math.pi) * math.exp(-x / 2), 0.0
    for k in range(1, df - 1, 2):
        total += term
        term *= x / (k + 2)
    return math.erfc(math.sqrt(x / 2)) + total


def below(row, column, bound):
    return row[column] != "" and float(row[column]) <= bound


def show_null():
    print(f"null.toml, {n_seeds} cohorts")
    tests = [row["test"] for row in table("null-1", "tests.tsv")]
    for test in tests:
        n_any, n_hits, bars, n_tested = 0, 0, [0] * 20, 0
        for seed in seeds:
            row = next(row for row in table(f"null-{seed}", "tests.tsv") if row["test"] == test)
            n_any += int(row["n_q"]) > 0
            n_hits += int(row["n_q"])
            n_tested += int(row["n_tested"])
            own = [int(bar["n"]) for bar in table(f"null-{seed}", "p_histogram.tsv") if bar["test"] == test]
            bars = [x + y for x, y in zip(bars, own)]
        n = sum(bars)
        chi2 = sum((bar - n / 20) ** 2 / (n / 20) for bar in bars)
        print(f"  {test}: {n_tested} pairs tested; cohorts with any q <= 0.05: {n_any} of {n_seeds} ({n_hits} pairs)")
        print(f"    p in 20 bars of {n / 20:.0f}: chi-square {chi2:.1f} on 19, p = {chi_square_upper(chi2, 19):.3g}; "
              f"share of p < 0.05: {bars[0] / n:.4f}, < 0.5: {sum(bars[:10]) / n:.4f}")
        print("    " + " ".join(f"{20 * bar / n:.3f}" for bar in bars))


def show_planted(job, spec, entities):
    print(f"{spec}.toml, job {job}, {n_seeds} cohorts")
    found, asked, rank_one, all_on_top, others, sharing = {}, {}, 0, 0, 0, 0
    n_tested = 0
    for seed in seeds:
        planted = {}
        for row in table(f"{spec}-cohort-{seed}", "truth", "interactions.tsv"):
            if entities is None or row["entity"] in entities:
                planted[frozenset((row["a"], row["b"]))] = float(row["log_hazard"])
        rows = [row for row in table(f"{job}-{seed}", "pairs.tsv") if row["lrt_log10_p"] != ""]
        rows.sort(key=lambda row: float(row["lrt_log10_p"]))
        rank_one += frozenset((rows[0]["feature_a"], rows[0]["feature_b"])) in planted
        top = {frozenset((row["feature_a"], row["feature_b"])) for row in rows[:len(planted)]}
        all_on_top += top == set(planted)
        n_tested += numbers(job, seed)["interaction_tested"]
        in_planted = set().union(*planted)
        by_pair = {frozenset((row["feature_a"], row["feature_b"])): row for row in rows}
        for pair in planted:
            asked.setdefault(pair, 0)
            found.setdefault(pair, 0)
            if pair in by_pair:
                asked[pair] += 1
                found[pair] += below(by_pair[pair], "lrt_q", 0.05)
        for pair, row in by_pair.items():
            if pair not in planted and below(row, "lrt_q", 0.05):
                others += 1
                sharing += bool(pair & in_planted)
    print(f"  pairs tested: {n_tested:.0f}; the strongest is a planted one in {rank_one} of {n_seeds}; "
          f"all planted ones come before all others in {all_on_top}")
    for pair in found:
        print(f"    {' x '.join(sorted(pair))}: q <= 0.05 in {found[pair]} (in the table in {asked[pair]})")
    print(f"  other pairs with q <= 0.05: {others}, of which {sharing} share a feature with a planted pair")


def show_recall():
    print("screen at p <= 0.01 against the full fit's p < 0.0001")
    for job in ("null", "independent", "aml", "all"):
        total = {}
        for seed in seeds:
            for name, value in numbers(job, seed).items():
                total[name] = total.get(name, 0) + (value or 0)
        print(f"  {job}: {total['screen_strong_pairs_passed']:.0f} of {total['screen_strong_pairs']:.0f} strong pairs "
              f"passed; {total['screen_pairs_beyond_checked']:.0f} of {total['screen_pairs_beyond']:.0f} beyond the "
              "bound were fitted in full")


show_null()
show_planted("independent", "independent", None)
show_planted("aml", "default", {"AML"})
show_planted("all", "default", None)
show_recall()
