// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/cox_by_time.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/cox_engine.hpp"
#include "kernels/cox_newton.hpp"
#include "kernels/cox_time_rows.hpp"
#include "kernels/error.hpp"

namespace chorale::kernels {
namespace {

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

/// The likelihood of all blocks; every caller has the same numbers.
class Blocks final : public CoxLikelihood {
 public:
  Blocks(std::vector<CoxTimeRows> rows, Index n_columns, Index n_strata, Index first_block,
         const OfAllBlocks& of_all)
      : rows_(std::move(rows)),
        p_(n_columns),
        n_strata_(n_strata),
        first_(size(first_block)),
        of_all_(of_all),
        gradient_(p_),
        squares_(p_),
        information_(p_, p_) {}

  double evaluate(const Eigen::VectorXd& beta) override {
    const std::size_t n_sums = size(n_strata_ * (1 + p_)), n_strata = size(n_strata_);
    std::vector<double> mine(rows_.size() * n_sums);
    each([&](std::size_t b) { rows_[b].sum_risks(beta.data(), mine.data() + b * n_sums); });
    std::vector<double> later = of_all_(mine);
    // from sums of each block to those over the blocks after it
    over_others(later, n_sums, true);
    mine.resize(rows_.size() * n_strata);
    each([&](std::size_t b) {
      rows_[b].walk_back(later.data() + (first_ + b) * n_sums, mine.data() + b * n_strata);
    });
    std::vector<double> earlier = of_all_(mine);
    over_others(earlier, n_strata, false);
    each([&](std::size_t b) { rows_[b].gather(earlier.data() + (first_ + b) * n_strata); });
    return add_up();
  }
  const Eigen::VectorXd& gradient() const override { return gradient_; }
  const Eigen::MatrixXd& information() const override { return information_; }
  const Eigen::VectorXd& squares() const { return squares_; }

 private:
  template <class Do>
  void each(const Do& what) {
    const auto n = static_cast<Index>(rows_.size());
    constexpr Index few = 4096;  // patients that are not worth waking threads for
    Index n_rows = 0;
    for (const CoxTimeRows& rows : rows_) n_rows += rows.n_rows();
#pragma omp parallel for schedule(dynamic) if (n > 1 && n_rows > few)
    for (Index b = 0; b < n; ++b) what(size(b));
  }

  /// Each block's numbers become the sums over the blocks after it, or before.
  static void over_others(std::vector<double>& values, std::size_t n, bool after) {
    if (n == 0) return;
    const std::size_t n_blocks = values.size() / n;
    std::vector<double> sum(n, 0);
    for (std::size_t i = 0; i < n_blocks; ++i) {
      double* of_block = values.data() + (after ? n_blocks - 1 - i : i) * n;
      for (std::size_t k = 0; k < n; ++k) {
        const double own = of_block[k];
        of_block[k] = sum[k];
        sum[k] += own;
      }
    }
  }

  double add_up() {
    std::vector<double> mine;
    for (const CoxTimeRows& rows : rows_) mine.insert(mine.end(), rows.terms().begin(), rows.terms().end());
    const std::vector<double> all = of_all_(mine);
    const std::size_t n = size(CoxTimeRows::n_terms(p_));
    std::vector<double> sum(n, 0);
    bool in_range = true;
    for (std::size_t at = 0; at < all.size(); at += n) {
      in_range = in_range && std::isfinite(all[at]);
      for (std::size_t k = 0; k < n; ++k) sum[k] += all[at + k];
    }
    const double* term = sum.data() + 1;
    for (Index j = 0; j < p_; ++j) gradient_(j) = *term++;
    for (Index j = 0; j < p_; ++j)
      for (Index k = j; k < p_; ++k) information_(j, k) = information_(k, j) = *term++;
    for (Index j = 0; j < p_; ++j) squares_(j) = *term++;
    return in_range ? sum[0] : -std::numeric_limits<double>::infinity();
  }

  std::vector<CoxTimeRows> rows_;
  Index p_, n_strata_;
  std::size_t first_;
  const OfAllBlocks& of_all_;
  Eigen::VectorXd gradient_, squares_;
  Eigen::MatrixXd information_;
};

std::vector<Index> without(Index n, const std::vector<Index>& left_out) {
  std::vector<Index> kept;
  for (Index j = 0; j < n; ++j)
    if (std::find(left_out.begin(), left_out.end(), j) == left_out.end()) kept.push_back(j);
  return kept;
}

/// Coefficients and covariance on the original scale.
void report(const CoxTimeScale& scale, const NewtonResult& found, CoxFit& fit) {
  std::vector<Index> finite;
  for (const Index j : found.kept)
    if (std::find(found.infinite.begin(), found.infinite.end(), j) == found.infinite.end())
      finite.push_back(j);
  const Eigen::MatrixXd inverse = inverse_of(found.information, finite);
  const Index p = found.beta.size();
  for (Index j = 0; j < p; ++j) {
    fit.beta[size(j)] = found.beta(j) / scale.scale[size(j)];
    for (Index k = 0; k < p; ++k)
      fit.covariance[size(j * p + k)] = inverse(j, k) / scale.scale[size(j)] / scale.scale[size(k)];
  }
  for (const Index j : fit.aliased) fit.beta[size(j)] = missing;
  for (const Index j : found.infinite) {
    fit.beta[size(j)] = std::copysign(std::numeric_limits<double>::infinity(), found.beta(j));
    for (Index k = 0; k < p; ++k) fit.covariance[size(j * p + k)] = fit.covariance[size(k * p + j)] = missing;
  }
  fit.infinite = found.infinite;
  fit.loglik = found.loglik;
  fit.iterations = found.iterations;
  if (found.converged) fit.df = static_cast<double>(finite.size());
}

void check(std::span<const CoxTimeBlock> blocks, Index n_columns, const CoxOptions& options) {
  for (const CoxTimeBlock& block : blocks)
    if (block.n_columns != n_columns)
      throw ShapeError({.what = "blocks of time differ in columns",
                        .found = std::to_string(block.n_columns),
                        .expected = std::to_string(n_columns)});
  if (!options.start.empty() || !options.ridge.theta.empty())
    throw ShapeError({.what = "a fit by time has neither start nor ridge", .found = "one of them"});
}

}  // namespace

CoxTimeScale standardise(std::span<CoxTimeBlock> blocks, Index n_columns, const OfAllBlocks& of_all) {
  const std::size_t p = size(n_columns), n_first = 4 + p, n_second = 4 * p;
  std::vector<double> mine;
  for (const CoxTimeBlock& block : blocks) {
    double n_events = 0, sum = 0;
    for (const std::uint8_t event : block.event) n_events += event;
    for (const double time : block.distinct) sum += std::abs(time);
    mine.insert(mine.end(), {static_cast<double>(block.n_rows()), n_events,
                             static_cast<double>(block.distinct.size()), sum});
    for (std::size_t j = 0; j < p; ++j) {
      double of_column = 0;
      for (std::size_t i = 0; i < block.time.size(); ++i)
        of_column += block.columns[j * block.time.size() + i];
      mine.push_back(of_column);
    }
  }
  std::vector<double> total(n_first, 0);
  const std::vector<double> first = of_all(mine);
  for (std::size_t i = 0; i < first.size(); ++i) total[i % n_first] += first[i];
  CoxTimeScale scale{.n_rows = static_cast<Index>(total[0]),
                     .n_events = static_cast<Index>(total[1]),
                     .tied = std::sqrt(std::numeric_limits<double>::epsilon()) *
                             std::max(1.0, total[2] > 0 ? total[3] / total[2] : 0),
                     .centre = {},
                     .scale = std::vector<double>(p, 1),
                     .range = std::vector<double>(p, 0)};
  for (std::size_t j = 0; j < p; ++j) scale.centre.push_back(total[0] > 0 ? total[4 + j] / total[0] : 0);

  // of each column the squares about the centre, largest less centre, centre less smallest, largest in size
  mine.clear();
  for (const CoxTimeBlock& block : blocks) {
    for (std::size_t j = 0; j < p; ++j) {
      double squares = 0, above = 0, below = 0, largest = 0;
      for (std::size_t i = 0; i < block.time.size(); ++i) {
        const double x = block.columns[j * block.time.size() + i], apart = x - scale.centre[j];
        squares += apart * apart;
        above = std::max(above, apart);
        below = std::max(below, -apart);
        largest = std::max(largest, std::abs(x));
      }
      mine.insert(mine.end(), {squares, above, below, largest});
    }
  }
  const std::vector<double> second = of_all(mine);
  for (std::size_t j = 0; j < p; ++j) {
    double squares = 0, above = 0, below = 0, largest = 0;
    for (std::size_t at = 4 * j; at < second.size(); at += n_second) {
      squares += second[at];
      above = std::max(above, second[at + 1]);
      below = std::max(below, second[at + 2]);
      largest = std::max(largest, second[at + 3]);
    }
    const double deviation = total[0] > 0 ? std::sqrt(squares / total[0]) : 0;
    const bool constant = deviation <= 1e-12 * largest;
    if (!constant) {
      scale.scale[j] = deviation;
      scale.range[j] = (above + below) / deviation;
    }
    for (CoxTimeBlock& block : blocks)
      for (std::size_t i = 0; i < block.time.size(); ++i) {
        double& x = block.columns[j * block.time.size() + i];
        x = constant ? 0 : (x - scale.centre[j]) / deviation;
      }
  }
  return scale;
}

CoxFit cox_fit_by_time(std::span<CoxTimeBlock> blocks, Index n_columns, Index n_strata, Index first_block,
                       const OfAllBlocks& of_all, const CoxOptions& options) {
  check(blocks, n_columns, options);
  const CoxTimeScale scale = standardise(blocks, n_columns, of_all);
  CoxFit fit;
  fit.n_analysed = scale.n_rows;
  fit.n_events = scale.n_events;
  fit.beta.assign(size(n_columns), missing);
  fit.covariance.assign(size(n_columns * n_columns), missing);
  if (fit.n_events == 0) return fit;

  std::vector<CoxTimeRows> rows;
  rows.reserve(blocks.size());
  for (CoxTimeBlock& block : blocks) rows.emplace_back(block, scale.tied, options.ties, n_strata);
  Blocks likelihood(std::move(rows), n_columns, n_strata, first_block, of_all);
  const Eigen::VectorXd zero = Eigen::VectorXd::Zero(n_columns);
  fit.loglik_null = likelihood.evaluate(zero);
  fit.penalty = 0;
  fit.aliased = dependent_columns(likelihood.information(), likelihood.squares());
  const std::vector<Index> kept = without(n_columns, fit.aliased);
  const Eigen::VectorXd gradient = likelihood.gradient()(kept);
  const Eigen::MatrixXd information = likelihood.information()(kept, kept);
  fit.score_chi2 = kept.empty() ? 0 : gradient.dot(Eigen::LLT<Eigen::MatrixXd>(information).solve(gradient));
  const NewtonResult found = newton(likelihood, {.start = zero,
                                                 .kept = kept,
                                                 .range = scale.range,
                                                 .max_iterations = options.max_iterations,
                                                 .loglik_at_start = fit.loglik_null});
  report(scale, found, fit);
  fit.verdict = verdict_of<CoxVerdict>(found, !fit.aliased.empty());
  return fit;
}

}  // namespace chorale::kernels
