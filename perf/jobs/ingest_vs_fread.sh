#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
#
# Question: how fast is ingest (text to shards on disk, checksums included) beside R's data.table::fread, which only
# reads the same text into memory? Same bytes, same cores, same threads, in turns A B A B; medians.
#
# usage: perf/jobs/ingest_vs_fread.sh STUDY [INGEST_BENCH] [ROUNDS]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
study=${1:?usage: ingest_vs_fread.sh STUDY [INGEST_BENCH] [ROUNDS]}
bench=${2:-$here/../../build/perf/perf/ingest_bench}
rounds=${3:-7}
if ! Rscript -e 'library(data.table)' > /dev/null 2>&1; then
  echo "skipped: R with data.table is not installed (Debian: r-base-core r-cran-data.table)"
  exit 0
fi
[ -x "$bench" ] || { echo "error: no program at $bench (build the perf preset)" >&2; exit 2; }
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

median() { sort -g | awk '{ x[NR] = $1 } END { print NR % 2 ? x[(NR + 1) / 2] : (x[NR / 2] + x[NR / 2 + 1]) / 2 }'; }

bytes=$(cat "$study"/data_*.txt | wc -c)  # also brings the text into the page cache
echo "study $study: $bytes bytes of tables; $(nproc) cores, $(grep -m1 'model name' /proc/cpuinfo | cut -d: -f2 | xargs)"
echo "R $(Rscript -e 'cat(as.character(getRversion()), "data.table", as.character(packageVersion("data.table")))'); $rounds rounds"
printf '%7s %12s %12s %12s %12s %10s\n' threads 'ingest s' 'fread s' 'ingest MB/s' 'fread MB/s' 'speed'
for threads in 1 2; do
  : > "$out/ingest"; : > "$out/fread"
  for ((i = 0; i < rounds; ++i)); do
    OMP_NUM_THREADS=$threads "$bench" "$study" "$out/cohort" "$threads" >> "$out/ingest"
    Rscript "$here/ingest_vs_fread.R" "$study" "$threads" >> "$out/fread"
  done
  ingest=$(median < "$out/ingest"); fread=$(median < "$out/fread")
  awk -v t="$threads" -v a="$ingest" -v b="$fread" -v n="$bytes" \
    'BEGIN { printf "%7d %12.3f %12.3f %12.1f %12.1f %9.0f%%\n", t, a, b, n / a / 1e6, n / b / 1e6, 100 * b / a }'
done
echo "speed: of ingest, as a share of fread's; the aim is 50 % or more"
