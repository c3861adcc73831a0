#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
#
# The prognostic model with and without selection: equal bytes for any number of ranks and threads, and after a kill.
# CHORALE_SEED=N repeats the moments of the kills.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
seed_moments

patients=1500
[ "$scale" = small ] && patients=500
make_cohort cohort $patients 40 300 --set background_highest=0.3 --set background_lowest=0.01

for selection in elastic_net none; do
  own=(--set "prognosis.selection=$selection")
  [ $selection = none ] && own+=(--set prognosis.stability_pairs=0 --set prognosis.replicates=200 --set prognosis.tuning=bic)
  reference="reference-$selection"
  prognosis alone "$reference" "${own[@]}" >/dev/null 2>&1
  [ "$(ls "$work/$reference"/*.tsv | wc -l)" -ge 8 ] || fail "the reference has too few tables to compare"
  [ "$(wc -l <"$work/$reference/coefficients.tsv")" -gt 10 ] || fail "the reference has too few terms to compare"
  [ -s "$work/$reference/model.json" ] || fail "the reference has no model"
  for setting in "1 2" "2 1" "3 2" "4 1"; do
    read -r n threads <<<"$setting"
    prognosis "$n" "ranks-$n-$selection" "${own[@]}" --set "run.threads=$threads" >/dev/null 2>&1
    require_equal "$reference" "ranks-$n-$selection"
  done
  echo "$selection: 1, 2, 3 and 4 ranks, 1 and 2 threads write the same results"
done

kill_and_resume prognosis reference-elastic_net 1 8
echo "killed, the resumed run writes the same results"
