#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
#
# The interaction screen, whose stages build on each other and whose complete table lies in pieces: equal bytes for any
# number of ranks and threads, and after kills and signals. CHORALE_SEED=N repeats the moments of the kills.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
seed_moments

patients=1500
genes=50
[ "$scale" = small ] && patients=600 genes=30
make_cohort cohort $patients $genes 300 --set background_highest=0.3 --set background_lowest=0.01
interactions alone reference >/dev/null 2>&1
[ "$(ls "$work"/reference/*.tsv | wc -l)" -ge 8 ] || fail "the reference has too few tables to compare"
[ "$(ls "$work"/reference/pieces/*.h5 | wc -l)" -ge 4 ] || fail "the reference has too few pieces to compare"
for table in pairs triples quadruples; do
  [ "$(wc -l <"$work/reference/$table.tsv")" -gt 5 ] || fail "$table.tsv has too few rows to compare"
done
for setting in "1 2" "2 1" "3 2" "4 1"; do
  read -r n threads <<<"$setting"
  interactions "$n" "ranks-$n" --set "run.threads=$threads" >/dev/null 2>&1
  require_equal reference "ranks-$n"
  grep -q "\"n_ranks\": $n," "$work/ranks-$n/run.json" || fail "the run record does not tell $n ranks"
done
echo "1, 2, 3 and 4 ranks, 1 and 2 threads write the same results"

# Beyond 200,000 pairs ranks add up what they counted, and only what could be reported reaches rank 0.
make_cohort wide 400 800 100 --set background_highest=0.3 --set background_lowest=0.02
wide=(--set "cohort=\"$work/wide\"" --set interaction_screen.complete_table=false --set interaction_screen.permutations=0
  --set interaction_screen.largest_set=3
  --set 'interaction_screen.tests=["fisher", "burden"]' --set 'interaction_screen.stratify=[]')
interactions alone wide-reference "${wide[@]}" >/dev/null 2>&1
n_pairs="$(grep -oE '"pairs": [0-9]+' "$work/wide-reference/summary.json" | grep -oE '[0-9]+')"
[ "$n_pairs" -gt 200000 ] || fail "$n_pairs pairs are too few to be left out"
[ "$(wc -l <"$work/wide-reference/pairs.tsv")" -gt 600 ] || fail "pairs.tsv has too few rows to compare"
for setting in "2 1" "3 2" "4 1"; do
  read -r n threads <<<"$setting"
  interactions "$n" "wide-$n" "${wide[@]}" --set "run.threads=$threads" >/dev/null 2>&1
  require_equal wide-reference "wide-$n"
  # a rank's parts of a stage are joined into one
  joined="$(awk -F'\t' '$1 == "pairs" && $6 > 0' "$work/wide-$n/.chorale/units.tsv" | wc -l)"
  [ "$joined" -le "$n" ] || fail "$joined parts of pairs reached rank 0 from $n ranks"
done
job_in_background interactions 3 wide-usr1 "${wide[@]}"
wait_for_parts wide-usr1
kill -USR1 "$launcher" 2>/dev/null || true
wait_for_launcher
interactions 2 wide-usr1 "${wide[@]}" >/dev/null 2>&1
require_equal wide-reference wide-usr1
echo "beyond 200,000 pairs, 1 to 4 ranks and a resumed run write the same results"

kill_and_resume interactions reference 2 12
echo "killed in any stage, the resumed run writes the same results"

for n in alone 2; do
  job_in_background interactions $n "usr1-$n"
  wait_for_parts "usr1-$n"
  kill -USR1 "$launcher" 2>/dev/null || true
  wait_for_launcher
  interactions 2 "usr1-$n" >/dev/null 2>&1
  require_equal reference "usr1-$n"
done
echo "interrupted, the resumed run writes the same results"

# A piece that the checkpoint counts on is gone.
job_in_background interactions 2 lost
until compgen -G "$work/lost/pieces/*.h5" >/dev/null || ! running "$launcher"; do sleep 0.01; done
kill -USR1 "$launcher" 2>/dev/null || true
wait_for_launcher
if [ ! -e "$work/lost/DONE" ]; then
  rm "$(ls "$work"/lost/pieces/*.h5 | tail -1)"
  code_of interactions 2 lost
  if [ "$code" != 0 ]; then # 0: its part was not yet in the checkpoint, and it was made again
    require_code 4
    require_said "a piece of a table is missing"
    require_no_done lost
  fi
fi
interactions 2 lost --fresh >/dev/null 2>&1
require_equal reference lost
echo "a lost piece: exit code 4, and --fresh makes it again"
