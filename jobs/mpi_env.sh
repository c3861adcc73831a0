# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
#
# Sourced by scripts that start mpirun on one machine: what Open MPI 4.1 wants in containers and on laptops.
export OMPI_MCA_rmaps_base_oversubscribe="${OMPI_MCA_rmaps_base_oversubscribe:-1}"    # more ranks than cores may be asked for
export OMPI_MCA_hwloc_base_binding_policy="${OMPI_MCA_hwloc_base_binding_policy:-none}"  # threads of a rank use all its cores
export OMPI_MCA_mpi_yield_when_idle="${OMPI_MCA_mpi_yield_when_idle:-1}"            # waiting ranks leave the core to others
export OMPI_MCA_pml="${OMPI_MCA_pml:-ob1}"                                          # starts in 0.1 s; looking for a fabric takes 0.2 s more
if [ "$(id -u)" = 0 ]; then
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1  # containers run as root
fi
