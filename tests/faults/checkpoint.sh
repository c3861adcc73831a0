#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
#
# A checkpoint that was cut short, corrupt, of another version or another config is refused or set aside with a message;
# resumed on other ranks and threads, the results are the same to the byte.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

patients=4000
[ "$scale" = small ] && patients=1200
make_cohort cohort $patients 150 $((patients / 120))
landscape alone reference >/dev/null 2>&1
interrupted_run landscape 2 interrupted
again() { rm -rf "${work:?}/$1" && cp -r "$work/interrupted" "$work/$1"; } # OUT: a copy to be damaged
largest_parts() { ls -S "$work/$1"/.chorale/*.parts | head -1; }          # OUT

for setting in "alone 1" "2 2" "3 1"; do
  read -r n threads <<<"$setting"
  again "on-$n"
  require_resumes landscape "$n" "on-$n" reference --set "run.threads=$threads"
  require_said "units came from the checkpoint"
done
n_kept=$(record on-2 n_units_resumed)
echo "$n_kept units of 2 ranks resume alone, on 2 ranks of 2 threads and on 3 ranks to the same results"

for _ in $(seq "$(in_ci_or_long 2 30)"); do
  again cut
  file="$(largest_parts cut)"
  truncate -s "$((48 + $(random_below $(($(size_of "$file") - 48)))))" "$file"
  require_resumes landscape 2 cut reference
  grep -qF "is cut short or damaged after" <<<"$said" || [ "$(record cut n_units_resumed)" -lt "$n_kept" ] ||
    fail "a cut checkpoint is not noticed: $said"
  again flipped
  file="$(largest_parts flipped)"
  flip_byte "$file" "$((48 + $(random_below $(($(size_of "$file") - 48)))))"
  require_resumes landscape 2 flipped reference
  require_said "is cut short or damaged after"
  [ "$(record flipped n_units_resumed)" -lt "$n_kept" ] || fail "a damaged part was resumed"
done
echo "cut short or flipped: a message, what is whole is kept, the same results"

again version
file="$(largest_parts version)"
printf 'chorale-parts-0 ' | dd of="$file" conv=notrunc status=none
require_resumes landscape 2 version reference
require_said "is of another version or no checkpoint: set aside"
again garbage
head -c 5000 /dev/urandom >"$work/garbage/.chorale/1-2-rank0.parts"
require_resumes landscape 2 garbage reference
require_said "1-2-rank0.parts is of another version or no checkpoint: set aside"
echo "of another version, or garbage: set aside with a message, the same results"

interrupted_run landscape 2 other --set seed=99
again mixed
for seed in 98 99; do
  code_of landscape 2 mixed --set seed=$seed
  require_code 2
  require_one_error
  require_said "differs in: seed (found"
  require_said "run with --fresh to start over"
done
code_of landscape alone mixed --set 'select.where=[]'
require_code 2
require_said "differs in: select.where"
if grep -q avx2 /proc/cpuinfo; then
  CHORALE_LEVEL=v2 code_of landscape alone mixed
  require_code 2
  require_said "differs in: instruction level"
fi
require_resumes landscape 2 mixed reference
[ "$(record mixed n_units_resumed)" = "$n_kept" ] || fail "a refused run took something from the checkpoint"
echo "another config: refused by name with exit code 2, and nothing is lost"
again strange
cp "$work"/other/.chorale/*.parts "$work/strange/.chorale/"
require_resumes landscape 2 strange reference
require_said "is of another run: set aside"
[ "$(record strange n_units_resumed)" = "$n_kept" ] || fail "parts of another run were taken"
echo "parts of another config among its own: set aside with a message"

again fingerprint
flip_byte "$work/fingerprint/.chorale/fingerprint.tsv" 40
code_of landscape 2 fingerprint
require_code 4
require_one_error
require_said "run with --fresh to start over"
require_no_done fingerprint
require_resumes landscape 2 fingerprint reference --fresh
echo "a damaged fingerprint: exit code 4; --fresh gives the same results"
