// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/cox_path_solver.hpp"

#include <algorithm>
#include <cmath>

namespace chorale::kernels {
namespace {

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

// log hazard, per standard deviation of a dense column and per carrier of a sparse one
constexpr double small_step = 1e-6;       ///< the last one at most
constexpr double small_error = 2e-8;      ///< what a step after it would be, judged by the one before
constexpr double model_tolerance = 1e-9;  ///< of the quadratic model's minimum

constexpr double probable = 0.8;  ///< slope, as a share of its bound, of columns that may enter further down
constexpr double longest_step = 3, furthest = 20;

constexpr double slow = 0.2;  ///< a step, as a share of the one before, that asks for a new model
constexpr int max_evaluations = 200, max_halvings = 50;
constexpr Index max_sweeps = 20000;

}  // namespace

CoxPathSolver::CoxPathSolver(const CoxPathSample& sample, const PathPenalty& penalty)
    : sample_(sample),
      penalty_(penalty),
      engine_(sample),
      n_columns_(sample.data->n_columns()),
      works_(size(n_columns_), 0),
      beta_(size(n_columns_ * path_lanes), 0.0),
      base_(beta_),
      slopes_(beta_) {
  for (Index j = 0; j < n_columns_; ++j) {
    if (penalty.free[size(j)]) every_.push_back(static_cast<std::int32_t>(j));
  }
  const PathRows rows = sample.rows();
  died_.assign(size(sample.data->n_dense), 0.0);
  for (Index c = 0; c < sample.carriers.n(); ++c) {
    double dead = 0;
    for (const std::int32_t row : sample.carriers[c]) dead += rows.dead[row];
    died_.push_back(dead * sample.ratio[died_.size()] / sample.total_weight);
  }
  evaluate(true);
}

double CoxPathSolver::penalty(Index lane) const {
  const double lambda = lane_[lane].lambda;
  if (std::isinf(lambda)) return 0;
  double sum = 0;
  for (const std::int32_t j : working_) {
    const double b = beta_[at(j, lane)];
    sum += penalty_.factor[size(j)] * (penalty_.alpha * std::abs(b) + (1 - penalty_.alpha) / 2 * b * b);
  }
  return lambda * sum;
}

/// Every lane starts where the last one ended.
void CoxPathSolver::start(std::span<const double> lambda) {
  const Index from = n_lanes_ - 1;
  n_lanes_ = static_cast<Index>(lambda.size());
  for (const std::int32_t j : every_) {
    const double b = beta_[at(j, from)], slope = slopes_[at(j, from)];
    for (Index k = 0; k < path_lanes; ++k) {
      beta_[at(j, k)] = b;
      slopes_[at(j, k)] = slope;
    }
  }
  std::fill_n(loglik_, path_lanes, double{loglik_[from]});
  for (Index k = 0; k < n_lanes_; ++k) lane_[k] = Lane{.lambda = lambda[size(k)]};
  if (blended_) {
    std::swap(hessian_, end_);
    std::swap(expected_, end_expected_);
  }
  blended_ = false;
  if (enlist(likely()) || hessian_.empty()) make_model(from);
  for (Index k = 0; k < n_lanes_; ++k) lane_[k].base_objective = objective(k);
  base_ = beta_;
  from_.clear();
  for (Index j = 0; j < n_columns_; ++j) from_.push_back(beta_[at(j, 0)]);
}

/// Columns that may be nonzero somewhere down to the smallest penalty ahead.
std::vector<std::uint8_t> CoxPathSolver::likely() const {
  std::vector<std::uint8_t> wanted(size(n_columns_), 0);
  const double lambda = lane_[n_lanes_ - 1].lambda;
  for (const std::int32_t j : every_) {
    const double v = penalty_.factor[size(j)];
    if (v == 0) {
      wanted[size(j)] = 1;
    } else if (!std::isinf(lambda)) {
      wanted[size(j)] = std::abs(slopes_[at(j, 0)]) >= probable * lambda * penalty_.alpha * v;
    }
  }
  return wanted;
}

/// Columns left out whose slope at the place evaluated is above their penalty, or could be after the last step.
std::vector<std::uint8_t> CoxPathSolver::violating() const {
  std::vector<std::uint8_t> wanted(size(n_columns_), 0);
  for (const std::int32_t j : every_) {
    const double bound = penalty_.alpha * penalty_.factor[size(j)];
    for (Index k = 0; k < n_lanes_ && !works_[size(j)]; ++k) {
      if (std::isinf(lane_[k].lambda)) continue;
      if (!(std::abs(slopes_[at(j, k)]) <= bound * lane_[k].lambda - small_step)) wanted[size(j)] = 1;
    }
  }
  return wanted;
}

/// True when columns joined those at work. More than half of all: then all, as models are dear.
bool CoxPathSolver::enlist(const std::vector<std::uint8_t>& wanted) {
  bool joined = false;
  for (const std::int32_t j : every_) {
    if (!wanted[size(j)] || works_[size(j)]) continue;
    works_[size(j)] = 1;
    joined = true;
  }
  if (!joined) return false;
  working_.clear();
  for (const std::int32_t j : every_) {
    if (works_[size(j)]) working_.push_back(j);
  }
  if (2 * working_.size() > every_.size() && !std::isinf(lane_[0].lambda)) {
    working_ = every_;
    for (const std::int32_t j : every_) works_[size(j)] = 1;
  }
  return true;
}

void CoxPathSolver::make_model(Index lane) {
  const auto n = static_cast<Index>(working_.size());
  stride_ = (n + 7) / 8 * 8;
  hessian_.resize(size(n * stride_));
  blended_ = false;
  engine_.hessian(lane, working_, stride_, hessian_);
  expected_ = expected_deaths(lane);
  model_beta_.resize(working_.size());
  model_slope_.resize(working_.size());
  l1_.resize(working_.size());
  l2_.resize(working_.size());
  reach_.clear();
  for (const std::int32_t j : working_) reach_.push_back(sample_.ratio[size(j)]);
  scale_.assign(working_.size(), 1.0);
}

/// A second model at the last lane; the others' lie between the two by how far they went.
void CoxPathSolver::make_end_model() {
  end_.resize(hessian_.size());
  blend_.resize(hessian_.size());
  engine_.hessian(n_lanes_ - 1, working_, stride_, end_);
  end_expected_ = expected_deaths(n_lanes_ - 1);
  blended_ = true;
  const auto distance = [&](Index k) {
    double squares = 0;
    for (const std::int32_t j : working_) squares += std::pow(base_[at(j, k)] - from_[size(j)], 2);
    return std::sqrt(squares);
  };
  const double furthest_lane = distance(n_lanes_ - 1);
  for (Index k = 0; k < n_lanes_; ++k)
    lane_[k].share = furthest_lane > 0 ? std::min(1.0, distance(k) / furthest_lane) : 1;
}

std::vector<double> CoxPathSolver::expected_deaths(Index lane) const {
  std::vector<double> expected;
  for (const std::int32_t j : working_) expected.push_back(died_[size(j)] - slopes_[at(j, lane)]);
  return expected;
}

/// The curvature of a rare sparse column is about its carriers' expected deaths, which every lane knows from its slope:
/// a lane's model is the common one with rows and columns multiplied by √(expected here / expected there).
void CoxPathSolver::set_scale(Index lane) {
  for (std::size_t c = 0; c < working_.size(); ++c) {
    if (working_[c] < sample_.data->n_dense) continue;
    const double there =
        blended_ ? expected_[c] + lane_[lane].share * (end_expected_[c] - expected_[c]) : expected_[c];
    const double here = died_[size(working_[c])] - slopes_[at(working_[c], lane)];
    scale_[c] = there > 0 && here > 0 ? std::clamp(std::sqrt(here / there), 0.2, 5.0) : 1;
  }
}

/// The model's minimum at a lane's penalty, from model_beta_ with slopes model_slope_.
void CoxPathSolver::descend(Index lane) {
  const double lambda = std::isinf(lane_[lane].lambda) ? 0 : lane_[lane].lambda;
  std::vector<double> reach(working_.size());
  for (std::size_t c = 0; c < working_.size(); ++c) {
    const double v = penalty_.factor[static_cast<std::size_t>(working_[c])], scale = scale_[c];
    l1_[c] = lambda * penalty_.alpha * v / scale;
    l2_[c] = lambda * (1 - penalty_.alpha) * v / (scale * scale);
    reach[c] = reach_[c] / scale;
    model_beta_[c] *= scale;
    model_slope_[c] /= scale;
  }
  const double* hessian = hessian_.data();
  if (blended_) {
    const double share = lane_[lane].share;
    for (std::size_t i = 0; i < hessian_.size(); ++i)
      blend_[i] = hessian_[i] + share * (end_[i] - hessian_[i]);
    hessian = blend_.data();
  }
  const PathModel model{.n = static_cast<Index>(working_.size()),
                        .stride = stride_,
                        .hessian = hessian,
                        .l1 = l1_.data(),
                        .l2 = l2_.data(),
                        .reach = reach.data()};
  CHORALE_AT_LEVEL(cox_path_descend, model, model_tolerance, max_sweeps, model_beta_.data(),
                   model_slope_.data());
  for (std::size_t c = 0; c < working_.size(); ++c) {
    model_beta_[c] /= scale_[c];
    model_slope_[c] *= scale_[c];
  }
}

/// Takes beta_ to the model's minimum, or as far on the way there from `from` (column x lane) as a step may go.
/// Returns how far.
double CoxPathSolver::move(Index lane, std::span<const double> from) {
  double longest = 0;
  for (std::size_t c = 0; c < working_.size(); ++c)
    longest = std::max(longest, reach_[c] * std::abs(model_beta_[c] - from[at(working_[c], lane)]));
  const double share = longest > longest_step ? longest_step / longest : 1;
  for (std::size_t c = 0; c < working_.size(); ++c) {
    const double start = from[at(working_[c], lane)];
    beta_[at(working_[c], lane)] = share == 1 ? model_beta_[c] : start + share * (model_beta_[c] - start);
  }
  return longest;
}

bool CoxPathSolver::runs_away(Index lane) const {
  for (std::size_t c = 0; c < working_.size(); ++c) {
    if (reach_[c] * std::abs(beta_[at(working_[c], lane)]) > furthest) return true;
  }
  return false;
}

/// Where one model expects the minima, one after the other.
void CoxPathSolver::predict() {
  for (std::size_t c = 0; c < working_.size(); ++c) {
    model_beta_[c] = beta_[at(working_[c], 0)];
    model_slope_[c] = slopes_[at(working_[c], 0)];
  }
  set_scale(0);
  for (Index k = 0; k < n_lanes_; ++k) {
    descend(k);
    lane_[k].step = move(k, base_);
  }
  for (Index k = n_lanes_; k < path_lanes; ++k) {
    for (const std::int32_t j : working_) beta_[at(j, k)] = beta_[at(j, n_lanes_ - 1)];
  }
}

void CoxPathSolver::evaluate(bool all) {
  std::vector<std::int32_t> columns;
  std::vector<double> beta;
  for (const std::int32_t j : working_) {
    const double* b = beta_.data() + at(j, 0);
    if (std::all_of(b, b + path_lanes, [](double value) { return value == 0; })) continue;
    columns.push_back(j);
    beta.insert(beta.end(), b, b + path_lanes);
  }
  const std::vector<std::int32_t>& asked = all ? every_ : working_;
  std::vector<double> slopes(asked.size() * path_lanes);
  engine_.evaluate(columns, beta, asked, slopes);
  for (std::size_t c = 0; c < asked.size(); ++c)
    std::copy_n(slopes.data() + c * path_lanes, path_lanes, slopes_.data() + at(asked[c], 0));
  for (Index k = 0; k < path_lanes; ++k) loglik_[k] = engine_.loglik(k);
  evaluated_all_ = asked.size() == every_.size();
  ++n_evaluations_;
}

/// Keeps the place evaluated, or goes back half the way to the last one; false where that does not help.
bool CoxPathSolver::settle(Index k) {
  Lane& lane = lane_[k];
  const double here = objective(k);
  lane.stepped = here <= lane.base_objective + 1e-12 * std::max(1.0, std::abs(lane.base_objective));
  if (lane.stepped || lane.done) {
    for (const std::int32_t j : working_) base_[at(j, k)] = beta_[at(j, k)];
    lane.base_objective = here;
    lane.halvings = 0;
    return true;
  }
  for (const std::int32_t j : working_) beta_[at(j, k)] = (beta_[at(j, k)] + base_[at(j, k)]) / 2;
  lane.distrust = true;
  return ++lane.halvings <= max_halvings;
}

/// The model's step in every lane that has to move and stands where its slopes are.
void CoxPathSolver::step_all() {
  for (Index k = 0; k < n_lanes_; ++k) {
    Lane& lane = lane_[k];
    if (lane.done || !lane.stepped) continue;
    for (std::size_t c = 0; c < working_.size(); ++c) {
      model_beta_[c] = base_[at(working_[c], k)];
      model_slope_[c] = slopes_[at(working_[c], k)];
    }
    set_scale(k);
    descend(k);
    lane.step = move(k, base_);
    if (lane.step <= small_step && lane.step * lane.step <= small_error * lane.last_step) finish(k);
  }
}

/// Slopes and likelihood go along with the last step.
void CoxPathSolver::finish(Index k) {
  double gain = 0;
  for (std::size_t c = 0; c < working_.size(); ++c) {
    double& slope = slopes_[at(working_[c], k)];
    gain += (model_beta_[c] - base_[at(working_[c], k)]) * (slope + model_slope_[c]) / 2;
    slope = model_slope_[c];
    base_[at(working_[c], k)] = model_beta_[c];
  }
  loglik_[k] += gain * sample_.total_weight;
  lane_[k].done = true;
}

/// Columns left out that may not be: all lanes start again from where they are.
bool CoxPathSolver::enter_violating() {
  if (!enlist(violating())) return false;
  make_model(n_lanes_ - 1);
  for (Index k = 0; k < n_lanes_; ++k) {
    lane_[k] = Lane{.lambda = lane_[k].lambda, .base_objective = objective(k), .stepped = true};
  }
  step_all();
  return true;
}

/// The lane whose curvature should be looked at again, or -1. A second model at the last lane serves all, once; after
/// that the lane that is furthest behind.
Index CoxPathSolver::lane_to_model() const {
  Index worst = -1;
  for (Index k = 0; k < n_lanes_; ++k) {
    const Lane& lane = lane_[k];
    if (lane.done || !lane.stepped || lane.step <= small_step) continue;
    const double ratio = lane.last_step > 0 ? lane.step / lane.last_step : 1;
    const bool bad = lane.distrust || ratio > slow || (!blended_ && lane.step * ratio * ratio > small_error);
    if (bad && (worst < 0 || lane.step > lane_[worst].step)) worst = k;
  }
  return worst;
}

bool CoxPathSolver::solve(std::span<const double> lambda) {
  start(lambda);
  predict();
  for (int round = 0; round < max_evaluations; ++round) {
    bool last = true;
    for (Index k = 0; k < n_lanes_; ++k) {
      Lane& lane = lane_[k];
      last &= lane.done || lane.step * lane.step <= small_step * lane.last_step;
      lane.last_step = lane.step;
    }
    evaluate(last);
    for (Index k = 0; k < n_lanes_; ++k) {
      if (!settle(k) || runs_away(k)) return false;
    }
    step_all();

    const Index worst = lane_to_model();
    if (worst >= 0) {
      lane_[worst].distrust = false;
      const bool halfway =
          std::any_of(lane_, lane_ + n_lanes_, [](const Lane& lane) { return lane.halvings > 0; });
      if (blended_ || halfway || n_lanes_ == 1) {
        make_model(worst);
      } else {
        make_end_model();
      }
      step_all();
      continue;
    }
    if (!std::all_of(lane_, lane_ + n_lanes_, [](const Lane& lane) { return lane.done; })) continue;
    if (!evaluated_all_) {
      evaluate(true);
      base_ = beta_;
    }
    if (!enter_violating()) return true;
  }
  return false;
}

}  // namespace chorale::kernels
