// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "jobs/common/risk_groups.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/tail.hpp"

namespace chorale::jobs {
namespace {

using Texts = std::vector<std::string>;
using Reals = std::vector<double>;
using Wholes = std::vector<std::int64_t>;

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

/// Survival at times, whichever table it goes to.
struct PointColumns {
  Reals time, at_risk, survival, se, lower, upper;

  void add(double t, double n, double s, double error, double low, double high) {
    time.push_back(t);
    at_risk.push_back(n);
    survival.push_back(s);
    se.push_back(error);
    lower.push_back(low);
    upper.push_back(high);
  }
  void put(io::ResultTable& table) {
    table.add("time", "days", "time since entry", std::move(time));
    table.add("at_risk", "patients", "under observation just before that time", std::move(at_risk));
    table.add("survival", "", "Kaplan-Meier estimate; empty beyond the last follow-up", std::move(survival));
    table.add("lower", "", "lower bound", std::move(lower));
    table.add("upper", "", "upper bound", std::move(upper));
    table.add("se", "", "standard error (Greenwood)", std::move(se));
  }
};

}  // namespace

std::int32_t risk_group_of(std::span<const double> cuts, double eta) {
  return static_cast<std::int32_t>(std::upper_bound(cuts.begin(), cuts.end(), eta) - cuts.begin());
}

kernels::CoxFit fit_codes(const kernels::Timeline& timeline, kernels::Ties ties,
                          std::span<const std::int32_t> code, Index n_codes,
                          std::span<const std::uint8_t> taken) {
  const std::size_t n = code.size();
  std::vector<double> columns(n * size(n_codes - 1), 0);
  for (std::size_t i = 0; i < n; ++i)
    if (code[i] > 0) columns[size(code[i] - 1) * n + i] = 1;
  return kernels::cox_fit(
      kernels::make_cox_design(timeline, {.values = columns, .n_columns = n_codes - 1, .offset = {}}, taken),
      {.ties = ties});
}

RiskGroups describe_risk_groups(const Timelines& timelines, kernels::Ties ties,
                                std::span<const std::uint8_t> taken, std::span<const double> eta,
                                std::vector<double> cuts, std::span<const double> horizons,
                                double confidence) {
  RiskGroups all;
  all.cuts = std::move(cuts);
  all.confidence = confidence;
  const Index n_groups = static_cast<Index>(all.cuts.size()) + 1;
  std::vector<std::int32_t> group(eta.size(), -1);
  std::vector<std::int32_t> position(size(n_groups), -1);  // among the groups with patients
  for (std::size_t i = 0; i < eta.size(); ++i) {
    if (taken[i] == 0) continue;
    group[i] = risk_group_of(all.cuts, eta[i]);
    position[size(group[i])] = 0;
  }
  std::int32_t n_compared = 0;
  for (auto& p : position)
    if (p == 0) p = n_compared++;
  kernels::CoxFit fit;
  all.compared = n_compared > 1;
  if (all.compared) {
    std::vector<std::int32_t> code(group);
    for (auto& c : code)
      if (c >= 0) c = position[size(c)];
    fit = fit_codes(timelines.model(), ties, code, n_compared, taken);
    all.log_rank = kernels::log_rank(timelines.model(), code, n_compared);
  }
  std::vector<std::uint8_t> member(eta.size());
  for (Index g = 0; g < n_groups; ++g) {
    RiskGroup of;
    if (g > 0) of.lower = all.cuts[size(g - 1)];
    if (g + 1 < n_groups) of.upper = all.cuts[size(g)];
    for (std::size_t i = 0; i < group.size(); ++i) member[i] = group[i] == g;
    of.curve = kernels::kaplan_meier(timelines.crude, member,
                                     {.type = kernels::ConfType::log_log, .level = confidence});
    of.median = kernels::km_median(of.curve);
    of.landmarks = kernels::km_landmarks(timelines.crude, member, of.curve, horizons);
    const std::int32_t p = position[size(g)];
    if (p < 0) {
      of.note = "nobody is in this group";
    } else if (p == 0) {
      of.note = "the others are compared with this group";
    } else {
      const auto j = size(p - 1);
      const bool finite = std::isfinite(fit.beta[j]) && fit.verdict != kernels::CoxVerdict::not_converged;
      of.log_hazard = fit.beta[j];
      if (finite)
        of.se = std::sqrt(fit.covariance[j * size(n_compared - 1) + j]);
      else
        of.note = std::isinf(fit.beta[j])
                      ? "nobody dies in this group, or in the lowest, while others are at risk"
                      : "the fit did not converge";
    }
    all.groups.push_back(std::move(of));
  }
  return all;
}

std::vector<io::ResultTable> risk_group_tables(const RiskGroups& all, std::string caption) {
  Texts group, curve_group, landmark_group, note;
  Wholes n, n_events;
  Reals from, to, median, median_lower, median_upper, log_hazard, se, hazard_ratio, hr_lower, hr_upper,
      log10_p;
  PointColumns steps, landmarks;
  Reals events, censored;
  const double z = kernels::normal_quantile((1 + all.confidence) / 2);
  for (std::size_t g = 0; g < all.groups.size(); ++g) {
    const RiskGroup& of = all.groups[g];
    group.push_back(std::to_string(g + 1));
    from.push_back(of.lower);
    to.push_back(of.upper);
    n.push_back(of.curve.n_analysed);
    n_events.push_back(of.curve.n_events);
    median.push_back(of.median.time);
    median_lower.push_back(of.median.lower);
    median_upper.push_back(of.median.upper);
    log_hazard.push_back(of.log_hazard);
    se.push_back(of.se);
    hazard_ratio.push_back(std::exp(of.log_hazard));
    hr_lower.push_back(std::exp(of.log_hazard - z * of.se));
    hr_upper.push_back(std::exp(of.log_hazard + z * of.se));
    log10_p.push_back(kernels::normal_log10_two_sided(of.log_hazard / of.se));
    note.push_back(of.note);
    for (const auto& p : of.landmarks) {
      landmark_group.push_back(group.back());
      landmarks.add(p.time, p.at_risk, p.survival, p.se, p.lower, p.upper);
    }
    const auto& c = of.curve;
    for (std::size_t k = 0; k < c.time.size(); ++k) {
      curve_group.push_back(group.back());
      steps.add(c.time[k], c.at_risk[k], c.survival[k], c.se[k], c.lower[k], c.upper[k]);
      events.push_back(c.events[k]);
      censored.push_back(c.censored[k]);
    }
  }
  std::vector<io::ResultTable> tables(3);
  tables[0] = {.name = "groups", .caption = std::move(caption), .columns = {}};
  tables[0].add("group", "", "risk group", std::move(group));
  tables[0].add("from", "log hazard", "least linear predictor; empty: open", std::move(from));
  tables[0].add("to", "log hazard", "below this linear predictor; empty: open", std::move(to));
  tables[0].add("patients", "patients", "in the group", std::move(n));
  tables[0].add("events", "patients", "events among them", std::move(n_events));
  tables[0].add("median", "days", "median survival; empty where the curve does not get there",
                std::move(median));
  tables[0].add("median_lower", "days", "lower bound", std::move(median_lower));
  tables[0].add("median_upper", "days", "upper bound; empty where its curve does not get there",
                std::move(median_upper));
  tables[0].add("log_hazard", "log hazard",
                "against the lowest group with patients, strata as in the model; empty for it",
                std::move(log_hazard));
  tables[0].add("se", "log hazard", "its standard error", std::move(se));
  tables[0].add("hazard_ratio", "", "against the lowest group with patients", std::move(hazard_ratio));
  tables[0].add("hr_lower", "", "its lower limit", std::move(hr_lower));
  tables[0].add("hr_upper", "", "its upper limit", std::move(hr_upper));
  tables[0].add("log10_p", "log10", "p-value of the Wald test", std::move(log10_p));
  tables[0].add("note", "", "why cells are empty", std::move(note));
  tables[1] = {
      .name = "group_landmarks", .caption = "Survival of the risk groups at the horizons.", .columns = {}};
  tables[1].add("group", "", "risk group", std::move(landmark_group));
  landmarks.put(tables[1]);
  tables[2] = {
      .name = "group_survival",
      .caption =
          "Kaplan-Meier curves of the risk groups: a row for every time at which someone had an event or "
          "left.",
      .columns = {}};
  tables[2].add("group", "", "risk group", std::move(curve_group));
  steps.put(tables[2]);
  tables[2].add("events", "patients", "events at that time", std::move(events));
  tables[2].add("censored", "patients", "censored at that time", std::move(censored));
  return tables;
}

}  // namespace chorale::jobs
