#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
#
# What 1,000 permutations (maxT) of all pairs of 500 features in 100,000 patients cost beside one pass without: cells and
# Fisher's test alone, and with the interaction in the hazard (age and sex beside it), one core.
#
#   bash perf/peers/permutations.sh [ROUNDS]      default: 3
#   CHORALE=build/release/chorale                 the program measured
#
# Stages of the run record (seconds by the clock: mind a busy machine) beside processor seconds of the process; medians.
# A pass is the stage "pairs" of the same job without permutations.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source perf/peers/measure.sh
rounds="${1:-3}"
need_chorale
simulated perf/peers/cohort.toml benchmark

cohort=cohorts/benchmark output=results/benchmark-permutations
run_job() { # CONFIG PERMUTATIONS
  cpu "$chorale" run "perf/peers/$1.toml" --fresh --set "cohort=$cohort" --set "output=$output-$2" \
    --set 'interaction_screen.tests=["fisher"]' --set interaction_screen.min_both=5 \
    --set "interaction_screen.permutations=$2"
}
same_p() { # what permutations leave alone: tested pairs and the smallest p
  [ "$(cut -f1-6 "$output-0/tests.tsv")" = "$(cut -f1-6 "$output-1000/tests.tsv")" ]
}
rows=$(mktemp)
trap 'rm -f "$rows"' EXIT
for config in burden interactions; do
  : >"$rows"
  for round in $(seq "$rounds"); do
    without=$(run_job "$config" 0)
    with=$(run_job "$config" 1000)
    same_p || { echo "permutations changed the tests" >&2; exit 1; }
    echo "$(stage "$output-0" pairs) $(stage "$output-1000" permutations) $without $with" >>"$rows"
  done
  awk -v config="$config" -v pass="$(column 1)" -v permuted="$(column 2)" -v without="$(column 3)" -v with="$(column 4)" 'BEGIN {
    what = config == "burden" ? "association" : "association and interaction"
    printf "%s: a pass %.3f s, 1,000 permutations %.2f s: %.1f times; processor time %.2f s without, %.2f s with\n", what, pass, permuted, permuted / pass, without, with
  }'
done
