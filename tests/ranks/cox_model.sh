#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
#
# A model on patients that lie apart by time: equal bytes for any number of ranks and threads, the numbers of the model
# on all patients, and refusals that end all ranks.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

patients=4000
[ "$scale" = small ] && patients=1000
make_cohort cohort $patients 10 300
run_job cox_model alone reference >/dev/null 2>&1
for setting in "1 2" "2 1" "3 2" "4 1"; do
  read -r n threads <<<"$setting"
  run_job cox_model "$n" "ranks-$n" --set "run.threads=$threads" >/dev/null 2>&1
  require_equal reference "ranks-$n"
  grep -q "\"n_ranks\": $n," "$work/ranks-$n/run.json" || fail "the run record does not tell $n ranks"
done
echo "1, 2, 3 and 4 ranks, 1 and 2 threads write the same results"

run_job cox_model 2 replicated --set 'cox_model.patients="replicated"' >/dev/null 2>&1
cmp "$work/reference/attrition.tsv" "$work/replicated/attrition.tsv" || fail "others left"
# term, then numbers that agree to ten digits
paste "$work/reference/coefficients.tsv" "$work/replicated/coefficients.tsv" | grep -v '^#' | awk -F'\t' '
  NR > 1 {
    n = NF / 2
    for (i = 2; i < n; i++) { d = $i - $(i + n); if (d < 0) d = -d; m = $i < 0 ? -$i : $i; if (d > 1e-10 * (1 + m)) bad = 1 }
    rows++
  }
  END { exit bad || rows < 2 }' || fail "by time and replicated differ: $(cat "$work"/re*/coefficients.tsv)"
echo "by time is replicated to ten digits"

# More ranks than shards, and than patients.
rm -r "$work/cohort"
make_cohort cohort 40 5 20
run_job cox_model alone few --set 'outcome.covariates=["AGE"]' --set 'outcome.strata=[]' >/dev/null 2>&1
run_job cox_model 4 few-by-4 --set 'outcome.covariates=["AGE"]' --set 'outcome.strata=[]' >/dev/null 2>&1
require_equal few few-by-4
echo "more ranks than shards write the same results"

code_of run_job cox_model 3 none --set 'select.where=[{ field = "AGE", at_least = 200 }]'
require_code 3
[ "$(grep -c "^error" <<<"$said")" = 1 ] || fail "not one rank speaks: $said"
require_no_done none
echo "a refusal ends every rank"
