# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
#
# Sourced by the tests of this folder:  SCRIPT PROGRAM [small]
#   small   a cohort for slow builds (sanitizers)
set -euo pipefail
source_dir="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
source "$source_dir/jobs/mpi_env.sh"
export ASAN_OPTIONS="detect_leaks=0${ASAN_OPTIONS:+:$ASAN_OPTIONS}" # Open MPI keeps memory until the process ends
program="$1"
scale="${2:-full}"
work="$(mktemp -d "${TMPDIR:-/tmp}/chorale-ranks-XXXXXX")"
trap 'rm -rf "$work"' EXIT

fail() {
  echo "FAILED: $*" >&2
  exit 1
}

# with_ranks N COMMAND…: the program on N ranks, without mpirun when N is "alone"; a hang ends after four minutes.
with_ranks() {
  local n="$1"
  shift
  if [ "$n" = alone ]; then
    timeout -k 5 240 "$program" "$@"
  else
    timeout -k 5 240 mpirun -n "$n" "$program" "$@"
  fi
}

# code_of COMMAND…: its exit code in $code, what it said in $said.
code_of() {
  code=0
  "$@" >"$work/said.txt" 2>&1 || code=$?
  said="$(cat "$work/said.txt")"
}

make_cohort() { # NAME PATIENTS GENES PATIENTS_PER_SHARD [OPTIONS…]
  with_ranks alone simulate "$source_dir/tests/ranks/cohort.toml" "$work/$1" \
    --set "patients=$2" --set "genes=$3" --set "patients_per_shard=$4" "${@:5}" >/dev/null 2>&1
}

# landscape N OUT [OPTIONS…]: the job of tests/ranks/landscape.toml on the cohort "cohort"; the others likewise.
landscape() { run_job landscape "$@"; }
interactions() { run_job interactions "$@"; }
prognosis() { run_job prognosis "$@"; }
run_job() { # JOB N OUT [OPTIONS…]
  local job="$1" n="$2" out="$3"
  shift 3
  with_ranks "$n" run "$source_dir/tests/ranks/$job.toml" --set "cohort=\"$work/cohort\"" \
    --set "output=\"$work/$out\"" "$@"
}

# What must not depend on ranks, threads or restarts.
result_files() { (cd "$work/$1" && find . -name '*.tsv' -o -name '*.h5' -o -name summary.json -o -name model.json | grep -v '^./.chorale' | sort); }

# Results are equal byte by byte, and both folders have the same ones.
require_equal() { # A B
  local file
  [ "$(result_files "$1")" = "$(result_files "$2")" ] || fail "$1 and $2 hold different files"
  for file in $(result_files "$1"); do
    cmp "$work/$1/$file" "$work/$2/$file" || fail "$file differs between $1 and $2"
  done
}

require_said() { # TEXT
  grep -qF -- "$1" <<<"$said" || fail "expected '$1' in: $said"
}

require_code() { # CODE
  [ "$code" = "$1" ] || fail "exit code $code, expected $1: $said"
}

require_no_done() { # OUT
  [ ! -e "$work/$1/DONE" ] || fail "DONE in $1, which is not finished"
}

# The same without waiting: $launcher is the process (mpirun, or the program), its words go to background.txt.
landscape_in_background() { job_in_background landscape "$@"; }
job_in_background() { # JOB N OUT [OPTIONS…]
  local command=("$program" run "$source_dir/tests/ranks/$1.toml" --set "cohort=\"$work/cohort\"" --set
    "output=\"$work/$3\"" "${@:4}")
  [ "$2" = alone ] || command=(mpirun -n "$2" "${command[@]}")
  "${command[@]}" >"$work/background.txt" 2>&1 &
  launcher=$!
}

running() { # PROCESS: neither gone nor waiting to be asked how it ended
  local stat
  stat="$(cat "/proc/$1/stat" 2>/dev/null)" && [[ $stat != *') Z '* ]]
}

# $launcher's exit code in $code; a hang ends after four minutes. An mpirun that has had no ranks for ten seconds is ended as
# slurm/batch.sh does, which says why.
wait_for_launcher() {
  local tick alone=0 hangs=1
  for tick in $(seq 2400); do
    running "$launcher" || { hangs=0 && break; }
    sleep 0.1
    if [ "$(cat "/proc/$launcher/comm" 2>/dev/null)" != mpirun ] || [ -n "$(children_of "$launcher")" ]; then
      alone=0
    elif [ $((alone += 1)) = 100 ]; then
      echo "mpirun has had no ranks for ten seconds: ended"
      kill -9 "$launcher" 2>/dev/null || true
    fi
  done
  if [ $hangs = 1 ]; then
    ps -o pid,ppid,stat,wchan:30,args -p "$launcher" --ppid "$launcher" >&2 || true
    kill -9 "$launcher" $(children_of "$launcher") 2>/dev/null || true
    fail "a run hangs: $(cat "$work/background.txt")"
  fi
  code=0
  wait "$launcher" 2>/dev/null || code=$?
}

# Until the first parts of OUT are in the checkpoint, or $launcher has ended.
wait_for_parts() { # OUT
  until [ "$(cat "$work/$1"/.chorale/*.parts 2>/dev/null | wc -c)" -gt 1000 ] || ! running "$launcher"; do
    sleep 0.01
  done
}

# Process ids on one line; none when it has ended.
children_of() { cat "/proc/$1"/task/*/children 2>/dev/null | tr '\n' ' '; }

# CHORALE_SEED=N repeats the moments of kills.
seed_moments() {
  RANDOM="${CHORALE_SEED:-$$}"
  echo "CHORALE_SEED=${CHORALE_SEED:-$$}"
}

# Kills a rank at a random moment after the first parts, until that has hit HITS runs at work, and resumes each run with other
# ranks: the results are those of REFERENCE.
kill_and_resume() { # JOB REFERENCE HITS TRIES
  local hits=0 try out ranks
  for try in $(seq "$4"); do
    [ "$hits" -lt "$3" ] || break
    out="killed-$try"
    job_in_background "$1" $((2 + try % 2)) "$out"
    wait_for_parts "$out"
    sleep "0.$(printf "%03d" $((RANDOM % (350 / try))))" # a run that was done before is met sooner the next time
    read -ra ranks < <(children_of "$launcher") || true
    [ ${#ranks[@]} -eq 0 ] || kill -9 "${ranks[RANDOM % ${#ranks[@]}]}" 2>/dev/null || true
    wait_for_launcher
    [ -e "$work/$out/DONE" ] || hits=$((hits + 1))
    run_job "$1" $((1 + try % 3)) "$out" >"$work/said.txt" 2>&1 || fail "the resumed run fails: $(cat "$work/said.txt")"
    require_equal "$2" "$out"
    [ -z "$(find "$work/$out" -name '*.part-*')" ] || fail "a killed process left $(find "$work/$out" -name '*.part-*')"
  done
  [ "$hits" -ge "$3" ] || fail "only $hits of $3 kills hit a run at work"
}
