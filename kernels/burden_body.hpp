// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include "kernels/dispatch.hpp"
#include "kernels/types.hpp"

/// What kernels/burden.cpp asks of its bodies in kernels/simd/burden.cpp; arrays by burden, padded to multiples of 8.
namespace chorale::kernels {

/// p_both = max(0, p_a p_b - v_a v_b / (V - (v_a + v_b)/2)), v = p (1-p), V = spread; p_a p_b where v_a v_b = 0.
// clang-format off
CHORALE_DECLARE_LEVELS(void probability_of_both(const double* p_a, const double* p_b, const double* spread, Index size, double* p_both))
// clang-format on

}  // namespace chorale::kernels
