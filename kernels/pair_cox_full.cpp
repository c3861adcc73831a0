// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "kernels/cox_engine.hpp"
#include "kernels/cox_newton.hpp"
#include "kernels/error.hpp"
#include "kernels/pair_cox.hpp"
#include "kernels/pair_cox_engine.hpp"
#include "kernels/pair_cox_feature.hpp"

namespace chorale::kernels {
namespace {

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

/// One thread's room for a pair.
class PairFitter {
 public:
  PairFitter(const PairFrame& frame, CarrierLists carriers, const FullPlan& plan)
      : frame_(frame), carriers_(carriers), plan_(plan), engine_(frame), range_(frame.rows.range) {
    range_.insert(range_.end(), {1, 1, 1});
  }

  void fit(const FeaturePair& pair, PairCoxFit& fit);

 private:
  void set_pair(const FeaturePair& pair, PairCounts& counts);
  NewtonResult maximise();
  NewtonResult maximise_without(const NewtonResult& full);
  bool singular_at(const Eigen::VectorXd& beta, const std::vector<Index>& kept);
  double score_test(const NewtonResult& without) const;
  void report(const NewtonResult& full, PairCoxFit& fit) const;

  const PairFrame& frame_;
  CarrierLists carriers_;
  FullPlan plan_;
  PairEngine engine_;
  PairFeature a_, b_;
  std::vector<double> range_;
};

void PairFitter::set_pair(const FeaturePair& pair, PairCounts& counts) {
  a_.set(frame_.rows, carriers_[size(pair.a)]);
  b_.set(frame_.rows, carriers_[size(pair.b)]);
  engine_.set_pair(a_.rows, b_.rows);
  counts = engine_.counts();
  add_idle(a_, b_, frame_.design.n_analysed, counts);
}

/// With ab; where none of both dies, in the limit.
NewtonResult PairFitter::maximise() {
  const Index p = frame_.rows.n_columns;
  NewtonPlan plan{
      .start = Eigen::VectorXd::Zero(p + 3), .kept = frame_.kept, .range = range_, .last_step = 1e-6};
  plan.start.head(p) = frame_.beta;
  const auto start = engine_.start();
  const bool limit = engine_.none_of_both_dies();
  for (Index j = 0; j < 3; ++j) {
    plan.start(p + j) = start[size(j)];
    if (j < 2 || !limit) plan.kept.push_back(p + j);
  }
  if (limit) plan.start(p + 2) = -std::numeric_limits<double>::infinity();
  return newton(engine_, plan);
}

/// Without ab, from where the full fit's parabola has its maximum at ab = 0. The likelihood and the score test are
/// asked for, whose errors are higher powers of the last step.
NewtonResult PairFitter::maximise_without(const NewtonResult& full) {
  const Index p = frame_.rows.n_columns;
  NewtonPlan plan{.start = full.beta, .kept = frame_.kept, .range = range_, .last_step = 1e-5};
  plan.kept.push_back(p);
  plan.kept.push_back(p + 1);
  if (full.converged && std::isfinite(full.beta(p + 2))) {
    const Eigen::LDLT<Eigen::MatrixXd> solver(Eigen::MatrixXd(full.information(plan.kept, plan.kept)));
    const Eigen::VectorXd beside = full.information(plan.kept, p + 2);
    const Eigen::VectorXd move = solver.solve(beside) * full.beta(p + 2);
    plan.start(plan.kept) += move;
  }
  if (!full.converged || !plan.start.allFinite()) {
    plan.start = Eigen::VectorXd::Zero(p + 3);
    plan.start.head(p) = frame_.beta;
  }
  plan.start(p + 2) = 0;
  const auto start = engine_.start_without({plan.start(p), plan.start(p + 1), 0});
  plan.start(p) = start[0];
  plan.start(p + 1) = start[1];
  return newton(engine_, plan);
}

bool PairFitter::singular_at(const Eigen::VectorXd& beta, const std::vector<Index>& kept) {
  engine_.evaluate(beta);
  return !dependent_columns(Eigen::MatrixXd(engine_.information()(kept, kept))).empty();
}

/// (u_ab − I_ab,k I_kk⁻¹ u_k)² / (I_ab,ab − I_ab,k I_kk⁻¹ I_k,ab), k all others: what the last step adds to u_ab is
/// in it.
double PairFitter::score_test(const NewtonResult& without) const {
  const Index ab = frame_.rows.n_columns + 2;
  const Eigen::MatrixXd& information = engine_.information();
  const Eigen::VectorXd beside = information(without.kept, ab);
  const Eigen::LDLT<Eigen::MatrixXd> solver(Eigen::MatrixXd(information(without.kept, without.kept)));
  const Eigen::VectorXd slopes = solver.solve(beside);
  const Eigen::VectorXd others = engine_.gradient()(without.kept);
  const double score = engine_.gradient()(ab) - slopes.dot(others);
  return score * score / (information(ab, ab) - slopes.dot(beside));
}

void PairFitter::report(const NewtonResult& full, PairCoxFit& fit) const {
  const Index p = frame_.rows.n_columns;
  const auto n_kept = static_cast<Index>(full.kept.size());
  const Eigen::MatrixXd inverse =
      full.information(full.kept, full.kept).llt().solve(Eigen::MatrixXd::Identity(n_kept, n_kept));
  const Eigen::Matrix3d block = inverse.bottomRightCorner(3, 3);
  Eigen::Map<Eigen::Matrix3d>(fit.covariance.data()) = block;
  fit.a = full.beta(p);
  fit.b = full.beta(p + 1);
  fit.ab = full.beta(p + 2);
  fit.se_a = std::sqrt(block(0, 0));
  fit.se_b = std::sqrt(block(1, 1));
  fit.se_ab = std::sqrt(block(2, 2));
  fit.wald_chi2 = fit.ab * fit.ab / block(2, 2);
  for (const Index j : frame_.kept) fit.beta[size(j)] = full.beta(j) / frame_.rows.scale[size(j)];
}

void PairFitter::fit(const FeaturePair& pair, PairCoxFit& fit) {
  fit = {};
  fit.beta.assign(size(frame_.rows.n_columns), missing);
  set_pair(pair, fit.counts);
  if (frame_.design.n_events == 0) return;
  fit.loglik_null = frame_.covariates.loglik_null;
  if (!frame_.usable()) {
    fit.verdict = PairVerdict::covariates_failed;
    return;
  }
  fit.loglik_covariates = frame_.covariates.loglik;
  const auto& at_risk = engine_.counts().n;
  if (std::find(at_risk.begin(), at_risk.end(), 0) != at_risk.end()) {
    fit.verdict = PairVerdict::empty_group;
    return;
  }

  const NewtonResult full = maximise();
  fit.iterations = full.iterations;
  const bool limit = engine_.none_of_both_dies();
  // second moments that cancel need more terms than PairMoments has; the start needs none
  const auto dependent = [&](const Eigen::MatrixXd& information) {
    return !dependent_columns(Eigen::MatrixXd(information(full.kept, full.kept))).empty();
  };
  const bool separated = !full.infinite.empty() || (limit && full.converged);
  if (!full.converged || limit || dependent(full.information_at_start) || dependent(full.information)) {
    Eigen::VectorXd origin = Eigen::VectorXd::Zero(engine_.n_coefficients());
    origin.head(frame_.rows.n_columns) = frame_.beta;
    std::vector<Index> all = frame_.kept;
    for (Index j = 0; j < 3; ++j) all.push_back(frame_.rows.n_columns + j);
    fit.verdict = singular_at(origin, all) ? PairVerdict::singular
                  : separated              ? PairVerdict::separated
                                           : PairVerdict::not_converged;
    if (fit.verdict != PairVerdict::separated) return;
  } else {
    fit.verdict = PairVerdict::converged;
    report(full, fit);
  }

  if (plan_.with_lrt) {
    const NewtonResult without = maximise_without(full);
    const bool reached = without.converged || !without.infinite.empty();
    if (!reached) {
      fit.verdict = PairVerdict::not_converged;
      return;
    }
    fit.loglik_without = without.loglik;
    fit.lrt_chi2 = std::max(0.0, 2 * (full.loglik - without.loglik));
    if (without.converged) fit.score_chi2 = score_test(without);
  }
  fit.loglik = full.loglik;
}

}  // namespace

std::string_view name_of(PairVerdict verdict) {
  switch (verdict) {
    case PairVerdict::converged:
      return "converged";
    case PairVerdict::penalised:
      return "penalised";
    case PairVerdict::no_events:
      return "no_events";
    case PairVerdict::empty_group:
      return "empty_group";
    case PairVerdict::separated:
      return "separated";
    case PairVerdict::covariates_failed:
      return "covariates_failed";
    case PairVerdict::singular:
      return "singular";
    case PairVerdict::not_converged:
      return "not_converged";
    case PairVerdict::below_bound:
      return "below_bound";
  }
  throw ShapeError({.what = "verdict out of range",
                    .found = std::to_string(static_cast<int>(verdict)),
                    .expected = "a PairVerdict"});
}

void pair_cox_full(const PairCoxFrame& shared, CarrierLists carriers, std::span<const FeaturePair> pairs,
                   std::span<PairCoxFit> fits, const FullPlan& plan) {
  const PairFrame& frame = *shared;
  check_pairs(frame.design, carriers, pairs, fits.size());
  const auto n_pairs = static_cast<Index>(pairs.size());
#pragma omp parallel if (n_pairs > 1)
  {
    PairFitter fitter(frame, carriers, plan);
#pragma omp for schedule(dynamic)
    for (Index k = 0; k < n_pairs; ++k) fitter.fit(pairs[size(k)], fits[size(k)]);
  }
}

void pair_cox_full(const CoxDesign& design, const CoxFit& covariates, CarrierLists carriers,
                   std::span<const FeaturePair> pairs, Ties ties, std::span<PairCoxFit> fits) {
  pair_cox_full(PairCoxFrame(design, covariates, ties), carriers, pairs, fits);
}

}  // namespace chorale::kernels
