// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "jobs/prognosis/stages.hpp"
#include "jobs/prognosis/tables.hpp"
#include "kernels/tail.hpp"

namespace chorale::jobs::prognosis {
namespace {

using Texts = std::vector<std::string>;
using Reals = std::vector<double>;
using Wholes = std::vector<std::int64_t>;

double share(Index part, std::size_t whole) {
  return whole == 0 ? kernels::missing : static_cast<double>(part) / static_cast<double>(whole);
}

/// Why cells of a term's row are empty.
std::string note_of(const Design& design, const Findings& findings, std::size_t t) {
  const double beta = findings.full.model.beta[t];
  if (!findings.full.model.predicts() && std::isnan(beta)) return findings.full.model.trouble;
  if (std::isnan(beta)) return "follows from the terms before it";
  if (std::isinf(beta)) return "the likelihood grows without bound: predicts as ±15";
  if (beta == 0 && findings.full.terms[t].sd == 0) return "one value only";
  if (beta == 0 && design.selects()) return "not chosen";
  if (std::isnan(findings.full.fit.se[t])) return "penalised: no standard error";
  return "";
}

}  // namespace

io::ResultTable coefficient_table(const Design& design, const Findings& findings,
                                  const std::vector<BootstrapOf>& bootstrap) {
  const FullModel& full = findings.full;
  const std::size_t n = full.terms.size();
  const double z = kernels::normal_quantile((1 + design.config.confidence) / 2);
  Texts term, variable, note;
  Reals log_hazard, hazard_ratio, se, robust_se, lower, upper, wald, log10_p, zph, zph_p, mean, sd;
  Reals boot_mean, boot_se, boot_lower, boot_upper, bca_lower, bca_upper, selected, rank, rank_lower,
      rank_upper;
  Wholes boot_n;
  for (std::size_t t = 0; t < n; ++t) {
    const double beta = full.model.beta[t];
    const BootstrapOf& b = bootstrap[t];
    term.push_back(full.terms[t].name);
    variable.push_back(full.terms[t].variable);
    log_hazard.push_back(beta);
    hazard_ratio.push_back(std::exp(beta));
    se.push_back(full.fit.se[t]);
    robust_se.push_back(full.fit.robust_se[t]);
    const double error = std::isnan(robust_se[t]) ? se[t] : robust_se[t];
    lower.push_back(beta - z * error);
    upper.push_back(beta + z * error);
    wald.push_back(beta / error);
    log10_p.push_back(kernels::normal_log10_two_sided(beta / error));
    boot_mean.push_back(b.mean);
    boot_se.push_back(b.se);
    boot_lower.push_back(b.percentile.lower);
    boot_upper.push_back(b.percentile.upper);
    bca_lower.push_back(b.bca.lower);
    bca_upper.push_back(b.bca.upper);
    boot_n.push_back(b.n);
    selected.push_back(share(b.n_chosen, findings.replicates.size()));
    rank.push_back(b.mean_rank);
    rank_lower.push_back(b.rank.lower);
    rank_upper.push_back(b.rank.upper);
    const bool tested = t < full.fit.zph.size();
    zph.push_back(tested ? full.fit.zph[t].chi2 : kernels::missing);
    zph_p.push_back(tested ? full.fit.zph[t].log10_p : kernels::missing);
    mean.push_back(full.terms[t].mean);
    sd.push_back(full.terms[t].sd);
    note.push_back(note_of(design, findings, t));
  }
  io::ResultTable table{.name = "coefficients",
                        .caption =
                            "Every candidate term of the model: its coefficient in the model of all "
                            "patients, and what became of it when "
                            "the whole procedure was repeated on bootstrap samples.",
                        .columns = {}};
  table.add("term", "", "column of the model", std::move(term));
  table.add("variable", "", "covariate or feature that it belongs to", std::move(variable));
  table.add("log_hazard", "log hazard",
            design.selects() && !design.config.refit ? "penalised coefficient; 0 where not chosen"
                                                     : "coefficient; 0 where not chosen",
            std::move(log_hazard));
  table.add("hazard_ratio", "", "per unit of the column", std::move(hazard_ratio));
  table.add("se", "log hazard", "standard error by the information, as if the terms had been given",
            std::move(se));
  table.add("robust_se", "log hazard", "sandwich; with weights or clusters only", std::move(robust_se));
  table.add("lower", "log hazard", "limit by the (robust) standard error", std::move(lower));
  table.add("upper", "log hazard", "limit by the (robust) standard error", std::move(upper));
  table.add("z", "", "Wald test, by the (robust) standard error", std::move(wald));
  table.add("log10_p", "log10", "p-value of the Wald test", std::move(log10_p));
  table.add("boot_mean", "log hazard", "mean over replicates, 0 where not chosen", std::move(boot_mean));
  table.add("boot_se", "log hazard", "standard deviation over replicates", std::move(boot_se));
  table.add("boot_lower", "log hazard", "bootstrap percentile", std::move(boot_lower));
  table.add("boot_upper", "log hazard", "bootstrap percentile", std::move(boot_upper));
  table.add("bca_lower", "log hazard",
            "bias-corrected and accelerated bootstrap limit; empty for penalised coefficients, and where all "
            "replicates lie on one side",
            std::move(bca_lower));
  table.add("bca_upper", "log hazard", "the same", std::move(bca_upper));
  table.add("selected", "", "share of replicates in which the term has a coefficient", std::move(selected));
  table.add("boot_n", "replicates", "with a finite coefficient", std::move(boot_n));
  table.add("rank", "",
            "mean rank of importance over replicates: |coefficient| in standard deviations, 1 strongest",
            std::move(rank));
  table.add("rank_lower", "", "percentile of the rank", std::move(rank_lower));
  table.add("rank_upper", "", "percentile of the rank", std::move(rank_upper));
  table.add("zph_chi2", "chi-square",
            "test of proportional hazards; empty where there is no fit without penalty", std::move(zph));
  table.add("zph_log10_p", "log10", "its p-value", std::move(zph_p));
  table.add("mean", "", "of the column over all patients of the model", std::move(mean));
  table.add("sd", "", "its standard deviation", std::move(sd));
  table.add("note", "", "why cells are empty", std::move(note));
  return table;
}

io::ResultTable variable_table(const Findings& findings) {
  Texts variable, kind, reference;
  Wholes n_missing;
  for (const VariableNote& v : findings.full.variables) {
    variable.push_back(v.name);
    kind.emplace_back(io::name_of(static_cast<io::ModelFile::Kind>(v.kind)));
    reference.push_back(v.reference);
    n_missing.push_back(v.n_missing);
  }
  io::ResultTable table{.name = "variables",
                        .caption = "Every candidate, and how many patients with an outcome miss it.",
                        .columns = {}};
  table.add("variable", "", "covariate or feature", std::move(variable));
  table.add("kind", "", "number, log10 of a number, category or feature", std::move(kind));
  table.add("reference", "", "categories: the level that others are compared with; empty for others",
            std::move(reference));
  table.add("missing", "patients", "without a value, or not tested", std::move(n_missing));
  return table;
}

io::ResultTable path_table(const Design& design, const Findings& findings) {
  const PathNote& path = findings.full.path;
  Reals error = path.error;
  error.resize(path.lambda.size(), kernels::missing);
  Wholes n_terms(path.n_nonzero.begin(), path.n_nonzero.end()), chosen;
  for (std::size_t k = 0; k < path.lambda.size(); ++k) chosen.push_back(static_cast<Index>(k) == path.chosen);
  const bool cv = design.cross_validates();
  const char* by = cv ? "cross-validated partial likelihood deviance per event"
                   : design.config.tuning == Tuning::bic ? "BIC, with the number of events"
                                                         : "AIC";
  io::ResultTable table{
      .name = "path",
      .caption = "The elastic-net path of all patients, and the penalty that was chosen on it.",
      .columns = {}};
  table.add("lambda", "", "penalty", path.lambda);
  table.add("n_terms", "terms", "with a coefficient", std::move(n_terms));
  table.add("deviance_ratio", "", "share of the deviance explained", path.dev_ratio);
  table.add("criterion", "", by, path.criterion);
  table.add("criterion_se", "", cv ? "its standard error over folds" : "empty without cross-validation",
            std::move(error));
  table.add("chosen", "", "1 for the penalty of the model", std::move(chosen));
  return table;
}

io::ResultTable stability_table(const Design& design, const Findings& findings) {
  Texts term;
  Reals frequency, cutoff;
  Wholes stable;
  for (std::size_t t = 0; t < findings.full.terms.size(); ++t) {
    Index n = 0;
    for (const auto& sample : findings.entered) n += sample[t];
    term.push_back(findings.full.terms[t].name);
    frequency.push_back(share(n, findings.entered.size()));
    cutoff.push_back(design.config.stability_cutoff);
    stable.push_back(frequency.back() >= cutoff.back());
  }
  io::ResultTable table{
      .name = "stability",
      .caption = fmt::format("Stability selection: how often a term is among the first {} to enter the path "
                             "of a random half of the "
                             "patients, {} complementary pairs of halves.",
                             stability_terms(design, static_cast<Index>(findings.full.terms.size())),
                             design.config.stability_pairs),
      .columns = {}};
  table.add("term", "", "column of the model", std::move(term));
  table.add("frequency", "", "share of half samples", std::move(frequency));
  table.add("cutoff", "", "share from which a term counts as stable", std::move(cutoff));
  table.add("stable", "", "1 where the frequency is at least the cutoff", std::move(stable));
  return table;
}

std::vector<io::ResultTable> replicate_tables(const Findings& findings) {
  Wholes number, n_events, n_chosen, of_replicate, of_term;
  Reals penalty, coefficient;
  Texts trouble;
  for (const Replicate& r : findings.replicates) {
    number.push_back(r.number);
    n_events.push_back(r.model.n_events);
    n_chosen.push_back(r.model.n_chosen);
    penalty.push_back(r.model.penalty);
    trouble.push_back(r.model.trouble);
    for (std::size_t t = 0; t < r.model.beta.size(); ++t) {
      if (r.model.beta[t] == 0) continue;
      of_replicate.push_back(r.number);
      of_term.push_back(static_cast<Index>(t));
      coefficient.push_back(r.model.beta[t]);
    }
  }
  std::vector<io::ResultTable> tables(2);
  tables[0] = {.name = "replicates",
               .caption =
                   "Every bootstrap replicate: what the procedure chose, and each measure on the sample "
                   "(boot), on all "
                   "patients (original) and on those not drawn (oob).",
               .columns = {},
               .in_text = false};
  tables[0].add("replicate", "", "number; with the seed it decides the sample", std::move(number));
  tables[0].add("n_events", "events", "each copy counts", std::move(n_events));
  tables[0].add("n_terms", "terms", "with a coefficient", std::move(n_chosen));
  tables[0].add("lambda", "", "penalty; NaN without elastic net", std::move(penalty));
  tables[0].add("trouble", "", "why the model of the sample does not predict; empty when it does",
                std::move(trouble));
  const auto add = [&](const char* sample, std::vector<double> Replicate::*scores) {
    for (std::size_t m = 0; m < findings.measures.size(); ++m) {
      Reals values;
      for (const Replicate& r : findings.replicates)
        if (!(r.*scores).empty()) values.push_back((r.*scores)[m]);
      if (values.size() != findings.replicates.size()) continue;
      tables[0].add(fmt::format("{}_{}", sample, key_of(findings.measures[m])), "", "as in performance",
                    std::move(values));
    }
  };
  add("boot", &Replicate::boot);
  add("original", &Replicate::original);
  add("oob", &Replicate::oob);
  tables[1] = {.name = "replicate_coefficients",
               .caption = "Coefficients of every bootstrap replicate; those that are 0 are left out.",
               .columns = {},
               .in_text = false};
  tables[1].add("replicate", "", "its number", std::move(of_replicate));
  tables[1].add("term", "", "row of the table coefficients, from 0", std::move(of_term));
  tables[1].add("log_hazard", "log hazard", "coefficient; NaN where it follows from terms before it",
                std::move(coefficient));
  return tables;
}

}  // namespace chorale::jobs::prognosis
