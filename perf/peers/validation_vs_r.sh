#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
#
# Optimism of concordance, Brier score and calibration of a Cox model of 20 terms on 5,000 patients, a replicate each, one core
# each, beside R:
#   strict      rms::validate alone: Somers' Dxy, slope, R² and others, but neither Brier's score nor calibration in groups
#   comparable  rms::validate, Brier's score of a fit of the sample on the sample and on all patients, and rms::calibrate in ten
#               groups: once with the score written by hand as a few lines of R, once with survival:::brier
# Chorale does the work of "comparable" in both.
#
#   bash perf/peers/validation_vs_r.sh [ROUNDS [REPLICATES]]      default: 5 rounds of 1,000 replicates, R of 40
#   CHORALE=build/release/chorale                                 the program measured
#
# Rounds alternate R, Chorale, R, Chorale …; medians of processor time. A replicate of Chorale is the whole process, loading,
# the model, groups, tables and report included, by the number of replicates.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source perf/peers/measure.sh
rounds="${1:-5}"
replicates="${2:-1000}"
need_r
Rscript -e 'library(rms)' >/dev/null 2>&1 || { echo "skipped: R's rms is missing (Debian: r-cran-rms)"; exit 0; }
need_chorale
sed 's/^patients = .*/patients = 5000/; s/^name = "benchmark"/name = "benchmark-5000"/' perf/peers/cohort.toml >cohorts/benchmark-5000.toml
simulated cohorts/benchmark-5000.toml benchmark-5000

genes=$(seq -f '"GENE%05g"' -s ', ' 1 18)
mkdir -p results
rows=$(mktemp)
trap 'rm -f "$rows"' EXIT
for round in $(seq "$rounds"); do
  r=$(Rscript perf/peers/validation_vs_r.R cohorts/benchmark-5000-study)
  ours=$(cpu "$chorale" run perf/peers/validation.toml --fresh --set "prognosis.replicates=$replicates" \
    --set "features.include=[$genes]")
  echo "$r $ours" | tee -a "$rows" |
    awk -v i="$round" -v n="$replicates" '{
      printf "round %d: rms::validate %.1f ms, fit and Brier by hand %.1f ms, by survival:::brier %.0f ms, rms::calibrate %.1f ms; Chorale %.3f ms a replicate\n",
        i, 1e3 * $1, 1e3 * $2, 1e3 * $3, 1e3 * $4, 1e3 * $6 / n }'
done
awk -v validate="$(column 1)" -v hand="$(column 2)" -v package="$(column 3)" -v calibrate="$(column 4)" \
  -v ours="$(column 6)" -v n="$replicates" '
function row(what, r) { printf "%-78s %10.1f %8.0f\n", what, 1e3 * r, r / (ours / n) }
BEGIN {
  printf "\n%-78s %10s %8s\n", "a replicate, medians of processor time", "ms", "times"
  printf "%-78s %10.3f\n", "Chorale", 1e3 * ours / n
  row("strict: rms::validate alone", validate)
  row("comparable: rms::validate, Brier by hand, rms::calibrate", validate + hand + calibrate)
  row("comparable: rms::validate, survival:::brier, rms::calibrate", validate + package + calibrate)
}'
awk '{ printf "corrected Dxy: R %.4f; Chorale, 2 C - 1: %.4f\n", $5, c }' c="$(awk -F'\t' '$1 == "harrell_c" { print 2 * $6 - 1 }' results/benchmark-5000/performance.tsv)" "$rows" | tail -1
