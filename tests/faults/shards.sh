#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
#
# A shard truncated, missing, with a flipped bit anywhere, swapped, or a manifest that was touched: one message with the
# file's name, exit code 4, nothing that looks complete; mended, the run goes on to the same results.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

make_cohort cohort 1200 60 100
landscape alone reference >/dev/null 2>&1
cp -r "$work/cohort" "$work/good"
make_cohort other 1200 60 100 --set seed=12
shard=shard-00007.h5
bad="$work/cohort/$shard"
mend() { cp "$work/good/$1" "$work/cohort/$1"; } # FILE

# Whoever reads the shard speaks, whether a unit is a shard or the whole cohort is loaded; inspect --verify finds it too.
require_refused() { # FILE CODE
  local n start=$SECONDS
  for n in alone 3; do
    code_of landscape $n damaged
    require_code "$2"
    require_one_error
    require_said "$1"
    [ $n = alone ] || grep -qE "error: rank [0-9] of $n on " <<<"$said" || [ "$1" = cohort.json ] ||
      fail "the rank is not named: $said"
    require_no_done damaged
  done
  code_of "$program" inspect "$work/cohort" --verify
  require_code "$2"
  require_said "$1"
  [ $((SECONDS - start)) -lt 60 ] || fail "it took $((SECONDS - start)) s to end"
}

truncate -s -1 "$bad"
require_refused $shard 4
require_said "bytes"
truncate -s 0 "$bad"
require_refused $shard 4
rm "$bad"
require_refused $shard 4
require_said "No such file"
cp "$work/other/$shard" "$bad"
require_refused $shard 4
mend $shard
cp "$work/good/shard-00006.h5" "$bad"
require_refused $shard 4
mend $shard
echo "a shard truncated, empty, missing, of another cohort, or in another's place: one message, exit code 4"

cp "$work/other/cohort.json" "$work/cohort/"
rm -rf "$work/damaged" # else the fingerprint there tells first that the cohort is another
require_refused shard-0000 4
mend cohort.json
flip_byte "$bad" 3000
code_of landscape 2 damaged --set features.min_carriers=5
require_code 4
require_one_error
mend $shard
echo "another cohort's manifest, or damage found while features are counted: one message, exit code 4"

# Every flip is found: in the first bytes, then all over the file, then in each dataset where h5py says it lies.
size=$(size_of "$bad")
offsets="$(seq 0 11 99) $(for _ in $(seq "$(in_ci_or_long 60 3000)"); do random_below "$size"; done)"
if /usr/bin/python3 -c 'import h5py' 2>/dev/null; then
  by_name="$(/usr/bin/python3 - "$bad" <<'PYTHON'
import sys, h5py
def show(name, item):
    if isinstance(item, h5py.Dataset) and item.id.get_num_chunks() > 0:
        chunk = item.id.get_chunk_info(0)
        print(chunk.byte_offset + chunk.size // 2)
h5py.File(sys.argv[1], "r").visititems(show)
PYTHON
)"
  [ "$(wc -w <<<"$by_name")" -ge 15 ] || fail "h5py finds too few datasets: $by_name"
  offsets="$offsets $by_name"
  echo "$(wc -w <<<"$by_name") datasets are hit"
fi
for offset in $offsets; do
  flip_byte "$bad" "$offset"
  code_of "$program" inspect "$work/cohort" --verify
  [ "$code" = 4 ] || fail "a flipped bit of byte $offset: exit code $code, $said"
  require_said $shard
  mend $shard
done
echo "$(wc -w <<<"$offsets") flipped bits, all found"

size=$(size_of "$work/cohort/cohort.json")
for _ in $(seq "$(in_ci_or_long 20 1000)"); do
  offset=$(random_below "$size")
  flip_byte "$work/cohort/cohort.json" "$offset"
  code_of "$program" check "$source_dir/tests/ranks/landscape.toml" --set "cohort=\"$work/cohort\"" --set "output=\"$work/damaged\""
  [ "$code" = 3 ] || fail "a flipped bit of byte $offset of the manifest: exit code $code, $said"
  require_said cohort.json
  mend cohort.json
done
flip_byte "$work/cohort/cohort.json" 1000
require_refused cohort.json 3
mend cohort.json
echo "flipped bits of the manifest: one message, exit code 3"

# Damage that comes between two starts.
diff -r "$work/cohort" "$work/good" || fail "the cohort is not mended"
interrupted_run landscape 2 damaged
flip_byte "$bad" $((size / 2))
code_of landscape 2 damaged
require_code 4
require_said $shard
require_no_done damaged
mend $shard
require_resumes landscape 3 damaged reference
echo "the shard mended: the run goes on to the same results"
