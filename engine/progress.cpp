// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "engine/progress.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace chorale::engine {
namespace {

using namespace std::chrono_literals;

std::string spoken(double seconds) {
  if (seconds < 90) return fmt::format("{:.0f} s", seconds);
  if (seconds < 5400) return fmt::format("{:.0f} min", seconds / 60);
  return fmt::format("{:.1f} h", seconds / 3600);
}

}  // namespace

Progress::Progress(ProgressSink sink, std::string what, Index n_units, Index n_done_before)
    : sink_(std::move(sink)),
      what_(std::move(what)),
      n_units_(n_units),
      n_before_(n_done_before),
      start_(Clock::now()),
      shown_(start_) {}

void Progress::update(Index n_done) {
  const auto now = Clock::now();
  if (!sink_.write || now - shown_ < (sink_.terminal ? 200ms : 30s)) return;
  shown_ = now;
  show(n_done, now);
}

void Progress::show(Index n_done, Clock::time_point now) {
  const double seconds = std::max(1e-9, std::chrono::duration<double>(now - start_).count());
  const double rate = static_cast<double>(n_done - n_before_) / seconds;
  const std::string left =
      rate > 0 ? spoken(static_cast<double>(n_units_ - n_done) / rate) + " left" : "starting";
  const std::string line =
      fmt::format("{}: {} of {} units, {:.1f} units/s, {}", what_, n_done, n_units_, rate, left);
  sink_.write(sink_.terminal ? "\r\x1b[K" + line : line + "\n");
}

void Progress::finish() {
  if (!sink_.write) return;
  const double seconds = std::chrono::duration<double>(Clock::now() - start_).count();
  const std::string line = fmt::format("{}: {} units in {}\n", what_, n_units_ - n_before_, spoken(seconds));
  sink_.write(sink_.terminal ? "\r\x1b[K" + line : line);
}

}  // namespace chorale::engine
