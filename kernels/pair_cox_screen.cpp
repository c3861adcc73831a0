// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/pair_cox_screen.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>
#include <string>
#include <tuple>

#include "kernels/error.hpp"
#include "kernels/pair_cox_bound.hpp"
#include "kernels/pair_cox_feature.hpp"
#include "kernels/pair_cox_frame.hpp"
#include "kernels/pair_cox_newton.hpp"
#include "kernels/tail.hpp"

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
  std::vector<std::int32_t> row_list;  ///< ascending
  Index n_deaths = 0;
  double weight_of_deaths = 0;
  double expected = 0;    ///< deaths beside the covariates alone
  double log_hazard = 0;  ///< beside the covariates, alone; 0 where it does not converge
};

/// Turns rows into steps over event times; keeps its room between calls.
class StepMaker {
 public:
  explicit StepMaker(const PairFrame& frame) : frame_(frame) {}

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
  const PairFrame& frame_;
  std::vector<Change> changes_;
};

void StepMaker::make(std::span<const std::int32_t> rows, CarrierSteps& steps) {
  const CoxRows& all = frame_.rows;
  const double* centre = frame_.times.table().centre;
  const Index n_times = frame_.times.n_times();
  changes_.clear();
  for (const std::int32_t row : rows) {
    const auto at = size(row);
    const Index t = all.place_of[at] / 2;
    const double risk = frame_.risk[at];
    changes_.push_back({t, risk});
    if (all.place_of[at] % 2 == 1 && centre[t] > 0) steps.tied_risk[size(t)] += risk;
    if (!all.enters.empty() && all.enters[at] < n_times) changes_.push_back({all.enters[at], -risk});
  }
  if (!all.enters.empty()) {
    std::stable_sort(changes_.begin(), changes_.end(),
                     [](const Change& l, const Change& r) { return l.time < r.time; });
  }
  // from the last event time to the first, constant between changes, from zero in each stratum
  const auto strata = frame_.times.stratum_begin();
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

CarrierSteps no_steps(const PairFrame& frame) {
  const AlignedDoubles zeros(size(frame.times.n_padded()), 0);
  return {zeros, zeros};
}

PairTable pair_table(const CarrierSteps& a, const CarrierSteps& b, const CarrierSteps& of_both) {
  return {{a.risk.data(), b.risk.data(), of_both.risk.data()},
          {a.tied_risk.data(), b.tied_risk.data(), of_both.tied_risk.data()}};
}

ScreenFeature make_feature(const PairFrame& frame, std::span<const std::int32_t> carriers) {
  ScreenFeature feature;
  feature.set(frame.rows, carriers);
  for (std::size_t word = 0; word < feature.rows.size(); ++word) {
    for (std::uint64_t left = feature.rows[word]; left != 0; left &= left - 1)
      feature.row_list.push_back(static_cast<std::int32_t>(64 * word + size(std::countr_zero(left))));
  }
  for (const std::int32_t row : feature.row_list) {
    feature.expected += frame.expected[size(row)];
    if (frame.rows.place_of[size(row)] % 2 == 0) continue;
    ++feature.n_deaths;
    feature.weight_of_deaths += frame.rows.weight.empty() ? 1 : frame.rows.weight[size(row)];
  }
  feature.steps = no_steps(frame);
  StepMaker(frame).make(feature.row_list, feature.steps);
  const CarrierSteps nobody = no_steps(frame);
  const PairPeak alone = climb(frame.table, pair_table(feature.steps, nobody, nobody),
                               {.deaths = {feature.weight_of_deaths, 0, 0}, .n_free = 1});
  if (alone.verdict == PairPeak::converged) feature.log_hazard = alone.at[0];
  return feature;
}

/// One thread's room for a pair.
class PairScreener {
 public:
  /// Pairs whose likelihood ratio is proven to be below `pass_from` are not fitted.
  PairScreener(const PairFrame& frame, double pass_from)
      : frame_(frame),
        pass_from_(pass_from),
        all_deaths_(std::accumulate(frame.table.weight, frame.table.weight + frame.table.n_times, 0.0)),
        maker_(frame),
        steps_(no_steps(frame)) {}

  void screen(const ScreenFeature& a, const ScreenFeature& b, PairScreen& out);

 private:
  void find_both(const ScreenFeature& a, const ScreenFeature& b, PairCounts& counts);
  void fit(const ScreenFeature& a, const ScreenFeature& b, PairScreen& out);
  bool below_bound(const ScreenFeature& a, const ScreenFeature& b, const std::array<double, 3>& at,
                   PairScreen& out) const;

  const PairFrame& frame_;
  double pass_from_, all_deaths_;
  StepMaker maker_;
  CarrierSteps steps_;              ///< carriers of both
  std::vector<std::int32_t> rows_;  ///< of these
  double weight_of_deaths_ = 0, expected_ = 0;
};

void PairScreener::find_both(const ScreenFeature& a, const ScreenFeature& b, PairCounts& counts) {
  rows_.clear();
  weight_of_deaths_ = expected_ = 0;
  const bool a_is_rarer = a.row_list.size() < b.row_list.size();
  const ScreenFeature &rarer = a_is_rarer ? a : b, &other = a_is_rarer ? b : a;
  rows_.resize(rarer.row_list.size());
  std::size_t n = 0;
  for (const std::int32_t row : rarer.row_list) {
    rows_[n] = row;
    n += other.rows[size(row) / 64] >> (row % 64) & 1;
  }
  rows_.resize(n);
  Index n_deaths = 0;
  for (const std::int32_t row : rows_) {
    expected_ += frame_.expected[size(row)];
    if (frame_.rows.place_of[size(row)] % 2 == 0) continue;
    ++n_deaths;
    weight_of_deaths_ += frame_.rows.weight.empty() ? 1 : frame_.rows.weight[size(row)];
  }
  const auto n_both = static_cast<Index>(n);
  const Index n_a = static_cast<Index>(a.row_list.size()) - n_both;
  const Index n_b = static_cast<Index>(b.row_list.size()) - n_both;
  const Index deaths_a = a.n_deaths - n_deaths, deaths_b = b.n_deaths - n_deaths;
  counts = {
      .n = {frame_.rows.n_rows - n_a - n_b - n_both, n_a, n_b, n_both},
      .deaths = {frame_.design.n_events - deaths_a - deaths_b - n_deaths, deaths_a, deaths_b, n_deaths}};
}

bool PairScreener::below_bound(const ScreenFeature& a, const ScreenFeature& b,
                               const std::array<double, 3>& at, PairScreen& out) const {
  constexpr double rounding = 1e-4;  // of what the fit would say
  const double both = weight_of_deaths_, per_death = 1 / all_deaths_;
  const PairBound bound{
      .a = at[0],
      .b = at[1],
      .deaths = {a.weight_of_deaths - both, b.weight_of_deaths - both, both},
      .mean_share = {a.expected * per_death, b.expected * per_death, expected_ * per_death}};
  const double at_most = lrt_at_most(frame_.table, pair_table(a.steps, b.steps, steps_), bound);
  if (!(at_most + rounding < pass_from_)) return false;
  out.lrt_at_most = at_most;
  out.verdict = PairVerdict::below_bound;
  return true;
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
  const bool sieve = pass_from_ > 0;
  if (sieve && below_bound(a, b, plan.start, out)) return;
  const PairPeak without = climb(frame_.table, table, plan);
  if (sieve && without.verdict == PairPeak::converged && below_bound(a, b, without.at, out)) return;
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
  if (!a.idle.empty() || !b.idle.empty() || frame_.rows.n_rows != frame_.design.n_analysed)
    add_idle(a, b, frame_.design.n_analysed, out.counts);
  if (frame_.design.n_events == 0) return;
  if (!frame_.usable()) {
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

/// The likelihood ratio from which on p, 1 degree of freedom, is no more than asked for.
double pass_from(const ScreenPlan& plan) {
  if (!(plan.pass_below_p > 0 && plan.pass_below_p <= 1)) {
    throw ShapeError({.what = "the screen's bound is not a p-value",
                      .found = std::to_string(plan.pass_below_p),
                      .expected = "above 0 and up to 1"});
  }
  const double z = normal_quantile(plan.pass_below_p / 2);
  return z * z;
}

/// The pairs in an order in which a few features' steps stay in the second cache.
std::vector<Index> near_each_other(std::span<const FeaturePair> pairs) {
  constexpr std::int32_t together = 8;
  std::vector<Index> order(pairs.size());
  std::iota(order.begin(), order.end(), Index{0});
  std::sort(order.begin(), order.end(), [&](Index l, Index r) {
    const FeaturePair &one = pairs[size(l)], &other = pairs[size(r)];
    return std::tuple(one.a / together, one.b, one.a, l) <
           std::tuple(other.a / together, other.b, other.a, r);
  });
  return order;
}

}  // namespace

/// Features made so far, each when a pair first names it.
struct PairCoxScreener::Features {
  std::vector<std::unique_ptr<const ScreenFeature>> made;
  Index max_bytes = 0;
  Index n_bytes = 0;

  /// Room for what a call needs: when all would be too much, what it does not need goes.
  void make_room(const PairFrame& frame, std::span<const std::uint8_t> asked);
};

namespace {

Index bytes_of(const PairFrame& frame) {
  return 16 * frame.times.n_padded() + frame.rows.n_rows / 4;  // steps, a bit a row, and a few carriers
}

}  // namespace

void PairCoxScreener::Features::make_room(const PairFrame& frame, std::span<const std::uint8_t> asked) {
  Index n_new = 0;
  for (std::size_t g = 0; g < asked.size(); ++g) n_new += asked[g] != 0 && !made[g] ? 1 : 0;
  n_bytes += n_new * bytes_of(frame);
  if (n_bytes <= max_bytes) return;
  for (std::size_t g = 0; g < asked.size(); ++g) {
    if (asked[g] != 0 || !made[g]) continue;
    made[g].reset();
    n_bytes -= bytes_of(frame);
  }
}

PairCoxScreener::PairCoxScreener(PairCoxFrame frame, std::vector<std::span<const std::int32_t>> carriers,
                                 Index max_bytes)
    : frame_(std::move(frame)), carriers_(std::move(carriers)), features_(std::make_unique<Features>()) {
  check_pairs((*frame_).design, carriers_, {}, 0);
  features_->made.resize(carriers_.size());
  features_->max_bytes = max_bytes;
}
PairCoxScreener::~PairCoxScreener() = default;
PairCoxScreener::PairCoxScreener(PairCoxScreener&&) noexcept = default;

void PairCoxScreener::screen(std::span<const FeaturePair> pairs, std::span<PairScreen> screens,
                             const ScreenPlan& plan) {
  const PairFrame& frame = *frame_;
  check_pair_places(static_cast<Index>(carriers_.size()), pairs, screens.size());
  const double bound = pass_from(plan);
  std::vector<std::uint8_t> asked(carriers_.size(), 0);
  for (const FeaturePair& pair : pairs) asked[size(pair.a)] = asked[size(pair.b)] = 1;
  features_->make_room(frame, asked);
  auto& made = features_->made;
  const std::vector<Index> order = near_each_other(pairs);
  const auto n_features = static_cast<Index>(made.size()), n_pairs = static_cast<Index>(pairs.size());
#pragma omp parallel if (n_pairs > 1)
  {
#pragma omp for schedule(dynamic)
    for (Index g = 0; g < n_features; ++g) {
      if (asked[size(g)] != 0 && !made[size(g)])
        made[size(g)] = std::make_unique<const ScreenFeature>(make_feature(frame, carriers_[size(g)]));
    }
    PairScreener screener(frame, bound);
#pragma omp for schedule(dynamic, 16)
    for (Index i = 0; i < n_pairs; ++i) {
      const Index k = order[size(i)];
      const FeaturePair& pair = pairs[size(k)];
      screener.screen(*made[size(pair.a)], *made[size(pair.b)], screens[size(k)]);
    }
  }
}

void pair_cox_screen(const PairCoxFrame& frame, CarrierLists carriers, std::span<const FeaturePair> pairs,
                     std::span<PairScreen> screens, const ScreenPlan& plan) {
  PairCoxScreener(frame, {carriers.begin(), carriers.end()}).screen(pairs, screens, plan);
}

void pair_cox_screen(const CoxDesign& design, const CoxFit& covariates, CarrierLists carriers,
                     std::span<const FeaturePair> pairs, Ties ties, std::span<PairScreen> screens) {
  pair_cox_screen(PairCoxFrame(design, covariates, ties), carriers, pairs, screens);
}

}  // namespace chorale::kernels
