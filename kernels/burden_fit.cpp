// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/burden_fit.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <limits>

namespace chorale::kernels {
namespace {

using Eigen::ArrayXd;
using Eigen::ArrayXXd;
using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr double margin_tolerance = 1e-9;
constexpr int max_iterations = 100;

// One side of the table without its empty and full lines.
struct Side {
  std::vector<std::size_t> line;  // those left, as positions among all classes
  std::vector<double> sum, size;  // what is left to distribute
  double total = 0;               // Σ size

  explicit Side(const std::vector<MarginClass>& classes) {
    for (std::size_t k = 0; k < classes.size(); ++k) {
      if (classes[k].size <= 0) continue;
      line.push_back(k);
      sum.push_back(classes[k].sum);
      size.push_back(classes[k].size);
      total += classes[k].size;
    }
  }

  void erase(std::size_t at) {
    const auto offset = static_cast<std::ptrdiff_t>(at);
    total -= size[at];
    line.erase(line.begin() + offset);
    sum.erase(sum.begin() + offset);
    size.erase(size.begin() + offset);
  }
};

// Takes one empty or full line out of `side`, its ones out of the sums of `across`; `fix` writes its probability.
template <typename Fix>
bool take_out_one(Side& side, Side& across, const Fix& fix) {
  for (std::size_t k = 0; k < side.line.size(); ++k) {
    const bool empty = side.sum[k] <= 0, full = side.sum[k] >= across.total;
    if (!empty && !full) continue;
    for (const std::size_t other : across.line) fix(side.line[k], other, empty ? 0.0 : 1.0);
    if (!empty) {
      for (double& sum : across.sum) sum -= side.size[k];
    }
    side.erase(k);
    return true;
  }
  return false;
}

ArrayXd array_of(const std::vector<double>& values) {
  return Eigen::Map<const ArrayXd>(values.data(), static_cast<Eigen::Index>(values.size()));
}

// logit P = α + β over classes of rows and columns whose sums lie strictly inside
class Model {
 public:
  Model(const Side& rows, const Side& columns)
      : row_sum_(array_of(rows.sum)),
        row_size_(array_of(rows.size)),
        column_sum_(array_of(columns.sum)),
        column_size_(array_of(columns.size)),
        n_rows_(rows.total),
        n_columns_(columns.total) {
    // as if rows and columns were independent on the logit scale
    const double ones = (row_sum_ * row_size_).sum();
    alpha_ = (row_sum_ / (n_columns_ - row_sum_)).log();
    beta_ = (column_sum_ / (n_rows_ - column_sum_)).log() - std::log(ones / (n_rows_ * n_columns_ - ones));
    update();
  }

  const ArrayXXd& probability() const { return probability_; }  // (rows, columns)

  double error() const {
    const ArrayXd by_row = row_excess_.abs() / row_sum_.min(n_columns_ - row_sum_);
    const ArrayXd by_column = column_excess_.abs() / column_sum_.min(n_rows_ - column_sum_);
    return std::max(by_row.maxCoeff(), by_column.maxCoeff());
  }

  // One Newton step, halved until the likelihood does not fall.
  void step() {
    const auto [row_move, column_move] = newton();
    const ArrayXd alpha = alpha_, beta = beta_;
    const double before = log_likelihood_;
    for (double scale = 1; scale > 1e-6; scale *= 0.5) {
      alpha_ = alpha + scale * row_move;
      beta_ = beta + scale * column_move;
      update();
      if (log_likelihood_ >= before - 1e-12 * std::abs(before)) return;
    }
  }

 private:
  void update() {
    probability_.resize(alpha_.size(), beta_.size());
    spread_.resize(alpha_.size(), beta_.size());
    log_likelihood_ = (row_size_ * row_sum_ * alpha_).sum() + (column_size_ * column_sum_ * beta_).sum();
    for (Eigen::Index c = 0; c < beta_.size(); ++c) {
      for (Eigen::Index r = 0; r < alpha_.size(); ++r) {
        const double logit = alpha_[r] + beta_[c];
        const double small = std::exp(-std::abs(logit)), rare = small / (1 + small);
        probability_(r, c) = logit < 0 ? rare : 1 - rare;
        spread_(r, c) = rare / (1 + small) * row_size_[r] * column_size_[c];
        log_likelihood_ -= row_size_[r] * column_size_[c] * (std::max(logit, 0.0) + std::log1p(small));
      }
    }
    row_excess_ = row_sum_ - (probability_.matrix() * column_size_.matrix()).array();
    column_excess_ = column_sum_ - (probability_.matrix().transpose() * row_size_.matrix()).array();
  }

  // [ R  S ] [row move   ]   [row size · row excess      ]   R, C diagonal: the sums of S = spread;
  // [ Sᵀ C ] [column move] = [column size · column excess]   the longer half is eliminated
  std::pair<ArrayXd, ArrayXd> newton() const {
    const MatrixXd spread = spread_.matrix();
    const VectorXd row_slope = row_size_ * row_excess_, column_slope = column_size_ * column_excess_;
    if (spread.rows() <= spread.cols()) return eliminate(spread, row_slope, column_slope);
    const auto [column_move, row_move] = eliminate(spread.transpose(), column_slope, row_slope);
    return {row_move, column_move};
  }

  static std::pair<ArrayXd, ArrayXd> eliminate(const MatrixXd& spread, const VectorXd& kept_slope,
                                               const VectorXd& other_slope) {
    const VectorXd kept = spread.rowwise().sum();
    const VectorXd inverse = spread.colwise().sum().transpose().cwiseInverse();
    MatrixXd schur = -(spread * inverse.asDiagonal() * spread.transpose());
    schur.diagonal() += kept;
    // adding to all α what is taken from all β changes nothing: rule out that direction
    schur.array() += kept.mean();
    schur.diagonal() += 1e-14 * kept;
    const VectorXd move = schur.ldlt().solve(kept_slope - spread * inverse.cwiseProduct(other_slope));
    const VectorXd other = inverse.cwiseProduct(other_slope - spread.transpose() * move);
    return {move.array(), other.array()};
  }

  ArrayXd row_sum_, row_size_, column_sum_, column_size_;
  double n_rows_, n_columns_;
  ArrayXd alpha_, beta_, row_excess_, column_excess_;
  ArrayXXd probability_, spread_;
  double log_likelihood_ = 0;
};

}  // namespace

MarginFit fit_margins(const std::vector<MarginClass>& rows, const std::vector<MarginClass>& columns) {
  MarginFit fit{std::vector<double>(rows.size() * columns.size(), 0.0), 0, 0, true};
  Side open_rows(rows), open_columns(columns);
  const auto at = [&](std::size_t row, std::size_t column) -> double& {
    return fit.probability[column * rows.size() + row];
  };
  const auto fix_row = [&](std::size_t row, std::size_t column, double p) { at(row, column) = p; };
  const auto fix_column = [&](std::size_t column, std::size_t row, double p) { at(row, column) = p; };
  while (take_out_one(open_rows, open_columns, fix_row) ||
         take_out_one(open_columns, open_rows, fix_column)) {
  }
  if (open_rows.line.empty() || open_columns.line.empty()) return fit;

  Model model(open_rows, open_columns);
  while (model.error() > margin_tolerance && fit.iterations < max_iterations) {
    model.step();
    ++fit.iterations;
  }
  fit.error = model.error();
  fit.converged = fit.error <= margin_tolerance;
  for (std::size_t c = 0; c < open_columns.line.size(); ++c) {
    for (std::size_t r = 0; r < open_rows.line.size(); ++r) {
      at(open_rows.line[r], open_columns.line[c]) =
          model.probability()(static_cast<Eigen::Index>(r), static_cast<Eigen::Index>(c));
    }
  }
  return fit;
}

}  // namespace chorale::kernels
