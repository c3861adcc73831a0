#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
#
# An mpirun that waits for ever though it has no ranks, as it may when one was killed while it started: it is ended, and the
# job starts again.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

make_cohort cohort $patients 400 $((patients / 150))
landscape alone reference >/dev/null 2>&1
cluster_start 1 2
mkdir "$work/bin"
cat >"$work/bin/mpirun" <<END
#!/bin/sh
[ -e "$work/stayed" ] && exec $(command -v mpirun) "\$@"
touch "$work/stayed"
exec sleep 1000
END
chmod +x "$work/bin/mpirun"
write_site "setup = [\"export patience=4\", \"export PATH=$work/bin:\$PATH\"]"

submit stays
wait_for_log "mpirun has had no ranks for 4 seconds: ends it"
wait_for_log "lost a rank or a node (137): the job starts again and resumes"
wait_for_state COMPLETED 180
require_equal reference stays
require_job_id_in_every_line
echo "an mpirun without ranks: ended, requeued, the results of one process"
