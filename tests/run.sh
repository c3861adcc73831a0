#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
#
# Installs what is missing, builds, and runs every test; ctest's summary comes last.
#
#   bash tests/run.sh               release build, all tests
#   bash tests/run.sh --long        all tests, and of the faults (ctest -L faults) many more than a change needs: an hour
#   bash tests/run.sh --sanitize    the same under AddressSanitizer and UndefinedBehaviorSanitizer (preset sanitize),
#                                   then the kernels' tests under ThreadSanitizer (preset thread)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source jobs/mpi_env.sh

run_preset() {
  local preset="$1"
  bash jobs/setup.sh "$preset" "${@:2}"
  ctest --preset "$preset" --parallel 2
}

case "${1:-}" in
  "") run_preset release ;;
  --long)
    export CHORALE_LONG=1
    run_preset release
    ;;
  --sanitize)
    export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
    # MPI and its helper libraries keep memory until the process ends; ours must not
    export LSAN_OPTIONS="suppressions=$PWD/tests/leaks.supp:print_suppressions=0"
    run_preset sanitize
    # g++'s OpenMP runtime is invisible to ThreadSanitizer and every parallel loop looks like a race; clang's tells it
    # through Archer. clang 14 builds the kernels, where most parallel loops are, but not the layers above: their loops
    # are watched by the tests that ask for equal bytes from any number of threads.
    export OMP_TOOL_LIBRARIES=/usr/lib/llvm-14/lib/libarcher.so OMP_NUM_THREADS=4
    export TSAN_OPTIONS=ignore_noninstrumented_modules=1
    run_preset thread
    ;;
  *)
    echo "usage: bash tests/run.sh [--long | --sanitize]" >&2
    exit 2
    ;;
esac
