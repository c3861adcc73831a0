#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
#
# Two runs on one output folder: the second is told who is there, and does no harm.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

make_cohort cohort 6000 200 50
landscape alone reference >/dev/null 2>&1

for n in alone 2; do
  SLURM_JOB_ID=4711 landscape_in_background $n "taken-$n"
  wait_for_parts "taken-$n"
  if [ $n = alone ]; then pids=("$launcher"); else read -ra pids < <(children_of "$launcher") || true; fi
  kill -STOP "${pids[@]}" # it stays at work while the second comes
  for second in alone 3; do
    code_of landscape $second "taken-$n"
    require_code 4
    require_one_error
    require_said "another run is working in this output folder"
    require_said "$(id -un) on host $(hostname), process ${pids[0]}, Slurm job 4711, since 20"
    require_no_done "taken-$n"
  done
  code_of landscape alone "taken-$n" --fresh
  require_code 4
  kill -CONT "${pids[@]}"
  wait_for_launcher
  [ $code = 0 ] || fail "the first run fails: $(cat "$work/background.txt")"
  require_equal reference "taken-$n"
  require_nothing_twice "taken-$n"
  echo "a folder that is taken by a run, $n: exit code 4, its owner is named and comes to its end"
done

pids=()
for i in 1 2 3 4; do
  landscape alone crowd >"$work/crowd-$i.txt" 2>&1 &
  pids+=($!)
done
n_won=0
for i in 1 2 3 4; do
  code=0
  wait "${pids[i - 1]}" || code=$?
  said="$(cat "$work/crowd-$i.txt")"
  if [ "$code" = 0 ]; then
    n_won=$((n_won + 1))
  else
    require_code 4
    require_said "another run is working in this output folder"
  fi
done
[ "$n_won" -ge 1 ] || fail "of four starts at once none came to its end"
require_equal reference crowd
require_nothing_twice crowd
echo "four starts at once: one works, the others are told"
