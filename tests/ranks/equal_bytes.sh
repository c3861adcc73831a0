#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
#
# Ranks and threads change the time, never the answer: cohorts and results are equal byte by byte.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

patients=4000
[ "$scale" = small ] && patients=1500

make_cohort cohort $patients 120 300
for n in 1 3; do
  with_ranks $n simulate "$source_dir/tests/ranks/cohort.toml" "$work/by-$n" --set patients=$patients --set genes=120 \
    --set patients_per_shard=300 >/dev/null 2>&1
  diff -r "$work/cohort" "$work/by-$n" || fail "a cohort simulated by $n ranks differs"
done
echo "simulate: alone, 1 and 3 ranks write the same cohort"

landscape alone reference >/dev/null 2>&1
[ "$(ls "$work"/reference/*.tsv | wc -l)" -ge 8 ] || fail "the reference has too few tables to compare"
for setting in "1 2" "2 1" "3 2" "4 1"; do
  read -r n threads <<<"$setting"
  landscape "$n" "ranks-$n" --set "run.threads=$threads" >/dev/null 2>&1
  require_equal reference "ranks-$n"
  grep -q "\"n_ranks\": $n," "$work/ranks-$n/run.json" || fail "the run record does not tell $n ranks"
  [ "$(awk 'NR > 1 { units += $2; ranks++ } END { print ranks, units }' "$work/ranks-$n/.chorale/ranks.tsv")" = \
    "$n $(grep -oE '"n_units": [0-9]+' "$work/ranks-$n/run.json" | grep -oE '[0-9]+$')" ] ||
    fail "the ranks' units are not all units: $(cat "$work/ranks-$n/.chorale/ranks.tsv")"
  for share in load work checkpoint idle communication; do
    grep -q "\"$share\": {" "$work/ranks-$n/run.json" || fail "the run record does not tell the ranks' $share"
  done
done
echo "landscape: 1, 2, 3 and 4 ranks, 1 and 2 threads write the same results"

# Fewer units than ranks: three patients in three shards, then one patient.
rm -r "$work/cohort"
make_cohort cohort 3 5 1
landscape alone few >/dev/null 2>&1
landscape 4 few-by-4 >/dev/null 2>&1
require_equal few few-by-4
rm -r "$work/cohort"
make_cohort cohort 1 5 1
landscape alone one >/dev/null 2>&1
landscape 4 one-by-4 >/dev/null 2>&1
require_equal one one-by-4
echo "landscape: more ranks than shards write the same results"
