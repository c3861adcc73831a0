// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <string_view>
#include <vector>

namespace chorale::kernels {

/// Which fast bodies run: the x86-64 psABI levels, or the one portable body on other machines.
///
///   base   the compiler's default for a machine that is not x86-64
///   v2     SSE4.2, POPCNT
///   v3     AVX2, BMI1, BMI2, F16C, FMA, LZCNT, MOVBE
///   v4     AVX-512 F, BW, CD, DQ, VL
enum class Level { base, v2, v3, v4 };

/// The level in force: the highest that this CPU has, unless CHORALE_LEVEL or force_level() chose another.
///
/// The environment is read once, at the first call of level().
/// Throws   ConfigError, at every call, when CHORALE_LEVEL names no level or one that the CPU lacks; the
///          text lists those available
/// Cost     one atomic load
/// Threads  safe
Level level();

/// "base", "v2", "v3" or "v4".
std::string_view name_of(Level level);

/// The level of that name. Throws ConfigError, as level() does, when it is unknown or not available here.
Level level_named(std::string_view name);

/// Levels that this build holds and this CPU can run, lowest first; never empty.
/// Throws ConfigError on an x86-64 CPU below v2, for which no body was built.
std::vector<Level> available_levels();

/// Makes `level` the one in force for the whole process, over the environment. Call it before threads start.
/// Throws ConfigError when the CPU lacks it.
void force_level(Level level);

}  // namespace chorale::kernels
