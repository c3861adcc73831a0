#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
#
# The three main analyses on 100,000 patients, one rank beside two of one thread each: the whole command by the clock, from
# mpirun to DONE. Rounds alternate A B A B …; results are compared byte by byte (scaling.sh).
#
#   bash perf/scaling/two_ranks.sh
#   ROUNDS=3                      runs of each setting, of which medians are taken
#   PATIENTS=100000
#   LANDSCAPE=20000 SCREEN=5000   features
#   REPLICATES=1000               of the prognostic model, which has 514 candidates
#   CHORALE=build/release/chorale
#
# Wants two cores and nothing beside it. Writes results/two-ranks.md.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
export SETTINGS="1x1 2x1" ROUNDS="${ROUNDS:-3}" PATIENTS="${PATIENTS:-100000}"
out=results/two-ranks

measure() { # NAME FEATURES JOB.toml [OPTIONS…]
  echo "$1" >&2
  GENES="$2" OUT="$out/$1" bash perf/scaling/scaling.sh strong "${@:3}" >&2
}
measure mutation_landscape "${LANDSCAPE:-20000}" perf/scaling/landscape.toml
measure interaction_screen "${SCREEN:-5000}" perf/scaling/screen.toml
COHORT=perf/peers/cohort_514.toml measure prognosis 500 perf/peers/prognosis.toml \
  --set "prognosis.replicates=${REPLICATES:-1000}"

python3 - "$out" mutation_landscape interaction_screen prognosis <<'PYTHON' | tee "$out.md"
import json, os, pathlib, sys

print("| %s patients | 1 × 1, s | 2 × 1, s | speed-up |" % os.environ["PATIENTS"])
print("| --- | --- | --- | --- |")
for name in sys.argv[2:]:
    one, two = json.loads(pathlib.Path(sys.argv[1], name, "strong.json").read_text())["rows"]
    print("| %s | %.2f | %.2f | %.2f |" % (name, one["command"], two["command"], two["command_speed_up"]))
PYTHON
