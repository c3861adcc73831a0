#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
#
# Lasso path of one bootstrap replicate of 100,000 patients (69 % die, 3,459 distinct times) at glmnet's penalties, to
# where glmnet stops: 200 dense columns; 14 dense and 500 sparse 0/1 ones. One core, processor time.
#
#   bash perf/peers/paths_vs_glmnet.sh [ROUNDS [TIGHT_ROUNDS]]      default: 3 rounds, 1 of thresh = 1e-12
#   PATH_FIT=build/perf/perf/peers/path_fit                         the program measured
#
# Rounds alternate glmnet, Chorale, glmnet, Chorale …; medians are compared. glmnet gets the rows that were drawn, ready
# as a matrix, and the penalties; Chorale the weights.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source perf/peers/measure.sh
path_fit="${PATH_FIT:-build/perf/perf/peers/path_fit}"
need_r
Rscript -e 'library(glmnet)' >/dev/null 2>&1 || { echo "skipped: R's glmnet is missing (Debian: r-cran-glmnet)"; exit 0; }
need_program "$path_fit" perf PATH_FIT
for kind in dense sparse; do
  Rscript perf/peers/paths_vs_glmnet.R "$path_fit" "$kind" "${1:-3}" "${2:-1}"
done
