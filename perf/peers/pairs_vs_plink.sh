#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
#
# Association of every pair of 2,000 features in 100,000 patients, Fisher's exact test: the whole job beside PLINK 1.9's
# --fast-epistasis boost on the same patients (which counts every pair among cases and controls and tests by a
# likelihood ratio) and beside R's fisher.test, one core each.
#
#   bash perf/peers/pairs_vs_plink.sh [ROUNDS]      default: 5
#   CHORALE=build/release/chorale                   the program measured
#
# Rounds alternate PLINK, Chorale, …; medians of processor time are compared. PLINK's file set is made outside the clock
# from the study. "reported": odds ratio and q of the 200 pairs of smallest p; "all": of every pair, all of it written.
# R recounts those 200 in PLINK's file set and tests them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source perf/peers/measure.sh
rounds="${1:-5}"
if ! command -v plink1.9 >/dev/null; then
  echo "skipped: PLINK is missing (Debian: plink1.9)"
  exit 0
fi
need_python numpy
need_r
need_chorale
simulated perf/peers/cohort_2000.toml benchmark-2000

mkdir -p results
plink=results/plink cohort=cohorts/benchmark-2000 output=results/benchmark-pairs
/usr/bin/python3 perf/peers/pairs_vs_plink.py "$cohort-study" "$plink"
rows=$(mktemp)
trap 'rm -f "$rows" "$plink".* "$plink"-out.*' EXIT
run_job() { # ODDS_RATIO COMPLETE
  cpu "$chorale" run perf/peers/pairs.toml --fresh --set "cohort=$cohort" --set "output=$output" \
    --set "interaction_screen.odds_ratio=$1" --set "interaction_screen.complete_table=$2"
}
for round in $(seq "$rounds"); do
  theirs=$(cpu plink1.9 --bfile "$plink" --fast-epistasis boost --epi1 1e-5 --threads 1 --allow-no-sex --out "$plink-out")
  echo "$theirs $(run_job sample false) $(run_job sample true) $(run_job conditional true) $(run_job conditional false)" |
    tee -a "$rows" |
    awk -v i="$round" '{ printf "round %d: PLINK %.2f s; Chorale, reported %.2f s, all %.2f s, all conditional %.2f s\n", i, $1, $2, $3, $4 }'
done
grep -q "1999000 valid tests" "$plink-out.log" # else it did less work
[ "$(awk -F'\t' '$1 == "fisher" { print $3 }' "$output/tests.tsv")" = 1999000 ]
r=$(Rscript perf/peers/pairs_vs_plink.R "$plink" "$output/pairs.tsv")
awk -v plink="$(column 1)" -v reported="$(column 2)" -v sample="$(column 3)" -v conditional="$(column 4)" -v r="$r" 'BEGIN {
  n = 1999000
  split(r, fisher, " ")
  printf "\n%-62s %8s %12s\n", "one core, medians of processor time, whole process", "s", "us a pair"
  printf "%-62s %8.2f %12.3f\n", "PLINK --fast-epistasis boost", plink, 1e6 * plink / n
  printf "%-62s %8s %12.1f\n", "R fisher.test, of the reported pairs", "", 1e6 * fisher[1]
  printf "%-62s %8.2f %12.3f\n", "Chorale, odds ratios of the 200 reported pairs", reported, 1e6 * reported / n
  printf "%-62s %8.2f %12.3f\n", "Chorale, sample odds ratio and q of all, written", sample, 1e6 * sample / n
  printf "%-62s %8.2f %12.3f\n", "Chorale, conditional odds ratio and q of all, written", conditional, 1e6 * conditional / n
  printf "\nPLINK / Chorale: %.1f times reported, %.1f all, %.1f all conditional\n", plink / reported, plink / sample, plink / conditional
  printf "R / Chorale: %.0f times, all conditional\n", fisher[1] * n / conditional
  printf "largest relative difference from R: p %s, conditional odds ratio and limits %s; cells are equal\n", fisher[2], fisher[3]
  exit !(fisher[2] < 1e-6 && fisher[3] < 1e-2)
}'
