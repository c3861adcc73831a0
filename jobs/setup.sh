#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
#
# Installs the packages of jobs/packages.txt that are missing, then configures and builds a preset.
#
#   bash jobs/setup.sh [PRESET [TARGET...]]     PRESET: release (default), debug, sanitize, thread, perf, ci
#
# Asks no questions, and asks for root (or sudo) only when a package is missing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

preset="${1:-release}"
targets=("${@:2}")

fail() {
  printf 'setup: %s\n' "$@" >&2
  exit 2
}

# Names of the packages that this preset needs, from the one list.
needed() {
  sed 's/#.*//' jobs/packages.txt | awk -v preset="@$preset" 'NF == 1 || $2 == preset { print $1 }'
}

# Names of the packages without which some tests skip.
wished() { sed 's/#.*//' jobs/packages.txt | awk '$2 == "?" { print $1 }'; }

missing() { # NAMES…: those that are not installed
  local package
  for package in "$@"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || echo "$package"
  done
}

install_packages() {
  local as_root=()
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || fail "missing packages: $*" \
      "installing them needs root, and there is no sudo here" \
      "ask an administrator for: apt-get install --no-install-recommends $*"
    as_root=(sudo)
  fi
  echo "setup: installing $*"
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -q
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$@"
}

if command -v dpkg-query >/dev/null; then
  mapfile -t packages < <(missing $(needed))
  if [ ${#packages[@]} -gt 0 ]; then install_packages "${packages[@]}"; fi
  if [ ${#targets[@]} -eq 0 ]; then # everything is built, so tests may follow
    mapfile -t packages < <(missing $(wished))
    if [ ${#packages[@]} -gt 0 ]; then
      (install_packages "${packages[@]}") || echo "setup: without ${packages[*]} some tests skip" >&2
    fi
  fi
else
  echo "setup: no Debian package manager here; the build needs what jobs/packages.txt lists" >&2
fi

mkdir -p build
log="build/setup-$preset.log"
launcher=()
if command -v ccache >/dev/null; then launcher=(-D CMAKE_CXX_COMPILER_LAUNCHER=ccache); fi
echo "setup: building preset $preset (log: $log)"
cmake --preset "$preset" "${launcher[@]}" >"$log" 2>&1 || { cat "$log" >&2; fail "configuring failed"; }
cmake --build --preset "$preset" ${targets[@]:+--target "${targets[@]}"} >>"$log" 2>&1 ||
  { tail -n 60 "$log" >&2; fail "building failed; the whole log is $log"; }
