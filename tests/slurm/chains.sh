#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
#
# Jobs that wait for one another, and job arrays: ingest then run then report; a sweep.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

make_cohort study 600 40 100 --as study
make_cohort cohort 600 40 100
cluster_start 2 2

job_file=("$source_dir/tests/ranks/landscape.toml" --site "$work/site.toml")
number_of() { sed -nE "s/^  $1 +job ([0-9]+), log .*/\1/p" "$work/said.txt"; }

with_ranks alone ingest "$work/study" "$work/by-hand" >/dev/null 2>&1
landscape alone reference --set "cohort=\"$work/by-hand\"" >/dev/null 2>&1
chain=(--set "cohort=\"$work/ingested\"" --set "output=\"$work/chained\"" --ingest "$work/study" --report)
code_of "$program" submit "${job_file[@]}" "${chain[@]}"
require_code 0
job="$(number_of report)" log="$work/chained/slurm/report-$job.log"
wait_for_state COMPLETED 180
for step in ingest run report; do
  [ "$(fact JobState "$(number_of $step)")" = COMPLETED ] || fail "$step is $(fact JobState "$(number_of $step)")"
done
require_equal reference chained
require_log "is complete, its checksums are right"
echo "ingest, run, report: one after another, the results of running by hand"

# A study that cannot be read: what waits for it never starts.
rm "$work/study/data_clinical_patient.txt"
code_of "$program" submit "${job_file[@]}" "${chain[@]/ed\"/ed-badly\"}"
require_code 0
job="$(number_of ingest)" log="$work/chained-badly/slurm/ingest-$job.log"
wait_for_state FAILED
[ "$(fact ExitCode)" = 3:0 ] || fail "exit code $(fact ExitCode): $(cat "$log")"
job="$(number_of report)"
wait_for_state CANCELLED
[ ! -e "$work/ingested-badly/cohort.json" ] || fail "a cohort of a study that cannot be read"
require_no_done chained-badly
echo "a study that cannot be read: exit code 3, what waits for it is cancelled"

# A sweep: one element of an array for each combination, each with a folder of its own.
code_of "$program" submit "${job_file[@]}" --set "cohort=\"$work/cohort\"" --set "output=\"$work/sweep\"" \
  --sweep 'mutation_landscape.confidence=[0.9, 0.95]' --sweep 'features.classes=["cohort", "truncating"]' --report
require_code 0
job="$(number_of report)" log="$work/sweep/slurm/report-${job}_0.log"
for element in 0 1 2 3; do wait_until 180 "element $element has ended" has_state COMPLETED "${job}_$element"; done
for element in confidence=0.9,classes=cohort confidence=0.95,classes=truncating; do
  [ -e "$work/sweep/$element/DONE" ] || fail "no DONE in $element: $(find "$work/sweep" -name DONE)"
done
landscape alone one --set mutation_landscape.confidence=0.9 --set features.classes=truncating >/dev/null 2>&1
require_equal one sweep/confidence=0.9,classes=truncating
echo "a sweep of 2 × 2: four folders, each the results of running by hand"
