#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
#
# launcher = "srun": ranks that Slurm itself starts, with its PMIx. A start that crashes inside MPI, as one in thirty does
# on pretend nodes, is a lost rank like any other: the job starts again.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

make_cohort cohort $patients 400 $((patients / 150))
landscape alone reference >/dev/null 2>&1
cluster_start 2 2
types="$(srun --mpi=list 2>&1)"
if ! grep -qw pmix <<<"$types"; then
  echo "SKIPPED: this Slurm starts no ranks with PMIx: $types"
  exit 77
fi
write_site 'launcher = "srun"'

submit plain --nodes 2
grep -q '^launch=(.*srun.*--mpi=pmix' "$work/plain/slurm/run.sbatch" || fail "$(cat "$work/plain/slurm/run.sbatch")"
wait_for_state COMPLETED
require_equal reference plain
require_log "4 ranks of 1 threads"
grep -q '"n_ranks": 4,' "$work/plain/run.json" || fail "not one run of four ranks: $(cat "$work/plain/run.json")"
require_job_id_in_every_line
echo "2 × 2 ranks: done, the results of one process, the job's number in every line"

submit asked --nodes 2
hold_at_work asked
before="$(fact Restarts)"
scancel --batch --signal=USR1 "$job"
wait_for_log "time is nearly up"
ranks_signal CONT
wait_for_state COMPLETED 180
require_log "interrupted, checkpoint written: the job starts again and resumes"
[ "$(fact Restarts)" -gt "$before" ] || fail "started again $(fact Restarts) times"
require_equal reference asked
require_resumed asked
echo "scancel --batch --signal=USR1: checkpoint (75), requeued, resumed to the same results"

# PIPE is what ends a rank that was just writing to one that was killed
for signal in KILL PIPE; do
  submit "lost-$signal" --nodes 2
  hold_at_work "lost-$signal"
  one="$(grep -lxs chorale /proc/[0-9]*/comm | head -n 1)"
  kill "-$signal" "$(cut -d/ -f3 <<<"$one")"
  ranks_signal CONT
  wait_for_log "lost a rank or a node"
  wait_for_state COMPLETED 180
  require_equal reference "lost-$signal"
  require_resumed "lost-$signal"
  echo "kill -$signal of one rank: the others end, requeued, resumed to the same results"
done

write_site 'launcher = "srun"' 'setup = ["export SLURM_MEM_PER_NODE=20"]'
submit small-node
wait_for_state FAILED
[ "$(fact ExitCode)" = 2:0 ] || fail "exit code $(fact ExitCode)"
require_log "the job does not fit into the memory of a node"
require_log "run ended with 2; starting again would not help"
require_no_done small-node
echo "a refusal: its own exit code, not started again"
