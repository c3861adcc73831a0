#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
#
# A rank is killed at a random moment; run again on another number of ranks, the results are those of a run that nobody
# disturbed. CHORALE_SEED=N repeats a sequence of moments as closely as the machine allows.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

hits_wanted=5
RANDOM="${CHORALE_SEED:-$$}"
echo "CHORALE_SEED=${CHORALE_SEED:-$$}"
patients=24000
[ "$scale" = small ] && patients=1200
make_cohort cohort $patients 400 $((patients / 150))
landscape 2 reference >/dev/null 2>&1

# Starts OUT on N ranks and kills one of them at a random moment after the first parts; $code is mpirun's.
kill_a_rank() { # N OUT
  landscape_in_background "$@"
  wait_for_parts "$2"
  sleep "0.$(printf '%03d' $((RANDOM % (try % 2 ? 50 : 800))))" # among the shards, or anywhere
  local ranks
  read -ra ranks < <(children_of "$launcher") || true
  [ ${#ranks[@]} -eq 0 ] || kill -9 "${ranks[RANDOM % ${#ranks[@]}]}" 2>/dev/null || true
  code=0
  wait "$launcher" || code=$?
}

hits=0
resumed_units=0
for try in $(seq 1 20); do
  [ "$hits" -lt "$hits_wanted" ] || break
  out="try-$try"
  kill_a_rank $((2 + try % 3)) "$out"
  if [ -e "$work/$out/DONE" ]; then # all units were done before
    require_equal reference "$out"
    continue
  fi
  [ "$code" != 0 ] || fail "mpirun says that all is well"
  hits=$((hits + 1))
  landscape $((1 + try % 4)) "$out" >"$work/said.txt" 2>&1 || fail "the resumed run fails: $(cat "$work/said.txt")"
  require_equal reference "$out"
  [ -e "$work/$out/DONE" ] || fail "no DONE in the end"
  [ -z "$(find "$work/$out" -name '*.part-*')" ] || fail "a killed process left $(find "$work/$out" -name '*.part-*')"
  units=$(grep -oE '"n_units_resumed": [0-9]+' "$work/$out/run.json" | grep -oE '[0-9]+$')
  resumed_units=$((resumed_units + units))
  echo "hit $hits: $((2 + try % 3)) ranks, then $((1 + try % 4)) with $units units from the checkpoint"
done
[ "$hits" -ge "$hits_wanted" ] || fail "only $hits of $hits_wanted kills hit a run at work"
[ "$resumed_units" -gt 0 ] || fail "no unit was ever resumed"

# The launcher itself is killed: its ranks must go too, and the run resumes.
landscape_in_background 2 launcher
wait_for_parts launcher
read -ra ranks < <(children_of "$launcher") || true
kill -9 "$launcher" 2>/dev/null || true
wait "$launcher" || true
for _ in $(seq 100); do
  alive=0
  for rank in "${ranks[@]}"; do [ ! -e "/proc/$rank/stat" ] || grep -q ') Z ' "/proc/$rank/stat" || alive=1; done
  [ $alive = 1 ] || break
  sleep 0.1
done
[ $alive = 0 ] || fail "ranks outlive mpirun"
landscape 3 launcher >/dev/null 2>&1
require_equal reference launcher
echo "mpirun killed: its ranks end, and the run resumes to the same results"
