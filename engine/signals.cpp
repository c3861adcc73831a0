// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "engine/signals.hpp"

#include <csignal>

namespace chorale::engine {
namespace {

volatile std::sig_atomic_t requested = 0;
void request(int) {
  requested = 1;
}

}  // namespace

void watch_signals() {
  struct sigaction action {};
  action.sa_handler = request;
  action.sa_flags = SA_RESTART;
  sigaction(SIGUSR1, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

bool stop_requested() {
  return requested != 0;
}

void forget_stop() {
  requested = 0;
}

}  // namespace chorale::engine
