#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
#
# The burden-aware test of every pair of 500 features in 100,000 patients beside DISCOVER's procedure in plain R (the
# package is not in Debian), one core each.
#
#   bash perf/peers/burden_vs_r.sh [ROUNDS [PAIRS]]      default: 5 rounds, 5 pairs in R each
#   CHORALE=build/release/chorale                        the program measured
#
# Rounds alternate R, Chorale, R, Chorale …; medians of processor time are compared. R's time is that of the tails alone;
# Chorale's is the whole process: loading, cells, background, all tests, q, report.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source perf/peers/measure.sh
rounds="${1:-5}"
n_pairs="${2:-5}"
need_r
need_chorale
simulated perf/peers/cohort.toml benchmark

cohort=cohorts/benchmark output=results/benchmark-burden
run_job() { # REPORT OUTPUT
  cpu "$chorale" run perf/peers/burden.toml --fresh --set "cohort=$cohort" --set "output=$2" \
    --set "interaction_screen.report=$1"
}
run_job all "$output-all" >/dev/null # R compares with its table
rows=$(mktemp)
trap 'rm -f "$rows"' EXIT
for round in $(seq "$rounds"); do
  r=$(Rscript perf/peers/burden_vs_r.R "$cohort-study" "$output-all/pairs.tsv" "$n_pairs")
  echo "$r $(run_job top "$output")" | tee -a "$rows" |
    awk -v i="$round" '{ printf "round %d: R %.0f ms a pair, %.1f ms by burden; Chorale %.3f s for all\n", i, 1e3*$1, 1e3*$2, $4 }'
done
n_all=$(awk -F'\t' '$1 == "burden" { print $3 }' "$output/tests.tsv")
awk -v slow="$(column 1)" -v quick="$(column 2)" -v job="$(column 4)" -v worst="$(worst 3)" -v n="$n_all" 'BEGIN {
  printf "\n%-52s %12s\n", "a pair, one core, medians of processor time", "ms"
  printf "%-52s %12.3f\n", "R, tails by convolution, patient by patient", 1e3 * slow
  printf "%-52s %12.3f\n", "R, tails by convolution, burden by burden", 1e3 * quick
  printf "%-52s %12.5f\n", "Chorale, the whole process by pairs", 1e3 * job / n
  printf "\nR / Chorale: %.0f times patient by patient, %.0f burden by burden\n", slow * n / job, quick * n / job
  printf "largest relative difference of p: %s\n", worst
  exit !(worst < 1e-6)
}'
