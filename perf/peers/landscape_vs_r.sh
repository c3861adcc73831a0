#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
#
# Outcome of every feature (log-rank and crude Cox) beside R's survival package, on the same patients, one core each.
#
#   bash perf/peers/landscape_vs_r.sh [ROUNDS [R_FEATURES]]      default: 5 rounds, 20 features in R each
#   CHORALE=build/release/chorale                                the program measured
#
# Rounds alternate R, Chorale, R, Chorale …; medians are compared. R is timed per feature on a sample, Chorale over all
# 500 from its run record (stage "outcome"; "total" is the whole process: loading, counting, writing, report).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
rounds="${1:-5}"
n_features="${2:-20}"
chorale="${CHORALE:-build/release/chorale}"

if ! command -v Rscript >/dev/null || ! Rscript -e 'library(survival)' >/dev/null 2>&1; then
  echo "skipped: R with its survival package is missing (Debian: r-base-core r-cran-survival)"
  exit 0
fi
[ -x "$chorale" ] || { echo "no $chorale: run bash jobs/setup.sh release chorale, or set CHORALE" >&2; exit 2; }

cohort=cohorts/benchmark study=cohorts/benchmark-study output=results/benchmark
spec=$(sha256sum perf/peers/cohort.toml)
if [ "$spec" != "$(cat cohorts/benchmark.origin 2>/dev/null)" ]; then
  mkdir -p cohorts
  rm -rf "$cohort" "$study"
  "$chorale" simulate perf/peers/cohort.toml "$cohort"
  "$chorale" simulate perf/peers/cohort.toml "$study" --as study
  echo "$spec" >cohorts/benchmark.origin
fi

median() { sort -g | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }
stage() { sed -n "s/^  \"$1\": \([0-9.e+-]*\),\{0,1\}$/\1/p" "$output/run.json"; }
run_chorale() {
  OMP_NUM_THREADS=1 "$chorale" run perf/peers/landscape.toml --fresh --set "cohort=$cohort" --set "output=$output" \
    >/dev/null 2>&1
}

run_chorale # R compares with its tables
rows=$(mktemp)
trap 'rm -f "$rows"' EXIT
for round in $(seq "$rounds"); do
  r=$(Rscript perf/peers/landscape_vs_r.R "$study" "$output/features.tsv" "$n_features")
  run_chorale
  echo "$r $(stage outcome) $(stage total)" | tee -a "$rows" |
    awk -v i="$round" '{ printf "round %d: R coxph.fit %.1f ms, score %.1f ms, survdiff %.0f ms a feature; Chorale %.3f s for all\n", i, 1e3*$1, 1e3*$2, 1e3*$3, $5 }'
done

column() { awk -v c="$1" '{ print $c }' "$rows" | median; }
n_all=$(awk 'END { print NR - 1 }' "$output/features.tsv")
awk -v cox="$(column 1)" -v score="$(column 2)" -v survdiff="$(column 3)" -v outcome="$(column 5)" -v total="$(column 6)" \
  -v worst="$(awk '{ print $4 }' "$rows" | sort -g | tail -1)" -v n="$n_all" 'BEGIN {
  each = outcome / n
  printf "\n%-52s %10s\n", "a feature, one core, medians", "ms"
  printf "%-52s %10.2f\n", "R coxph.fit (Efron)", 1e3 * cox
  printf "%-52s %10.2f\n", "R score test (coxph.fit, no iteration)", 1e3 * score
  printf "%-52s %10.2f\n", "R survdiff (log-rank)", 1e3 * survdiff
  printf "%-52s %10.4f\n", "Chorale, Cox and log-rank, stage outcome", 1e3 * each
  printf "%-52s %10.4f\n", "Chorale, the whole process by features", 1e3 * total / n
  printf "\nR fast path (coxph.fit + score) / Chorale: %.0f times per core\n", (cox + score) / each
  printf "R (coxph.fit + survdiff) / Chorale:        %.0f times per core\n", (cox + survdiff) / each
  printf "largest difference (coefficient in standard errors; se, log-likelihood, score, log-rank relative): %s\n", worst
  exit !(worst < 1e-6)
}'
