#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
#
# The prognostic model with and without selection: equal bytes for any number of ranks and threads, and after a kill.
# CHORALE_SEED=N repeats the moments of the kills.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
RANDOM="${CHORALE_SEED:-$$}"
echo "CHORALE_SEED=${CHORALE_SEED:-$$}"

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

hits=0
for try in $(seq 1 8); do
  [ "$hits" -lt 1 ] || break
  out="killed-$try"
  job_in_background prognosis $((2 + try % 2)) "$out"
  wait_for_parts "$out"
  sleep "0.$(printf "%03d" $((RANDOM % (350 / try))))" # a run that was done before is met sooner the next time
  read -ra ranks < <(children_of "$launcher") || true
  [ ${#ranks[@]} -eq 0 ] || kill -9 "${ranks[RANDOM % ${#ranks[@]}]}" 2>/dev/null || true
  wait_for_launcher
  [ -e "$work/$out/DONE" ] || hits=$((hits + 1))
  prognosis $((1 + try % 3)) "$out" >"$work/said.txt" 2>&1 || fail "the resumed run fails: $(cat "$work/said.txt")"
  require_equal reference-elastic_net "$out"
done
[ "$hits" -ge 1 ] || fail "no kill hit a run at work"
echo "killed, the resumed run writes the same results"
