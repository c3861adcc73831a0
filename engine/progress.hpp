// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include "kernels/types.hpp"

namespace chorale::engine {

/// Where progress goes: a terminal gets one line that is rewritten, a log file a line now and then.
struct ProgressSink {
  std::function<void(std::string_view)> write;  ///< empty: silent
  bool terminal = false;
};

/// Counts units of a run and tells how far it is, at what rate, and how long it may still take.
class Progress {
 public:
  Progress(ProgressSink sink, std::string what, Index n_units, Index n_done_before);
  void update(Index n_done);
  void finish();

 private:
  using Clock = std::chrono::steady_clock;
  void show(Index n_done, Clock::time_point now);

  ProgressSink sink_;
  std::string what_;
  Index n_units_;
  Index n_before_;
  Clock::time_point start_;
  Clock::time_point shown_;
};

}  // namespace chorale::engine
