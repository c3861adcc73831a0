// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/gray_test.hpp"

#include <Eigen/Dense>
#include <cmath>
#include <string>

#include "kernels/error.hpp"
#include "kernels/group_totals.hpp"

namespace chorale::kernels {
namespace {

void check(const CauseTimeline& causes, Index cause, const GrayOptions& options) {
  const auto refuse = [](const char* what, std::string found, std::string expected) {
    throw ShapeError({.what = what, .found = std::move(found), .expected = std::move(expected)});
  };
  if (cause < 1 || cause > causes.n_causes)
    refuse("cause out of range", std::to_string(cause), "1 to " + std::to_string(causes.n_causes));
  if (!(options.rho >= 0)) refuse("rho out of range", std::to_string(options.rho), "0 or more");
}

/// 0 for who has the cause, 1 for who has another, -1 for who is censored.
std::vector<std::int8_t> kinds_of(const CauseTimeline& causes, Index cause) {
  std::vector<std::int8_t> kind(causes.cause.size());
  for (std::size_t i = 0; i < kind.size(); ++i)
    kind[i] = causes.cause[i] == 0 ? -1 : causes.cause[i] == cause ? 0 : 1;
  return kind;
}

/// One stratum's walk through time. With h_g = n_g / S_g(t-) and Λ the cause's pooled subdistribution hazard,
/// the score answers to a group's martingale increments at t by a(t) − x(t) (c(∞) − c(t)), where
///
///   a = u (diag(h) − h h'/Σh),   c(t) = ∫ a dΛ,   x = 1 − (1 − F)/S_g for the cause, (1 − F)/S_g for the others
///
/// and c(∞) is known at the end only: V keeps what does not depend on it, cross_ and square_ the rest.
class Stratum {
 public:
  explicit Stratum(Index n_groups)
      : survival_(Eigen::VectorXd::Ones(n_groups)),
        incidence_(Eigen::VectorXd::Zero(n_groups)),
        square_(incidence_),
        score_(incidence_),
        gathered_(Eigen::MatrixXd::Zero(n_groups, n_groups)),
        cross_(gathered_),
        variance_(gathered_) {}

  void see(const Eigen::VectorXd& at_risk, const Eigen::VectorXd& events, const Eigen::VectorXd& others,
           double rho) {
    const Index n_groups = at_risk.size();
    const double d = events.sum();
    if (d == 0 && others.sum() == 0) return;
    Eigen::VectorXd size = Eigen::VectorXd::Zero(n_groups), after = survival_, gained = incidence_;
    for (Index g = 0; g < n_groups; ++g) {
      if (!(at_risk(g) > 0) || !(survival_(g) > 0)) continue;
      const double left = at_risk(g) - events(g) - others(g);
      size(g) = at_risk(g) / survival_(g);
      after(g) = survival_(g) * (left > 1e-12 * at_risk(g) ? left / at_risk(g) : 0);
      gained(g) += survival_(g) * events(g) / at_risk(g);
    }
    const double total = size.sum();
    if (!(total > 0)) return;
    const double free_before = 1 - pooled_;
    pooled_ += d / total;
    const double u = std::pow(free_before, rho);
    const Eigen::VectorXd share = size / total;
    const Eigen::MatrixXd a = u * (Eigen::MatrixXd(size.asDiagonal()) - size * share.transpose());
    if (d > 0) gathered_ += a * (d / (total * free_before));
    const Eigen::VectorXd weighed = size.cwiseProduct(Eigen::VectorXd::Ones(n_groups) - incidence_);
    score_ += u * (events - d / weighed.sum() * weighed);
    for (Index g = 0; g < n_groups; ++g) {
      if (!(size(g) > 0)) continue;
      const double n = at_risk(g), before = survival_(g), free = after(g) > 0 ? (1 - pooled_) / after(g) : 0;
      if (d > 0) {
        const double spread = d > 1 ? 1 - (d - 1) / (total * before - 1) : 1;
        add(g, a.col(g), 1 - free, spread * before * d / (total * n));
      }
      if (others(g) > 0 && after(g) > 0) {
        const double spread = others(g) > 1 ? 1 - (others(g) - 1) / (n - 1) : 1;
        add(g, Eigen::VectorXd::Zero(n_groups), free, spread * before * before * others(g) / (n * n));
      }
    }
    survival_ = after;
    incidence_ = gained;
  }

  void add_to(Eigen::VectorXd& score, Eigen::MatrixXd& variance) const {
    const Eigen::MatrixXd mixed = gathered_ * cross_.transpose();
    score += score_;
    variance +=
        variance_ + gathered_ * square_.asDiagonal() * gathered_.transpose() + mixed + mixed.transpose();
  }

 private:
  void add(Index g, const Eigen::VectorXd& a, double x, double spread) {
    const Eigen::VectorXd known = a - x * gathered_.col(g);
    variance_ += spread * known * known.transpose();
    cross_.col(g) += spread * x * known;
    square_(g) += spread * x * x;
  }

  double pooled_ = 0;
  Eigen::VectorXd survival_, incidence_, square_, score_;
  Eigen::MatrixXd gathered_, cross_, variance_;
};

void test(const Eigen::VectorXd& score, const Eigen::MatrixXd& variance, GrayResult& result) {
  std::vector<Index> compared;
  const double largest = variance.diagonal().maxCoeff();
  for (Index g = 0; g < score.size(); ++g) {
    if (variance(g, g) > 1e-12 * largest) compared.push_back(g);
  }
  if (compared.size() < 2) return;
  compared.erase(compared.begin());
  result.df = static_cast<Index>(compared.size());
  const Eigen::VectorXd difference = score(compared);
  const Eigen::LDLT<Eigen::MatrixXd> solver(Eigen::MatrixXd(variance(compared, compared)));
  if (solver.vectorD().minCoeff() > 1e-12 * solver.vectorD().maxCoeff())
    result.chi2 = difference.dot(solver.solve(difference));
}

}  // namespace

GrayResult gray_test(const CauseTimeline& causes, Index cause, std::span<const std::int32_t> group,
                     Index n_groups, std::span<const std::uint8_t> tested, const GrayOptions& options) {
  check(causes, cause, options);
  GrayResult result;
  GroupTotals totals = group_totals(causes.timeline, group, n_groups, kinds_of(causes, cause), 2, tested,
                                    options.case_weights);
  result.n_analysed = totals.n_analysed;
  result.n = std::move(totals.n);
  Eigen::VectorXd score = Eigen::VectorXd::Zero(n_groups);
  Eigen::MatrixXd variance = Eigen::MatrixXd::Zero(n_groups, n_groups);
  const std::vector<Index>& strata = causes.timeline.stratum_begin;
  for (std::size_t s = 0; s + 1 < strata.size(); ++s) {
    Stratum stratum(n_groups);
    for (Index t = strata[s]; t < strata[s + 1]; ++t)
      stratum.see(totals.at_risk.col(t), totals.events[0].col(t), totals.events[1].col(t), options.rho);
    stratum.add_to(score, variance);
  }
  result.score.assign(score.data(), score.data() + n_groups);
  result.variance.assign(variance.data(), variance.data() + variance.size());
  if (n_groups > 0) test(score, variance, result);
  return result;
}

}  // namespace chorale::kernels
