#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
#
# SIGUSR1 and SIGTERM: the unit at hand is finished and kept, the exit code is 75, run again the results are the same.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

patients=24000
[ "$scale" = small ] && patients=1200
make_cohort cohort $patients 400 $((patients / 150))
landscape alone reference >/dev/null 2>&1

# Sends a signal to the process that was started, mpirun or the program, once parts are in the checkpoint.
interrupt() { # SIGNAL N OUT
  for try in 1 2 3 4 5; do
    rm -rf "${work:?}/$3"
    landscape_in_background "$2" "$3"
    wait_for_parts "$3"
    kill "-$1" "$launcher" 2>/dev/null || true
    code=0
    wait "$launcher" || code=$?
    [ -e "$work/$3/DONE" ] || break
    require_equal reference "$3" # the signal came when all units were done: mpirun's code is its own, DONE is right
  done
  said="$(cat "$work/background.txt")"
}

for n in alone 2 3; do
  interrupt USR1 $n "usr1-$n"
  require_no_done "usr1-$n"
  require_code 75
  require_said "interrupted: "
  require_said "run again to resume"
  landscape 2 "usr1-$n" >"$work/said.txt" 2>&1
  grep -q "units came from the checkpoint" "$work/said.txt" || fail "nothing was resumed: $(cat "$work/said.txt")"
  require_equal reference "usr1-$n"
  echo "SIGUSR1, $n: exit code 75, resumed to the same results"
done

interrupt TERM alone term-alone
require_no_done term-alone
require_code 75
landscape 2 term-alone >/dev/null 2>&1
require_equal reference term-alone
echo "SIGTERM, alone: exit code 75, resumed to the same results"

# mpirun passes SIGTERM on a second late, in which all units may end, and kills what is left another second later: the
# code is its own, what is kept is kept
interrupt TERM 2 term-2
landscape 3 term-2 >/dev/null 2>&1
require_equal reference term-2
echo "SIGTERM, 2 ranks: resumed to the same results"
