#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
#
# What can go wrong among ranks ends them all, soon, with one message and the right exit code, and never looks complete.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

make_cohort cohort 1200 60 100

require_one_error() {
  local n
  n="$(grep -c '^error: ' <<<"$said" || true)"
  [ "$n" = 1 ] || fail "$n messages instead of one: $said"
}

cp -r "$work/cohort" "$work/good"
landscape 3 reference >/dev/null 2>&1

# The config or the command line is wrong.
for n in alone 2; do
  code_of landscape $n wrong --set outcome.endpiont=OS
  require_code 2
  require_one_error
  require_said "endpiont"
  code_of landscape $n reference --set seed=99
  require_code 2
  require_one_error
  require_said "differs in: seed"
  code_of landscape $n wrong --set features.min_carriers=100000
  require_code 2
  require_one_error
  require_said "no feature has enough carriers"
  code_of with_ranks $n run
  require_code 2
  [ "$(grep -c 'JOB is required' <<<"$said")" = 1 ] || fail "usage is not told once: $said"
  code_of landscape $n wrong --set "cohort=$(printf 'a%.0s' {1..300})"
  require_code 4
  require_one_error
  require_said "File name too long"
  code_of with_ranks $n run "$work/nowhere.toml"
  require_code 4
  require_one_error
done
echo "a wrong config or command line: one message, exit code 2"

# The output is not a folder, or is the cohort, or another run's.
echo text >"$work/file"
for n in alone 2; do
  code_of landscape $n file
  require_code 4
  require_one_error
  code_of landscape $n cohort --fresh
  require_code 2
  require_one_error
  require_said "output folder is a cohort"
done
diff -r "$work/cohort" "$work/good" -x .chorale || fail "the cohort was touched"
echo "an output that cannot be had: one message"

# Ranks on unlike CPUs would not give equal bytes.
if [ "$("$program" run "$source_dir/tests/ranks/landscape.toml" --set "cohort=\"$work/cohort\"" --set "output=\"$work/level\"" \
  2>&1 | grep -oE 'level v[0-9]')" != "level v2" ]; then
  job=(run "$source_dir/tests/ranks/landscape.toml" --set "cohort=\"$work/cohort\"" --set "output=\"$work/levels\"")
  code_of timeout 60 mpirun -n 1 env CHORALE_LEVEL=v2 "$program" "${job[@]}" : -n 1 "$program" "${job[@]}"
  require_code 2
  require_one_error
  require_said "ranks run at different instruction levels"
  echo "unlike instruction levels: one message, exit code 2"
fi
