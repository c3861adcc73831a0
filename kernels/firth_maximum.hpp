// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <Eigen/Dense>
#include <functional>
#include <limits>
#include <vector>

#include "kernels/types.hpp"

namespace chorale::kernels {

/// Firth's penalised log-likelihood l*(β) = l(β) + ½ log |I(β)| at one place.
struct FirthPlace {
  Eigen::VectorXd beta;
  Eigen::VectorXd score;    ///< of the log partial likelihood; 0 where aliased
  Eigen::VectorXd penalty;  ///< ½ tr(I⁻¹ ∂I/∂β)
  Eigen::MatrixXd information;
  double loglik = -std::numeric_limits<double>::infinity();  ///< penalised; −∞ where |I| is not positive
};

struct FirthPeak {
  FirthPlace place;
  bool converged = false;
  int iterations = 0;
};

/// Climbs l* along the free coefficients by steps (I + B)⁻¹ (score + penalty), B from the secants of the penalty, halved
/// while l* falls, until the next step would be below 1e-9 standard errors.
FirthPeak firth_maximum(const std::function<FirthPlace(const Eigen::VectorXd&)>& at, FirthPlace start,
                        const std::vector<Index>& free, int max_iterations = 200);

}  // namespace chorale::kernels
