// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/cox_bootstrap_search.hpp"

#include <algorithm>
#include <cmath>

namespace chorale::kernels {
namespace {

// in standard errors; single precision is wrong by 1e-6, and by up to 1e-4 the same way everywhere where a column has
// few values that it rounds
constexpr double last_step = 1e-9, seen_by_single = 1e-5, single_beside_double = 1e-4, seen_at_all = 1e-8;
// what single precision and the bend of the way leave uncertain of a probe's curvature
constexpr double probe_length = 1e-2, probe_error = 3e-4;

}  // namespace

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

void ReplicateSearch::learn(const Eigen::VectorXd& step, const Eigen::VectorXd& change) {
  const double curvature = step.dot(change);
  if (curvature > 0) seen_.push_back({.step = step, .change = change, .inverse = 1 / curvature});
}

/// False where the last step did not help.
bool ReplicateSearch::move(const Eigen::VectorXd& gradient, bool telling, double negligible) {
  const bool first = passes_++ == 0;
  if (telling && !first) learn(step_, gradient_ - gradient);
  gradient_ = gradient;
  step_ = solve(gradient);
  const double left = std::sqrt(gradient.dot(step_));
  // also where the gradient is not a number
  const bool progress = first || left <= left_ / 2 || left < negligible;
  if (!progress || !std::isfinite(left)) {
    state_ = State::stuck;
    return false;
  }
  // the next step is no more of this one than any was of the one before it
  if (telling && !first) slowest_ = std::max(slowest_, left / left_);
  left_ = left;
  moved_ += step_;
  return true;
}

void ReplicateSearch::see_single(const Eigen::VectorXd& gradient) {
  single_at_ = moved_;
  single_gradient_ = gradient;
  move(gradient, left_ > seen_by_single, single_beside_double);
  single_before_ = true;
}

void ReplicateSearch::see(const Eigen::VectorXd& gradient, double loglik) {
  const bool first = passes_ == 0, telling = !single_before_ || left_ > single_beside_double;
  if (!move(gradient, telling, single_before_ ? single_beside_double : seen_at_all)) return;
  single_before_ = false;
  loglik_ = loglik + left_ * left_ / 2;
  residual_ = gradient;
  mended_ = step_;
  missed_ = left_;
  const double foreseen = telling && !first ? left_ * std::min(1.0, slowest_) : left_;
  if (foreseen < last_step) state_ = State::converged;
}

Eigen::VectorXd ReplicateSearch::probe() const {
  return single_at_ + probe_length / missed_ * mended_;
}

void ReplicateSearch::see_probe(const Eigen::VectorXd& gradient) {
  ++passes_;
  const double length = probe_length / missed_;
  const Eigen::VectorXd change = single_gradient_ - gradient;
  learn(length * mended_, change);
  residual_ -= change / length;
  mended_ = solve(residual_);
  moved_ += mended_;
  step_ += mended_;
  missed_ = std::sqrt(residual_.dot(mended_));
  // what is missed now is no more of this than the next step was of any
  const double foreseen = missed_ * std::min(1.0, slowest_) + left_ * probe_error;
  if (foreseen < last_step) state_ = State::converged;
}

}  // namespace chorale::kernels
