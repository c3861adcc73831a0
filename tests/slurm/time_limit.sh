#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
#
# The time limit: Slurm's signal comes before it, units are finished, a checkpoint is written, the job starts again.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

make_cohort cohort $patients 400 $((patients / 150))
landscape alone reference >/dev/null 2>&1
cluster_start 2 2

submit limited --nodes 2 --time 1
grep -q '^#SBATCH --signal=B:USR1@30$' "$work/limited/slurm/run.sbatch" || fail "$(cat "$work/limited/slurm/run.sbatch")"
hold_at_work limited
wait_for_log "time is nearly up" 100
ranks_signal CONT
wait_for_log "interrupted, checkpoint written: the job starts again and resumes"
require_no_done limited
wait_for_state COMPLETED 180
require_log "run again to resume"
require_log "units came from the checkpoint"
require_equal reference limited
require_resumed limited
require_job_id_in_every_line
[ "$(fact Restarts)" = 1 ] || fail "started again $(fact Restarts) times"
[ "$(fact ExitCode)" = 0:0 ] || fail "exit code $(fact ExitCode)"
echo "time limit: USR1 before it, checkpoint (75), requeued, resumed to the same results"
