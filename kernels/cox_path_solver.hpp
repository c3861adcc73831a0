// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <span>
#include <vector>

#include "kernels/cox_path_engine.hpp"
#include "kernels/cox_path_recorder.hpp"

namespace chorale::kernels {

/// Follows the minimum of the penalised likelihood of one sample from penalty to penalty, up to eight at a time.
class CoxPathSolver {
 public:
  CoxPathSolver(const CoxPathSample& sample, const PathPenalty& penalty);

  /// Moves on to at most eight falling penalties; infinite: columns with a penalty stay out. False where Newton's
  /// method does not get there.
  bool solve(std::span<const double> lambda);

  /// Results of the last solve(), k of its lambdas; before the first those of zeros.
  double beta(Index k, Index column) const { return beta_[at(column, k)]; }  ///< of the standardised column
  double slope(Index k, Index column) const { return slopes_[at(column, k)]; }  ///< ∂ loglik/∂ beta / W
  double loglik(Index k) const { return loglik_[k]; }

  Index n_evaluations() const { return n_evaluations_; }

 private:
  struct Lane {
    double lambda = 0;
    double base_objective = 0;
    double step = 0, last_step = 0;
    double share = 0;  ///< of the curvature at the last lane, where blended_
    bool done = false;
    bool stepped = false;  ///< by the model, from base_
    bool distrust = false;
    int halvings = 0;
  };

  static std::size_t at(Index column, Index lane) {
    return static_cast<std::size_t>(column * path_lanes + lane);
  }
  double penalty(Index lane) const;
  double objective(Index lane) const { return penalty(lane) - loglik_[lane] / sample_.total_weight; }
  void start(std::span<const double> lambda);
  bool enlist(const std::vector<std::uint8_t>& wanted);
  std::vector<std::uint8_t> likely() const;
  std::vector<std::uint8_t> violating() const;
  void make_model(Index lane);
  void make_end_model();
  void descend(Index lane);
  std::vector<double> expected_deaths(Index lane) const;
  void set_scale(Index lane);
  Index lane_to_model() const;
  double move(Index lane, std::span<const double> from);
  bool runs_away(Index lane) const;
  void predict();
  void evaluate(bool all);
  bool settle(Index lane);
  void step_all();
  void finish(Index lane);
  bool enter_violating();

  const CoxPathSample& sample_;
  const PathPenalty& penalty_;
  CoxPathEngine engine_;
  Index n_columns_;
  std::vector<std::int32_t> every_, working_;  ///< columns, ascending
  std::vector<std::uint8_t> works_;
  std::vector<double> beta_, base_, slopes_;  ///< column x lane; base_: the place that slopes_ belong to
  double loglik_[path_lanes] = {};
  Lane lane_[path_lanes];
  Index n_lanes_ = 1;
  bool evaluated_all_ = false;
  Index stride_ = 0;
  AlignedDoubles hessian_;  ///< of the working columns
  AlignedDoubles end_;  ///< the same at the last lane, where blended_: between them curvature is about linear
  AlignedDoubles blend_;
  bool blended_ = false;
  std::vector<double> from_;  ///< per column, where the lanes started
  std::vector<double> died_;  ///< per column, slope of a sparse one were nobody at risk; 0 for dense ones
  std::vector<double> expected_, end_expected_;  ///< died_ − slope at the models, of the working columns
  std::vector<double> scale_;
  std::vector<double> model_beta_, model_slope_, l1_, l2_, reach_;
  Index n_evaluations_ = 0;
};

}  // namespace chorale::kernels
