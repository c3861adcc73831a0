// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <array>

#include "kernels/pair_cox_body.hpp"

namespace chorale::kernels {

/// What the bound of pair_cox_screen.hpp is computed from; groups are only a, only b, both.
struct PairBound {
  double a = 0, b = 0;             ///< the point θ
  std::array<double, 3> deaths{};  ///< weights of the dying
  std::array<double, 3>
      mean_share{};  ///< of the risk sets beside the covariates alone: about how large shares are
};

/// No less than the likelihood ratio of ab, 1 degree of freedom; infinite where nothing is proven.
double lrt_at_most(const EventTable& all, const PairTable& pair, const PairBound& bound);

}  // namespace chorale::kernels
