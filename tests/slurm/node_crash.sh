#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
#
# A node dies under a job, first one with ranks only, then the one with the batch script: started again on the nodes that
# are left, the job resumes to the results of an undisturbed run.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

make_cohort cohort $patients 400 $((patients / 150))
landscape alone reference >/dev/null 2>&1
cluster_start 3 2

nodes_of_job() { scontrol show hostnames "$(fact NodeList)"; }

submit ranks-only --nodes 2
hold_at_work ranks-only
other="$(nodes_of_job | sed -n 2p)"
[ "$other" != "$(fact BatchHost)" ] || fail "the batch script runs on $other"
node_crash "$other"
ranks_signal CONT
wait_for_log "lost a rank or a node"
require_no_done ranks-only
wait_for_state COMPLETED 240
require_equal reference ranks-only
require_resumed ranks-only
require_job_id_in_every_line
[ "$(fact Restarts)" -ge 1 ] || fail "it was not started again"
echo "a node of ranks is lost: exit code $(sed -nE 's/.*lost a rank or a node \(([0-9]+)\).*/\1/p' "$log" | head -n 1), resumed on $(
  fact NodeList
) to the same results"
node_return "$other"

# Nobody is left on the node to say anything: Slurm notices and starts the job again.
submit with-script --nodes 2
hold_at_work with-script
first="$(fact BatchHost)"
node_crash "$first"
ranks_signal CONT
node_down "$first"
wait_for_state "PENDING|RUNNING|CONFIGURING|COMPLETING|REQUEUED" 60
require_no_done with-script
wait_for_state COMPLETED 240
require_equal reference with-script
require_resumed with-script
require_job_id_in_every_line
[ "$(fact Restarts)" -ge 1 ] || fail "it was not started again"
echo "the node of the batch script is lost: Slurm starts the job again, resumed on $(fact NodeList) to the same results"
