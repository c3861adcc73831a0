# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
#
# What the side-by-side scripts share; sourced from the repository's root.
chorale="${CHORALE:-build/release/chorale}"
kernels_bench="${KERNELS_BENCH:-build/perf/perf/kernels_bench}"
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1

need_program() { [ -x "$1" ] || { echo "no $1: run bash jobs/setup.sh $2, or set $3" >&2; exit 2; }; }
need_chorale() { need_program "$chorale" "release chorale" CHORALE; }
need_kernels_bench() { need_program "$kernels_bench" perf KERNELS_BENCH; }
need_r() {
  command -v Rscript >/dev/null && Rscript -e 'library(survival)' >/dev/null 2>&1 && return
  echo "skipped: R with its survival package is missing (Debian: r-base-core r-cran-survival)"
  exit 0
}
need_python() {
  /usr/bin/python3 -c "import $1" 2>/dev/null && return
  echo "skipped: Python's $1 is missing (Debian: python3-$1)"
  exit 0
}

# simulated SPEC NAME: cohorts/NAME and cohorts/NAME-study, made anew when SPEC has changed
simulated() {
  local spec
  spec=$(sha256sum "$1")
  [ "$spec" != "$(cat "cohorts/$2.origin" 2>/dev/null)" ] || return 0
  mkdir -p cohorts
  rm -rf "cohorts/$2" "cohorts/$2-study"
  "$chorale" simulate "$1" "cohorts/$2"
  "$chorale" simulate "$1" "cohorts/$2-study" --as study
  echo "$spec" >"cohorts/$2.origin"
}

# processor seconds, user and system, of a command whose output is not wanted
cpu() {
  local TIMEFORMAT='%U %S'
  { time "$@" >/dev/null 2>&1; } 2>&1 | awk '{ print $1 + $2 }'
}
median() { sort -g | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }
column() { awk -v c="$1" '{ print $c }' "$rows" | median; }
worst() { awk -v c="$1" '{ print $c }' "$rows" | sort -g | tail -1; }
# seconds of a stage in the run record of a results folder
stage() { sed -n "s/^  \"$2\": \([0-9.e+-]*\),\{0,1\}$/\1/p" "$1/run.json"; }
# kernels_bench: "name processor-seconds rate" of the cases that a pattern names; a wrong answer fails
bench() {
  "$kernels_bench" --benchmark_filter="$1" --benchmark_min_time="${3:-0.5}" --benchmark_format=json 2>/dev/null |
    /usr/bin/python3 -c '
import json, sys
for case in json.load(sys.stdin)["benchmarks"]:
    if case.get("error_occurred"):
        sys.exit(case["name"] + ": " + case["error_message"])
    seconds = case["cpu_time"] * {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1}[case["time_unit"]]
    print(case["name"], seconds, case.get(sys.argv[1], "nan"))' "$2"
}
