// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <algorithm>
#include <cmath>

#include "jobs/prognosis/stages.hpp"
#include "kernels/quantile.hpp"

namespace chorale::jobs::prognosis {
namespace {

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

/// Cut points that leave nobody's group empty.
std::vector<double> useful_cuts(const Frame& frame, std::span<const double> eta) {
  std::vector<double> own;
  for (std::size_t i = 0; i < eta.size(); ++i)
    if (frame.candidates.included()[i] != 0) own.push_back(eta[i]);
  const Config& config = frame.design.config;
  std::vector<double> cuts =
      config.group_cuts.empty() ? kernels::quantiles(own, config.group_quantiles) : config.group_cuts;
  std::sort(own.begin(), own.end());
  std::vector<double> useful;
  std::size_t before = 0;
  for (const double cut : cuts) {
    const auto below = static_cast<std::size_t>(std::lower_bound(own.begin(), own.end(), cut) - own.begin());
    if (below == before || below == own.size()) continue;
    useful.push_back(cut);
    before = below;
  }
  return useful;
}

struct Compared {
  std::vector<double> risk;
  std::string name;
};

void compare(const Frame& frame, const kernels::RiskOrder& order, const Compared& ours,
             std::span<const double> theirs, SchemeComparison row, FullModel& full) {
  row.predictor = ours.name;
  if (row.measure == Measure::Kind::uno_c && order.late_entries) {
    row.trouble = late_entry_trouble;
    full.schemes.push_back(std::move(row));
    return;
  }
  const auto options = counting_of({row.measure, frame.design.config.horizons.back()}, true);
  kernels::ConcordanceCounter counter;
  std::vector<double> own(frame.weight.size()), other(frame.weight.size());
  const auto a = counter.count(order, ours.risk, frame.weight, options, own);
  const auto b = counter.count(order, theirs, frame.weight, options, other);
  row.ours = a.c;
  row.theirs = b.c;
  row.trouble = trouble_of(a);
  double squares = 0;
  for (std::size_t i = 0; i < own.size(); ++i) squares += (own[i] - other[i]) * (own[i] - other[i]);
  row.se = std::sqrt(squares);
  full.schemes.push_back(std::move(row));
}

}  // namespace

void describe_groups(const Frame& frame, std::span<const double> eta, FullModel& full) {
  const Config& config = frame.design.config;
  full.groups = describe_risk_groups(frame.timelines, frame.design.ties, frame.candidates.included(), eta,
                                     useful_cuts(frame, eta), config.horizons, config.confidence);
}

void compare_schemes(const Frame& frame, const engine::Cohort& cohort, std::span<const double> eta,
                     FullModel& full) {
  const std::size_t n = eta.size();
  Compared model{.risk = {eta.begin(), eta.end()}, .name = "model"};
  Compared groups{.risk = std::vector<double>(n), .name = "risk groups"};
  for (std::size_t i = 0; i < n; ++i)
    groups.risk[i] = static_cast<double>(risk_group_of(full.groups.cuts, eta[i]));
  for (std::size_t s = 0; s < frame.design.schemes.size(); ++s) {
    const Grouping& scheme = frame.design.schemes[s];
    auto code = scheme.codes(cohort);
    std::vector<std::uint8_t> taken(n);
    std::vector<std::int32_t> position(size(scheme.size()), -1);
    SchemeComparison row{.scheme = static_cast<Index>(s), .predictor = {}, .trouble = {}};
    for (std::size_t i = 0; i < n; ++i) {
      taken[i] = frame.candidates.included()[i] != 0 && code[i] >= 0;
      row.n += taken[i];
      row.n_events += taken[i] != 0 && frame.timeline().event[i] != 0;
      if (taken[i] != 0) position[size(code[i])] = 0;
    }
    std::int32_t n_levels = 0;
    for (auto& p : position)
      if (p == 0) p = n_levels++;
    for (std::size_t i = 0; i < n; ++i) code[i] = taken[i] != 0 ? position[size(code[i])] : -1;
    if (n_levels < 2) {
      row.predictor = "model";
      row.trouble = "fewer than two levels occur";
      full.schemes.push_back(std::move(row));
      continue;
    }
    // levels that have no order of their own are put in that of their hazards
    const auto fit = fit_codes(frame.timeline(), frame.design.ties, code, n_levels, taken);
    std::vector<double> risk(n, 0);
    constexpr double beyond = 1e3;  // a level in which nobody dies, or everybody at once
    for (std::size_t i = 0; i < n; ++i)
      if (code[i] > 0) risk[i] = std::clamp(fit.beta[size(code[i] - 1)], -beyond, beyond);
    const auto order = kernels::make_risk_order(frame.timeline(), taken);
    const EvaluationOptions options = frame.design.evaluation();
    for (const auto kind : {Measure::Kind::harrell_c, Measure::Kind::uno_c}) {
      if (!options.asks_for(name_of(kind))) continue;
      row.measure = kind;
      compare(frame, order, model, risk, row, full);
      compare(frame, order, groups, risk, row, full);
    }
  }
}

}  // namespace chorale::jobs::prognosis
