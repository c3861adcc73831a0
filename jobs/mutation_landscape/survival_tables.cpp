// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "jobs/mutation_landscape/tables.hpp"
#include "kernels/tail.hpp"

namespace chorale::jobs::landscape {
namespace {

using Texts = std::vector<std::string>;
using Reals = std::vector<double>;
using Wholes = std::vector<std::int64_t>;

/// Survival at times, whichever table it goes to.
struct PointColumns {
  Reals time, at_risk, survival, se, lower, upper;

  void add(const kernels::KmPoint& p) {
    time.push_back(p.time);
    at_risk.push_back(p.at_risk);
    survival.push_back(p.survival);
    se.push_back(p.se);
    lower.push_back(p.lower);
    upper.push_back(p.upper);
  }
  void put(io::ResultTable& table) {
    table.add("time", "days", "time since entry", std::move(time));
    table.add("at_risk", "patients", "under observation just before that time", std::move(at_risk));
    table.add("survival", "", "Kaplan-Meier estimate", std::move(survival));
    table.add("lower", "", "lower bound", std::move(lower));
    table.add("upper", "", "upper bound", std::move(upper));
    table.add("se", "", "standard error (Greenwood)", std::move(se));
  }
};

struct MedianColumns {
  Wholes patients, events;
  Reals median, lower, upper;

  void add(Index n, Index n_events, const kernels::KmMedian& m) {
    patients.push_back(n);
    events.push_back(n_events);
    median.push_back(m.time);
    lower.push_back(m.lower);
    upper.push_back(m.upper);
  }
  void put(io::ResultTable& table) {
    table.add("patients", "patients", "analysed", std::move(patients));
    table.add("events", "patients", "events among them", std::move(events));
    table.add("median", "days", "median survival", std::move(median));
    table.add("median_lower", "days", "lower bound", std::move(lower));
    table.add("median_upper", "days", "upper bound", std::move(upper));
  }
};

/// The curve's steps with the landmarks between them, ascending in time.
void add_curve(const GroupCurve& group, const std::string& label, Texts& labels, PointColumns& points,
               Reals& events, Reals& censored) {
  const kernels::KmCurve& c = group.curve;
  std::vector<kernels::KmPoint> landmarks = group.landmarks;
  std::sort(landmarks.begin(), landmarks.end(), [](const auto& a, const auto& b) { return a.time < b.time; });
  std::size_t next = 0;
  const auto add = [&](const kernels::KmPoint& p, double n_events, double n_censored) {
    labels.push_back(label);
    points.add(p);
    events.push_back(n_events);
    censored.push_back(n_censored);
  };
  for (std::size_t k = 0; k < c.time.size(); ++k) {
    for (; next < landmarks.size() && landmarks[next].time <= c.time[k]; ++next)
      if (landmarks[next].time < c.time[k]) add(landmarks[next], 0, 0);
    add({c.time[k], c.at_risk[k], c.survival[k], c.se[k], c.lower[k], c.upper[k]}, c.events[k],
        c.censored[k]);
  }
}

}  // namespace

std::vector<io::ResultTable> group_tables(const Design& design, std::span<const GroupCurve> curves,
                                          const kernels::LogRankResult& log_rank) {
  Texts curve_group, landmark_group, group;
  PointColumns steps, landmarks;
  Reals events, censored, expected, observed;
  MedianColumns medians;
  for (const GroupCurve& c : curves) {
    const std::string label = design.group_label(c.group);
    add_curve(c, label, curve_group, steps, events, censored);
    for (const auto& p : c.landmarks) {
      landmark_group.push_back(label);
      landmarks.add(p);
    }
    group.push_back(label);
    medians.add(c.curve.n_analysed, c.curve.n_events, c.median);
    const bool compared = c.group > 0 && !log_rank.expected.empty();
    observed.push_back(compared ? log_rank.observed[static_cast<std::size_t>(c.group - 1)]
                                : kernels::missing);
    expected.push_back(compared ? log_rank.expected[static_cast<std::size_t>(c.group - 1)]
                                : kernels::missing);
  }
  std::vector<io::ResultTable> tables(3);
  tables[0] = {
      .name = "survival",
      .caption =
          "Kaplan-Meier curve of each group: a row for every time at which someone had an event or left, "
          "and for every landmark.",
      .columns = {}};
  tables[0].add("group", "", "group of patients", std::move(curve_group));
  steps.put(tables[0]);
  tables[0].add("events", "patients", "events at that time", std::move(events));
  tables[0].add("censored", "patients", "censored at that time", std::move(censored));
  tables[1] = {.name = "groups",
               .caption =
                   "Each group's survival: median with interval, and events observed and expected by the "
                   "log-rank test.",
               .columns = {}};
  tables[1].add("group", "", "group of patients", std::move(group));
  medians.put(tables[1]);
  tables[1].add("observed", "patients", "events of the log-rank test", std::move(observed));
  tables[1].add("expected", "patients", "events expected if groups did not differ", std::move(expected));
  tables[2] = {.name = "landmarks", .caption = "Each group's survival at the landmarks.", .columns = {}};
  tables[2].add("group", "", "group of patients", std::move(landmark_group));
  landmarks.put(tables[2]);
  if (!log_rank.n.empty()) {
    io::ResultTable test{
        .name = "group_logrank", .caption = "Log-rank test of all groups together.", .columns = {}};
    test.add("groups", "", "field that makes the groups", Texts{design.grouping->field});
    test.add("n_analysed", "patients", "with outcome and group", Wholes{log_rank.n_analysed});
    test.add("chi2", "chi-square", "log-rank statistic", Reals{log_rank.chi2});
    test.add("df", "", "degrees of freedom", Wholes{log_rank.df});
    test.add("log10_p", "log10", "p-value",
             Reals{log_rank.df > 0
                       ? kernels::chi_square_log10_upper(log_rank.chi2, static_cast<double>(log_rank.df))
                       : kernels::missing});
    tables.push_back(std::move(test));
  }
  return tables;
}

std::vector<io::ResultTable> feature_curve_tables(const Design& design, const engine::Setup& setup,
                                                  std::span<const OutcomeRow> outcome) {
  Texts feature, group, arm, landmark_feature, landmark_group, landmark_arm;
  MedianColumns medians;
  PointColumns landmarks;
  for (const OutcomeRow& row : outcome) {
    if (row.crude.n_carriers == 0) continue;
    for (const bool carries : {true, false}) {
      const kernels::ArmCurve& curve = carries ? row.curves.carriers : row.curves.others;
      const std::string& name = setup.features.features[static_cast<std::size_t>(row.feature)].name;
      feature.push_back(name);
      group.push_back(design.group_label(row.group));
      arm.emplace_back(carries ? "carriers" : "others");
      medians.add(curve.n_analysed, curve.n_events, curve.median);
      for (const auto& p : curve.landmarks) {
        landmark_feature.push_back(name);
        landmark_group.push_back(group.back());
        landmark_arm.push_back(arm.back());
        landmarks.add(p);
      }
    }
  }
  std::vector<io::ResultTable> tables(2);
  tables[0] = {
      .name = "feature_survival",
      .caption =
          "Median survival of carriers and of others, for every feature that someone analysed carries.",
      .columns = {}};
  tables[0].add("feature", "", "gene or other alteration", std::move(feature));
  tables[0].add("group", "", "group of patients", std::move(group));
  tables[0].add("arm", "", "carriers or others", std::move(arm));
  medians.put(tables[0]);
  tables[1] = {.name = "feature_landmarks",
               .caption = "Survival of carriers and of others at the landmarks.",
               .columns = {}};
  tables[1].add("feature", "", "gene or other alteration", std::move(landmark_feature));
  tables[1].add("group", "", "group of patients", std::move(landmark_group));
  tables[1].add("arm", "", "carriers or others", std::move(landmark_arm));
  landmarks.put(tables[1]);
  return tables;
}

}  // namespace chorale::jobs::landscape
