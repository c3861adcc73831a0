# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
#
# Sourced by common.sh: a Slurm of pretend nodes, private to one test.
#
# The test runs in a process namespace of its own and is its first process, so whatever it started ends with it, however
# it ends. A pretend node is a slurmd under a host name of its own (a UTS namespace): programs see different hosts, and a
# node crashes when every process under that name is killed at once. Ports are free ones, files lie under $cluster, nothing
# of the machine's own Slurm or munge is touched.
#
#   cluster_start NODES CPUS      until all nodes are idle
#   node_crash NAME               its processes are gone; nobody is told
#   node_down NAME                the controller is told
#   node_return NAME              as after a reboot

# The reason why there can be no cluster here; empty when there can be one.
cluster_lacks() {
  local program
  for program in munged slurmctld slurmd sbatch scontrol squeue; do
    command -v "$program" >/dev/null || {
      echo "$program is not installed (packages slurm-wlm and munge)"
      return
    }
  done
  [ "$(id -u)" = 0 ] || { echo "pretend nodes need root"; return; }
  unshare --uts --pid --fork --mount-proc true 2>/dev/null ||
    echo "no namespaces may be made here (containers: --cap-add SYS_ADMIN)"
}

free_ports() { # COUNT -> the first of so many
  local first port taken
  for _ in $(seq 100); do
    first=$((20000 + RANDOM % 10000)) taken=
    for port in $(seq "$first" $((first + $1 - 1))); do
      if (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then taken=1; fi
    done
    [ -n "$taken" ] || { echo "$first"; return; }
  done
  return 1
}

write_cluster() { # NODES CPUS
  local port name n
  port="$(free_ports $(($1 + 1)))"
  cat >"$cluster/slurm.conf" <<C
ClusterName=pretended
SlurmctldHost=$(hostname -s)(127.0.0.1)
SlurmctldPort=$port
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
# a requeued job waits until its old credential has expired
AuthInfo=socket=$cluster/munge.socket,cred_expire=5
StateSaveLocation=$cluster/state
SlurmdSpoolDir=$cluster/spool-%n
SlurmctldPidFile=$cluster/slurmctld.pid
SlurmdPidFile=$cluster/slurmd-%n.pid
SlurmctldLogFile=$cluster/slurmctld.log
SlurmdLogFile=$cluster/slurmd-%n.log
TmpFS=$cluster/tmp-%n
PlugStackConfig=$cluster/plugstack.conf
MailProg=/bin/true
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=pmix
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=1,bf_interval=1
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
# more CPUs than the machine has
SlurmdParameters=config_overrides
ReturnToService=2
JobRequeue=1
SlurmdTimeout=10
KillWait=5
MinJobAge=3600
C
  for n in $(seq "$1"); do
    name="n$n"
    echo "NodeName=$name NodeHostname=$name NodeAddr=127.0.0.1 Port=$((port + n)) CPUs=$2 RealMemory=4000 State=UNKNOWN"
    mkdir -p "$cluster/spool-$name" "$cluster/tmp-$name"
  done >>"$cluster/slurm.conf"
  echo "PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP" >>"$cluster/slurm.conf"
  echo "CgroupPlugin=cgroup/v1" >"$cluster/cgroup.conf" # the automatic choice fails where no cgroups are mounted
  : >"$cluster/plugstack.conf"
  chmod 644 "$cluster"/*.conf
}

cluster_start() { # NODES CPUS
  cluster="$work/cluster-of-nodes"
  mkdir -p "$cluster/state" "$cluster/mpi"
  write_cluster "$1" "$2"
  export SLURM_CONF="$cluster/slurm.conf"
  # what Open MPI leaves when a node crashes stays in here
  export OMPI_MCA_orte_tmpdir_base="$cluster/mpi" OMPI_MCA_btl_vader_backing_directory="$cluster/mpi"
  export OMPI_MCA_osc_sm_backing_directory="$cluster/mpi" OMPI_MCA_btl_vader_single_copy_mechanism=none
  export OMPI_MCA_pml=ob1

  head -c 1024 /dev/urandom >"$cluster/munge.key"
  chmod 400 "$cluster/munge.key"
  munged --force --socket="$cluster/munge.socket" --key-file="$cluster/munge.key" --log-file="$cluster/munged.log" \
    --pid-file="$cluster/munged.pid" --seed-file="$cluster/munge.seed" </dev/null >/dev/null 2>&1 ||
    fail "munged does not start: $(cat "$cluster/munged.log")"
  slurmctld -D -f "$SLURM_CONF" </dev/null >"$cluster/slurmctld.out" 2>&1 &
  disown
  local n
  for n in $(seq "$1"); do slurmd_start "n$n"; done
  for n in $(seq "$1"); do wait_for_node "n$n"; done
}

slurmd_start() { # NAME
  unshare --uts bash -c 'hostname "$0" && exec slurmd -D -N "$0"' "$1" </dev/null >"$cluster/slurmd-$1.out" 2>&1 &
  echo $! >"$cluster/$1.first"
  disown
}

wait_for_node() { # NAME
  local n state
  for n in $(seq 600); do
    state="$(sinfo --noheader --nodes="$1" --format=%t 2>/dev/null || true)"
    case $state in
      idle | mix | alloc | comp) return ;;
      down* | drain*) scontrol update "NodeName=$1" State=RESUME 2>/dev/null || true ;;
    esac
    sleep 0.1
  done
  fail "node $1 is not ready: $state; $(tail -n 5 "$cluster/slurmd-$1.log" "$cluster/slurmctld.log")"
}

node_crash() { # NAME
  local here place id left
  here="$(readlink "/proc/$(cat "$cluster/$1.first")/ns/uts")"
  [ "$here" != "$(readlink /proc/self/ns/uts)" ] || fail "node $1 has no name of its own"
  for _ in $(seq 100); do # what was forked meanwhile goes too
    left=
    for place in /proc/[0-9]*; do
      id="${place#/proc/}"
      [ "$(readlink "$place/ns/uts" 2>/dev/null)" = "$here" ] || continue
      kill -9 "$id" 2>/dev/null && left=1
    done
    [ -n "$left" ] || return 0
    sleep 0.05
  done
  fail "node $1 does not die"
}

node_down() { scontrol update "NodeName=$1" State=DOWN Reason=crashed; }

node_return() { # NAME
  node_down "$1" # a reboot is known by its uptime, which here is the machine's
  # sockets of steps that died with the node
  find "$cluster/spool-$1" "$cluster/tmp-$1" -mindepth 1 -maxdepth 1 \( -type s -o -name '*pmix*' \) -exec rm -rf {} +
  slurmd_start "$1"
  wait_for_node "$1"
}
