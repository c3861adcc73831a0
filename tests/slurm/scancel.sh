#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
#
# scancel ends the job for good; what is finished is kept, and submitted again it resumes. scancel --signal=USR1 of the
# batch script is the gentle form: checkpoint, then another start.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

make_cohort cohort $patients 400 $((patients / 150))
landscape alone reference >/dev/null 2>&1
cluster_start 2 2

no_ranks() { ! grep -qxs chorale /proc/[0-9]*/comm; }

submit cancelled --nodes 2
hold_at_work cancelled
scancel "$job"
wait_for_state CANCELLED
wait_until 60 "its ranks are gone" no_ranks
wait_for_log "ended by Slurm (scancel, or out of time): what is finished is kept, submit again to resume"
require_no_done cancelled
require_job_id_in_every_line
[ "$(fact Restarts)" = 0 ] || fail "it was started again"
cancelled_code="$(fact ExitCode)"
submit cancelled
wait_for_state COMPLETED
require_equal reference cancelled
require_resumed cancelled
echo "scancel: state CANCELLED, exit code $cancelled_code, nothing looks complete; submitted again, the same results"

submit asked --nodes 2
hold_at_work asked
scancel --batch --signal=USR1 "$job"
wait_for_log "time is nearly up"
ranks_signal CONT
wait_for_state COMPLETED 180
[ "$(fact Restarts)" = 1 ] || fail "started again $(fact Restarts) times"
require_equal reference asked
require_resumed asked
echo "scancel --batch --signal=USR1: checkpoint (75), requeued, resumed to the same results"
