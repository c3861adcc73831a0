#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
#
# Patients who carry both, one, or neither feature of every pair, 20,000 features in 100,000 patients with 77 each: beside
# scipy's product of sparse matrices (carriers of both only) and a plain accumulator in C++ (the same), one core each.
#
#   bash perf/peers/pair_counts_vs_scipy.sh [ROUNDS]      default: 3
#   KERNELS_BENCH=build/perf/perf/kernels_bench  PAIR_LISTS=build/perf/perf/peers/pair_lists      the programs measured
#
# Rounds alternate scipy, Chorale, plain; medians of processor time are compared. The counts are compared by their sum
# and sum of squares, within kernels_bench those of the plain accumulator too.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source perf/peers/measure.sh
rounds="${1:-3}"
pair_lists="${PAIR_LISTS:-build/perf/perf/peers/pair_lists}"
need_python numpy
need_python scipy
need_kernels_bench
need_program "$pair_lists" perf PAIR_LISTS

mkdir -p results
lists=results/pair_lists
rows=$(mktemp)
trap 'rm -f "$rows" "$lists"' EXIT
expected=$("$pair_lists" "$lists")
rate() { bench "$1" pairs | awk '{ print $2 }'; }
for round in $(seq "$rounds"); do
  scipy=$(/usr/bin/python3 perf/peers/pair_counts_vs_scipy.py "$lists")
  [ "${scipy#* }" = "$expected" ] || { echo "counts differ: scipy ${scipy#* }, Chorale $expected" >&2; exit 1; }
  echo "${scipy%% *} $(rate 'pair_tables_all/genes:20000/log2_cells:14') $(rate 'pair_counts_all/genes:20000/log2_cells:16') $(rate 'pair_counts_plain/genes:20000')" |
    tee -a "$rows" |
    awk -v i="$round" '{ printf "round %d: scipy %.2f s; Chorale four cells %.3f s, both %.3f s; plain %.2f s\n", i, $1, $2, $3, $4 }'
done
awk -v scipy="$(column 1)" -v cells="$(column 2)" -v both="$(column 3)" -v plain="$(column 4)" 'BEGIN {
  n = 20000 * 19999 / 2
  printf "\n%-52s %8s %12s\n", "one core, medians of processor time", "s", "pairs/s"
  printf "%-52s %8.2f %12.2e\n", "scipy.sparse X.T @ X (carriers of both)", scipy, n / scipy
  printf "%-52s %8.2f %12.2e\n", "plain accumulator in C++ (carriers of both)", plain, n / plain
  printf "%-52s %8.3f %12.2e\n", "Chorale, carriers of both", both, n / both
  printf "%-52s %8.3f %12.2e\n", "Chorale, all four cells", cells, n / cells
  printf "\nfour cells: %.1f times scipy, %.1f times the plain accumulator\n", scipy / cells, plain / cells
}'
