#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
#
# Is the prognosis job honest?  Cohorts whose law is known (tests/calibration/prognosis_cohorts.py) and cohorts of
# jobs/simulate/default.toml, each with its own seed. Prints how often intervals of coefficients hold the planted log
# hazards, with and without sites that differ; how far estimates of performance lie from the performance on fresh
# patients, and how often their intervals hold it; and what models of pure noise seem to be worth. About 40 minutes on one
# core, so ctest leaves it out.
#
#   bash tests/calibration/prognosis.sh PROGRAM WORK_DIR [SHARE]
#
# SHARE 0.1 takes a tenth of the cohorts. Needs python3 with numpy (Debian: python3-numpy). Run again with the same
# WORK_DIR, it goes on where it stopped.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
if [ $# -lt 2 ]; then
  echo "usage: bash tests/calibration/prognosis.sh PROGRAM WORK_DIR [SHARE]" >&2
  exit 2
fi
for python in python3 /usr/bin/python3; do
  if "$python" -c 'import numpy' 2>/dev/null; then
    exec "$python" "$here/prognosis.py" "$(realpath -- "$1")" "$2" "${3:-1}"
  fi
done
echo "prognosis.sh: no python3 has numpy; install python3-numpy" >&2
exit 2
