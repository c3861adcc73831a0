// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "jobs/score/tables.hpp"

#include <cmath>

#include <fmt/format.h>

#include "kernels/tail.hpp"

namespace chorale::jobs::score {
namespace {

using Texts = std::vector<std::string>;
using Reals = std::vector<double>;
using Wholes = std::vector<std::int64_t>;

double normal_width(const Design& design) {
  return kernels::normal_quantile((1 + design.config.confidence) / 2);
}

/// What the model's file says of a measure; null when nothing.
const io::ModelFile::Performance* at_home(const io::ModelFile& model, const Measure& measure) {
  for (const auto& known : model.performance) {
    const bool all_times = std::isnan(measure.horizon);
    if (known.measure == name_of(measure.kind) && known.horizon.has_value() != all_times &&
        (all_times || *known.horizon == measure.horizon))
      return &known;
  }
  return nullptr;
}

}  // namespace

io::ResultTable performance_table(const Design& design, const Whole& whole) {
  const double z = normal_width(design);
  const auto measures = measures_of(design.evaluation);
  Texts measure, note;
  Reals horizon, value, se, lower, upper, apparent, corrected;
  for (std::size_t m = 0; m < measures.size(); ++m) {
    const Score& score = whole.scores[m];
    const auto* known = at_home(design.model, measures[m]);
    measure.emplace_back(name_of(measures[m].kind));
    horizon.push_back(measures[m].horizon);
    value.push_back(score.value);
    se.push_back(score.se);
    lower.push_back(score.value - z * score.se);
    upper.push_back(score.value + z * score.se);
    apparent.push_back(known == nullptr ? kernels::missing : known->apparent.value_or(kernels::missing));
    corrected.push_back(known == nullptr ? kernels::missing : known->corrected.value_or(kernels::missing));
    note.push_back(!score.trouble.empty() ? score.trouble
                   : known == nullptr     ? "not measured where the model was made"
                                          : "");
  }
  io::ResultTable table{.name = "performance",
                        .caption =
                            "How well the model predicts on these patients, beside what its file says of "
                            "those that it was made from.",
                        .columns = {}};
  table.add("measure", "", "harrell_c, uno_c, auc, brier, integrated_brier or calibration_slope",
            std::move(measure));
  table.add("horizon", "days", "time that it looks at; empty: all follow-up", std::move(horizon));
  table.add("value", "", "on these patients", std::move(value));
  table.add("se", "", "standard error; concordance and slope only", std::move(se));
  table.add("lower", "", "limit by the standard error", std::move(lower));
  table.add("upper", "", "limit by the standard error", std::move(upper));
  table.add("model_apparent", "", "where the model was made, on its own patients", std::move(apparent));
  table.add("model_corrected", "", "the same less its optimism", std::move(corrected));
  table.add("note", "", "why cells are empty", std::move(note));
  return table;
}

io::ResultTable overall_table(const Design& design, const Whole& whole) {
  const double z = normal_width(design);
  Reals horizon, predicted, observed, lower, upper, ratio, ratio_lower, ratio_upper, deaths, expected, smr,
      smr_lower, smr_upper;
  Texts note;
  for (std::size_t h = 0; h < whole.overall.size(); ++h) {
    const auto& all = whole.overall[h];
    const Score oe = observed_over_expected(all);
    horizon.push_back(design.evaluation.horizons[h]);
    predicted.push_back(all.predicted);
    observed.push_back(all.observed);
    lower.push_back(all.lower);
    upper.push_back(all.upper);
    ratio.push_back(oe.value);
    ratio_lower.push_back((1 - all.upper) / (1 - all.predicted));
    ratio_upper.push_back((1 - all.lower) / (1 - all.predicted));
    const Deaths& d = whole.deaths[h];
    // log of the ratio ± z √Σw² / Σw: deaths as a Poisson count, the expected ones as known
    const double spread = std::exp(z * std::sqrt(d.squares) / d.observed);
    deaths.push_back(d.observed);
    expected.push_back(d.expected);
    smr.push_back(d.expected > 0 ? d.observed / d.expected : kernels::missing);
    smr_lower.push_back(d.observed > 0 ? smr.back() / spread : kernels::missing);
    smr_upper.push_back(d.observed > 0 ? smr.back() * spread : kernels::missing);
    note.push_back(oe.trouble);
  }
  io::ResultTable table{.name = "overall",
                        .caption =
                            "Calibration in the large: everyone as one group. Survival compares the "
                            "Kaplan-Meier estimate with the mean prediction; deaths are counted against "
                            "those that the model expects in the follow-up that there was.",
                        .columns = {}};
  table.add("horizon", "days", "time of the prediction", std::move(horizon));
  table.add("predicted", "", "mean predicted survival", std::move(predicted));
  table.add("observed", "", "Kaplan-Meier estimate; empty beyond the last follow-up", std::move(observed));
  table.add("lower", "", "its lower bound", std::move(lower));
  table.add("upper", "", "its upper bound", std::move(upper));
  table.add("observed_over_expected", "", "share who died over the share predicted", std::move(ratio));
  table.add("oe_lower", "", "limit by that of the Kaplan-Meier estimate", std::move(ratio_lower));
  table.add("oe_upper", "", "limit by that of the Kaplan-Meier estimate", std::move(ratio_upper));
  table.add("deaths", "patients", "by the horizon, weighted", std::move(deaths));
  table.add("expected_deaths", "patients", "hazard that they gathered until then, by the model",
            std::move(expected));
  table.add("deaths_over_expected", "", "their ratio", std::move(smr));
  table.add("deaths_lower", "", "limit of the ratio, deaths as a Poisson count", std::move(smr_lower));
  table.add("deaths_upper", "", "limit of the ratio, deaths as a Poisson count", std::move(smr_upper));
  table.add("note", "", "why cells are empty", std::move(note));
  return table;
}

io::ResultTable term_table(const Design& design, const Whole& whole) {
  Texts term, variable, kind, unit;
  Reals coefficient, when_missing;
  Wholes n_missing;
  for (const auto& of : design.model.terms) {
    const auto v = static_cast<std::size_t>(of.variable);
    term.push_back(of.name);
    variable.push_back(design.model.variables[v].name);
    kind.emplace_back(io::name_of(design.model.variables[v].kind));
    unit.push_back(design.model.variables[v].unit);
    coefficient.push_back(of.coefficient);
    when_missing.push_back(of.when_missing.value_or(kernels::missing));
    n_missing.push_back(whole.n_missing[v]);
  }
  io::ResultTable table{.name = "terms", .caption = "The model as it was applied.", .columns = {}};
  table.add("term", "", "column of the model", std::move(term));
  table.add("variable", "", "field or feature behind it", std::move(variable));
  table.add("kind", "", "number, log10, category or feature", std::move(kind));
  table.add("unit", "", "of the number, as the model has it", std::move(unit));
  table.add("coefficient", "log hazard", "per unit", std::move(coefficient));
  table.add("when_missing", "", "value for who misses the variable; empty: such patients leave",
            std::move(when_missing));
  table.add("missing", "patients", "scored although they miss the variable", std::move(n_missing));
  return table;
}

io::ResultTable patient_table(const Design& design, const Rows& rows) {
  io::ResultTable table{.name = "patients",
                        .caption =
                            "What the model says of each patient. Rows are not named, but who knows a "
                            "patient's values can find them: treat this file as patient data.",
                        .columns = {},
                        .in_text = false};
  const std::size_t n = rows.patient.size();
  table.add("row", "", "place among the selected patients, in the order of the shards, from 0", rows.patient);
  table.add("linear_predictor", "log hazard", "as the model has it, not centred", rows.eta);
  table.add("group", "", "risk group, 1 the lowest risk", rows.group);
  for (std::size_t h = 0; h < design.evaluation.horizons.size(); ++h) {
    const auto first = rows.survival.begin() + static_cast<std::ptrdiff_t>(h * n);
    table.add(fmt::format("survival_{}", design.evaluation.horizons[h]), "", "predicted at that day",
              Reals(first, first + static_cast<std::ptrdiff_t>(n)));
  }
  return table;
}

}  // namespace chorale::jobs::score
