#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
#
# kill -9 of a random rank, then of mpirun itself, at a random moment from the start of mpirun on, every third time when the
# first units are in the checkpoint: nothing looks complete, and run again on another number of ranks the results are those
# of a run that nobody disturbed, without a unit computed twice.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

hits_wanted=$(in_ci_or_long 5 52)
launcher_hits_wanted=$(in_ci_or_long 1 6)
if [ "$scale" = small ]; then
  make_cohort cohort 900 40 100 --set background_highest=0.3 --set background_lowest=0.01
else
  make_cohort cohort 3000 60 50 --set background_highest=0.3 --set background_lowest=0.01
fi
declare -A milliseconds
for job in landscape interactions; do
  start=$(date +%s%3N)
  run_job $job 2 reference-$job >/dev/null 2>&1
  milliseconds[$job]=$(($(date +%s%3N) - start))
done

sleep_at_random() { # MILLISECONDS
  local ms
  ms=$(random_below "$1")
  sleep "$((ms / 1000)).$(printf '%03d' $((ms % 1000)))"
}

# Starts JOB and kills a rank or the launcher; $ranks are all ranks, $code is mpirun's.
strike() { # rank|launcher at_random|at_work JOB N OUT
  job_in_background "${@:3}"
  if [ "$2" = at_work ]; then wait_for_parts "$5"; else sleep_at_random "${milliseconds[$3]}"; fi
  read -ra ranks < <(children_of "$launcher") || true
  if [ "$1" = launcher ]; then
    kill -9 "$launcher" 2>/dev/null || true
  elif [ ${#ranks[@]} -gt 0 ]; then
    kill -9 "${ranks[RANDOM % ${#ranks[@]}]}" 2>/dev/null || true
  fi
  wait_for_launcher
}

require_ranks_end() {
  local rank alive
  for _ in $(seq 100); do
    alive=0
    for rank in "${ranks[@]}"; do [ ! -e "/proc/$rank/stat" ] || grep -q ') Z ' "/proc/$rank/stat" || alive=1; done
    [ $alive = 1 ] || return 0
    sleep 0.1
  done
  fail "ranks outlive mpirun"
}

n_resumed=0
strike_often() { # rank|launcher HITS
  local hits=0 try when out job again
  for try in $(seq $((3 * $2 + 5))); do
    [ "$hits" -lt "$2" ] || break
    out="$1-$try" job=landscape again=$((1 + try % 4))
    [ $((try % 2)) = 0 ] || job=interactions
    when=at_random
    [ $((try % 3)) != 1 ] || when=at_work
    strike "$1" $when $job $((2 + try % 3)) "$out"
    require_ranks_end
    if [ -e "$work/$out/DONE" ]; then # it was done before
      require_equal reference-$job "$out"
      continue
    fi
    [ "$code" != 0 ] || fail "mpirun says that all is well"
    hits=$((hits + 1))
    require_resumes $job $again "$out" reference-$job
    n_resumed=$((n_resumed + $(record "$out" n_units_resumed)))
    echo "$1 $hits: $job on $((2 + try % 3)) ranks, then on $again with $(record "$out" n_units_resumed) of" \
      "$(record "$out" n_units) units from the checkpoint"
    rm -r "${work:?}/$out"
  done
  [ "$hits" -ge "$2" ] || fail "only $hits of $2 kills hit a run at work"
}

strike_often rank "$hits_wanted"
strike_often launcher "$launcher_hits_wanted"
[ "$n_resumed" -gt 0 ] || fail "no unit was ever resumed"
