# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
#
# What differs between sites; sourced by slurm/chorale.sbatch. Edit this file, not the batch script.

# the program, and what it needs at run time (module load openmpi hdf5, …)
CHORALE="${CHORALE:-$CHORALE_HOME/build/release/chorale}"

# how ranks are started: mpirun of the Open MPI that the program was built with
launch=(mpirun --bind-to none)

# a job that was requeued this often gives up
max_restarts=20
