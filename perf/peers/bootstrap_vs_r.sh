#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
#
# Bootstrap replicates of a Cox model, 100,000 patients, 20 covariates, Efron's ties, beside R's coxph.fit with weights
# and the full data's coefficients to start from, at R's default eps; one core each.
#
#   bash perf/peers/bootstrap_vs_r.sh [ROUNDS [REPLICATES]]      default: 5 rounds, 3 replicates in R each, 512 here
#   BOOTSTRAP_FITS=build/perf/perf/peers/bootstrap_fits          the program measured
#
# Rounds alternate R, Chorale, R, Chorale …; medians of processor time are compared. Chorale's fits end within 1e-9
# standard errors of the maximum and carry their share of what a call does once.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source perf/peers/measure.sh
rounds="${1:-5}"
n_replicates="${2:-3}"
bootstrap_fits="${BOOTSTRAP_FITS:-build/perf/perf/peers/bootstrap_fits}"
need_r
need_program "$bootstrap_fits" perf BOOTSTRAP_FITS

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
rows="$folder/rows"
"$bootstrap_fits" "$folder" "$n_replicates" >/dev/null # R reads what it writes
for round in $(seq "$rounds"); do
  r=$(Rscript perf/peers/bootstrap_vs_r.R "$folder")
  echo "$r $("$bootstrap_fits" "$folder" "$n_replicates")" | tee -a "$rows" |
    awk -v i="$round" '{ printf "round %d: R %.0f ms, Chorale %.3f ms a replicate, its weights %.3f ms\n", i, 1e3*$1, 1e3*$4, 1e3*$5 }'
done

awk -v r="$(column 1)" -v fit="$(column 4)" -v weights="$(column 5)" -v score="$(worst 2)" -v stopped="$(worst 3)" 'BEGIN {
  printf "\n%-58s %12s\n", "one core, medians of processor time", "ms a replicate"
  printf "%-58s %12.1f\n", "R coxph.fit, weights, warm start", 1e3 * r
  printf "%-58s %12.3f\n", "Chorale cox_bootstrap", 1e3 * fit
  printf "%-58s %12.3f\n", "Chorale bootstrap_weights", 1e3 * weights
  printf "\ncoxph.fit / Chorale: %.0f times, %.0f with the weights drawn\n", r / fit, r / (fit + weights)
  printf "coefficients, in standard errors: %s by the score that R sees there, %s from where R stops\n", score, stopped
  exit !(score < 1e-6 && stopped < 1e-2)
}'
