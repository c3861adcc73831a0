#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
#
# cox_by_time.sh CHORALE WORK [PATIENTS] [RANKS…]: one Cox model on simulated patients that lie apart by time, against
# the model on patients that every node holds. A line a run: seconds in all, to load, to fit; the largest rank and the
# node in MB, as run.json has them. WORK/cohort is kept when it is there, and made otherwise.
set -euo pipefail
source_dir="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
source "$source_dir/jobs/mpi_env.sh"
program="$1"
work="$2"
patients="${3:-5000000}"
shift $(($# < 3 ? $# : 3))
ranks="${*:-1 2}"
export OMP_NUM_THREADS=1

[ -e "$work/cohort" ] || mpirun -n 2 "$program" simulate "$source_dir/jobs/simulate/null.toml" "$work/cohort" \
  --set "patients=$patients" --set genes=2 --set patients_per_shard=65536 >/dev/null

record() { # KEY FILE: a number of run.json
  grep -oE "\"$1\": [0-9.e+]+" "$2" | head -1 | grep -oE '[0-9.e+]+$' || echo nan
}

printf 'patients\tranks\ttotal_s\tload_s\tfit_s\trank_mb\tnode_mb\n'
for n in $ranks; do
  for layout in replicated by_time; do
    out="$work/out-$layout-$n"
    rm -rf "$out"
    mpirun -n "$n" "$program" run "$source_dir/jobs/cox_model/example.toml" --set "cohort=\"$work/cohort\"" \
      --set "output=\"$out\"" --set 'outcome.strata=["SITE"]' --set "cox_model.patients=\"$layout\"" >/dev/null
    record_file="$out/run.json"
    printf '%s\t%s\t%s\t%s\t%s\t%.0f\t%.0f\n' "$layout" "$n" "$(record total "$record_file")" \
      "$(record 'load for fit' "$record_file")" "$(record fit "$record_file")" \
      "$(awk "BEGIN { print $(record peak_rss_bytes "$record_file") / 1e6 }")" \
      "$(awk "BEGIN { print $(record peak_node_bytes "$record_file") / 1e6 }")"
  done
done
