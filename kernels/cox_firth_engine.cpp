// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/cox_firth_engine.hpp"

#include <algorithm>
#include <cmath>

namespace chorale::kernels {
namespace {

constexpr Index rows_per_block = 512;

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

/// Per event time, sums of risk · value over who is at risk, and over who dies.
struct ValueSums {
  std::vector<double> at_risk, dying;

  ValueSums(const CoxSums& sums, std::span<const double> value)
      : at_risk(size(sums.n_times), 0.0), dying(at_risk) {
    const CoxRows& rows = *sums.rows;
    for (std::size_t row = 0; row < value.size(); ++row) {
      const double part = sums.risk[row] * value[row];
      at_risk[sums.time_of(row)] += part;
      if (sums.died(row)) dying[sums.time_of(row)] += part;
      if (!rows.enters.empty() && rows.enters[row] < sums.n_times) at_risk[size(rows.enters[row])] -= part;
    }
    const auto strata = rows.times(sums.ties).stratum_begin();
    for (std::size_t s = 0; s + 1 < strata.size(); ++s) {
      for (Index t = strata[s + 1] - 2; t >= strata[s]; --t) at_risk[size(t)] += at_risk[size(t + 1)];
    }
  }
};

}  // namespace

CoxFirthEngine::CoxFirthEngine(const CoxDesign& design, Ties ties)
    : design_(design),
      rows_(*design.rows),
      ties_(ties),
      engine_(rows_, ties, false),
      loglik_null_(engine_.evaluate(Eigen::VectorXd::Zero(rows_.n_columns))),
      leverage_(size(rows_.n_rows)) {
  aliased_ = dependent_columns(engine_.information(), engine_.squares());
  for (Index j = 0; j < rows_.n_columns; ++j) {
    if (std::find(aliased_.begin(), aliased_.end(), j) == aliased_.end()) kept_.push_back(j);
  }
}

FirthPlace CoxFirthEngine::at(const Eigen::VectorXd& beta) {
  FirthPlace place;
  place.beta = beta;
  const double loglik = engine_.evaluate(beta);
  place.information = engine_.information();
  place.score = Eigen::VectorXd::Zero(beta.size());
  place.score(kept_) = engine_.gradient()(kept_);
  place.penalty = Eigen::VectorXd::Zero(beta.size());
  const Eigen::LLT<Eigen::MatrixXd> factor(Eigen::MatrixXd(place.information(kept_, kept_)));
  if (factor.info() != Eigen::Success || !std::isfinite(loglik)) return place;
  const auto n_kept = static_cast<Index>(kept_.size());
  const Eigen::MatrixXd lower = factor.matrixL();
  place.loglik = loglik + lower.diagonal().array().log().sum();
  // V = root root'
  const Eigen::MatrixXd root =
      lower.transpose().triangularView<Eigen::Upper>().solve(Eigen::MatrixXd::Identity(n_kept, n_kept));
  place.penalty(kept_) = penalty(beta, root)(kept_);
  return place;
}

Eigen::VectorXd CoxFirthEngine::penalty(const Eigen::VectorXd& beta, const Eigen::MatrixXd& root) {
  std::vector<double> original(size(rows_.n_columns));
  for (std::size_t j = 0; j < original.size(); ++j)
    original[j] = beta(static_cast<Index>(j)) / rows_.scale[j];
  const CoxSums sums(design_, original, ties_);
  Eigen::MatrixXd inverse = Eigen::MatrixXd::Zero(rows_.n_columns, rows_.n_columns);
  inverse(kept_, kept_) = root * root.transpose();
  fill_leverages(root);
  Eigen::VectorXd result = Eigen::VectorXd::Zero(rows_.n_columns);
  const Pulls pulls = walk_deaths(sums, inverse, result);
  walk_rows(sums, pulls, result);
  return result;
}

void CoxFirthEngine::fill_leverages(const Eigen::MatrixXd& root) {
  const Index n_blocks = (rows_.n_rows + rows_per_block - 1) / rows_per_block;
#pragma omp parallel if (n_blocks > 1)
  {
    Eigen::MatrixXd x(rows_per_block, static_cast<Index>(kept_.size()));
    Eigen::MatrixXd product(x);
#pragma omp for
    for (Index b = 0; b < n_blocks; ++b) {
      const Index begin = b * rows_per_block, n = std::min(rows_per_block, rows_.n_rows - begin);
      for (std::size_t k = 0; k < kept_.size(); ++k) {
        const double* column = rows_.columns.data() + kept_[k] * rows_.n_rows + begin;
        std::copy(column, column + n, x.col(static_cast<Index>(k)).data());
      }
      product.topRows(n).noalias() = x.topRows(n) * root;
      Eigen::Map<Eigen::VectorXd>(leverage_.data() + begin, n) = product.topRows(n).rowwise().squaredNorm();
    }
  }
}

CoxFirthEngine::Pulls CoxFirthEngine::walk_deaths(const CoxSums& sums, const Eigen::MatrixXd& inverse,
                                                  Eigen::VectorXd& penalty) const {
  const Index p = rows_.n_columns, n_times = sums.n_times;
  const ValueSums leverage(sums, leverage_);
  Eigen::MatrixXd at_risk(p, n_times), dying(p, n_times);
  for (Index j = 0; j < p; ++j) {
    at_risk.row(j) = Eigen::Map<const Eigen::RowVectorXd>(sums.at_risk(j).data(), n_times);
    dying.row(j) = Eigen::Map<const Eigen::RowVectorXd>(sums.dying(j).data(), n_times);
  }
  const Eigen::MatrixXd pull_at_risk = inverse * at_risk, pull_dying = inverse * dying;
  const auto risk = sums.at_risk(-1), risk_dying = sums.dying(-1);
  Eigen::MatrixXd all = Eigen::MatrixXd::Zero(p, n_times), tied = all;
  Eigen::VectorXd mean(p), pull(p);
  for (Index t = 0; t < n_times; ++t) {
    const auto k = size(t);
    const Index deaths = rows_.place_begin[2 * k + 2] - rows_.place_begin[2 * k + 1];
    const double mean_weight = sums.weight_of_deaths[k] / static_cast<double>(deaths);
    // Breslow's deaths are alike
    const Index n_steps = ties_ == Ties::efron ? deaths : 1;
    const double alike = static_cast<double>(deaths) / static_cast<double>(n_steps) * mean_weight;
    for (Index l = 0; l < n_steps; ++l) {
      const double share = static_cast<double>(l) / static_cast<double>(deaths);
      const double sum = risk[k] - share * risk_dying[k];
      mean = (at_risk.col(t) - share * dying.col(t)) / sum;
      pull = (pull_at_risk.col(t) - share * pull_dying.col(t)) / sum;
      const double mean_leverage = (leverage.at_risk[k] - share * leverage.dying[k]) / sum;
      penalty += alike * (mean.dot(pull) - mean_leverage / 2) * mean;
      all.col(t) += alike / sum * pull;
      tied.col(t) += alike * share / sum * pull;
    }
  }
  return {all.transpose(), tied.transpose()};
}

void CoxFirthEngine::walk_rows(const CoxSums& sums, const Pulls& pulls, Eigen::VectorXd& penalty) const {
  const Index p = rows_.n_columns, n_times = sums.n_times;
  std::vector<double> hazard = sums.first;
  sums.accumulate(hazard);
  Eigen::MatrixXd gathered = pulls.all;
  Eigen::MatrixXd by_place(2 * n_times, p);
  for (Index j = 0; j < p; ++j) {
    sums.accumulate({gathered.col(j).data(), size(n_times)});
    for (Index t = 0; t < n_times; ++t) {
      by_place(2 * t, j) = gathered(t, j);
      by_place(2 * t + 1, j) = gathered(t, j) - pulls.tied(t, j);
    }
  }
  const Index n_blocks = (rows_.n_rows + rows_per_block - 1) / rows_per_block;
  Eigen::MatrixXd of_block(p, n_blocks);
#pragma omp parallel for if (n_blocks > 1)
  for (Index b = 0; b < n_blocks; ++b) {
    const Index begin = b * rows_per_block, n = std::min(rows_per_block, rows_.n_rows - begin);
    double pull[rows_per_block] = {};
    for (Index j = 0; j < p; ++j) {
      const double* x = rows_.columns.data() + j * rows_.n_rows + begin;
      const double* of_place = by_place.col(j).data();
      const double* before = gathered.col(j).data();
      for (Index i = 0; i < n; ++i) {
        double sum = of_place[rows_.place_of[size(begin + i)]];
        if (!rows_.enters.empty() && rows_.enters[size(begin + i)] < n_times)
          sum -= before[rows_.enters[size(begin + i)]];
        pull[i] += x[i] * sum;
      }
    }
    for (Index i = 0; i < n; ++i) {
      const std::size_t row = size(begin + i);
      pull[i] = sums.risk[row] * (leverage_[row] / 2 * sums.gathered(row, hazard, sums.first_tied) - pull[i]);
    }
    for (Index j = 0; j < p; ++j) {
      const double* x = rows_.columns.data() + j * rows_.n_rows + begin;
      double sum = 0;
      for (Index i = 0; i < n; ++i) sum += pull[i] * x[i];
      of_block(j, b) = sum;
    }
  }
  for (Index b = 0; b < n_blocks; ++b) penalty += of_block.col(b);
}

}  // namespace chorale::kernels
