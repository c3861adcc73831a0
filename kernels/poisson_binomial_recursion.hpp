// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <optional>

#include "kernels/aligned.hpp"
#include "kernels/poisson_binomial_body.hpp"

namespace chorale::kernels {

/// Natural logarithms of both tails.
struct LogTails {
  double less, greater;
};

/// Arrays that a thread keeps from one distribution to the next.
struct RecursionWorkspace {
  AlignedDoubles odds, power;  ///< by group
  AlignedDoubles density;      ///< f(k), after n_per_pass zeros
};

/// The tails at k by the recursion of poisson_binomial.hpp, 0 ≤ k ≤ n_open; nothing where it cannot keep its promise.
std::optional<LogTails> recursion_tails(const TrialArrays& trials, const TrialSums& sums, double k,
                                        RecursionWorkspace& workspace);

}  // namespace chorale::kernels
