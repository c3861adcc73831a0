// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include "kernels/level.hpp"

/// How kernels/<kernel>.cpp reaches the body that was built for the level in force.
///
///   CHORALE_DECLARE_LEVELS(Index count(std::span<const Index> values))     // in namespace chorale::kernels
///   ...
///   return CHORALE_AT_LEVEL(count, values);
///
/// The body itself stands in kernels/simd/<kernel>.cpp, in `namespace chorale::kernels::simd::CHORALE_LEVEL`.
#ifdef CHORALE_X86

// __VA_ARGS__: a signature may hold commas
#define CHORALE_DECLARE_LEVELS(...) \
  namespace simd {                  \
  namespace v2 {                    \
  __VA_ARGS__;                      \
  }                                 \
  namespace v3 {                    \
  __VA_ARGS__;                      \
  }                                 \
  namespace v4 {                    \
  __VA_ARGS__;                      \
  }                                 \
  }

#define CHORALE_AT_LEVEL(function, ...)                                                             \
  (::chorale::kernels::level() == ::chorale::kernels::Level::v4   ? simd::v4::function(__VA_ARGS__) \
   : ::chorale::kernels::level() == ::chorale::kernels::Level::v3 ? simd::v3::function(__VA_ARGS__) \
                                                                  : simd::v2::function(__VA_ARGS__))

#else

#define CHORALE_DECLARE_LEVELS(...) \
  namespace simd::base {            \
  __VA_ARGS__;                      \
  }

#define CHORALE_AT_LEVEL(function, ...) simd::base::function(__VA_ARGS__)

#endif
