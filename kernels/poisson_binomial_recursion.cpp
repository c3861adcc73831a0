// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/poisson_binomial_recursion.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace chorale::kernels {
namespace {

constexpr double most_successes = 256;  // beyond, the saddlepoint is accurate and cheaper
constexpr Index most_sums = 4 * n_per_pass;
constexpr double largest_odds = 0.2;      // tilted to k, of trials in the power sums
constexpr double most_convolved = 3e5;    // trials · outcomes; beyond, the contour is cheaper
constexpr double smallest_tail = 1e-280;  // leaves room before a double underflows

class Recursion {
 public:
  Recursion(const TrialArrays& trials, double k, double tilt, RecursionWorkspace& workspace)
      : trials_(trials), k_(static_cast<Index>(k)), limit_(largest_odds / tilt), workspace_(workspace) {
    workspace.odds.resize(static_cast<std::size_t>(trials.size));
    workspace.power.resize(static_cast<std::size_t>(trials.size));
    n_convolved_ = CHORALE_AT_LEVEL(split_odds, trials, limit_, odds(), power());
    add_sums();
    // T_j until the series Σ T_j z^j has ended
    while (last_sum(tilt) >= 1e-14 && n_sums_ < most_sums) add_sums();
    for (Index j = 1; j <= n_sums_; ++j) {
      double& term = sum_[static_cast<std::size_t>(j - 1)];
      if (j % 2 == 0) term = -term;
      log_none_ -= term / static_cast<double>(j);
    }
  }

  // Makes f(0) … f(k + n_beyond) of all trials; false when that would be slow or not accurate.
  bool make_density(Index n_beyond) {
    const Index size = (k_ + n_beyond + n_per_pass) / n_per_pass * n_per_pass;
    if (n_convolved_ * static_cast<double>(size) > most_convolved) return false;
    AlignedDoubles& all = workspace_.density;
    all.assign(static_cast<std::size_t>(size + n_per_pass), 0.0);
    double* density = all.data() + n_per_pass;
    density[0] = std::exp(log_none_);
    for (Index y = 1; y < size; ++y) {
      double next = 0;
      for (Index j = std::min(y, n_sums_); j >= 1; --j)
        next += sum_[static_cast<std::size_t>(j - 1)] * density[y - j];
      density[y] = next / static_cast<double>(y);
    }
    if (n_convolved_ > 0) {
      for (Index g = 0; g < trials_.size; ++g) {
        const double p = trials_.p[g], n = trials_.n[g];
        if (n > 0 && p / (1 - p) > limit_) CHORALE_AT_LEVEL(convolve_trials, n, p, density, size);
      }
    }
    const double z = k_ == 0 ? 0 : density[k_ - 1] / density[k_];
    const double reach = std::max(1.0, z);
    return std::isfinite(reach) && last_sum(reach) < 1e-13 && std::abs(sum_[1]) * reach * reach < 7;
  }

  double at(Index y) const { return workspace_.density[static_cast<std::size_t>(y + n_per_pass)]; }
  Index n_made() const { return static_cast<Index>(workspace_.density.size()) - n_per_pass; }

 private:
  double* odds() { return workspace_.odds.data(); }
  double* power() { return workspace_.power.data(); }

  void add_sums() {
    CHORALE_AT_LEVEL(power_sums, odds(), power(), trials_.size, sum_.data() + n_sums_);
    n_sums_ += n_per_pass;
  }

  // |T_j| z^j of the last j
  double last_sum(double z) const {
    return std::abs(sum_[static_cast<std::size_t>(n_sums_ - 1)]) * std::pow(z, static_cast<double>(n_sums_));
  }

  TrialArrays trials_;
  Index k_;
  double limit_;
  RecursionWorkspace& workspace_;
  double n_convolved_;
  std::array<double, most_sums> sum_{};  // T_j, then with the sign of the series
  Index n_sums_ = 0;
  double log_none_ = 0;  // log f(0) of the trials in the power sums
};

}  // namespace

std::optional<LogTails> recursion_tails(const TrialArrays& trials, const TrialSums& sums, double k,
                                        RecursionWorkspace& workspace) {
  if (k > most_successes) return {};
  Recursion recursion(trials, k, std::max(1.0, k / sums.mean), workspace);
  if (!recursion.make_density(0)) return {};
  const auto observed = static_cast<Index>(k);
  double below = 0;
  for (Index y = 0; y < observed; ++y) below += recursion.at(y);
  const double less = below + recursion.at(observed);
  if (!(less > smallest_tail)) return {};
  // 1 - below keeps ten digits while it is not small
  if (below < 0.999) return LogTails{std::log(std::min(1.0, less)), std::log1p(-below)};

  // f falls at least as fast as a Poisson density of mean k
  if (!recursion.make_density(static_cast<Index>(8 * std::sqrt(k)) + 16)) return {};
  double above = 0;
  for (Index y = recursion.n_made() - 1; y > observed; --y) {
    if (static_cast<double>(y) <= sums.n_open) above += recursion.at(y);
  }
  const double greater = above + recursion.at(observed);
  if (!(greater > smallest_tail)) return {};
  return LogTails{std::log1p(-above), std::log(greater)};
}

}  // namespace chorale::kernels
