#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
#
# Strong and weak scaling of a job over ranks and threads: medians, speed-up, efficiency, imbalance, communication.
#
#   bash perf/scaling/scaling.sh strong|weak [JOB.toml [OPTIONS…]]
#     default: the interaction screen of perf/scaling/screen.toml; options go to chorale run
#   SETTINGS="1x1 2x1 1x2"     ranks x threads, the first one is what the others are compared with
#   ROUNDS=5                   runs of each setting, one after another: A B C A B C …; medians are taken
#   PATIENTS=20000 GENES=1000  of the simulated cohort; weak: patients by rank and thread
#   COHORT=perf/scaling/cohort.toml   what is simulated
#   LAUNCH="mpirun -n"         or "srun -n": the number of ranks is appended
#   OUT=results/scaling        where runs and tables go
#   CHORALE=build/release/chorale
#
# Writes OUT/{strong,weak}.json and .md. Results of all settings are compared byte by byte.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source jobs/mpi_env.sh
kind="${1:?strong or weak}"
job="${2:-perf/scaling/screen.toml}"
chorale="${CHORALE:-build/release/chorale}"
read -ra settings <<<"${SETTINGS:-1x1 2x1 1x2}"
read -ra launch <<<"${LAUNCH:-mpirun -n}"
rounds="${ROUNDS:-5}" patients="${PATIENTS:-20000}" genes="${GENES:-1000}"
spec="${COHORT:-perf/scaling/cohort.toml}"
out="${OUT:-results/scaling}"
runs="$out/$kind-runs"
mkdir -p cohorts "$out"
rm -rf "$runs" && mkdir "$runs"

cohort_of() { # PATIENTS
  local folder
  folder="cohorts/scaling-$(basename "$spec" .toml)-$1x$genes"
  [ -e "$folder/cohort.json" ] ||
    "$chorale" simulate "$spec" "$folder" --set "patients=$1" --set "genes=$genes" >&2
  echo "$folder"
}

require_equal() { # RESULT: byte by byte, beside the first one
  local first="$runs/${settings[0]}-1" file
  for file in "$1"/*.tsv "$1"/results.h5 "$1"/summary.json; do cmp "$file" "$first/$(basename "$file")"; done
}

for round in $(seq "$rounds"); do
  for setting in "${settings[@]}"; do
    ranks="${setting%x*}" threads="${setting#*x}"
    n="$patients"
    [ "$kind" = strong ] || n=$((patients * ranks * threads))
    cohort="$(cohort_of "$n")"
    result="$runs/$setting-$round"
    begun="$EPOCHREALTIME"
    "${launch[@]}" "$ranks" "$chorale" run "$job" --set "cohort=\"$cohort\"" --set "output=\"$result\"" \
      --set "run.threads=$threads" "${@:3}" >/dev/null 2>&1
    awk -v begun="$begun" -v ended="$EPOCHREALTIME" 'BEGIN { print ended - begun }' >"$result/command_seconds"
    [ "$kind" = weak ] || require_equal "$result"
    echo "round $round: $setting $(cat "$result/command_seconds") s"
  done
done
python3 perf/scaling/table.py "$kind" "$runs" "${settings[@]}" >"$out/$kind.md"
cat "$out/$kind.md"
