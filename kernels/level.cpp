// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/level.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <optional>
#include <string>

#include "kernels/error.hpp"

namespace chorale::kernels {
namespace {

constexpr std::array<Level, 4> all_levels{Level::base, Level::v2, Level::v3, Level::v4};

// clang before 16 knows no probe for a whole level; every CPU with the parts that v3() names has the rest
#if defined(__clang__) && __clang_major__ < 16
#define CHORALE_HAS_V3 true
#else
#define CHORALE_HAS_V3 __builtin_cpu_supports("x86-64-v3")
#endif

bool runs_here(Level level) {
#ifdef CHORALE_X86
  // the compiler's own probe also asks whether the operating system saves the wide registers
  const auto v2 = [] { return __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("popcnt"); };
  const auto v3 = [] {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") &&
           __builtin_cpu_supports("bmi2") && CHORALE_HAS_V3;
  };
  const auto v4 = [] {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl");
  };
  switch (level) {
    case Level::base:
      return false;
    case Level::v2:
      return v2();
    case Level::v3:
      return v2() && v3();
    case Level::v4:
      return v2() && v3() && v4();
  }
  return false;
#else
  return level == Level::base;
#endif
}

std::string listed(const std::vector<Level>& levels) {
  std::string text;
  for (const Level level : levels) {
    if (!text.empty()) text += ", ";
    text += name_of(level);
  }
  return text;
}

[[noreturn]] void refuse(std::string_view name, const std::string& in) {
  throw ConfigError({.what = "instruction level is not available on this machine",
                     .found = std::string(name),
                     .expected = "one of " + listed(available_levels()),
                     .in = in,
                     .remedy = "leave the level out to get the highest one"});
}

Level named(std::string_view name, const std::string& in) {
  for (const Level level : available_levels()) {
    if (name_of(level) == name) return level;
  }
  refuse(name, in);
}

Level chosen_at_start() {
  const char* name = std::getenv("CHORALE_LEVEL");
  if (name != nullptr && *name != '\0') return named(name, "environment variable CHORALE_LEVEL");
  return available_levels().back();
}

constexpr int not_forced = -1;
std::atomic<int> forced{not_forced};

}  // namespace

Level level() {
  const int by_caller = forced.load(std::memory_order_relaxed);
  if (by_caller != not_forced) return static_cast<Level>(by_caller);
  static const Level at_start = chosen_at_start();
  return at_start;
}

std::string_view name_of(Level level) {
  switch (level) {
    case Level::base:
      return "base";
    case Level::v2:
      return "v2";
    case Level::v3:
      return "v3";
    case Level::v4:
      return "v4";
  }
  throw ShapeError({.what = "instruction level out of range",
                    .found = std::to_string(static_cast<int>(level)),
                    .expected = "0 to 3"});
}

Level level_named(std::string_view name) {
  return named(name, "");
}

std::vector<Level> available_levels() {
  std::vector<Level> levels;
  std::copy_if(all_levels.begin(), all_levels.end(), std::back_inserter(levels), runs_here);
  if (levels.empty()) {
    throw ConfigError({.what = "this CPU is older than the oldest instruction level built",
                       .found = "an x86-64 CPU without SSE4.2 and POPCNT",
                       .expected = "x86-64-v2 or newer",
                       .remedy = "run on a machine made after 2009"});
  }
  return levels;
}

void force_level(Level level) {
  if (!runs_here(level)) refuse(name_of(level), "");
  forced.store(static_cast<int>(level), std::memory_order_relaxed);
}

}  // namespace chorale::kernels
