#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
#
# comm.sh COMM_CHECK N: every call of the communicator among N processes.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../../jobs/mpi_env.sh"
export ASAN_OPTIONS="detect_leaks=0${ASAN_OPTIONS:+:$ASAN_OPTIONS}" # Open MPI keeps memory until the process ends
exec timeout -k 5 100 mpirun -n "$2" "$1" "$2"
