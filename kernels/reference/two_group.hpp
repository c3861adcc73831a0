// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include "kernels/two_group.hpp"

namespace chorale::kernels::reference {

/// One feature by the plain bodies: log_rank over two groups, and Newton's method on reference::cox_terms
/// with the feature as a dense column. The limits of diverging fits are taken at |log hazard| = 40.
TwoGroupFit two_group(const Timeline& timeline, std::span<const std::uint8_t> tested,
                      std::span<const std::int32_t> carriers, Ties ties);

}  // namespace chorale::kernels::reference
