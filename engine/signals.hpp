// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

namespace chorale::engine {

/// From now on SIGUSR1 and SIGTERM ask for a stop instead of ending the process.
void watch_signals();

/// Whether a stop was asked for.
bool stop_requested();

/// Forgets a request, so that the same process can run again.
void forget_stop();

}  // namespace chorale::engine
