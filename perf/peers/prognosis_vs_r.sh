#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
#
# A prognosis job of 514 candidates (500 of them sparse) on 100,000 patients, every replicate with its own path, tuning and
# all measures on the sample, on all patients and out of bag; beside one path of R's glmnet with bootstrap weights, of the
# 1,000 that the same job would need. One core each.
#
#   bash perf/peers/prognosis_vs_r.sh [ROUNDS [REPLICATES]]      default: 3 rounds of 16 replicates
#   CHORALE=build/release/chorale                                the program measured
#
# Rounds alternate R, Chorale, R, Chorale …; medians of processor time. A replicate of Chorale is the difference of two whole
# jobs, with REPLICATES and with none, by REPLICATES; the job of 1,000 is the one without and 1,000 replicates.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source perf/peers/measure.sh
rounds="${1:-3}"
replicates="${2:-16}"
need_r
Rscript -e 'library(glmnet)' >/dev/null 2>&1 || { echo "skipped: R's glmnet is missing (Debian: r-cran-glmnet)"; exit 0; }
need_chorale
simulated perf/peers/cohort_514.toml benchmark-514

run_job() { # REPLICATES
  cpu "$chorale" run perf/peers/prognosis.toml --fresh --set "output=results/benchmark-514-$1" \
    --set "prognosis.replicates=$1"
}
mkdir -p results
rows=$(mktemp)
trap 'rm -f "$rows"' EXIT
for round in $(seq "$rounds"); do
  r=$(Rscript perf/peers/prognosis_vs_r.R cohorts/benchmark-514-study)
  echo "$r $(run_job 0) $(run_job "$replicates")" | tee -a "$rows" |
    awk -v i="$round" -v n="$replicates" '{ printf "round %d: glmnet %.2f s a path; Chorale %.2f s without replicates, %.3f s a replicate\n", i, $1, $2, ($3 - $2) / n }'
done
awk -v r="$(column 1)" -v none="$(column 2)" -v some="$(column 3)" -v n="$replicates" 'BEGIN {
  each = (some - none) / n
  printf "\n%-66s %10s\n", "one core, medians of processor time", "s"
  printf "%-66s %10.2f\n", "R glmnet, one path with bootstrap weights, as it stops by default", r
  printf "%-66s %10.3f\n", "Chorale, one replicate: path, BIC, measures on three samples", each
  printf "%-66s %10.2f\n", "Chorale, the job without replicates", none
  printf "\n1,000 paths of glmnet / the whole job of 1,000 replicates: %.0f times\n", 1000 * r / (none + 1000 * each)
}'
