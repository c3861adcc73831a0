#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
#
# Strong and weak scaling of a job over ranks and threads: medians, speed-up, efficiency, imbalance, communication.
#
#   bash perf/scaling/scaling.sh strong|weak [JOB.toml]     default: the interaction screen of perf/scaling/screen.toml
#   SETTINGS="1x1 2x1 1x2"     ranks x threads, the first one is what the others are compared with
#   ROUNDS=5                   runs of each setting, one after another: A B C A B C …; medians are taken
#   PATIENTS=20000 GENES=1000  of the simulated cohort; weak: patients by rank and thread
#   LAUNCH="mpirun -n"         or "srun -n": the number of ranks is appended
#   CHORALE=build/release/chorale
#
# Writes results/scaling/{strong,weak}.json and .md. Results of all settings are compared byte by byte.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source jobs/mpi_env.sh
kind="${1:?strong or weak}"
job="${2:-perf/scaling/screen.toml}"
chorale="${CHORALE:-build/release/chorale}"
read -ra settings <<<"${SETTINGS:-1x1 2x1 1x2}"
read -ra launch <<<"${LAUNCH:-mpirun -n}"
rounds="${ROUNDS:-5}" patients="${PATIENTS:-20000}" genes="${GENES:-1000}"
out=results/scaling
runs="$out/$kind-runs"
mkdir -p cohorts "$out"
rm -rf "$runs" && mkdir "$runs"

cohort_of() { # PATIENTS
  local folder="cohorts/scaling-$1x$genes"
  [ -e "$folder/cohort.json" ] ||
    "$chorale" simulate perf/scaling/cohort.toml "$folder" --set "patients=$1" --set "genes=$genes" >&2
  echo "$folder"
}

for round in $(seq "$rounds"); do
  for setting in "${settings[@]}"; do
    ranks="${setting%x*}" threads="${setting#*x}"
    n="$patients"
    [ "$kind" = strong ] || n=$((patients * ranks * threads))
    cohort="$(cohort_of "$n")"
    result="$runs/$setting-$round"
    "${launch[@]}" "$ranks" "$chorale" run "$job" --set "cohort=\"$cohort\"" --set "output=\"$result\"" \
      --set "run.threads=$threads" >/dev/null 2>&1
    if [ "$kind" = strong ]; then
      for table in "$result"/*.tsv; do cmp "$table" "$runs/${settings[0]}-1/$(basename "$table")"; done
    fi
    echo "round $round: $setting $(grep -oE '"total": [0-9.]+' "$result/run.json") s"
  done
done
python3 perf/scaling/table.py "$kind" "$runs" "${settings[@]}" >"$out/$kind.md"
cat "$out/$kind.md"
