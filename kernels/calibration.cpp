// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/calibration.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "kernels/cox_body.hpp"
#include "kernels/cox_newton.hpp"
#include "kernels/dense_rank.hpp"
#include "kernels/error.hpp"
#include "kernels/kaplan_meier_limits.hpp"

namespace chorale::kernels {
namespace {

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

/// Log partial likelihood of one column, centred and scaled, with case weights of which some may be 0.
class OneColumn final : public CoxLikelihood {
 public:
  OneColumn(const RiskOrder& order, const std::vector<double>& x, const std::vector<double>& weight,
            Ties ties)
      : order_(order), x_(x), weight_(weight), risk_(x), ties_(ties) {}

  double evaluate(const Eigen::VectorXd& beta) override {
    CHORALE_AT_LEVEL(cox_risks, ColumnTable{x_.data(), 0, 1}, nullptr, weight_.data(), beta.data(), Index{0},
                     order_.n_rows, risk_.data());
    double loglik = 0;
    gradient_.setZero();
    information_.setZero();
    for (Index s = 0; s < order_.n_strata; ++s) loglik += add_stratum(s, beta(0));
    return loglik;
  }
  const Eigen::VectorXd& gradient() const override { return gradient_; }
  const Eigen::MatrixXd& information() const override { return information_; }

 private:
  /// Σ risk, Σ risk x, Σ risk x²
  struct Sums {
    double s0 = 0, s1 = 0, s2 = 0;
    void add(double risk, double x, double sign = 1) {
      s0 += sign * risk;
      s1 += sign * risk * x;
      s2 += sign * risk * x * x;
    }
  };

  double add_stratum(Index stratum, double beta) {
    const Index first = order_.slot_begin[size(stratum)], past = order_.slot_begin[size(stratum + 1)];
    Index entering = order_.row_begin[size(2 * past)];
    Sums at_risk;
    double loglik = 0;
    for (Index t = past - 1; t > first; --t) {
      const auto alive = size(order_.row_begin[size(2 * t)]), dead = size(order_.row_begin[size(2 * t + 1)]),
                 end = size(order_.row_begin[size(2 * t + 2)]);
      for (std::size_t row = alive; row < dead; ++row) at_risk.add(risk_[row], x_[row]);
      Sums dying;
      double deaths = 0, weight = 0, sum_x = 0;
      for (std::size_t row = dead; row < end; ++row) {
        dying.add(risk_[row], x_[row]);
        deaths += weight_[row] > 0;
        weight += weight_[row];
        sum_x += weight_[row] * x_[row];
      }
      at_risk.s0 += dying.s0;
      at_risk.s1 += dying.s1;
      at_risk.s2 += dying.s2;
      for (; order_.late_entries && entering > order_.row_begin[size(2 * first)]; --entering) {
        const auto row = size(order_.by_entry[size(entering - 1)]);
        if (order_.enters[row] <= t) break;
        at_risk.add(risk_[row], x_[row], -1);
      }
      if (deaths == 0) continue;
      loglik += beta * sum_x;
      gradient_(0) += sum_x;
      for (double l = 0; l < deaths; ++l) {
        const double share = ties_ == Ties::efron ? l / deaths : 0;
        const double s0 = at_risk.s0 - share * dying.s0, mean = (at_risk.s1 - share * dying.s1) / s0;
        loglik -= weight / deaths * std::log(s0);
        gradient_(0) -= weight / deaths * mean;
        information_(0, 0) += weight / deaths * ((at_risk.s2 - share * dying.s2) / s0 - mean * mean);
      }
    }
    return loglik;
  }

  const RiskOrder& order_;
  const std::vector<double>& x_;
  const std::vector<double>& weight_;
  std::vector<double> risk_;
  Ties ties_;
  Eigen::VectorXd gradient_ = Eigen::VectorXd::Zero(1);
  Eigen::MatrixXd information_ = Eigen::MatrixXd::Zero(1, 1);
};

/// Patients without a value leave with weight 0; returns how many.
Index leave_out_missing(std::vector<double>& value, std::vector<double>& weight) {
  Index n_missing = 0;
  for (std::size_t row = 0; row < value.size(); ++row) {
    if (weight[row] > 0 && std::isnan(value[row])) {
      ++n_missing;
      weight[row] = 0;
    }
    if (weight[row] == 0) value[row] = 0;
  }
  return n_missing;
}

/// Centres and scales by weight; returns the divisor, 0 where all values are equal.
double standardise(std::vector<double>& x, const std::vector<double>& weight) {
  double sum = 0, total = 0, squares = 0, largest = 0;
  for (std::size_t row = 0; row < x.size(); ++row) {
    sum += weight[row] * x[row];
    total += weight[row];
    largest = std::max(largest, std::abs(x[row]));
  }
  const double mean = total > 0 ? sum / total : 0;
  for (std::size_t row = 0; row < x.size(); ++row) {
    x[row] = weight[row] > 0 ? x[row] - mean : 0;
    squares += weight[row] * x[row] * x[row];
  }
  const double deviation = total > 0 ? std::sqrt(squares / total) : 0;
  if (deviation <= 1e-12 * largest) return 0;
  for (double& value : x) value /= deviation;
  return deviation;
}

/// Kaplan-Meier of the groups, from the last time back.
struct GroupCurve {
  double at_risk = 0, survival = 1, greenwood = 0, dying = 0, last = -1;
  Index n_at_risk = 0;

  void die() {
    if (dying == 0) return;
    const double left = n_at_risk > 0 ? at_risk : 0;  // differences of weights may miss zero
    survival *= left / (left + dying);
    greenwood += dying / ((left + dying) * left);
  }
};

}  // namespace

CalibrationSlope calibration_slope(const RiskOrder& order, std::span<const double> linear_predictor,
                                   std::span<const double> weight, Ties ties) {
  CalibrationSlope result;
  std::vector<double> x, of_row;
  row_values(order, linear_predictor, x);
  row_weights(order, weight, of_row);
  result.n_missing = leave_out_missing(x, of_row);
  double weight_of_deaths = 0;
  for (Index t = 0; t < order.n_slots; ++t) {
    for (Index row = order.row_begin[size(2 * t)]; row < order.row_begin[size(2 * t + 2)]; ++row) {
      if (of_row[size(row)] == 0) continue;
      ++result.n_analysed;
      if (row < order.row_begin[size(2 * t + 1)]) continue;
      ++result.n_events;
      weight_of_deaths += of_row[size(row)];
    }
  }
  if (result.n_events == 0) return result;
  const double scale = standardise(x, of_row);
  result.verdict = CoxVerdict::singular;
  if (scale == 0) return result;

  const auto [low, high] = std::minmax_element(x.begin(), x.end());
  const double range = *high - *low;
  OneColumn likelihood(order, x, of_row, ties);
  // well calibrated predictions start at their answer
  const Eigen::VectorXd start = Eigen::VectorXd::Constant(1, std::min(scale, 1.0));
  const NewtonResult fit = newton(likelihood, {.start = start, .kept = {0}, .range = {&range, 1}});
  // whoever is at risk together has the same value
  if (!(fit.information_at_start(0, 0) > 1e-12 * weight_of_deaths)) return result;
  result.verdict = verdict_of<CoxVerdict>(fit, false);
  if (result.verdict != CoxVerdict::converged) return result;
  result.slope = fit.beta(0) / scale;
  result.se = 1 / (std::sqrt(fit.information(0, 0)) * scale);
  return result;
}

std::vector<CalibrationGroup> calibration_groups(const RiskOrder& order, std::span<const double> survival,
                                                 double horizon, std::span<const double> weight,
                                                 Index n_groups, ConfOptions conf) {
  if (order.n_strata > 1 || n_groups < 1) {
    throw ShapeError(
        {.what = "groups of predictions take one stratum and at least one group",
         .found = std::to_string(order.n_strata) + " strata, " + std::to_string(n_groups) + " groups",
         .expected = "1 stratum, 1 group or more"});
  }
  const double z = half_width(conf.level);
  std::vector<double> prediction, of_row;
  row_values(order, survival, prediction);
  row_weights(order, weight, of_row);
  leave_out_missing(prediction, of_row);

  // groups by rank
  std::vector<std::int32_t> rank(prediction.size());
  DenseRank ranks;
  std::vector<double> at_rank(n_groups == 1 ? 1 : size(ranks.rank(prediction, rank)), 0.0);
  double total = 0;
  for (std::size_t row = 0; row < rank.size(); ++row) {
    at_rank[size(rank[row])] += of_row[row];
    total += of_row[row];
  }
  std::vector<Index> group_of(at_rank.size(), 0);
  double below = 0;
  for (std::size_t r = 0; r < at_rank.size() && total > 0; ++r) {
    const double middle = (below + at_rank[r] / 2) / total;
    group_of[r] =
        std::min(static_cast<Index>(std::floor(static_cast<double>(n_groups) * middle)), n_groups - 1);
    below += at_rank[r];
  }

  std::vector<CalibrationGroup> groups(size(n_groups));
  std::vector<GroupCurve> curves(size(n_groups));
  const auto add = [&](std::size_t row, Index sign) {
    GroupCurve& curve = curves[size(group_of[size(rank[row])])];
    if (of_row[row] == 0) return;
    curve.at_risk += static_cast<double>(sign) * of_row[row];
    curve.n_at_risk += sign;
  };
  Index entering = order.n_rows;
  for (Index t = order.n_slots - 1; t >= 0; --t) {
    const auto alive = size(order.row_begin[size(2 * t)]), dead = size(order.row_begin[size(2 * t + 1)]),
               end = size(order.row_begin[size(2 * t + 2)]);
    for (std::size_t row = alive; row < dead; ++row) add(row, 1);
    for (; order.late_entries && entering > 0; --entering) {
      const auto row = size(order.by_entry[size(entering - 1)]);
      if (order.enters[row] <= t) break;
      add(row, -1);
    }
    if (order.time[size(t)] <= horizon) {
      for (std::size_t row = dead; row < end; ++row) {
        curves[size(group_of[size(rank[row])])].dying += of_row[row];
        groups[size(group_of[size(rank[row])])].events += of_row[row];
      }
      for (GroupCurve& curve : curves) curve.die();
      for (GroupCurve& curve : curves) curve.dying = 0;
    }
    for (std::size_t row = dead; row < end; ++row) add(row, 1);
  }

  for (std::size_t row = 0; row < rank.size(); ++row) {
    if (of_row[row] == 0) continue;
    const auto g = size(group_of[size(rank[row])]);
    CalibrationGroup& group = groups[g];
    ++group.n;
    group.predicted = (group.n == 1 ? 0 : group.predicted) + of_row[row] * prediction[row];
    group.weight += of_row[row];
    curves[g].last = std::max(curves[g].last, order.exit[row]);
  }
  for (std::size_t g = 0; g < groups.size(); ++g) {
    CalibrationGroup& group = groups[g];
    if (group.n == 0) continue;
    group.predicted /= group.weight;
    if (horizon > curves[g].last) continue;
    const double log_se = std::sqrt(curves[g].greenwood);
    const KmLimits limits = km_limits(curves[g].survival, log_se, conf.type, z);
    group.observed = curves[g].survival;
    group.se = group.observed * log_se;
    group.lower = limits.lower;
    group.upper = limits.upper;
  }
  return groups;
}

}  // namespace chorale::kernels
