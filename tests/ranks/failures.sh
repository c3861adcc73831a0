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

# Shard 7 is damaged: whoever reads it speaks, whether a unit is a shard or the whole cohort is loaded.
flip_bit() { printf '\x5a' | dd of="$1" bs=1 seek=3000 conv=notrunc status=none; }
flip_bit "$work/cohort/shard-00007.h5"
for n in 1 2 3; do
  start=$SECONDS
  code_of landscape $n "damaged-$n"
  require_code 4
  require_one_error
  require_said "shard-00007.h5"
  [ $n = 1 ] || grep -qE "error: rank [0-9] of $n on " <<<"$said" || fail "the rank is not named: $said"
  [ $((SECONDS - start)) -lt 60 ] || fail "it took $((SECONDS - start)) s to end"
  require_no_done "damaged-$n"
done
code_of landscape 2 damaged-count --set features.min_carriers=5
require_code 4
require_one_error
echo "a damaged shard: one message, exit code 4"

# Mended, the run goes on.
cp "$work/good/shard-00007.h5" "$work/cohort/"
landscape 3 reference >/dev/null 2>&1
landscape 2 damaged-2 >/dev/null 2>&1
require_equal reference damaged-2
echo "the shard mended: the run goes on to the same results"

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
mkdir -p "$work/taken/.chorale"
exec 9>"$work/taken/.chorale/lock"
flock 9
code_of landscape 2 taken
exec 9>&-
require_code 4
require_one_error
require_said "another run is working in this output folder"
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

# Disks too small, where this user may mount them.
if mkdir "$work/disk" && mount -t tmpfs -o size=48k tmpfs "$work/disk" 2>/dev/null; then
  trap 'umount "$work/disk" || true; rm -rf "$work"' EXIT
  for n in alone 2; do
    code_of landscape $n disk/out
    require_code 4
    require_one_error
    require_said "No space left on device"
    require_no_done disk/out
  done
  mount -o remount,size=64m "$work/disk"
  landscape 2 disk/out >/dev/null 2>&1
  require_equal reference disk/out
  echo "a full disk: one message, exit code 4; given room, the same results"
  rm -r "$work/disk/out"
  mount -o remount,size=80k "$work/disk"
  OMPI_MCA_osc_sm_backing_directory="$work/disk" code_of landscape 2 no-room
  require_code 5
  require_one_error
  require_said "the node has no room for the cohort in shared memory"
  require_no_done no-room
  echo "no room in shared memory: one message, exit code 5"
else
  echo "full disks: not tried, this user cannot mount one"
fi
