// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <span>

#include "kernels/cox_bootstrap.hpp"
#include "kernels/cox_bootstrap_fills.hpp"

namespace chorale::kernels {

/// The ordinary fit of one replicate; copies[i · stride] is patient i's. The coefficients are those of the free
/// columns as the rows of the design scale them.
CoxFit fit_alone(const CoxRows& rows, const BootstrapFills& fills, Index replicate,
                 const std::uint8_t* copies, Index stride, const CoxBootstrapOptions& options);

}  // namespace chorale::kernels
