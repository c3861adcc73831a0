#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
#
# Log-rank per feature, robust and cluster variance, Aalen-Johansen and Fine-Gray beside R, on the same patients, one thread.
#
#   bash perf/peers/survival_vs_r.sh [ROUNDS [PATIENTS]]      default: 5 rounds, 100,000 patients
#   SURVIVAL_PEER=build/perf/perf/peers/survival              the program measured
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source perf/peers/measure.sh
peer="${SURVIVAL_PEER:-build/perf/perf/peers/survival}"
need_r
need_program "$peer" perf SURVIVAL_PEER
Rscript perf/peers/survival_vs_r.R "$peer" "${1:-5}" "${2:-100000}"
