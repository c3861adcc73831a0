#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
#
# From nothing to a first result: installs, builds, makes or ingests a cohort, runs the mutation landscape on all cores.
#
#   bash jobs/quickstart.sh              an in-silico cohort of 100,000 patients
#   bash jobs/quickstart.sh STUDY_DIR    a cBioPortal study folder of your own
#
# Run again, it makes only what is missing or has changed.
set -euo pipefail
study="${1:+$(realpath -- "$1")}"
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if [ -n "$study" ] && [ ! -d "$study" ]; then
  echo "quickstart: no folder $study; name a study folder, or none for an in-silico cohort" >&2
  exit 2
fi

bash jobs/setup.sh release chorale
source jobs/mpi_env.sh
chorale=build/release/chorale
cores=$(nproc)
name=quickstart
if [ -n "$study" ]; then name=$(basename "$study"); fi
cohort="cohorts/$name"
output="results/$name"
mkdir -p cohorts results

# What the cohort is made from: the spec and the program's version, or the study's files with sizes and times.
origin() {
  "$chorale" --version
  if [ -n "$study" ]; then
    find "$study" -type f -printf '%p %s %T@\n' | sort
  else
    sha256sum jobs/simulate/default.toml
  fi
}

make_cohort() {
  if [ -e "$cohort/cohort.json" ] || [ -e "$cohort/shard-00000.h5" ]; then rm -r "$cohort"; fi
  if [ -n "$study" ]; then
    "$chorale" ingest "$study" "$cohort"
  else
    mpirun -n "$cores" "$chorale" simulate jobs/simulate/default.toml "$cohort"
  fi
}

# A config for a study: the covariates and the endpoint that it has. Yours to edit and run again.
write_config() {
  local described has
  described=$(sed '/^ "genes"/q' "$cohort/cohort.json") # fields and endpoints stand before the genes
  has() { grep -q "\"name\": \"$1\"" <<<"$described"; }
  local covariates=()
  for field in AGE SEX; do if has "$field"; then covariates+=("\"$field\""); fi; done
  printf 'job    = "mutation_landscape"\ncohort = "%s"\noutput = "%s"\n' "$cohort" "$output"
  if has OS; then
    printf '\n[outcome]\nendpoint   = "OS"\n'
    if [ ${#covariates[@]} -gt 0 ]; then
      printf 'covariates = [%s]\n' "$(IFS=,; echo "${covariates[*]}" | sed 's|,|, |g')"
    fi
  fi
}

options=()
if [ ! -e "$cohort/cohort.json" ] || [ "$(origin)" != "$(cat "$cohort.origin" 2>/dev/null)" ]; then
  make_cohort
  origin >"$cohort.origin"
  options=(--fresh) # results of the earlier cohort, if any, are no longer its results
fi

config=jobs/mutation_landscape/example.toml
if [ -n "$study" ]; then
  config="results/$name.toml"
  [ -e "$config" ] || write_config >"$config"
fi
mpirun -n "$cores" "$chorale" run "$config" --set "cohort=$cohort" --set "output=$output" "${options[@]}"
