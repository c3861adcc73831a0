#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
#
# Counting beside limits: the dense tile of pair counts beside what the machine can AND, count and add in registers, and
# all triples of 250 features in 100,000 patients beside the figure published for Fiuncho, one core.
#
#   bash perf/peers/counting_limits.sh [ROUNDS]      default: 3
#   KERNELS_BENCH=build/perf/perf/kernels_bench      the program measured
#
# Fiuncho (epistasis of three SNPs): 5.6e4 triples a second and core on another machine; quoted, not run. kernels_bench
# compares the counts.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source perf/peers/measure.sh
rounds="${1:-3}"
need_python json
need_kernels_bench

rows=$(mktemp)
trap 'rm -f "$rows"' EXIT
rate() { bench "$1" "$2" | awk '{ print $3 }'; }
best=$(bench 'pair_counts_dense_tile' words 0.05 | awk 'END { print $1 }')
for round in $(seq "$rounds"); do
  triples=()
  for percent in 0 2 10 50; do triples+=("$(rate "item_sets_all_triples/percent:$percent/min_carriers:1/method:0" triples)"); done
  limit=$(rate and_popcount_limit words)
  echo "${limit:-nan} $(rate "$best" words) ${triples[*]}" >>"$rows"
done
awk -v limit="$(column 1)" -v tile="$(column 2)" -v name="$best" -v genes="$(column 3)" -v few="$(column 4)" \
  -v some="$(column 5)" -v half="$(column 6)" 'BEGIN {
  printf "%-58s %10.3g words/s\n", "AND, popcount, add in registers (AVX-512)", limit
  printf "%-58s %10.3g words/s, %.2f of the limit\n", name, tile, tile / limit
  fiuncho = 5.6e4
  printf "triples of 250 features, a second and core:\n"
  printf "%-58s %10.3g, %4.0f times Fiuncho'\''s figure\n", "  as rare as mutated genes", genes, genes / fiuncho
  printf "%-58s %10.3g, %4.0f times\n", "  2 % of patients carry each", few, few / fiuncho
  printf "%-58s %10.3g, %4.0f times\n", "  10 %", some, some / fiuncho
  printf "%-58s %10.3g, %4.0f times\n", "  half", half, half / fiuncho
}'
