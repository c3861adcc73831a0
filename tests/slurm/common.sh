# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
#
# Sourced by the tests of this folder:  SCRIPT PROGRAM [small]
# Ends with 77, which ctest reads as skipped, where there can be no Slurm.
slurm_tests="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
source "$slurm_tests/cluster.sh"
lacks="$(cluster_lacks)"
if [ -n "$lacks" ]; then
  echo "SKIPPED: $lacks"
  exit 77
fi
if [ $$ != 1 ]; then # not yet the first process of its namespace
  exec unshare --pid --fork --kill-child --mount-proc bash "$0" "$@"
fi
source "$slurm_tests/../ranks/common.sh"
trap 'kill -9 -1 2>/dev/null; sleep 0.2; rm -rf "$work"' EXIT # -1: all of this namespace

patients=24000
[ "$scale" = small ] && patients=1200

write_site() { # LINES…, which take the place of the same keys below
  printf '%s\n' "$@" 'bind = false' 'cores_per_node = 2' 'memory_per_node_gb = 4.0' | awk '!seen[$1]++' >"$work/site.toml"
}
write_site

# The landscape of tests/ranks/landscape.toml as a batch job; $job is its number, $log its log.
submit() { # OUT [OPTIONS…]
  local out="$1"
  shift
  "$program" submit "$source_dir/tests/ranks/landscape.toml" --site "$work/site.toml" --set "cohort=\"$work/cohort\"" \
    --set "output=\"$work/$out\"" "$@" >"$work/submitted.txt" 2>&1 || fail "not submitted: $(cat "$work/submitted.txt")"
  job="$(sed -nE 's/^  run +job ([0-9]+), log .*/\1/p' "$work/submitted.txt")"
  log="$work/$out/slurm/run-$job.log"
}

fact() { # KEY [JOB] -> its value in 'scontrol show job'
  scontrol show job -o "${2:-$job}" 2>/dev/null | grep -oE "(^| )$1=[^ ]*" | head -n 1 | cut -d= -f2-
}

wait_until() { # SECONDS TEXT COMMAND…
  local end=$((SECONDS + $1)) what="$2"
  shift 2
  until "$@"; do
    [ $SECONDS -lt $end ] || fail "waited too long until $what; job $job: $(scontrol show job "$job" | grep -E 'State|Code'); log: $(
      cat "$log" 2>/dev/null
    ); slurmctld: $(tail -n 20 "$cluster/slurmctld.log")"
    sleep 0.1
  done
}
has_state() { grep -qE "^($1)\$" <<<"$(fact JobState "${2:-}")"; }
in_log() { grep -qF -- "$1" "$log" 2>/dev/null; }
ends() { # STATE: true when it is so, a failure when the job ended otherwise
  local state
  state="$(fact JobState)"
  [[ ! $state =~ ^($1)$ ]] || return 0
  [[ ! $state =~ ^(COMPLETED|FAILED|CANCELLED|TIMEOUT|NODE_FAIL)$ ]] || fail "job $job ended as $state: $(cat "$log")"
  return 1
}
wait_for_state() { wait_until "${2:-120}" "its state is $1" ends "$1"; }
wait_for_log() { wait_until "${2:-120}" "the log says '$1'" in_log "$1"; }
has_parts() { [ "$(cat "$work/$1"/.chorale/*.parts 2>/dev/null | wc -c)" -gt 1000 ]; }

# Halts the job's ranks when the first units of OUT are in the checkpoint and others are not: whatever happens next meets
# a run at work, on a machine of any speed. It may be too late: then there is DONE.
hold_at_work() { # OUT
  wait_until 120 "the first units are finished" has_parts "$1"
  ranks_signal STOP
  [ ! -e "$work/$1/DONE" ] || fail "the run ended before it could be disturbed"
}
ranks_signal() { # SIGNAL
  local place
  for place in /proc/[0-9]*; do
    [ "$(cat "$place/comm" 2>/dev/null)" = chorale ] || continue
    kill "-$1" "${place#/proc/}" 2>/dev/null || true
  done
}

# The log's last word is for the user: it is there, and every line says which job speaks.
require_log() { # TEXT
  in_log "$1" || fail "expected '$1' in the log: $(cat "$log")"
}
require_job_id_in_every_line() {
  ! grep -vE "^[0-9T:+-]+ job $job start [0-9]+: |^slurmstepd.* JOB $job " "$log" >"$work/bare.txt" ||
    fail "lines without job id: $(cat "$work/bare.txt")"
}
require_resumed() { # OUT
  grep -qE '"n_units_resumed": [1-9]' "$work/$1/run.json" || fail "nothing was resumed: $(cat "$work/$1/run.json")"
}
