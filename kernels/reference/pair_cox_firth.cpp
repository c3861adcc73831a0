// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/cox_engine.hpp"
#include "kernels/pair_cox_feature.hpp"
#include "kernels/reference/pair_cox.hpp"

namespace chorale::kernels::reference {
namespace {

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

/// Sums over a set of patients: of risk, risk x, risk x x', and with v = x'Vx of risk v, risk v x.
struct Moments {
  explicit Moments(Index q) : s1(Eigen::VectorXd::Zero(q)), s2(Eigen::MatrixXd::Zero(q, q)), s1_v(s1) {}

  void clear() {
    s0 = s_v = 0;
    s1.setZero();
    s2.setZero();
    s1_v.setZero();
  }
  void add(double risk, const Eigen::VectorXd& x, double v) {
    s0 += risk;
    s_v += risk * v;
    s1.noalias() += risk * x;
    s1_v.noalias() += risk * v * x;
    s2.noalias() += risk * x * x.transpose();
  }
  void add(double factor, const Moments& other) {
    s0 += factor * other.s0;
    s_v += factor * other.s_v;
    s1.noalias() += factor * other.s1;
    s1_v.noalias() += factor * other.s1_v;
    s2.noalias() += factor * other.s2;
  }

  double s0 = 0, s_v = 0;
  Eigen::VectorXd s1;
  Eigen::MatrixXd s2;
  Eigen::VectorXd s1_v;
};

struct Place {
  Eigen::VectorXd beta, score;  ///< score: penalised
  Eigen::MatrixXd information;
  double loglik = -std::numeric_limits<double>::infinity();  ///< penalised
};

/// Covariates that are not aliased, scaled, and a, b, a·b, row by row.
class PenalisedModel {
 public:
  PenalisedModel(const CoxRows& rows, Ties ties, const std::vector<Index>& kept)
      : rows_(rows), times_(rows.times(ties)), efron_(ties == Ties::efron), kept_(kept) {
    x_ = Eigen::MatrixXd::Zero(q(), rows.n_rows);
    for (std::size_t j = 0; j < kept.size(); ++j) {
      for (Index row = 0; row < rows.n_rows; ++row)
        x_(static_cast<Index>(j), row) = rows.columns[size(kept[j] * rows.n_rows + row)];
    }
    entering_.resize(size(times_.n_times()));
    for (Index row = 0; row < static_cast<Index>(rows.enters.size()); ++row) {
      const std::int32_t enters = rows.enters[size(row)];
      if (enters < times_.n_times()) entering_[size(enters)].push_back(row);
    }
  }

  Index q() const { return static_cast<Index>(kept_.size()) + 3; }
  Index a() const { return static_cast<Index>(kept_.size()); }

  void set_pair(const PairFeature& first, const PairFeature& second);
  const PairCounts& counts() const { return counts_; }

  Place at(const Eigen::VectorXd& beta) const;

 private:
  void walk(const Eigen::VectorXd& beta, const Eigen::MatrixXd* inverse, Place& place) const;
  void add_time(Index t, const Moments& at_risk, const Moments& dying, double weight,
                const Eigen::MatrixXd* inverse, Place& place) const;
  double weight(Index row) const { return rows_.weight.empty() ? 1 : rows_.weight[size(row)]; }

  const CoxRows& rows_;
  const EventTimes& times_;
  bool efron_;
  std::vector<Index> kept_;
  Eigen::MatrixXd x_;                         ///< q x n_rows
  std::vector<std::vector<Index>> entering_;  ///< rows that come under observation after an event time
  PairCounts counts_;
};

void PenalisedModel::set_pair(const PairFeature& first, const PairFeature& second) {
  counts_ = {};
  for (Index row = 0; row < rows_.n_rows; ++row) {
    const std::uint64_t with_a = first.rows[size(row / 64)] >> (row % 64) & 1;
    const std::uint64_t with_b = second.rows[size(row / 64)] >> (row % 64) & 1;
    x_(a(), row) = static_cast<double>(with_a);
    x_(a() + 1, row) = static_cast<double>(with_b);
    x_(a() + 2, row) = static_cast<double>(with_a & with_b);
    const std::size_t group = with_a + 2 * with_b;
    ++counts_.n[group];
    counts_.deaths[group] += rows_.place_of[size(row)] % 2;
  }
}

/// Without an inverse: log-likelihood, score and information. With one: half the trace is added to the score.
void PenalisedModel::add_time(Index t, const Moments& at_risk, const Moments& dying, double weight,
                              const Eigen::MatrixXd* inverse, Place& place) const {
  const double deaths = times_.table().deaths[t];
  Moments left(q());
  for (double l = 0; l < deaths; ++l) {
    left.clear();
    left.add(1, at_risk);
    if (efron_) left.add(-l / deaths, dying);
    const double share = weight / deaths;
    const Eigen::VectorXd mean = left.s1 / left.s0;
    const Eigen::MatrixXd spread = left.s2 / left.s0 - mean * mean.transpose();
    if (inverse == nullptr) {
      place.loglik -= share * std::log(left.s0);
      place.score -= share * mean;
      place.information += share * spread;
    } else {
      const Eigen::VectorXd with_v = left.s1_v / left.s0 - (left.s_v / left.s0) * mean;
      place.score += share / 2 * (with_v - 2 * spread * (*inverse * mean));
    }
  }
}

void PenalisedModel::walk(const Eigen::VectorXd& beta, const Eigen::MatrixXd* inverse, Place& place) const {
  const auto strata = times_.stratum_begin();
  Moments at_risk(q()), dying(q());
  const auto add = [&](Moments& to, Index row, double sign) {
    const Eigen::VectorXd x = x_.col(row);
    const double eta = beta.dot(x) + (rows_.offset.empty() ? 0 : rows_.offset[size(row)]);
    to.add(sign * weight(row) * std::exp(eta), x, inverse == nullptr ? 0 : x.dot(*inverse * x));
  };
  for (std::size_t s = 0; s + 1 < strata.size(); ++s) {
    at_risk.clear();
    for (Index t = strata[s + 1] - 1; t >= strata[s]; --t) {
      const auto place_of = [&](Index at) { return Index{rows_.place_begin[size(at)]}; };
      double weight_of_deaths = 0;
      dying.clear();
      for (Index row = place_of(2 * t); row < place_of(2 * t + 1); ++row) add(at_risk, row, 1);
      for (Index row = place_of(2 * t + 1); row < place_of(2 * t + 2); ++row) {
        add(dying, row, 1);
        weight_of_deaths += weight(row);
        if (inverse != nullptr) continue;
        place.score += weight(row) * x_.col(row);
        place.loglik +=
            weight(row) * (beta.dot(x_.col(row)) + (rows_.offset.empty() ? 0 : rows_.offset[size(row)]));
      }
      at_risk.add(1, dying);
      for (const Index row : entering_[size(t)]) add(at_risk, row, -1);
      add_time(t, at_risk, dying, weight_of_deaths, inverse, place);
    }
  }
}

Place PenalisedModel::at(const Eigen::VectorXd& beta) const {
  Place place{.beta = beta,
              .score = Eigen::VectorXd::Zero(q()),
              .information = Eigen::MatrixXd::Zero(q(), q()),
              .loglik = 0};
  walk(beta, nullptr, place);
  const Eigen::LLT<Eigen::MatrixXd> factor(place.information);
  if (factor.info() != Eigen::Success) {
    place.loglik = -std::numeric_limits<double>::infinity();
    return place;
  }
  const Eigen::MatrixXd inverse = factor.solve(Eigen::MatrixXd::Identity(q(), q()));
  walk(beta, &inverse, place);
  place.loglik += Eigen::MatrixXd(factor.matrixL()).diagonal().array().log().sum();
  return place;
}

struct Peak {
  Place place;
  bool converged = false;
  int iterations = 0;
};

/// The first n_free coefficients move.
Peak maximise(const PenalisedModel& model, const Eigen::VectorXd& start, Index n_free) {
  constexpr int max_iterations = 200, max_halvings = 30;
  constexpr double last_step = 1e-9, longest_step = 2;
  Peak peak{.place = model.at(start)};
  for (peak.iterations = 1; peak.iterations <= max_iterations; ++peak.iterations) {
    const Eigen::MatrixXd information = peak.place.information.topLeftCorner(n_free, n_free);
    const Eigen::VectorXd score = peak.place.score.head(n_free);
    Eigen::VectorXd step = Eigen::VectorXd::Zero(start.size());
    step.head(n_free) = information.llt().solve(score);
    if (!step.allFinite()) return peak;
    const double lambda = std::sqrt(score.dot(step.head(n_free)));
    const double longest = step.cwiseAbs().maxCoeff();
    if (longest > longest_step) step *= longest_step / longest;
    Place next = model.at(peak.place.beta + step);
    const double rounding = 1e-12 * std::abs(peak.place.loglik);
    for (int k = 0; !(next.loglik >= peak.place.loglik - rounding) && k < max_halvings; ++k) {
      step /= 2;
      next = model.at(peak.place.beta + step);
    }
    if (!(next.loglik >= peak.place.loglik - rounding)) return peak;
    peak.place = next;
    if (lambda < last_step) {
      peak.converged = true;
      return peak;
    }
  }
  return peak;
}

void report(const CoxRows& rows, const std::vector<Index>& kept, const Peak& full, const Peak& without,
            PairCoxFit& fit) {
  // |I| on the scale of the columns
  double log_scales = 0;
  for (const Index j : kept) log_scales += std::log(rows.scale[size(j)]);
  const Index a = static_cast<Index>(kept.size());
  const Eigen::MatrixXd inverse = full.place.information.inverse();
  const Eigen::Matrix3d block = inverse.bottomRightCorner(3, 3);
  Eigen::Map<Eigen::Matrix3d>(fit.covariance.data()) = block;
  fit.verdict = PairVerdict::penalised;
  fit.a = full.place.beta(a);
  fit.b = full.place.beta(a + 1);
  fit.ab = full.place.beta(a + 2);
  fit.se_a = std::sqrt(block(0, 0));
  fit.se_b = std::sqrt(block(1, 1));
  fit.se_ab = std::sqrt(block(2, 2));
  fit.loglik = full.place.loglik + log_scales;
  fit.loglik_without = without.place.loglik + log_scales;
  fit.lrt_chi2 = std::max(0.0, 2 * (fit.loglik - fit.loglik_without));
  fit.wald_chi2 = fit.ab * fit.ab / block(2, 2);
  for (std::size_t j = 0; j < kept.size(); ++j)
    fit.beta[size(kept[j])] = full.place.beta(static_cast<Index>(j)) / rows.scale[size(kept[j])];
  fit.iterations = full.iterations;
}

void fit_pair(const CoxDesign& design, const CoxFit& covariates, const std::vector<Index>& kept,
              PenalisedModel& model, const PairFeature& first, const PairFeature& second, PairCoxFit& fit) {
  const CoxRows& rows = *design.rows;
  fit = {};
  fit.beta.assign(size(rows.n_columns), missing);
  model.set_pair(first, second);
  fit.counts = model.counts();
  add_idle(first, second, design.n_analysed, fit.counts);
  if (design.n_events == 0) return;
  fit.loglik_null = covariates.loglik_null;
  fit.loglik_covariates = covariates.loglik;
  if (covariates.verdict != CoxVerdict::converged && covariates.verdict != CoxVerdict::singular) {
    fit.verdict = PairVerdict::covariates_failed;
    return;
  }
  const auto& at_risk = model.counts().n;
  if (std::find(at_risk.begin(), at_risk.end(), 0) != at_risk.end()) {
    fit.verdict = PairVerdict::empty_group;
    return;
  }
  Eigen::VectorXd start = Eigen::VectorXd::Zero(model.q());
  for (std::size_t j = 0; j < kept.size(); ++j)
    start(static_cast<Index>(j)) = covariates.beta[size(kept[j])] * rows.scale[size(kept[j])];
  if (!dependent_columns(model.at(start).information).empty()) {
    fit.verdict = PairVerdict::singular;
    return;
  }
  const Peak without = maximise(model, start, model.q() - 1);
  const Peak full = maximise(model, without.place.beta, model.q());
  if (full.converged && without.converged) {
    report(rows, kept, full, without, fit);
  } else {
    fit.verdict = PairVerdict::not_converged;
  }
}

}  // namespace

void pair_cox_firth(const CoxDesign& design, const CoxFit& covariates, CarrierLists carriers,
                    std::span<const FeaturePair> pairs, Ties ties, std::span<PairCoxFit> fits) {
  check_covariates(design, covariates);
  check_pairs(design, carriers, pairs, fits.size());
  std::vector<Index> kept;
  for (Index j = 0; j < design.n_columns; ++j) {
    if (!std::isnan(covariates.beta[size(j)])) kept.push_back(j);
  }
  PenalisedModel model(*design.rows, ties, kept);
  PairFeature first, second;
  for (std::size_t k = 0; k < pairs.size(); ++k) {
    first.set(*design.rows, carriers[size(pairs[k].a)]);
    second.set(*design.rows, carriers[size(pairs[k].b)]);
    fit_pair(design, covariates, kept, model, first, second, fits[k]);
  }
}

}  // namespace chorale::kernels::reference
