// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/cox_scores.hpp"
#include "kernels/fine_gray_engine.hpp"

namespace chorale::kernels {
namespace {

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

}  // namespace

/// stride x 2 (steps + 1): with the first m steps a patient has seen, column 2 m is what the censorings take,
/// −Σ_{u of them} q(u) c(u)/Y(u)², and 2 m + 1 the same and q(u)/Y(u) of the last, for who is censored at it;
///
///   q(u) = Σ_{other cause in the group, time < u} w e^η Σ_{t >= u} (z − z̄(t)) dΛ(t) G(t-)/G(time-)
Eigen::MatrixXd FineGrayEngine::censoring_terms(std::size_t group, const Eigen::MatrixXd& mean) const {
  const auto& steps = rows_.steps[group];
  const Index stride = mean.rows(), n_steps = static_cast<Index>(steps.size());
  Eigen::MatrixXd q = Eigen::MatrixXd::Zero(stride, n_steps);
  for (std::size_t s = 0; s + 1 < rows_.stratum_begin.size(); ++s) {
    const Index begin = rows_.stratum_begin[s], end = rows_.stratum_begin[s + 1];
    const auto place = [&](Index k) { return size(k * rows_.n_groups) + group; };
    // Σ_{t >= u}, then over other causes before u
    Eigen::VectorXd later = Eigen::VectorXd::Zero(end - begin + 1);
    Eigen::MatrixXd later_z = Eigen::MatrixXd::Zero(stride, end - begin + 1);
    for (Index k = end - 1; k >= begin; --k) {
      const double hazard = increment_[size(k)] * rows_.uncensored[place(k)];
      later(k - begin) = later(k - begin + 1) + hazard;
      later_z.col(k - begin) = later_z.col(k - begin + 1) + hazard * mean.col(k);
    }
    double waiting = 0;
    Eigen::VectorXd waiting_z = Eigen::VectorXd::Zero(stride);
    Index k = begin;
    for (Index m = 0; m < n_steps; ++m) {
      for (; k < end && rows_.time[size(k)] < steps[size(m)].time; ++k) {
        const double inverse = inverse_[place(k)];
        if (inverse == 0) continue;
        waiting += others_[place(k)] * inverse;
        for (Index j = 0; j < rows_.n_columns; ++j)
          waiting_z(j) += others_[size((1 + j) * n_places_) + place(k)] * inverse;
      }
      q.col(m) += waiting_z * later(k - begin) - waiting * later_z.col(k - begin);
    }
  }
  Eigen::MatrixXd terms = Eigen::MatrixXd::Zero(stride, 2 * (n_steps + 1));
  for (Index m = 0; m < n_steps; ++m) {
    const CensoringStep& step = steps[size(m)];
    terms.col(2 * m + 2) = terms.col(2 * m) - q.col(m) * (step.censored / (step.at_risk * step.at_risk));
    terms.col(2 * m + 3) = terms.col(2 * m + 2) + q.col(m) / step.at_risk;
  }
  return terms;
}

/// A row's score is that of its own time, (own − ω) z − own z̄ with its weight or 0 as `own`, and its risk times what
/// z̄ dΛ it gathered; where the weights are estimated, the censorings it saw besides.
Eigen::MatrixXd FineGrayEngine::residual_products() const {
  const Index n_times = rows_.n_times(), n_groups = rows_.n_groups, stride = score_stride(rows_.n_columns);
  Eigen::MatrixXd mean = Eigen::MatrixXd::Zero(stride, n_times);  // z̄
  for (Index j = 0; j < rows_.n_columns; ++j) {
    for (Index k = 0; k < n_times; ++k)
      if (increment_[size(k)] > 0) mean(j, k) = sums_[size((1 + j) * n_times + k)] / sums_[size(k)];
  }
  // Σ z̄ dΛ up to each time, which for competing events goes on: Σ_{t > time} z̄ dΛ G(t-)/G(time-); by place
  Eigen::MatrixXd gathered(stride, 2 * n_places_), until = Eigen::MatrixXd::Zero(stride, n_times + 1);
  Eigen::VectorXd sum(stride);
  for (std::size_t s = 0; s + 1 < rows_.stratum_begin.size(); ++s) {
    const Index begin = rows_.stratum_begin[s], end = rows_.stratum_begin[s + 1];
    sum.setZero();
    for (Index k = begin; k < end; ++k) until.col(k) = sum += increment_[size(k)] * mean.col(k);
    for (Index g = 0; g < n_groups; ++g) {
      sum.setZero();
      for (Index k = end - 1; k >= begin; --k) {
        const Index place = k * n_groups + g;
        gathered.col(2 * place) = until.col(k);
        gathered.col(2 * place + 1) = until.col(k) + sum * inverse_[size(place)];
        sum += increment_[size(k)] * rows_.uncensored[size(place)] * mean.col(k);
      }
    }
  }

  const auto n_rows = size(rows_.n_rows), n = rows_.patients.size();
  std::vector<double> of_own_place(n_rows), minus_own(n_rows), minus_risk;
  std::vector<std::int32_t> time_of(n_rows), before;
  for (std::size_t row = 0; row < n_rows; ++row) {
    const double own = rows_.dies[row] ? rows_.patients[row].weight : 0;
    of_own_place[row] = own - factor_[row];
    minus_own[row] = -own;
    time_of[row] = static_cast<std::int32_t>(rows_.place_of[row] / (2 * n_groups));
  }
  std::vector<ScoreTerm> terms{{gathered.data(), stride, rows_.place_of.data(), risk_.data()},
                               {mean.data(), stride, time_of.data(), minus_own.data()}};
  if (!rows_.enters.empty()) {
    // n_times, where nothing was gathered, for who was observed from the first on
    for (const std::int32_t place : rows_.enters)
      before.push_back(static_cast<std::int32_t>(place / n_groups));
    for (const double risk : risk_) minus_risk.push_back(-risk);
    terms.push_back({until.data(), stride, before.data(), minus_risk.data()});
    return score_products(rows_.table(), of_own_place.data(), terms, rows_.n_rows);
  }

  std::vector<Index> begin{0};  // of each group's steps
  for (const auto& steps : rows_.steps)
    begin.push_back(begin.back() + 2 * (static_cast<Index>(steps.size()) + 1));
  Eigen::MatrixXd censoring(stride, begin.back());
  for (std::size_t g = 0; g < rows_.steps.size(); ++g)
    censoring.middleCols(begin[g], begin[g + 1] - begin[g]) = censoring_terms(g, mean);
  std::vector<double> weight(n);
  std::vector<std::int32_t> seen(n);
  for (std::size_t a = 0; a < n; ++a) {
    const FineGrayPatient& patient = rows_.patients[a];
    weight[a] = patient.weight;
    seen[a] = static_cast<std::int32_t>(begin[size(patient.group)]) + 2 * patient.steps + patient.censored;
  }
  const auto censorings = [&](std::size_t from) {
    return ScoreTerm{censoring.data(), stride, seen.data() + from, weight.data() + from};
  };
  terms.push_back(censorings(0));
  const ScoreTerm of_others = censorings(n_rows);  // at risk at no event time
  return score_products(rows_.table(), of_own_place.data(), terms, rows_.n_rows) +
         score_products(rows_.table(), nullptr, {&of_others, 1}, static_cast<Index>(n - n_rows));
}

}  // namespace chorale::kernels
