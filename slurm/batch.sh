# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
#
# What every batch script of 'chorale submit' does, after the lines that are its own: those set
#   step       run, ingest or report
#   output     folder of this run's results (of the cohort, for ingest)
#   notes      folder of scripts and logs
#   command    the program and its arguments
#   launch     what starts the ranks; empty: the program alone
#   verify     a command that is silent and returns 0 when the step's product is complete
#   max_restarts, max_fruitless
#   patience   seconds that mpirun may be without a child: after a rank was lost while it started, mpirun at times waits
#              for ever in its own clean-up (PMIx 4.2 locks an object that it has freed)
#
# A step is done when its own marker and checksums say so. Neither the launcher's code nor Slurm's is believed: both are
# 0 after some losses of a node.
set -u
patience="${patience:-60}"
restart="${SLURM_RESTART_COUNT:-0}"
job="${SLURM_JOB_ID:-0}"
if [ -n "${SLURM_ARRAY_JOB_ID:-}" ]; then job="${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID"; fi
exec 3>&1

# Every line of the log carries time, job id and start.
say() { printf '%(%FT%T%z)T job %s start %s: %s\n' -1 "$job" "$restart" "$*" >&3; }
stamp() {
  trap '' TERM INT USR1 # what is said last is worth most
  local line
  while IFS= read -r line || [ -n "$line" ]; do say "$line"; done
}

# Bytes of finished units in the checkpoint; a file without any has a header alone.
kept() { stat -c %s "$output"/.chorale/*.parts 2>/dev/null | awk '$1 > 64 { n += $1 } END { print n + 0 }'; }

# Ends an mpirun that has nobody left to wait for.
watch_launcher() {
  local alone=0
  while kill -0 "$launcher" 2>/dev/null; do
    sleep 2
    if pgrep -P "$launcher" -r D,R,S,T >/dev/null; then alone=0; else alone=$((alone + 2)); fi
    [ "$alone" -lt "$patience" ] && continue
    say "mpirun has had no ranks for $patience seconds: ends it"
    kill -9 "$launcher" 2>/dev/null
    return
  done
}

# Ends this start and has Slurm start the job again, which kills this shell.
again() {
  say "$1: the job starts again and resumes"
  trap - TERM USR1
  local refused
  refused="$(scontrol requeue "$SLURM_JOB_ID" 2>&1)" && sleep 60
  say "Slurm does not start it again (${refused:-no word}): submit again to resume"
  exit "$2"
}

say "$step on ${SLURM_JOB_NODELIST:-$(hostname)}, ${SLURM_NTASKS:-1} ranks of ${OMP_NUM_THREADS:-1} threads"
if [ "$restart" -gt "$max_restarts" ]; then
  say "gives up after $max_restarts restarts; what is finished is kept, submit again to resume"
  exit 75
fi
kept_before="$(kept)"

# srun's steps of a job that lost a node must not take the numbers of those that it lost
if [ "${launch[0]-}" = srun ]; then
  for _ in $(seq "$restart"); do srun --mpi=none true >/dev/null 2>&1; done
fi
exec 4> >(stamp)
stamper=$!
${launch[@]+"${launch[@]}"} "${command[@]}" >&4 2>&1 3>&- &
launcher=$!
exec 4>&-
watcher=
if [ "${launch[0]-}" = mpirun ] && command -v pgrep >/dev/null; then
  watch_launcher &
  watcher=$!
fi
ended=
trap 'say "time is nearly up: ranks finish their units and write a checkpoint"; kill -USR1 $launcher 2>/dev/null' USR1
trap 'ended=1; say "ended by Slurm (scancel, or out of time): what is finished is kept, submit again to resume"
  kill -TERM $launcher 2>/dev/null' TERM
# a trapped signal ends wait early, so wait until the launcher is really gone
while :; do
  wait "$launcher" 2>/dev/null # bash would say which signal killed it
  code=$?
  kill -0 "$launcher" 2>/dev/null || break
done
[ -z "$watcher" ] || kill "$watcher" 2>/dev/null
for _ in $(seq 50); do # its last words; a process that it left behind may hold the pipe open
  kill -0 "$stamper" 2>/dev/null || break
  sleep 0.1
done

if [ "$code" = 0 ]; then
  if "${verify[@]}" >&3 2>&1; then
    say "done: $output is complete, its checksums are right"
    exit 0
  fi
  say "the launcher returned 0, but $output is not complete"
  code=1
  lost=1
fi
if [ -n "$ended" ]; then
  say "$step ended with $code"
  exit 143
fi
[ "$code" != 75 ] || again "interrupted, checkpoint written" 75
[ "$code" -le 128 ] || lost=1 # by a signal (the others of a lost rank's may die of a broken pipe), or the launcher's own code
if [ -z "${lost:-}" ]; then
  say "$step ended with $code; starting again would not help"
  exit "$code"
fi

# A rank or a node is gone. That is worth another start as long as starts get further.
fruitless=0
if [ "$(kept)" -le "$kept_before" ]; then
  fruitless=$(($(cat "$notes/fruitless-$job" 2>/dev/null || echo 0) + 1))
fi
echo "$fruitless" >"$notes/fruitless-$job"
if [ "$fruitless" -ge "$max_fruitless" ]; then
  say "lost a rank or a node ($code), $fruitless times without a unit finished: gives up"
  exit "$code"
fi
again "lost a rank or a node ($code)" "$code"
