#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
#
# A model applied to another cohort: equal bytes for any number of ranks and threads, and refusals that end all ranks.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

patients=3000
[ "$scale" = small ] && patients=800
make_cohort home $patients 25 500 --set background_highest=0.3 --set background_lowest=0.05 --set name=home
make_cohort away $patients 25 300 --set background_highest=0.3 --set background_lowest=0.05 --set seed=12 --set name=away
with_ranks alone run "$source_dir/tests/ranks/score.toml" --set "cohort=\"$work/home\"" \
  --set "output=\"$work/made\"" >/dev/null 2>&1

score() { # N OUT [OPTIONS…]
  with_ranks "$1" score "$work/made/model.json" "$work/away" --output "$work/$2" --set score.by=SITE \
    --set score.patients=true "${@:3}"
}

score alone reference >/dev/null 2>&1
[ "$(ls "$work"/reference/*.tsv | wc -l)" -ge 8 ] || fail "the reference has too few tables to compare"
for setting in "1 2" "2 1" "3 2"; do
  read -r n threads <<<"$setting"
  score "$n" "ranks-$n" --set "run.threads=$threads" >/dev/null 2>&1
  require_equal reference "ranks-$n"
  grep -q "\"n_ranks\": $n," "$work/ranks-$n/run.json" || fail "the run record does not tell $n ranks"
done
echo "1, 2 and 3 ranks, 1 and 2 threads write the same results"

# What only the patients can tell: one rank finds it, all end.
sed 's/"Male"/"male"/; s/"Female"/"female"/' "$work/made/model.json" >"$work/spelt.json"
code_of with_ranks 3 score "$work/spelt.json" "$work/away" --output "$work/spelt"
[ "$code" = 3 ] || fail "levels spelt otherwise: exit code $code, expected 3: $said"
require_no_done spelt
sed 's/"AGE"/"AGES"/g' "$work/made/model.json" >"$work/renamed.json"
code_of with_ranks 3 score "$work/renamed.json" "$work/away" --output "$work/renamed"
require_code 3
require_said "no AGES"
[ "$(grep -c "^error" <<<"$said")" = 1 ] || fail "not one rank speaks: $said"
require_no_done renamed
echo "refusals end every rank, and one of them speaks"
