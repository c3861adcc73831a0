#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
#
# A batch job that nobody disturbs, and those that cannot work: refused before they start, or told apart from done.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

make_cohort cohort 1200 60 100
landscape alone reference >/dev/null 2>&1
cluster_start 2 2

# Two nodes, two ranks each.
submit plain --nodes 2
wait_for_state COMPLETED
[ "$(fact ExitCode)" = 0:0 ] || fail "exit code $(fact ExitCode)"
require_equal reference plain
require_log "4 ranks of 1 threads"
require_log "is complete, its checksums are right"
require_job_id_in_every_line
[ "$(fact NumCPUs)" = 4 ] || fail "$(fact NumCPUs) CPUs"
echo "2 × 2 ranks: done, the results of one process, the job's number in every line"

# Once more: nothing is computed.
submit plain
wait_for_state COMPLETED
require_log "nothing was computed: this run was finished before"
echo "submitted again: nothing to do"

# Refused before it starts: too large for the node by the forecast, at submission and on the node.
write_site 'memory_per_node_gb = 0.02'
job_file=("$source_dir/tests/ranks/landscape.toml" --set "cohort=\"$work/cohort\"" --set "output=\"$work/large\"")
code_of "$program" submit "${job_file[@]}" --site "$work/site.toml"
require_code 2
require_said "the job does not fit into the memory of a node"
require_said "at most 20 MB"
[ ! -e "$work/large" ] || fail "a refused job left $(find "$work/large")"
write_site 'setup = ["export SLURM_MEM_PER_NODE=20"]'
submit small-node
wait_for_state FAILED
[ "$(fact ExitCode)" = 2:0 ] || fail "exit code $(fact ExitCode)"
require_log "the job does not fit into the memory of a node"
require_log "at most 21 MB (SLURM_MEM_PER_NODE)"
require_log "run ended with 2; starting again would not help"
require_no_done small-node
write_site
submit small-node
wait_for_state COMPLETED
require_equal reference small-node
echo "too little memory: refused with the number, exit code 2; on a node that has it, the same results"

# A launcher that returns 0 and did nothing is not believed.
write_site 'setup = ["mpirun() { echo all is well; }"]' 'max_fruitless = 2'
submit lies
wait_for_state FAILED
require_log "the launcher returned 0, but $work/lies is not complete"
require_log "2 times without a unit finished: gives up"
require_no_done lies
write_site
submit lies
wait_for_state COMPLETED
require_equal reference lies
echo "a launcher that lies: started again, then given up; with one that works, the same results"

# Options that cannot be, before anything is submitted.
code_of "$program" submit "${job_file[@]}" --site "$work/site.toml" --time soon
require_code 2
require_said "time limit cannot be read"
code_of "$program" submit "${job_file[@]}" --site "$work/site.toml" --sweep seed=3
require_code 2
require_said "a sweep needs a list of values"
code_of "$program" submit "${job_file[@]}" --site "$work/site.toml" --set outcome.endpiont=OS
require_code 2
require_said "endpiont"
code_of "$program" submit "${job_file[@]}" --site "$work/site.toml" --partition nowhere
require_code 2
require_said "Slurm does not take the job"
echo "wrong options: one message, exit code 2"
