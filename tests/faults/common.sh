# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
#
# Sourced by the tests of this folder:  SCRIPT PROGRAM [small]
#   CHORALE_LONG=1    many more faults (tests/run.sh --long)
#   CHORALE_SEED=N    repeats a sequence of random moments and places as closely as the machine allows
source "$(dirname "${BASH_SOURCE[0]}")/../ranks/common.sh"
export OMP_NUM_THREADS=1
seed_moments

long() { [ -n "${CHORALE_LONG:-}" ]; }
in_ci_or_long() { long && echo "$2" || echo "$1"; } # CI LONG

skip() { # REASON; ctest counts 77 as skipped
  echo "SKIPPED: $*"
  exit 77
}

require_one_error() {
  local n
  n="$(grep -c '^error: ' <<<"$said" || true)"
  [ "$n" = 1 ] || fail "$n messages instead of one: $said"
}

record() { grep -oE "\"$2\": [0-9]+" "$work/$1/run.json" | grep -oE '[0-9]+$'; } # OUT KEY

# Finished units were not computed again: resumed and computed make all, and none was finished twice.
require_nothing_twice() { # OUT
  local all resumed computed repeated
  all=$(record "$1" n_units) resumed=$(record "$1" n_units_resumed)
  computed=$(record "$1" n_units_computed) repeated=$(record "$1" n_units_repeated)
  [ $((resumed + computed)) = "$all" ] || fail "$resumed units resumed and $computed computed of $all in $1"
  [ "$repeated" = 0 ] || fail "$repeated units of $1 were computed more than once"
}

# The run goes on to its end and to the same bytes, whatever was done to it.
require_resumes() { # JOB N OUT REFERENCE [OPTIONS…]
  run_job "$1" "$2" "$3" "${@:5}" >"$work/said.txt" 2>&1 || fail "the resumed run fails: $(cat "$work/said.txt")"
  said="$(cat "$work/said.txt")"
  [ -e "$work/$3/DONE" ] || fail "no DONE in the end"
  require_equal "$4" "$3"
  require_nothing_twice "$3"
  [ -z "$(find "$work/$3" -name '*.part-*')" ] || fail "something unfinished was left: $(find "$work/$3" -name '*.part-*')"
}

flip_byte() { # FILE OFFSET: one random bit of that byte
  local byte
  byte=$(od -An -tu1 -j "$2" -N 1 "$1")
  printf "\\x$(printf %x $((byte ^ (1 << RANDOM % 8))))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}
size_of() { stat -c %s "$1"; }
random_below() { echo $(((RANDOM << 15 | RANDOM) % $1)); }

# An interrupted run in OUT that has some units in its checkpoint, but not all.
interrupted_run() { # JOB N OUT [OPTIONS…]
  local try
  for try in 1 2 3 4 5 6 7 8; do
    rm -rf "${work:?}/$3"
    job_in_background "$@"
    wait_for_parts "$3"
    kill -USR1 "$launcher" 2>/dev/null || true
    wait_for_launcher
    said="$(cat "$work/background.txt")"
    [ -e "$work/$3/DONE" ] || return 0
  done
  fail "the run was always done before it could be interrupted"
}
