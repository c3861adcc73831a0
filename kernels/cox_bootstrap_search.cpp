// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/cox_bootstrap_search.hpp"

#include <algorithm>
#include <cmath>

namespace chorale::kernels {

/// Two loops, Nocedal 1980.
Eigen::VectorXd ReplicateSearch::solve(Eigen::VectorXd gradient) const {
  std::vector<double> share(seen_.size());
  for (std::size_t k = seen_.size(); k-- > 0;) {
    share[k] = seen_[k].inverse * seen_[k].step.dot(gradient);
    gradient -= share[k] * seen_[k].change;
  }
  Eigen::VectorXd step = full_->solve(gradient);
  for (std::size_t k = 0; k < seen_.size(); ++k) {
    step += (share[k] - seen_[k].inverse * seen_[k].change.dot(step)) * seen_[k].step;
  }
  return step;
}

void ReplicateSearch::see(const Eigen::VectorXd& gradient, double loglik, bool exact) {
  // single precision is wrong by up to 1e-5 standard errors: shorter steps say nothing of curvature or progress
  constexpr double last_step = 1e-9, seen_by_single = 1e-4, seen_at_all = 1e-8;
  const bool first = passes_++ == 0;
  const bool telling = !first && (exact_before_ || left_ > seen_by_single);
  if (telling) {
    const Eigen::VectorXd change = gradient_ - gradient;
    const double curvature = step_.dot(change);
    if (curvature > 0) seen_.push_back({.step = step_, .change = change, .inverse = 1 / curvature});
  }
  gradient_ = gradient;
  step_ = solve(gradient);
  const double left = std::sqrt(gradient.dot(step_));
  const double negligible = exact && exact_before_ ? seen_at_all : seen_by_single;
  // also where the gradient is not a number
  const bool progress = first || left <= left_ / 2 || left < negligible;
  if (!progress || !std::isfinite(left)) {
    state_ = State::stuck;
    return;
  }
  // the next step is no more of this one than any was of the one before it
  if (telling) slowest_ = std::max(slowest_, left / left_);
  const double foreseen = telling ? left * std::min(1.0, slowest_) : left;
  left_ = left;
  exact_before_ = exact;
  moved_ += step_;
  loglik_ = loglik + left * left / 2;
  if (exact && foreseen < last_step) state_ = State::converged;
}

}  // namespace chorale::kernels
