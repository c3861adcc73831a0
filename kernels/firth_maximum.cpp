// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/firth_maximum.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace chorale::kernels {
namespace {

/// What the penalty adds to the information: the secants of its own slope, by symmetric updates of rank one. Without
/// it the steps would shrink by a constant factor only.
class Secants {
 public:
  explicit Secants(Index n) : bend_(Eigen::MatrixXd::Zero(n, n)) {}

  /// (information + bend)⁻¹ score, or the information alone where that is not positive.
  Eigen::VectorXd solve(const Eigen::MatrixXd& information, const Eigen::VectorXd& score) {
    Eigen::LLT<Eigen::MatrixXd> factor(Eigen::MatrixXd(information + bend_));
    if (factor.info() != Eigen::Success) {
      bend_.setZero();
      factor.compute(information);
    }
    return factor.solve(score);
  }

  void add(const Eigen::VectorXd& step, const Eigen::VectorXd& change) {
    const Eigen::VectorXd left = -change - bend_ * step;
    const double along = left.dot(step);
    if (std::abs(along) > 1e-8 * left.norm() * step.norm()) bend_ += left * left.transpose() / along;
  }

 private:
  Eigen::MatrixXd bend_;
};

}  // namespace

FirthPeak firth_maximum(const std::function<FirthPlace(const Eigen::VectorXd&)>& at, FirthPlace start,
                        const std::vector<Index>& free, int max_iterations) {
  constexpr int max_halvings = 30;
  constexpr double last_step = 1e-9, longest_step = 2;
  FirthPeak peak{.place = std::move(start)};
  if (free.empty()) {
    peak.converged = std::isfinite(peak.place.loglik);
    return peak;
  }
  Secants secants(static_cast<Index>(free.size()));
  for (peak.iterations = 1; peak.iterations <= max_iterations; ++peak.iterations) {
    const FirthPlace& place = peak.place;
    if (!std::isfinite(place.loglik)) return peak;
    const Eigen::VectorXd score = (place.score + place.penalty)(free);
    const Eigen::VectorXd solution = secants.solve(place.information(free, free), score);
    const double lambda = std::sqrt(score.dot(solution));
    if (!std::isfinite(lambda)) return peak;
    if (lambda < last_step) {
      peak.converged = true;
      return peak;
    }
    Eigen::VectorXd step = Eigen::VectorXd::Zero(place.beta.size());
    step(free) = solution * std::min(1.0, longest_step / solution.cwiseAbs().maxCoeff());
    FirthPlace next = at(place.beta + step);
    const double rounding = 1e-12 * std::abs(place.loglik);
    for (int k = 0; !(next.loglik >= place.loglik - rounding) && k < max_halvings; ++k) {
      step /= 2;
      next = at(place.beta + step);
    }
    if (!(next.loglik >= place.loglik - rounding)) return peak;
    secants.add(step(free), (next.penalty - place.penalty)(free));
    peak.place = std::move(next);
  }
  return peak;
}

}  // namespace chorale::kernels
