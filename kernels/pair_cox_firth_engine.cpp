// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/pair_cox_firth_engine.hpp"

#include <algorithm>
#include <cmath>

namespace chorale::kernels {
namespace {

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

}  // namespace

FirthEngine::FirthEngine(const PairFrame& frame)
    : frame_(frame),
      rows_(frame.rows),
      times_(frame.times),
      n_padded_(times_.n_padded()),
      n_sums_(n_slot_sums(rows_.n_columns)),
      kept_(frame.kept),
      members_(frame),
      at_risk_(frame.at_risk),
      dying_(frame.dying),
      groups_at_risk_(size(3 * n_sums_ * n_padded_), 0),
      groups_dying_(groups_at_risk_),
      model_(size(2 * n_firth_rows(rows_.n_columns) * n_padded_)),
      room_(size(n_firth_rows(rows_.n_columns) * 5 * lanes)),
      tie_(size(3 * n_padded_)),
      first_(size(n_padded_)),
      first_tied_(first_),
      hazard_(first_),
      spared_(first_) {
  for (Index j = 0; j < 3; ++j) kept_.push_back(rows_.n_columns + j);
  for (Index t = 0; t < times_.n_times(); ++t) n_deaths_ += frame.table.weight[t];
}

/// Sums over the risk sets, features left out; series_ is empty where they come from the patients.
RiskView FirthEngine::everyone(const Eigen::VectorXd& shift) {
  const std::span<const double> by{shift.data(), size(shift.size())};
  const bool stays = (shift.array() == 0).all();
  series_ = rows_.n_columns == 0 ? std::nullopt : frame_.moments().series(by, coefficients_, 2);
  if (stays) return {frame_.at_risk.data(), frame_.dying.data(), n_padded_};
  const RiskTable table{at_risk_.data(), dying_.data(), n_padded_};
  if (series_) {
    CHORALE_AT_LEVEL(firth_everyone, n_padded_, rows_.n_columns, *series_, table);
  } else {
    if (slot_sums_.empty()) slot_sums_ = frame_.slots.room(n_sums_);
    double farthest = 0;
    for (Index j = 0; j < shift.size(); ++j) farthest += std::abs(shift(j)) * rows_.range[size(j)];
    const SlotTable slots = frame_.slots.table();
    CHORALE_AT_LEVEL(pair_cox_slot_sums, slots, shift.data(), farthest <= 0.1, slot_sums_.data());
    frame_.slots.sum_over_risk_sets(times_, n_sums_, slot_sums_, table);
  }
  return {at_risk_.data(), dying_.data(), n_padded_};
}

/// The groups' sums over the risk sets, features left out.
void FirthEngine::sum_groups() {
  std::fill(groups_at_risk_.begin(), groups_at_risk_.end(), 0.0);
  std::fill(groups_dying_.begin(), groups_dying_.end(), 0.0);
  const Index p = rows_.n_columns;
  for (const PairSegment& segment : members_.segments) {
    const Index n = segment.end - segment.begin;
    const double* risk = members_.risk.data() + segment.begin;
    Index to = (segment.group - 1) * n_sums_ * n_padded_;
    const auto scatter = [&](const double* values) {
      members_.scatter(segment, values, 1, groups_at_risk_.data() + to, groups_dying_.data() + to);
      to += n_padded_;
    };
    double* scaled = members_.factor.data();
    const auto scatter_product = [&](const double* z, const double* y) {
      for (Index m = 0; m < n; ++m) scaled[m] = risk[m] * z[m] * y[m];
      scatter(scaled);
    };
    const auto column = [&](Index j) { return members_.column(j) + segment.begin; };
    scatter(risk);
    for (Index j = 0; j < p; ++j) scatter_product(column(-1), column(j));
    for (Index j = 0; j < p; ++j) {
      for (Index k = j; k < p; ++k) scatter_product(column(j), column(k));
    }
  }
  const auto strata = times_.stratum_begin();
  CHORALE_AT_LEVEL(pair_cox_accumulate, strata.data(), static_cast<Index>(strata.size()) - 1,
                   frame_.table.centre, 3 * n_sums_,
                   {groups_at_risk_.data(), groups_dying_.data(), n_padded_});
}

FirthTerms FirthEngine::terms() {
  double* tie = tie_.data();
  return {model_.data(), {tie, tie + n_padded_, tie + 2 * n_padded_}, first_.data(), first_tied_.data()};
}

/// Score and information of the log partial likelihood, which is returned.
double FirthEngine::walk(const RiskView& everyone, const Eigen::VectorXd& beta, FirthPlace& place) {
  const Index p = rows_.n_columns, q = n_coefficients();
  const FirthTimes from{.all = frame_.table,
                        .n_columns = p,
                        .everyone = everyone,
                        .groups = {groups_at_risk_.data(), groups_dying_.data(), n_padded_},
                        .ratio = {ratio_[only_a], ratio_[only_b], ratio_[both]}};
  std::vector<double> sums(size(q * (q + 3) / 2));
  const double log_risk =
      CHORALE_AT_LEVEL(firth_walk, from, terms(), room_.data(), sums.data(), sums.data() + q);
  place.score = Eigen::VectorXd::Zero(q);
  place.information = Eigen::MatrixXd::Zero(q, q);
  const auto& deaths = members_.deaths;
  const std::array<double, 3> of_features{deaths[only_a] + deaths[both], deaths[only_b] + deaths[both],
                                          deaths[both]};
  double loglik = rows_.offset_of_deaths - log_risk;
  const double* product = sums.data() + q;
  for (Index j = 0; j < q; ++j) {
    const double of_deaths = j < p ? rows_.columns_of_deaths[size(j)] : of_features[size(j - p)];
    loglik += beta(j) * of_deaths;
    place.score(j) = of_deaths - sums[size(j)];
    for (Index k = j; k < q; ++k) place.information(j, k) = place.information(k, j) = *product++;
  }
  return loglik;
}

void FirthEngine::add_cubes_of_everyone(const Eigen::VectorXd& shift, const Eigen::MatrixXd& inverse,
                                        Eigen::VectorXd& to) {
  const Index p = rows_.n_columns;
  const Eigen::MatrixXd block = inverse.topLeftCorner(p, p);
  if (series_) {
    moment_sums_.resize(size(series_->n_rows));
    CHORALE_AT_LEVEL(firth_moment_sums, n_padded_, *series_, first_.data(), first_tied_.data(),
                     moment_sums_.data());
    frame_.moments().add_cubes({shift.data(), size(p)}, moment_sums_, {block.data(), size(p * p)},
                               {to.data(), size(p)});
  } else if (p > 0) {
    row_risk_.resize(size(rows_.n_rows));
    row_factor_.resize(size(rows_.n_rows));
    CHORALE_AT_LEVEL(cox_risks, rows_.table(), nullptr, frame_.risk.data(), shift.data(), 0, rows_.n_rows,
                     row_risk_.data());
    CHORALE_AT_LEVEL(cox_factors, rows_.place_begin.data(),
                     rows_.enters.empty() ? nullptr : rows_.enters.data(), times_.n_times(), row_risk_.data(),
                     hazard_.data(), spared_.data(), 0, times_.n_times(), row_factor_.data());
    Eigen::VectorXd cubes(p);
    CHORALE_AT_LEVEL(firth_cubes, rows_.table(), row_factor_.data(), block.data(), 0, rows_.n_rows,
                     cubes.data());
    to.head(p) += cubes;
  }
}

/// What members have beyond the covariates: with f the features of a group, v = (1, z)' W (1, z).
void FirthEngine::add_cubes_of_members(const Eigen::MatrixXd& inverse, Eigen::VectorXd& to) {
  const Index p = rows_.n_columns;
  const ColumnTable columns{members_.columns.data(), members_.n(), 1 + p};
  Eigen::MatrixXd without = Eigen::MatrixXd::Zero(1 + p, 1 + p);
  without.bottomRightCorner(p, p) = inverse.topLeftCorner(p, p);
  Eigen::VectorXd cubes(1 + p), cubes_without(1 + p);
  for (const PairSegment& segment : members_.segments) {
    const Eigen::Vector3d features(segment.group != only_b, segment.group != only_a, segment.group == both);
    Eigen::MatrixXd with = without;
    with(0, 0) = features.dot(inverse.bottomRightCorner(3, 3) * features);
    with.bottomLeftCorner(p, 1) = inverse.topRightCorner(p, 3) * features;
    with.topRightCorner(1, p) = with.bottomLeftCorner(p, 1).transpose();
    members_.gather(segment, hazard_.data(), spared_.data());
    const double* factor = members_.factor.data();
    CHORALE_AT_LEVEL(firth_cubes, columns, factor, with.data(), segment.begin, segment.end, cubes.data());
    CHORALE_AT_LEVEL(firth_cubes, columns, factor, without.data(), segment.begin, segment.end,
                     cubes_without.data());
    cubes *= ratio_[segment.group];
    to.head(p) += cubes.tail(p) - cubes_without.tail(p);
    to.tail(3) += cubes(0) * features;
  }
}

Eigen::VectorXd FirthEngine::penalty(const Eigen::VectorXd& shift, const Eigen::MatrixXd& inverse) {
  // hazard gathered up to each event time, and what is spared to who dies there (see CoxEngine)
  const auto strata = times_.stratum_begin();
  for (std::size_t s = 0; s + 1 < strata.size(); ++s) {
    double sum = 0;
    for (Index t = strata[s]; t < strata[s + 1]; ++t) {
      hazard_[size(t)] = sum += first_[size(t)];
      spared_[size(t)] = frame_.table.centre[t] * first_[size(t)] + first_tied_[size(t)];
    }
  }
  Eigen::VectorXd twice(n_coefficients());
  CHORALE_AT_LEVEL(firth_bend, frame_.table, rows_.n_columns, terms(), inverse.data(), room_.data(),
                   twice.data());
  add_cubes_of_everyone(shift, inverse, twice);
  add_cubes_of_members(inverse, twice);
  return twice / 2;
}

FirthPlace FirthEngine::at(const Eigen::VectorXd& beta) {
  const Index p = rows_.n_columns;
  const Eigen::VectorXd shift = beta.head(p) - frame_.beta;
  ratio_ = {1, std::exp(beta(p)), std::exp(beta(p + 1)), std::exp(beta(p) + beta(p + 1) + beta(p + 2))};
  members_.move_risks(shift);
  sum_groups();
  FirthPlace place{.beta = beta, .score = {}, .penalty = {}, .information = {}};
  const double loglik = walk(everyone(shift), beta, place);
  const auto n_kept = static_cast<Index>(kept_.size());
  const Eigen::LLT<Eigen::MatrixXd> factor(Eigen::MatrixXd(place.information(kept_, kept_)));
  if (factor.info() != Eigen::Success) return place;
  Eigen::MatrixXd inverse = Eigen::MatrixXd::Zero(n_coefficients(), n_coefficients());
  const Eigen::MatrixXd of_kept = factor.solve(Eigen::MatrixXd::Identity(n_kept, n_kept));
  inverse(kept_, kept_) = of_kept;
  place.loglik = loglik + Eigen::MatrixXd(factor.matrixL()).diagonal().array().log().sum();
  place.penalty = penalty(shift, inverse);
  return place;
}

/// Deaths expected of the groups by the covariates' own fit, times what makes those of `neither` right.
std::array<double, n_pair_groups> FirthEngine::expected() const {
  constexpr double at_least = 1e-3;
  std::array<double, n_pair_groups> of_group{n_deaths_, 0, 0, 0};
  double deaths = n_deaths_ + 0.5;
  for (const PairSegment& segment : members_.segments) {
    double sum = 0;
    for (Index m = segment.begin; m < segment.end; ++m) sum += frame_.expected[size(members_.row[size(m)])];
    of_group[segment.group] += sum;
    of_group[neither] -= sum;
    if (segment.dies) deaths -= members_.deaths[segment.group];
  }
  const double ratio = deaths / std::max(of_group[neither], at_least);
  for (double& each : of_group) each = std::max(each * ratio, at_least);
  return of_group;
}

Eigen::VectorXd FirthEngine::start() const {
  Eigen::VectorXd beta(n_coefficients());
  const auto of_group = expected();
  const auto& deaths = members_.deaths;
  const auto log_ratio = [&](PairGroup group) { return std::log((deaths[group] + 0.5) / of_group[group]); };
  const double a = log_ratio(only_a), b = log_ratio(only_b);
  beta << frame_.beta, a, b, log_ratio(both) - a - b;
  return beta;
}

Eigen::VectorXd FirthEngine::start_without() const {
  constexpr int n_rounds = 20;
  Eigen::VectorXd beta(n_coefficients());
  const auto of_group = expected();
  const auto& deaths = members_.deaths;
  double a = 0, b = 0;
  for (int k = 0; k < n_rounds; ++k) {
    a = std::log((deaths[only_a] + deaths[both] + 0.5) / (of_group[only_a] + of_group[both] * std::exp(b)));
    b = std::log((deaths[only_b] + deaths[both] + 0.5) / (of_group[only_b] + of_group[both] * std::exp(a)));
  }
  beta << frame_.beta, a, b, 0;
  return beta;
}

}  // namespace chorale::kernels
