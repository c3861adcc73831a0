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
#include "kernels/pair_cox_frame.hpp"
#include "kernels/pair_cox_newton.hpp"
#include "kernels/pair_cox_screen_feature.hpp"
#include "kernels/tail.hpp"

namespace chorale::kernels {
namespace {

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

/// One thread's room for a pair.
class PairScreener {
 public:
  /// Pairs whose likelihood ratio is proven to be below `pass_from` are not fitted.
  PairScreener(const PairFrame& frame, const ScreenTable& table, double pass_from)
      : frame_(frame),
        table_(table),
        pass_from_(pass_from),
        all_deaths_(std::accumulate(frame.table.weight, frame.table.weight + frame.table.n_times, 0.0)),
        maker_(frame, table),
        steps_(frame) {}

  void screen(const ScreenFeature& a, const ScreenFeature& b, PairScreen& out);

 private:
  void find_both(const ScreenFeature& a, const ScreenFeature& b, PairCounts& counts);
  void fit(const ScreenFeature& a, const ScreenFeature& b, PairScreen& out);
  bool below_bound(const ScreenFeature& a, const ScreenFeature& b, const std::array<double, 3>& at,
                   PairScreen& out) const;

  const PairFrame& frame_;
  const ScreenTable& table_;
  double pass_from_, all_deaths_;
  StepMaker maker_;
  CarrierSteps steps_;              ///< carriers of both
  std::vector<std::int32_t> rows_;  ///< of these
  double weight_of_deaths_ = 0, expected_ = 0;
};

void PairScreener::find_both(const ScreenFeature& a, const ScreenFeature& b, PairCounts& counts) {
  weight_of_deaths_ = expected_ = 0;
  const bool a_is_rarer = a.row_list.size() < b.row_list.size();
  const ScreenFeature &rarer = a_is_rarer ? a : b, &other = a_is_rarer ? b : a;
  rows_.resize(rarer.row_list.size());
  std::size_t n = 0;
  if (rarer.row_list.size() > rarer.rows.size()) {  // more carriers than words of bits
    for (std::size_t word = 0; word < a.rows.size(); ++word) {
      for (std::uint64_t left = a.rows[word] & b.rows[word]; left != 0; left &= left - 1)
        rows_[n++] = static_cast<std::int32_t>(64 * word + size(std::countr_zero(left)));
    }
  } else {
    for (const std::int32_t row : rarer.row_list) {
      rows_[n] = row;
      n += other.rows[size(row) / 64] >> (row % 64) & 1;
    }
    std::sort(rows_.begin(), rows_.begin() + static_cast<std::ptrdiff_t>(n));
  }
  rows_.resize(n);
  Index n_deaths = 0;
  for (const std::int32_t number : rows_) {
    const ScreenTable::Row& row = table_.row[size(number)];
    expected_ += row.expected;
    n_deaths += row.died;
    weight_of_deaths_ += row.weight_of_deaths;
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

/// Features that were made, for the next call is likely to ask for some of them again.
struct PairCoxScreener::Features {
  struct Place {
    std::unique_ptr<ScreenFeature> feature;
    std::int32_t number;  // whose it is
    Index last_call;      // that asked for it
  };
  struct Asked {
    std::vector<std::int32_t> place;   // of each feature, below 0 where it is not asked for
    std::vector<std::size_t> to_make;  // places
  };

  ScreenTable table;
  std::vector<Place> room;
  std::size_t n_kept;  // places that there may be, and as many as a call needs
  Index n_calls = 0;

  Features(const PairFrame& frame, Index max_bytes);
  /// A place for each feature of the pairs; whoever was not asked for the longest gives way.
  Asked take_places(const PairFrame& frame, std::size_t n_features, std::span<const FeaturePair> pairs);
};

PairCoxScreener::Features::Features(const PairFrame& frame, Index max_bytes) : table(frame) {
  const Index each = 16 * frame.times.n_padded() + frame.rows.n_rows / 8;  // steps, and a bit a row
  n_kept = size(max_bytes / std::max<Index>(1, each));
}

PairCoxScreener::Features::Asked PairCoxScreener::Features::take_places(const PairFrame& frame,
                                                                        std::size_t n_features,
                                                                        std::span<const FeaturePair> pairs) {
  constexpr std::int32_t not_asked = -1, homeless = -2;
  Asked asked{.place = std::vector<std::int32_t>(n_features, not_asked), .to_make = {}};
  for (const FeaturePair& pair : pairs) asked.place[size(pair.a)] = asked.place[size(pair.b)] = homeless;
  ++n_calls;
  std::vector<std::size_t> free;
  for (std::size_t at = 0; at < room.size(); ++at) {
    std::int32_t& place = asked.place[size(room[at].number)];
    if (place != homeless) {
      free.push_back(at);
      continue;
    }
    place = static_cast<std::int32_t>(at);
    room[at].last_call = n_calls;
  }
  std::sort(free.begin(), free.end(), [&](std::size_t l, std::size_t r) {  // the oldest last
    return std::tuple(room[l].last_call, l) > std::tuple(room[r].last_call, r);
  });
  for (std::size_t feature = 0; feature < n_features; ++feature) {
    if (asked.place[feature] != homeless) continue;
    if (free.empty() || room.size() < n_kept) {
      free.push_back(room.size());
      room.push_back(
          {.feature = std::make_unique<ScreenFeature>(frame), .number = not_asked, .last_call = 0});
    }
    const std::size_t at = free.back();
    free.pop_back();
    asked.to_make.push_back(at);
    asked.place[feature] = static_cast<std::int32_t>(at);
    room[at].number = static_cast<std::int32_t>(feature);
    room[at].last_call = n_calls;
  }
  return asked;
}

PairCoxScreener::PairCoxScreener(PairCoxFrame frame, std::vector<std::span<const std::int32_t>> carriers,
                                 Index max_bytes)
    : frame_(std::move(frame)),
      carriers_(std::move(carriers)),
      features_(std::make_unique<Features>(*frame_, max_bytes)) {
  check_pairs((*frame_).design, carriers_, {}, 0);
}
PairCoxScreener::~PairCoxScreener() = default;
PairCoxScreener::PairCoxScreener(PairCoxScreener&&) noexcept = default;

void PairCoxScreener::screen(std::span<const FeaturePair> pairs, std::span<PairScreen> screens,
                             const ScreenPlan& plan) {
  const PairFrame& frame = *frame_;
  check_pair_places(static_cast<Index>(carriers_.size()), pairs, screens.size());
  const double bound = pass_from(plan);
  const Features::Asked asked = features_->take_places(frame, carriers_.size(), pairs);
  const auto& room = features_->room;
  const std::vector<Index> order = near_each_other(pairs);
  const auto n_new = static_cast<Index>(asked.to_make.size()), n_pairs = static_cast<Index>(pairs.size());
#pragma omp parallel if (n_pairs > 1)
  {
    FeatureMaker maker(frame, features_->table);
#pragma omp for schedule(dynamic)
    for (Index g = 0; g < n_new; ++g) {
      const Features::Place& place = room[asked.to_make[size(g)]];
      maker.make(carriers_[size(place.number)], *place.feature);
    }
    PairScreener screener(frame, features_->table, bound);
#pragma omp for schedule(dynamic, 16)
    for (Index i = 0; i < n_pairs; ++i) {
      const Index k = order[size(i)];
      const FeaturePair& pair = pairs[size(k)];
      screener.screen(*room[size(asked.place[size(pair.a)])].feature,
                      *room[size(asked.place[size(pair.b)])].feature, screens[size(k)]);
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
