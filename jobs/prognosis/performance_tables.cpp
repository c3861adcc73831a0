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
  io::ResultTable table = jobs::calibration_table(
      "Survival predicted and observed in groups of about equal size by prediction, the worst first. The "
      "optimism is that of observed less predicted, by group.",
      findings.full.calibration, design.config.horizons);
  Reals optimism, corrected;
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
    optimism.push_back(mean);
    corrected.push_back(of.observed - mean);
  }
  table.add("optimism", "", "of observed less predicted; empty without replicates", std::move(optimism));
  table.add("corrected", "", "observed less optimism", std::move(corrected));
  return table;
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
  return level_table("left_out",
                     fmt::format("Each level of {} left out in turn: the whole procedure on the other "
                                 "patients, measured on the level's own.",
                                 design.config.leave_out),
                     findings.left_out, design.left_out->labels, findings.measures, design.config.horizons,
                     design.config.confidence);
}

}  // namespace chorale::jobs::prognosis
