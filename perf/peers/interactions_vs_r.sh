#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
#
# Interaction of every pair of 500 features in the hazard of 100,000 patients, age and sex beside it: the whole job, and
# a single full fit, beside R's survival package on the same patients, one core each.
#
#   bash perf/peers/interactions_vs_r.sh [ROUNDS [PAIRS]]      default: 5 rounds, 6 pairs in R each
#   CHORALE=build/release/chorale  PAIR_FIT=build/perf/perf/peers/pair_fit      the programs measured
#
# Rounds alternate R, Chorale, R, Chorale …; medians of processor time are compared. R's time for a pair times the pairs
# that the job was asked about stands against the job's whole process: loading, screen, every full fit that the screen
# asks for, writing, report. Once with min_both = 5 (the job's own default), once with 1, where most full fits are of
# pairs that have no finite estimate and go to Firth's.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source perf/peers/measure.sh
rounds="${1:-5}"
n_pairs="${2:-6}"
pair_fit="${PAIR_FIT:-build/perf/perf/peers/pair_fit}"
need_r
need_chorale
need_program "$pair_fit" perf PAIR_FIT
simulated perf/peers/cohort.toml benchmark

cohort=cohorts/benchmark study=cohorts/benchmark-study output=results/benchmark-interactions
run_job() { # MIN_BOTH
  cpu "$chorale" run perf/peers/interactions.toml --fresh --set "cohort=$cohort" --set "output=$output-$1" \
    --set "interaction_screen.min_both=$1"
}
run_job 5 >/dev/null # R compares with its table
mkdir -p results
rows=$(mktemp)
trap 'rm -f "$rows"' EXIT
for round in $(seq "$rounds"); do
  fit=$("$pair_fit" "$cohort" "$output-fits.tsv" "$n_pairs")
  r=$(Rscript perf/peers/interactions_vs_r.R "$study" "$output-fits.tsv" "$output-5/pairs.tsv")
  echo "$r $fit $(run_job 5) $(run_job 1)" | tee -a "$rows" |
    awk -v i="$round" '{ printf "round %d: R coxph %.0f ms, coxph.fit %.0f ms a pair; Chorale fit %.3f ms, job %.2f s, with min_both = 1 %.1f s\n", i, 1e3*$1, 1e3*$2, 1e3*$5, $6, $7 }'
done

asked() { awk -F'\t' '$1 == "interaction" { print $3 }' "$output-$1/tests.tsv"; }
awk -v formula="$(column 1)" -v matrix="$(column 2)" -v fit="$(column 5)" -v job5="$(column 6)" -v job1="$(column 7)" \
  -v n5="$(asked 5)" -v n1="$(asked 1)" -v fits_differ="$(worst 3)" -v job_differs="$(worst 4)" 'BEGIN {
  printf "\n%-58s %12s\n", "one core, medians of processor time", "s"
  printf "%-58s %12.4f\n", "R coxph(Surv(t, e) ~ AGE + SEX + a*b), a pair", formula
  printf "%-58s %12.4f\n", "R coxph.fit on a ready matrix, a pair", matrix
  printf "%-58s %12.6f\n", "Chorale pair_cox_full without likelihood ratio, a pair", fit
  printf "%-58s %12.2f\n", sprintf("Chorale, whole job, min_both = 5 (%d pairs asked)", n5), job5
  printf "%-58s %12.2f\n", sprintf("Chorale, whole job, min_both = 1 (%d pairs asked)", n1), job1
  printf "\ncoxph over all pairs asked / Chorale: %.0f times with min_both = 5, %.0f with min_both = 1\n", n5 * formula / job5, n1 * formula / job1
  printf "coxph.fit / Chorale, a full fit of a pair: %.0f times\n", matrix / fit
  printf "largest difference of fits (coefficients in standard errors; se, log-likelihood relative): %s\n", fits_differ
  printf "of the job from where R stops (coefficients in standard errors; se relative): %s\n", job_differs
  exit !(fits_differ < 1e-6 && job_differs < 1e-2)
}'
