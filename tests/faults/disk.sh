#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
#
# Disks that fill up, refuse or go away while shards, checkpoints, pieces and results are written: one message, exit code
# 4, nothing that looks complete; given room, the same bytes. Small disks are mounted in a namespace of this script's own:
# as root, or where users may make one. Where neither may be had, limits on the size of files stand in for full disks.
if [ -z "${CHORALE_OWN_MOUNTS:-}" ]; then
  for how in -m -rm; do
    if unshare $how mount -t tmpfs tmpfs /mnt 2>/dev/null; then
      CHORALE_OWN_MOUNTS=1 exec unshare $how bash "$0" "$@"
    fi
  done
fi
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

make_cohort cohort 3000 60 100 --set background_highest=0.3 --set background_lowest=0.01
for job in landscape interactions; do run_job $job 2 reference-$job >/dev/null 2>&1; done

# Of what the disk was full when the run ended.
where_it_failed() {
  case "$said" in
    *"in   "*.parts*) echo checkpoint ;;
    *"in   "*/pieces/*) echo piece ;;
    *"in   "*/results.h5* | *"in   "*.tsv* | *"in   "*.json* | *"in   "*/report.html*) echo result ;;
    *"in   "*/.chorale*) echo start ;;
    *) fail "the message names no file: $said" ;;
  esac
}

# Limits on what a process may write stand for quotas; no mount is needed.
for limit in 4 16 60; do # KiB
  code_of bash -c 'ulimit -f "$1"; shift; exec "$@"' _ $limit "$program" run "$source_dir/tests/ranks/landscape.toml" \
    --set "cohort=\"$work/cohort\"" --set "output=\"$work/limited\""
  require_code 4
  require_one_error
  require_said "File too large"
  require_no_done limited
done
require_resumes landscape 2 limited reference-landscape
echo "files may not grow: one message, exit code 4; without the limit, the same results"

# The folder goes while the run is at work.
for n in alone 2; do
  landscape_in_background $n vanished
  wait_for_parts vanished
  mv "$work/vanished" "$work/elsewhere"
  wait_for_launcher
  said="$(cat "$work/background.txt")"
  if [ -e "$work/elsewhere/DONE" ]; then # it was done before
    require_equal reference-landscape elsewhere
  else
    require_code 4
    require_one_error
    require_no_done vanished
    rm -rf "$work/vanished"
    mv "$work/elsewhere" "$work/vanished"
    require_resumes landscape 2 vanished reference-landscape
  fi
  rm -rf "$work/vanished" "$work/elsewhere"
done
echo "an output folder that goes away: one message, exit code 4; when it is back, the run resumes"

[ -n "${CHORALE_OWN_MOUNTS:-}" ] || skip "no small disks: this user can neither mount nor make a namespace"
disk="$work/disk"
mkdir "$disk"
mount -t tmpfs tmpfs "$disk"
trap 'umount -l "$work/mounted" "$disk" 2>/dev/null || true; rm -rf "$work"' EXIT
resize() { mount -o "remount,size=$1k" "$disk"; } # KIB

# Growing disks, so that each kind of file is once the one that does not fit.
declare -A hit
fill() { # JOB N KIB
  resize "$3"
  code_of run_job "$1" "$2" disk/out
  if [ "$code" = 0 ]; then
    require_equal "reference-$1" disk/out
  else
    require_code 4
    require_one_error
    require_said "No space left on device"
    require_no_done disk/out
    hit[$(where_it_failed)]=1
    resize 65536
    require_resumes "$1" 2 disk/out "reference-$1"
  fi
  rm -r "$disk/out"
}
for kib in 4 $(seq 24 "$(in_ci_or_long 64 8)" 424); do fill landscape alone "$kib"; done
for kib in 60 110 170 240 300 360 440 520 620 740 880 1060 1300 $(seq 1800 "$(in_ci_or_long 1400 100)" 4000); do fill interactions alone "$kib"; done
for kib in 48 200; do fill landscape 2 "$kib"; done
[ "${scale}" = small ] || for kind in checkpoint piece result; do
  [ -n "${hit[$kind]:-}" ] || fail "the disk was never full when a $kind was written: ${!hit[*]}"
done
echo "full disks (${!hit[*]}): one message, exit code 4; given room, the same results"

# Shards: by simulate on one and two ranks, by ingest.
with_ranks alone simulate "$source_dir/tests/ranks/cohort.toml" "$work/study" --as study --set patients=1200 --set genes=60 \
  >/dev/null 2>&1
with_ranks alone ingest "$work/study" "$work/ingested" >/dev/null 2>&1
simulate() { # N OUT
  with_ranks "$1" simulate "$source_dir/tests/ranks/cohort.toml" "$2" --set patients=3000 --set genes=60 \
    --set patients_per_shard=100 --set background_highest=0.3 --set background_lowest=0.01
}
for kib in 16 90 170; do
  for how in "simulate alone" "simulate 2" "with_ranks alone ingest $work/study"; do
    resize $kib
    code_of $how "$disk/cohort"
    require_code 4
    require_one_error
    require_said "No space left on device"
    [ ! -e "$disk/cohort/cohort.json" ] || fail "a cohort that is not finished has a manifest"
    [ -z "$(find "$disk/cohort" -name '*.part-*')" ] || fail "something unfinished was left"
    code_of "$program" inspect "$disk/cohort"
    require_code 3
    resize 65536
    code_of $how "$disk/cohort"
    require_code 0
    case "$how" in
      simulate*) diff -r "$work/cohort" "$disk/cohort" || fail "the cohort differs" ;;
      *) diff -r -x cohort.json "$work/ingested" "$disk/cohort" || fail "the cohort differs" ;;
    esac
    rm -r "$disk/cohort"
  done
done
echo "a disk full of shards: one message, exit code 4, no cohort; given room, the same bytes"

# A disk that can only be read, before and, through a second mount, while the run is at work.
resize 65536
mkdir "$disk/out"
mount -o remount,ro "$disk"
for n in alone 2; do
  code_of landscape $n disk/out
  require_code 4
  require_one_error
  require_said "Read-only file system"
done
mount -o remount,rw "$disk"
require_resumes landscape 2 disk/out reference-landscape
rm -r "$disk/out"
mkdir "$work/mounted"
for n in alone 2; do
  mount --bind "$disk" "$work/mounted"
  landscape_in_background $n mounted/out
  wait_for_parts mounted/out
  mount -o remount,bind,ro "$work/mounted" 2>/dev/null || umount -l "$work/mounted" # busy: then it goes away altogether
  wait_for_launcher
  said="$(cat "$work/background.txt")"
  umount -l "$work/mounted" 2>/dev/null || true
  rm -rf "$work/mounted/out"
  if [ ! -e "$disk/out/DONE" ]; then
    require_code 4
    require_one_error
    require_resumes landscape 2 disk/out reference-landscape
  fi
  rm -r "$disk/out"
done
echo "a disk that can only be read, or goes away: one message, exit code 4; when it is back, the run resumes"

mkdir "$disk/shared"
resize 80
OMPI_MCA_osc_sm_backing_directory="$disk/shared" code_of landscape 2 no-room
require_code 5
require_one_error
require_said "the node has no room for the cohort in shared memory"
require_no_done no-room
echo "no room in shared memory: one message, exit code 5"
