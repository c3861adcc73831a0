#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
#
# Does the interaction screen find what was planted, and nothing where nothing is?  20 cohorts in which interactions are
# planted (jobs/simulate/default.toml), 20 in which they are planted among independent genes
# (tests/calibration/independent.toml) and 20 without any association (jobs/simulate/null.toml), each with its own seed;
# pairs beyond the screen's bound are fitted in full too. Prints how often planted pairs were found, what else
# passed, whether p are uniform, and what the screen missed. About an hour on two cores, so ctest leaves it out.
#
#   bash tests/calibration/interaction_screen.sh PROGRAM WORK_DIR [SEEDS] [PATIENTS]
#
# Run again with the same WORK_DIR, it goes on where it stopped.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
if [ $# -lt 2 ]; then
  echo "usage: bash tests/calibration/interaction_screen.sh PROGRAM WORK_DIR [SEEDS] [PATIENTS]" >&2
  exit 2
fi
program="$(realpath -- "$1")"
work="$2"
seeds="${3:-20}"
patients="${4:-20000}"
mkdir -p "$work"

# The columns of the planted interactions that are no genes: "A", "B".
planted_fields() { # COHORT
  awk -F'\t' 'NR == FNR { if ($3 == "aberration") column[$2] = 1; next }
    FNR > 1 { for (i = 2; i <= 3; ++i) if (column[$i] && !seen[$i]++) { printf "%s\"%s\"", comma, $i; comma = ", " } }' \
    "$1/truth/frequencies.tsv" "$1/truth/interactions.tsv"
}

write_job() { # JOB COHORT OUTPUT SEED
  local check=1000000
  [ "$1" = all ] && check=300 # its pairs meet on many combinations of panels, which makes full fits dear
  cat <<JOB
job = "interaction_screen"
cohort = "$2"
output = "$3"
seed = $4
[interaction_screen]
check_screen = $check
largest_set = 2
JOB
  case "$1" in
    null | independent)
      echo 'tests = ["fisher", "mid_p", "burden"]'
      printf '[features]\nmin_carriers = 50\n[outcome]\nendpoint = "OS"\ncovariates = ["AGE", "SEX"]\n'
      ;;
    aml)
      echo 'tests = ["fisher", "burden"]'
      printf '[select]\nwhere = [{ field = "ENTITY", is = ["AML"] }]\n'
      printf '[features]\nmin_carriers = 20\nfields = [%s]\n' "$(planted_fields "$2")"
      printf '[outcome]\nendpoint = "OS"\ncovariates = ["AGE", "SEX"]\n'
      ;;
    all)
      printf 'tests = ["cmh", "burden"]\nstratify = ["ENTITY"]\n'
      printf '[features]\nmin_carriers = 50\nfields = [%s]\n' "$(planted_fields "$2")"
      printf '[outcome]\nendpoint = "OS"\ncovariates = ["AGE", "SEX"]\nstrata = ["ENTITY"]\n'
      ;;
  esac
}

screen() { # JOB COHORT SEED
  local out="$work/$1-$3"
  [ ! -e "$out/DONE" ] || return 0
  write_job "$1" "$2" "$out" "$3" >"$work/$1-$3.toml"
  "$program" run "$work/$1-$3.toml" >"$work/$1-$3.txt" 2>&1 || { cat "$work/$1-$3.txt" >&2; exit 1; }
}

for seed in $(seq "$seeds"); do
  for spec in null independent default; do
    cohort="$work/$spec-cohort-$seed"
    toml="$here/../../jobs/simulate/$spec.toml"
    [ "$spec" = independent ] && toml="$here/independent.toml"
    [ -e "$cohort/cohort.json" ] || "$program" simulate "$toml" "$cohort" \
      --set "seed=$seed" --set "patients=$patients" >/dev/null 2>&1
    if [ "$spec" != default ]; then
      screen "$spec" "$cohort" "$seed"
    else
      screen aml "$cohort" "$seed"
      screen all "$cohort" "$seed"
    fi
  done
  echo "seed $seed of $seeds" >&2
done
exec python3 "$here/interaction_screen.py" "$work" "$seeds"
