// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/fine_gray_engine.hpp"

namespace chorale::kernels {
namespace {

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

}  // namespace

/// p x (steps + 1): column m holds Σ_{u of the first m steps} q(u) c(u)/Y(u)², and behind those, one per
/// step, q(u)/Y(u);
///
///   q(u) = Σ_{other cause in the group, time < u} w e^η Σ_{t >= u} (z − z̄(t)) dΛ(t) G(t-)/G(time-)
std::vector<double> FineGrayEngine::censoring_terms(std::size_t group, const Eigen::MatrixXd& mean) const {
  const auto& steps = rows_.steps[group];
  const Index p = rows_.n_columns, n_steps = static_cast<Index>(steps.size());
  Eigen::MatrixXd q = Eigen::MatrixXd::Zero(p, n_steps);
  for (std::size_t s = 0; s + 1 < rows_.stratum_begin.size(); ++s) {
    const Index begin = rows_.stratum_begin[s], end = rows_.stratum_begin[s + 1];
    // sums over t >= u, then over other causes before u
    Eigen::MatrixXd later = Eigen::MatrixXd::Zero(1 + p, end - begin + 1);
    const auto place = [&](Index k) { return size(k * rows_.n_groups) + group; };
    for (Index k = end - 1; k >= begin; --k) {
      const double hazard = increment_[size(k)] * rows_.uncensored[place(k)];
      later.col(k - begin) = later.col(k - begin + 1);
      later(0, k - begin) += hazard;
      later.col(k - begin).tail(p) += hazard * mean.col(k);
    }
    double waiting = 0;
    Eigen::VectorXd waiting_z = Eigen::VectorXd::Zero(p);
    Index k = begin;
    for (Index m = 0; m < n_steps; ++m) {
      for (; k < end && rows_.time[size(k)] < steps[size(m)].time; ++k) {
        const double uncensored = rows_.uncensored[place(k)];
        if (!(uncensored > 0)) continue;
        waiting += others_[place(k)] / uncensored;
        for (Index j = 0; j < p; ++j)
          waiting_z(j) += others_[size((1 + j) * n_places_) + place(k)] / uncensored;
      }
      q.col(m) += waiting_z * later(0, k - begin) - waiting * later.col(k - begin).tail(p);
    }
  }
  std::vector<double> terms(size(p * (2 * n_steps + 1)), 0);
  Eigen::Map<Eigen::MatrixXd> table(terms.data(), p, 2 * n_steps + 1);
  for (Index m = 0; m < n_steps; ++m) {
    const CensoringStep& step = steps[size(m)];
    table.col(m + 1) = table.col(m) + q.col(m) * (step.censored / (step.at_risk * step.at_risk));
    table.col(n_steps + 1 + m) = q.col(m) / step.at_risk;
  }
  return terms;
}

Eigen::MatrixXd FineGrayEngine::residual_products() const {
  const Index p = rows_.n_columns, n_times = rows_.n_times(), n_groups = rows_.n_groups;
  Eigen::MatrixXd mean = Eigen::MatrixXd::Zero(p, n_times);  // z̄
  for (Index k = 0; k < n_times; ++k) {
    if (!(increment_[size(k)] > 0)) continue;
    for (Index j = 0; j < p; ++j) mean(j, k) = sums_[size((1 + j) * n_times + k)] / sums_[size(k)];
  }
  // Σ z̄ dΛ up to each time, and by group Σ_{t > time} z̄ dΛ G(t-)/G(time-)
  Eigen::MatrixXd until = Eigen::MatrixXd::Zero(p, n_times), beyond = Eigen::MatrixXd::Zero(p, n_places_);
  for (std::size_t s = 0; s + 1 < rows_.stratum_begin.size(); ++s) {
    Eigen::VectorXd sum = Eigen::VectorXd::Zero(p);
    for (Index k = rows_.stratum_begin[s]; k < rows_.stratum_begin[s + 1]; ++k)
      until.col(k) = sum += increment_[size(k)] * mean.col(k);
    for (Index g = 0; g < n_groups; ++g) {
      sum.setZero();
      for (Index k = rows_.stratum_begin[s + 1] - 1; k >= rows_.stratum_begin[s]; --k) {
        const double uncensored = rows_.uncensored[size(k * n_groups + g)];
        if (uncensored > 0) beyond.col(k * n_groups + g) = sum / uncensored;
        sum += increment_[size(k)] * uncensored * mean.col(k);
      }
    }
  }
  std::vector<std::vector<double>> censoring;
  for (std::size_t g = 0; g < rows_.steps.size(); ++g) censoring.push_back(censoring_terms(g, mean));

  constexpr Index block = 256;
  const auto n = static_cast<Index>(rows_.patients.size());
  Eigen::MatrixXd products = Eigen::MatrixXd::Zero(p, p), residuals(p, block);
  for (Index from = 0; from < n; from += block) {
    residuals.setZero();
    for (Index a = from; a < std::min(from + block, n); ++a) {
      const FineGrayPatient& patient = rows_.patients[size(a)];
      auto residual = residuals.col(a - from);
      const auto n_steps = static_cast<Index>(rows_.steps[size(patient.group)].size());
      const Eigen::Map<const Eigen::MatrixXd> terms(censoring[size(patient.group)].data(), p,
                                                    2 * n_steps + 1);
      if (rows_.enters.empty()) residual = -patient.weight * terms.col(patient.steps);
      if (rows_.enters.empty() && patient.censored)
        residual += patient.weight * terms.col(n_steps + patient.steps);
      if (patient.row < 0) continue;
      const Index row = patient.row, place = rows_.place_of[size(row)] / 2, k = place / n_groups;
      const bool competing = rows_.place_of[size(row)] % 2 == 1, dies = rows_.dies[size(row)];
      const Index before = rows_.enters.empty() ? n_places_ : rows_.enters[size(row)];
      const double at_own_time = dies ? patient.weight : 0;
      for (Index j = 0; j < p; ++j) {
        const double gathered = until(j, k) + (competing ? beyond(j, place) : 0) -
                                (before < n_places_ ? until(j, before / n_groups) : 0);
        residual(j) += (at_own_time - factor_[size(row)]) * rows_.columns[size(j * rows_.n_rows + row)] -
                       at_own_time * mean(j, k) + risk_[size(row)] * gathered;
      }
    }
    products.selfadjointView<Eigen::Upper>().rankUpdate(residuals);
  }
  products.triangularView<Eigen::StrictlyLower>() = products.transpose();
  return products;
}

}  // namespace chorale::kernels
