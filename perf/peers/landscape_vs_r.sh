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
source perf/peers/measure.sh
rounds="${1:-5}"
n_features="${2:-20}"
need_r
need_chorale
simulated perf/peers/cohort.toml benchmark
cohort=cohorts/benchmark study=cohorts/benchmark-study output=results/benchmark

run_chorale() {
  "$chorale" run perf/peers/landscape.toml --fresh --set "cohort=$cohort" --set "output=$output" >/dev/null 2>&1
}

run_chorale # R compares with its tables
rows=$(mktemp)
trap 'rm -f "$rows"' EXIT
for round in $(seq "$rounds"); do
  r=$(Rscript perf/peers/landscape_vs_r.R "$study" "$output/features.tsv" "$n_features")
  run_chorale
  echo "$r $(stage "$output" outcome) $(stage "$output" total)" | tee -a "$rows" |
    awk -v i="$round" '{ printf "round %d: R coxph.fit %.1f ms, score %.1f ms, survdiff %.0f ms a feature; Chorale %.3f s for all\n", i, 1e3*$1, 1e3*$2, 1e3*$3, $5 }'
done

n_all=$(awk 'END { print NR - 1 }' "$output/features.tsv")
awk -v cox="$(column 1)" -v score="$(column 2)" -v survdiff="$(column 3)" -v outcome="$(column 5)" -v total="$(column 6)" \
  -v worst="$(worst 4)" -v n="$n_all" 'BEGIN {
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
