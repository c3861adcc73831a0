// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "jobs/common/evaluation_tables.hpp"

#include <cmath>

#include "kernels/bootstrap_interval.hpp"
#include "kernels/tail.hpp"

namespace chorale::jobs {

Score observed_over_expected(const kernels::CalibrationGroup& overall) {
  return {.value = (1 - overall.observed) / (1 - overall.predicted),
          .trouble = std::isnan(overall.observed) ? "follow-up ends before the horizon" : ""};
}

io::ResultTable level_table(std::string name, std::string caption, std::span<const LevelScores> levels,
                            std::span<const std::string> labels, std::span<const Measure> measures,
                            std::span<const double> horizons, double confidence) {
  const double z = kernels::normal_quantile((1 + confidence) / 2);
  std::vector<std::string> level, measure, note;
  std::vector<std::int64_t> n, n_events;
  std::vector<double> horizon, value, se, lower, upper, predicted, observed;
  for (const LevelScores& of : levels) {
    const auto add = [&](std::string_view what, double at, const Score& score, double p, double o,
                         kernels::Interval limits) {
      level.push_back(labels[static_cast<std::size_t>(of.level)]);
      n.push_back(of.n);
      n_events.push_back(of.n_events);
      measure.emplace_back(what);
      horizon.push_back(at);
      value.push_back(score.value);
      se.push_back(score.se);
      lower.push_back(limits.lower);
      upper.push_back(limits.upper);
      predicted.push_back(p);
      observed.push_back(o);
      note.push_back(!of.trouble.empty() ? of.trouble : score.trouble);
    };
    for (std::size_t m = 0; m < measures.size(); ++m) {
      const Score score = of.scores.empty() ? Score{} : of.scores[m];
      add(name_of(measures[m].kind), measures[m].horizon, score, kernels::missing, kernels::missing,
          {.lower = score.value - z * score.se, .upper = score.value + z * score.se});
    }
    for (std::size_t h = 0; h < of.overall.size(); ++h) {
      const auto& all = of.overall[h];
      // the prediction is taken as given: limits are those of the Kaplan-Meier estimate
      add("observed_over_expected", horizons[h], observed_over_expected(all), all.predicted, all.observed,
          {.lower = (1 - all.upper) / (1 - all.predicted), .upper = (1 - all.lower) / (1 - all.predicted)});
    }
  }
  io::ResultTable table{.name = std::move(name), .caption = std::move(caption), .columns = {}};
  table.add("level", "", "whose patients these are", std::move(level));
  table.add("n", "patients", "of the level", std::move(n));
  table.add("events", "patients", "events among them", std::move(n_events));
  table.add("measure", "",
            "as in performance; observed_over_expected: share who died over the share predicted",
            std::move(measure));
  table.add("horizon", "days", "time that it looks at; empty: all follow-up", std::move(horizon));
  table.add("value", "", "on the patients of the level", std::move(value));
  table.add("se", "", "standard error; concordance and slope only", std::move(se));
  table.add("lower", "", "limit by the standard error; observed_over_expected: by that of the share who died",
            std::move(lower));
  table.add("upper", "", "the same", std::move(upper));
  table.add("predicted", "", "mean predicted survival; observed_over_expected only", std::move(predicted));
  table.add("observed", "", "Kaplan-Meier estimate; observed_over_expected only", std::move(observed));
  table.add("note", "", "why there is no value", std::move(note));
  return table;
}

io::ResultTable calibration_table(std::string caption, std::span<const kernels::CalibrationGroup> groups,
                                  std::span<const double> horizons) {
  const std::size_t n_groups = groups.size() / horizons.size();
  std::vector<double> horizon, predicted, observed, se, lower, upper;
  std::vector<std::int64_t> group, n;
  for (std::size_t cell = 0; cell < groups.size(); ++cell) {
    const auto& of = groups[cell];
    if (of.n == 0) continue;
    horizon.push_back(horizons[cell / n_groups]);
    group.push_back(static_cast<Index>(cell % n_groups) + 1);
    n.push_back(of.n);
    predicted.push_back(of.predicted);
    observed.push_back(of.observed);
    se.push_back(of.se);
    lower.push_back(of.lower);
    upper.push_back(of.upper);
  }
  io::ResultTable table{.name = "calibration", .caption = std::move(caption), .columns = {}};
  table.add("horizon", "days", "time of the prediction", std::move(horizon));
  table.add("group", "", "1 has the worst predictions", std::move(group));
  table.add("n", "patients", "in the group", std::move(n));
  table.add("predicted", "", "mean predicted survival", std::move(predicted));
  table.add("observed", "", "Kaplan-Meier estimate; empty beyond the group's follow-up", std::move(observed));
  table.add("se", "", "its standard error (Greenwood)", std::move(se));
  table.add("lower", "", "its lower bound", std::move(lower));
  table.add("upper", "", "its upper bound", std::move(upper));
  return table;
}

}  // namespace chorale::jobs
