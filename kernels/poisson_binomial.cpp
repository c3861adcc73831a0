// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/poisson_binomial.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <numbers>
#include <string>

#include "kernels/error.hpp"
#include "kernels/poisson_binomial_body.hpp"
#include "kernels/poisson_binomial_recursion.hpp"
#include "kernels/poisson_binomial_tail.hpp"

namespace chorale::kernels {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
[[noreturn]] void refuse(TailChoice choice, Index observed) {
  throw ShapeError({.what = "the demanded method cannot serve this distribution",
                    .found = fmt::format("method {} at {} successes", static_cast<int>(choice), observed),
                    .expected = "automatic, or contour"});
}

}  // namespace

std::string_view name_of(TailMethod method) {
  switch (method) {
    case TailMethod::certain:
      return "certain";
    case TailMethod::recursion:
      return "recursion";
    case TailMethod::contour:
      return "contour";
    case TailMethod::saddlepoint:
      return "saddlepoint";
  }
  throw ShapeError({.what = "tail method out of range",
                    .found = std::to_string(static_cast<int>(method)),
                    .expected = "a TailMethod"});
}

void PoissonBinomial::clear() {
  n_.clear();
  p_.clear();
  n_certain_ = 0;
}

void PoissonBinomial::add(double n, double p) {
  n_.push_back(n);
  p_.push_back(p);
}

std::span<double> PoissonBinomial::add(std::span<const double> n) {
  const std::size_t begin = n_.size();
  n_.insert(n_.end(), n.begin(), n.end());
  p_.resize(n_.size());
  return std::span(p_).subspan(begin);
}

PoissonBinomialTails PoissonBinomial::tails(Index observed, TailChoice choice) {
  while (n_.size() % n_per_pass != 0) add(0, 0);
  const TrialArrays trials{n_.data(), p_.data(), static_cast<Index>(n_.size())};
  const TrialSums sums = CHORALE_AT_LEVEL(take_out_certain, n_.data(), p_.data(), trials.size);
  n_certain_ += sums.n_certain;
  const double k = static_cast<double>(observed) - n_certain_;
  PoissonBinomialTails result{sums.mean + n_certain_, sums.variance, 0, 0, TailMethod::certain};
  if (k < 0 || (k == 0 && sums.n_open == 0)) {
    result.log10_less = k < 0 ? -infinity : 0;
    return result;
  }
  if (k > sums.n_open) {
    result.log10_greater = -infinity;
    return result;
  }
  const auto answer = [&](TailMethod method, const LogTails& tails) {
    result.log10_less = tails.less * std::numbers::log10e;
    result.log10_greater = tails.greater * std::numbers::log10e;
    result.method = method;
    return result;
  };
  if (choice == TailChoice::automatic || choice == TailChoice::recursion) {
    if (const auto tails = recursion_tails(trials, sums, k, workspace_)) {
      return answer(TailMethod::recursion, *tails);
    }
    if (choice == TailChoice::recursion) refuse(choice, observed);
  }

  // the smaller tail at k, and the one beyond it, which is what the larger tail leaves
  const int side = k > sums.mean ? 1 : -1;
  const SmallTail tail(trials, sums, side);
  const auto both = [&](double at_k, double beyond) {
    const double other = std::log1p(-std::exp(beyond));
    return side > 0 ? LogTails{other, at_k} : LogTails{at_k, other};
  };
  if (choice != TailChoice::contour) {
    const SaddleTail at_k = tail.saddlepoint(k), beyond = tail.saddlepoint(k + side);
    const bool accurate = at_k.error <= saddlepoint_promise && beyond.error <= saddlepoint_promise;
    const bool demanded = choice == TailChoice::saddlepoint;
    if (demanded && (std::isnan(at_k.log_p) || std::isnan(beyond.log_p))) refuse(choice, observed);
    if (accurate || demanded) return answer(TailMethod::saddlepoint, both(at_k.log_p, beyond.log_p));
  }
  return answer(TailMethod::contour, both(tail.contour(k), tail.contour(k + side)));
}

PoissonBinomialTails poisson_binomial(const TrialGroups& groups, Index observed, TailChoice choice) {
  if (groups.n.size() != groups.p.size()) {
    throw ShapeError({.what = "groups of trials differ in length",
                      .found = fmt::format("{} numbers, {} probabilities", groups.n.size(), groups.p.size()),
                      .expected = "one of each per group"});
  }
  PoissonBinomial distribution;
  for (std::size_t g = 0; g < groups.n.size(); ++g) {
    const double n = groups.n[g], p = groups.p[g];
    if (!(n >= 0 && n == std::floor(n) && p >= 0 && p <= 1)) {
      throw ShapeError({.what = "impossible group of trials",
                        .found = fmt::format("n = {}, p = {}", n, p),
                        .expected = "n whole and not negative, p in [0, 1]"});
    }
    distribution.add(n, p);
  }
  return distribution.tails(observed, choice);
}

}  // namespace chorale::kernels
