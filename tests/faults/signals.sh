#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
#
# SIGUSR1 and SIGTERM, to mpirun and, as srun does, to the ranks: the unit at hand is finished and kept, the exit code is
# 75, a second is enough, and run again the results are the same.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

patients=12000
[ "$scale" = small ] && patients=1200
make_cohort cohort $patients 300 $((patients / 120))
landscape alone reference >/dev/null 2>&1

pids_of() { # launcher|ranks
  if [ "$1" = launcher ]; then echo "$launcher"; else children_of "$launcher"; fi
}

# Sends a signal once parts are in the checkpoint, and KILL to the ranks that are left a second later.
interrupt() { # SIGNAL launcher|ranks N OUT
  local try killer pids ranks
  for try in 1 2 3 4 5 6 7 8; do
    rm -rf "${work:?}/$4"
    landscape_in_background "$3" "$4"
    wait_for_parts "$4"
    read -ra pids < <(pids_of "$2") || true
    kill "-$1" "${pids[@]}" 2>/dev/null || true
    if [ "$3" = alone ]; then ranks=("$launcher"); else read -ra ranks < <(children_of "$launcher") || true; fi
    (sleep 1 && kill -9 "${ranks[@]}") >/dev/null 2>&1 &
    killer=$!
    wait_for_launcher
    kill "$killer" 2>/dev/null || true
    wait "$killer" 2>/dev/null || true
    said="$(cat "$work/background.txt")"
    [ -e "$work/$4/DONE" ] || return 0
    require_equal reference "$4" # the signal came when all units were done: mpirun's code is its own, DONE is right
  done
}

for setting in "USR1 launcher alone" "USR1 launcher 2" "USR1 ranks 3" "TERM launcher alone" "TERM ranks 2"; do
  read -r signal to n <<<"$setting"
  out="$signal-$to-$n"
  interrupt "$signal" "$to" "$n" "$out"
  require_no_done "$out"
  if [ "$scale" = full ]; then # slow builds may need longer than a second
    require_code 75
    require_said "interrupted: "
    require_said "run again to resume"
  fi
  require_resumes landscape 2 "$out" reference
  grep -q "units came from the checkpoint" <<<"$said" || fail "nothing was resumed: $said"
  echo "SIG$signal to $to, $n: exit code $code within a second, resumed to the same results"
done

# mpirun passes SIGTERM on a second late, in which all units may end, and kills what is left another second later: the
# code is its own, what is kept is kept
interrupt TERM launcher 2 term-mpirun
require_resumes landscape 3 term-mpirun reference
echo "SIGTERM to mpirun, 2 ranks: resumed to the same results"
