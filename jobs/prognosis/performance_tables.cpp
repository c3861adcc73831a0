// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "jobs/prognosis/tables.hpp"
#include "kernels/tail.hpp"

namespace chorale::jobs::prognosis {
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

io::ResultTable performance_table(const Findings& findings) {
  Texts measure, note;
  Reals horizon, apparent, se, optimism, corrected, lower, upper, oob, est632, est632plus;
  Wholes n_replicates;
  for (std::size_t m = 0; m < findings.measures.size(); ++m) {
    measure.emplace_back(name_of(findings.measures[m].kind));
    horizon.push_back(findings.measures[m].horizon);
    const bool known = m < findings.full.scores.size();
    const Score score = known ? findings.full.scores[m] : Score{.trouble = findings.full.model.trouble};
    const kernels::Corrected c = known ? findings.corrected[m] : kernels::Corrected{};
    apparent.push_back(score.value);
    se.push_back(score.se);
    optimism.push_back(c.optimism);
    corrected.push_back(c.corrected);
    lower.push_back(c.interval.lower);
    upper.push_back(c.interval.upper);
    oob.push_back(c.oob);
    est632.push_back(c.est632);
    est632plus.push_back(c.est632plus);
    n_replicates.push_back(c.n_replicates);
    std::string why = score.trouble;
    if (why.empty() && findings.replicates.empty()) why = "no replicates";
    if (why.empty() && c.n_replicates == 0) why = "no replicate has it";
    if (why.empty() && c.n_oob == 0) why = "not measured out of bag";
    note.push_back(std::move(why));
  }
  io::ResultTable table{.name = "performance",
                        .caption =
                            "How well the model predicts: on the patients that it was made from (apparent), "
                            "and what is left of that on "
                            "others, by repeating the whole procedure on bootstrap samples.",
                        .columns = {}};
  table.add("measure", "", "harrell_c, uno_c, auc, brier, integrated_brier or calibration_slope",
            std::move(measure));
  table.add("horizon", "days", "time that it looks at; empty: all follow-up", std::move(horizon));
  table.add("apparent", "", "the model on its own patients", std::move(apparent));
  table.add("se", "", "standard error of the apparent measure; concordance and slope only", std::move(se));
  table.add("optimism", "", "mean over replicates of the measure on the sample less that on all patients",
            std::move(optimism));
  table.add("corrected", "",
            "apparent less optimism; where nothing predicts, some 0.3 of the apparent C's excess stays, and "
            "oob tells "
            "better",
            std::move(corrected));
  table.add(
      "lower", "",
      "percentile over replicates of the measure on the sample, moved to lie about the corrected one; of "
      "the calibration slope that on all patients",
      std::move(lower));
  table.add("upper", "", "the same", std::move(upper));
  table.add("oob", "", "mean over replicates on the patients not drawn", std::move(oob));
  table.add("est_632", "", "0.368 apparent + 0.632 oob", std::move(est632));
  table.add("est_632plus", "", "the same weighed by how much the procedure overfits", std::move(est632plus));
  table.add("n_replicates", "replicates", "that have the measure", std::move(n_replicates));
  table.add("note", "", "why cells are empty", std::move(note));
  return table;
}

io::ResultTable calibration_table(const Design& design, const Findings& findings) {
  const auto n_groups = size(design.config.calibration_groups);
  Reals horizon, predicted, observed, se, lower, upper, optimism, corrected;
  Wholes group, n;
  for (std::size_t cell = 0; cell < findings.full.calibration.size(); ++cell) {
    const auto& of = findings.full.calibration[cell];
    if (of.n == 0) continue;
    double excess = 0;
    Index n_replicates = 0;
    for (const Replicate& r : findings.replicates) {
      if (r.boot_error.empty() || std::isnan(r.boot_error[cell]) || std::isnan(r.original_error[cell]))
        continue;
      excess += r.boot_error[cell] - r.original_error[cell];
      ++n_replicates;
    }
    const double mean = n_replicates > 0 ? excess / static_cast<double>(n_replicates) : kernels::missing;
    horizon.push_back(design.config.horizons[cell / n_groups]);
    group.push_back(static_cast<Index>(cell % n_groups) + 1);
    n.push_back(of.n);
    predicted.push_back(of.predicted);
    observed.push_back(of.observed);
    se.push_back(of.se);
    lower.push_back(of.lower);
    upper.push_back(of.upper);
    optimism.push_back(mean);
    corrected.push_back(of.observed - mean);
  }
  io::ResultTable table{.name = "calibration",
                        .caption =
                            "Survival predicted and observed in groups of about equal size by prediction, "
                            "the worst first. The optimism is "
                            "that of observed less predicted, by group.",
                        .columns = {}};
  table.add("horizon", "days", "time of the prediction", std::move(horizon));
  table.add("group", "", "1 has the worst predictions", std::move(group));
  table.add("n", "patients", "in the group", std::move(n));
  table.add("predicted", "", "mean predicted survival", std::move(predicted));
  table.add("observed", "", "Kaplan-Meier estimate; empty beyond the group's follow-up", std::move(observed));
  table.add("se", "", "its standard error (Greenwood)", std::move(se));
  table.add("lower", "", "its lower bound", std::move(lower));
  table.add("upper", "", "its upper bound", std::move(upper));
  table.add("optimism", "", "of observed less predicted; empty without replicates", std::move(optimism));
  table.add("corrected", "", "observed less optimism", std::move(corrected));
  return table;
}

std::vector<io::ResultTable> group_tables(const Design& design, const Findings& findings) {
  Texts group, curve_group, landmark_group, note;
  Wholes n, n_events;
  Reals from, to, median, median_lower, median_upper, log_hazard, se, hazard_ratio, hr_lower, hr_upper,
      log10_p;
  PointColumns steps, landmarks;
  Reals events, censored;
  const double z = kernels::normal_quantile((1 + design.config.confidence) / 2);
  for (std::size_t g = 0; g < findings.full.groups.size(); ++g) {
    const RiskGroup& of = findings.full.groups[g];
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
    note.push_back(g == 0 ? "the others are compared with this group" : of.trouble);
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
  tables[0] = {.name = "groups",
               .caption =
                   "Risk groups by linear predictor, 1 the lowest risk, on the patients that the model was "
                   "made from: so "
                   "they are further apart than on others.",
               .columns = {}};
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
  tables[0].add("log_hazard", "log hazard", "against group 1, strata as in the model; empty for group 1",
                std::move(log_hazard));
  tables[0].add("se", "log hazard", "its standard error", std::move(se));
  tables[0].add("hazard_ratio", "", "against group 1", std::move(hazard_ratio));
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

io::ResultTable scheme_table(const Design& design, const Findings& findings) {
  const double z = kernels::normal_quantile((1 + design.config.confidence) / 2);
  Texts scheme, predictor, measure, note;
  Wholes n, n_events;
  Reals ours, theirs, difference, se, lower, upper, log10_p, corrected;
  for (const SchemeComparison& row : findings.full.schemes) {
    scheme.push_back(design.schemes[size(row.scheme)].field);
    predictor.push_back(row.predictor);
    measure.emplace_back(name_of(row.measure));
    n.push_back(row.n);
    n_events.push_back(row.n_events);
    ours.push_back(row.ours);
    theirs.push_back(row.theirs);
    const double d = row.ours - row.theirs;
    difference.push_back(d);
    se.push_back(row.se);
    lower.push_back(d - z * row.se);
    upper.push_back(d + z * row.se);
    log10_p.push_back(kernels::normal_log10_two_sided(d / row.se));
    double optimism = kernels::missing;
    for (std::size_t m = 0; m < findings.corrected.size(); ++m)
      if (findings.measures[m].kind == row.measure) optimism = findings.corrected[m].optimism;
    const bool whole_model = row.predictor == "model";
    corrected.push_back(whole_model ? d - optimism : kernels::missing);
    note.push_back(!row.trouble.empty() ? row.trouble
                   : whole_model        ? ""
                                        : "optimism is that of the whole model, not of its groups");
  }
  io::ResultTable table{.name = "schemes",
                        .caption =
                            "The model, and its risk groups, beside schemes that patients carry: concordance "
                            "on the patients with both. "
                            "Levels of a scheme stand in the order of their hazards here.",
                        .columns = {}};
  table.add("scheme", "", "field that holds the scheme", std::move(scheme));
  table.add("predictor", "", "what is compared with it", std::move(predictor));
  table.add("measure", "", "harrell_c or uno_c", std::move(measure));
  table.add("n", "patients", "with both", std::move(n));
  table.add("events", "patients", "events among them", std::move(n_events));
  table.add("concordance", "", "of the predictor, apparent", std::move(ours));
  table.add("scheme_concordance", "", "of the scheme", std::move(theirs));
  table.add("difference", "", "predictor less scheme", std::move(difference));
  table.add("se", "", "of the difference, by the infinitesimal jackknife", std::move(se));
  table.add("lower", "", "limit of the difference", std::move(lower));
  table.add("upper", "", "limit of the difference", std::move(upper));
  table.add("log10_p", "log10", "p-value of no difference", std::move(log10_p));
  table.add("corrected", "", "difference less the optimism of the model's concordance", std::move(corrected));
  table.add("note", "", "why cells are empty", std::move(note));
  return table;
}

io::ResultTable left_out_table(const Design& design, const Findings& findings) {
  Texts level, measure, note;
  Wholes n, n_events;
  Reals horizon, value, se, predicted, observed;
  for (const LeftOut& of : findings.left_out) {
    const auto add = [&](std::string_view name, double at, const Score& score, double p, double o) {
      level.push_back(design.left_out->labels[size(of.level)]);
      n.push_back(of.n);
      n_events.push_back(of.n_events);
      measure.emplace_back(name);
      horizon.push_back(at);
      value.push_back(score.value);
      se.push_back(score.se);
      predicted.push_back(p);
      observed.push_back(o);
      note.push_back(!of.trouble.empty() ? of.trouble : score.trouble);
    };
    for (std::size_t m = 0; m < findings.measures.size(); ++m) {
      const Measure& wanted = findings.measures[m];
      add(name_of(wanted.kind), wanted.horizon, of.scores.empty() ? Score{} : of.scores[m], kernels::missing,
          kernels::missing);
    }
    for (std::size_t h = 0; h < of.overall.size(); ++h) {
      const auto& all = of.overall[h];
      add("observed_over_expected", design.config.horizons[h],
          {.value = (1 - all.observed) / (1 - all.predicted),
           .trouble = std::isnan(all.observed) ? "follow-up ends before the horizon" : ""},
          all.predicted, all.observed);
    }
  }
  io::ResultTable table{.name = "left_out",
                        .caption = fmt::format("Each level of {} left out in turn: the whole procedure on "
                                               "the other patients, measured on the level's own.",
                                               design.config.leave_out),
                        .columns = {}};
  table.add("level", "", "whose patients were left out", std::move(level));
  table.add("n", "patients", "of the level", std::move(n));
  table.add("events", "patients", "events among them", std::move(n_events));
  table.add("measure", "",
            "as in performance; observed_over_expected: share who died over the share predicted",
            std::move(measure));
  table.add("horizon", "days", "time that it looks at; empty: all follow-up", std::move(horizon));
  table.add("value", "", "on the patients left out", std::move(value));
  table.add("se", "", "standard error; concordance and slope only", std::move(se));
  table.add("predicted", "", "mean predicted survival; observed_over_expected only", std::move(predicted));
  table.add("observed", "", "Kaplan-Meier estimate; observed_over_expected only", std::move(observed));
  table.add("note", "", "why there is no value", std::move(note));
  return table;
}

}  // namespace chorale::jobs::prognosis
