// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/pair_cox_screen.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "kernels/expected_deaths.hpp"
#include "kernels/pair_cox_engine.hpp"
#include "kernels/pair_cox_feature.hpp"
#include "kernels/pair_cox_newton.hpp"

namespace chorale::kernels {
namespace {

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

/// Carriers at each event time beside the covariates' own risks: M = S − f D and D where d > 1.
struct CarrierSteps {
  AlignedDoubles risk, tied_risk;
};

/// One feature: what its pairs share.
struct ScreenFeature : PairFeature {
  CarrierSteps steps;
  Index n_rows = 0, n_deaths = 0;
  double weight_of_deaths = 0;
  double log_hazard = 0;  ///< beside the covariates, alone; 0 where it does not converge
};

/// What all pairs share.
struct ScreenFrame {
  ScreenFrame(const PairFrame& pair_frame);

  const PairFrame& pair;
  const CoxRows& rows;
  EventTable table;
  AlignedDoubles expected;  ///< per row, deaths expected from the covariates' own fit
  AlignedDoubles zeros;     ///< n_padded
};

ScreenFrame::ScreenFrame(const PairFrame& pair_frame)
    : pair(pair_frame),
      rows(pair_frame.rows),
      table(pair_frame.times.table()),
      expected(expected_deaths(pair_frame.rows, pair_frame.times, pair_frame.risk.data(),
                               pair_frame.at_risk.data(), pair_frame.dying.data())),
      zeros(size(pair_frame.times.n_padded()), 0) {
  table.risk = pair.at_risk.data();
  table.tied_risk = pair.dying.data();
}

/// Turns rows into steps over event times; keeps its room between calls.
class StepMaker {
 public:
  explicit StepMaker(const ScreenFrame& frame) : frame_(frame) {}

  /// rows ascending. `steps` is of the right length and holds zeros at every tied_risk.
  void make(std::span<const std::int32_t> rows, CarrierSteps& steps);

  /// Back to zeros.
  void clear(std::span<const std::int32_t> rows, CarrierSteps& steps) const {
    for (const std::int32_t row : rows) steps.tied_risk[size(frame_.rows.place_of[size(row)] / 2)] = 0;
  }

 private:
  struct Change {
    Index time;  ///< from here back to the stratum's first, `risk` more
    double risk;
  };
  const ScreenFrame& frame_;
  std::vector<Change> changes_;
};

void StepMaker::make(std::span<const std::int32_t> rows, CarrierSteps& steps) {
  const CoxRows& all = frame_.rows;
  const double* centre = frame_.pair.times.table().centre;
  const Index n_times = frame_.pair.times.n_times();
  changes_.clear();
  for (const std::int32_t row : rows) {
    const auto at = size(row);
    const Index t = all.place_of[at] / 2;
    const double risk = frame_.pair.risk[at];
    changes_.push_back({t, risk});
    if (all.place_of[at] % 2 == 1 && centre[t] > 0) steps.tied_risk[size(t)] += risk;
    if (!all.enters.empty() && all.enters[at] < n_times) changes_.push_back({all.enters[at], -risk});
  }
  if (!all.enters.empty()) {
    std::stable_sort(changes_.begin(), changes_.end(),
                     [](const Change& l, const Change& r) { return l.time < r.time; });
  }
  // from the last event time to the first, constant between changes, from zero in each stratum
  const auto strata = frame_.pair.times.stratum_begin();
  auto change = changes_.rbegin();
  for (std::size_t s = strata.size() - 1; s > 0; --s) {
    double sum = 0;
    Index end = strata[s];
    for (; change != changes_.rend() && change->time >= strata[s - 1]; ++change) {
      std::fill(steps.risk.begin() + change->time + 1, steps.risk.begin() + end, sum);
      end = change->time + 1;
      sum += change->risk;
    }
    std::fill(steps.risk.begin() + strata[s - 1], steps.risk.begin() + end, sum);
  }
  Index before = -1;
  for (const std::int32_t row : rows) {
    const Index t = all.place_of[size(row)] / 2;
    if (t != before) steps.risk[size(t)] -= centre[t] * steps.tied_risk[size(t)];
    before = t;
  }
}

CarrierSteps no_steps(const ScreenFrame& frame) {
  return {frame.zeros, frame.zeros};
}

PairTable pair_table(const CarrierSteps& a, const CarrierSteps& b, const CarrierSteps& of_both) {
  return {{a.risk.data(), b.risk.data(), of_both.risk.data()},
          {a.tied_risk.data(), b.tied_risk.data(), of_both.tied_risk.data()}};
}

ScreenFeature make_feature(const ScreenFrame& frame, std::span<const std::int32_t> carriers) {
  ScreenFeature feature;
  feature.set(frame.rows, carriers);
  std::vector<std::int32_t> rows;
  for (std::size_t word = 0; word < feature.rows.size(); ++word) {
    for (std::uint64_t left = feature.rows[word]; left != 0; left &= left - 1)
      rows.push_back(static_cast<std::int32_t>(64 * word + size(std::countr_zero(left))));
  }
  for (const std::int32_t row : rows) {
    if (frame.rows.place_of[size(row)] % 2 == 0) continue;
    ++feature.n_deaths;
    feature.weight_of_deaths += frame.rows.weight.empty() ? 1 : frame.rows.weight[size(row)];
  }
  feature.n_rows = static_cast<Index>(rows.size());
  feature.steps = no_steps(frame);
  StepMaker(frame).make(rows, feature.steps);
  const CarrierSteps nobody = no_steps(frame);
  const PairPeak alone = climb(frame.table, pair_table(feature.steps, nobody, nobody),
                               {.deaths = {feature.weight_of_deaths, 0, 0}, .n_free = 1});
  if (alone.verdict == PairPeak::converged) feature.log_hazard = alone.at[0];
  return feature;
}

/// One thread's room for a pair.
class PairScreener {
 public:
  PairScreener(const ScreenFrame& frame) : frame_(frame), maker_(frame), steps_(no_steps(frame)) {}

  void screen(const ScreenFeature& a, const ScreenFeature& b, PairScreen& out);

 private:
  void find_both(const ScreenFeature& a, const ScreenFeature& b, PairCounts& counts);
  void fit(const ScreenFeature& a, const ScreenFeature& b, PairScreen& out);

  const ScreenFrame& frame_;
  StepMaker maker_;
  CarrierSteps steps_;              ///< carriers of both
  std::vector<std::int32_t> rows_;  ///< of these
  double weight_of_deaths_ = 0, expected_ = 0;
};

void PairScreener::find_both(const ScreenFeature& a, const ScreenFeature& b, PairCounts& counts) {
  rows_.clear();
  weight_of_deaths_ = expected_ = 0;
  Index n_deaths = 0;
  for (std::size_t word = 0; word < a.rows.size(); ++word) {
    for (std::uint64_t left = a.rows[word] & b.rows[word]; left != 0; left &= left - 1) {
      const std::size_t row = 64 * word + size(std::countr_zero(left));
      rows_.push_back(static_cast<std::int32_t>(row));
      expected_ += frame_.expected[row];
      if (frame_.rows.place_of[row] % 2 == 0) continue;
      ++n_deaths;
      weight_of_deaths_ += frame_.rows.weight.empty() ? 1 : frame_.rows.weight[row];
    }
  }
  const auto n_both = static_cast<Index>(rows_.size());
  const Index n_a = a.n_rows - n_both, n_b = b.n_rows - n_both;
  const Index deaths_a = a.n_deaths - n_deaths, deaths_b = b.n_deaths - n_deaths;
  counts = {
      .n = {frame_.rows.n_rows - n_a - n_b - n_both, n_a, n_b, n_both},
      .deaths = {frame_.pair.design.n_events - deaths_a - deaths_b - n_deaths, deaths_a, deaths_b, n_deaths}};
}

void PairScreener::fit(const ScreenFeature& a, const ScreenFeature& b, PairScreen& out) {
  const PairTable table = pair_table(a.steps, b.steps, steps_);
  const bool none_dies = weight_of_deaths_ == 0;
  PairClimb plan{.start = {a.log_hazard, b.log_hazard, 0},
                 .deaths = {a.weight_of_deaths, b.weight_of_deaths, weight_of_deaths_},
                 .n_free = 2,
                 .last_step = 0.03,
                 .with_log = true,
                 .starts_near = true};
  const PairPeak without = climb(frame_.table, table, plan);
  if (none_dies) {
    plan.none_of_both = true;
  } else {
    // deaths among the carriers of both over those expected of them, as if they weighed little in any risk set
    plan.start[2] = std::log(weight_of_deaths_ / expected_) - a.log_hazard - b.log_hazard;
    plan.n_free = 3;
    plan.starts_near = false;
  }
  const PairPeak full = climb(frame_.table, table, plan);
  const auto reached = [](const PairPeak& peak) {
    return peak.verdict == PairPeak::converged || peak.verdict == PairPeak::separated;
  };
  if (!reached(full) || !reached(without)) {
    const bool singular = full.verdict == PairPeak::singular || without.verdict == PairPeak::singular;
    out.verdict = singular ? PairVerdict::singular : PairVerdict::not_converged;
    return;
  }
  out.lrt_chi2 = std::max(0.0, 2 * (full.loglik - without.loglik));
  out.verdict =
      none_dies || full.verdict == PairPeak::separated ? PairVerdict::separated : PairVerdict::converged;
  if (out.verdict == PairVerdict::separated) return;
  out.a = full.at[0];
  out.b = full.at[1];
  out.ab = full.at[2];
  out.se_ab = std::sqrt(full.variance_both);
}

void PairScreener::screen(const ScreenFeature& a, const ScreenFeature& b, PairScreen& out) {
  out = {};
  find_both(a, b, out.counts);
  const auto at_risk = out.counts.n;
  if (!a.idle.empty() || !b.idle.empty() || frame_.rows.n_rows != frame_.pair.design.n_analysed)
    add_idle(a, b, frame_.pair.design.n_analysed, out.counts);
  if (frame_.pair.design.n_events == 0) return;
  if (!frame_.pair.usable()) {
    out.verdict = PairVerdict::covariates_failed;
    return;
  }
  if (std::find(at_risk.begin(), at_risk.end(), 0) != at_risk.end()) {
    out.verdict = PairVerdict::empty_group;
    return;
  }
  maker_.make(rows_, steps_);
  fit(a, b, out);
  maker_.clear(rows_, steps_);
}

}  // namespace

void pair_cox_screen(const CoxDesign& design, const CoxFit& covariates, CarrierLists carriers,
                     std::span<const FeaturePair> pairs, Ties ties, std::span<PairScreen> screens) {
  check_pairs(design, covariates, carriers, pairs, screens.size());
  const PairFrame pair_frame(design, covariates, ties);
  const ScreenFrame frame(pair_frame);
  std::vector<std::uint8_t> asked(carriers.size(), 0);
  for (const FeaturePair& pair : pairs) asked[size(pair.a)] = asked[size(pair.b)] = 1;
  std::vector<ScreenFeature> features(carriers.size());
  const auto n_features = static_cast<Index>(carriers.size()), n_pairs = static_cast<Index>(pairs.size());
#pragma omp parallel if (n_pairs > 1)
  {
#pragma omp for schedule(dynamic)
    for (Index g = 0; g < n_features; ++g) {
      if (asked[size(g)]) features[size(g)] = make_feature(frame, carriers[size(g)]);
    }
    PairScreener screener(frame);
#pragma omp for schedule(dynamic, 16)
    for (Index k = 0; k < n_pairs; ++k) {
      const FeaturePair& pair = pairs[size(k)];
      screener.screen(features[size(pair.a)], features[size(pair.b)], screens[size(k)]);
    }
  }
}

}  // namespace chorale::kernels
