// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "jobs/score/predictions.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kernels/error.hpp"

namespace chorale::jobs::score {
namespace {

using Kind = io::ModelFile::Kind;

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

std::string reason_of(const io::ModelFile::Variable& variable) {
  switch (variable.kind) {
    case Kind::feature:
      return "not tested for " + variable.name;
    case Kind::log10:
      return variable.name + " missing, or not above 0";
    default:
      return variable.name + " missing";
  }
}

const std::vector<std::string>& levels_of(const engine::Setup& setup, const std::string& field) {
  const Index f = setup.catalogue.field_index(field);
  return f < 0 ? setup.catalogue.sites : setup.catalogue.fields[size(f)].levels;
}

}  // namespace

/// A variable of all patients: numbers, codes or carriers, and who misses it.
struct Predictions::Values {
  std::vector<double> number;
  std::span<const std::int32_t> code;
  const std::vector<std::string>* levels = nullptr;
  std::span<const std::int32_t> carriers;
  std::vector<std::uint8_t> known;
};

Predictions::Values Predictions::read(const Design& design, const engine::Setup& setup,
                                      const engine::Cohort& cohort, std::size_t variable) {
  const auto& of = design.model.variables[variable];
  Values values;
  values.known.resize(size(cohort.n_patients()));
  if (of.kind == Kind::feature) {
    values.carriers = cohort.carriers(design.feature[variable]);
    cohort.tested(design.feature[variable], values.known);
  } else if (of.kind == Kind::category) {
    values.code = cohort.codes(of.name);
    values.levels = &levels_of(setup, of.name);
    for (std::size_t i = 0; i < values.known.size(); ++i) values.known[i] = values.code[i] >= 0;
  } else {
    const auto numbers = cohort.numbers(of.name);
    values.number.assign(numbers.begin(), numbers.end());
    for (std::size_t i = 0; i < values.known.size(); ++i) {
      double& x = values.number[i];
      if (of.kind == Kind::log10) x = x > 0 ? std::log10(x) : kernels::missing;
      values.known[i] = !std::isnan(x);
    }
  }
  return values;
}

void Predictions::add(const io::ModelFile::Term& term, const Values& values) {
  const double missing = term.coefficient * term.when_missing.value_or(kernels::missing);
  for (std::size_t i = 0; i < eta.size(); ++i)
    if (values.known[i] == 0) eta[i] += missing;
  if (term.indicates_missing) return;
  if (!values.number.empty()) {
    for (std::size_t i = 0; i < eta.size(); ++i)
      if (values.known[i] != 0) eta[i] += term.coefficient * values.number[i];
  } else if (values.levels != nullptr) {
    const auto at = std::find(values.levels->begin(), values.levels->end(), term.level);
    if (at == values.levels->end()) return;  // nobody can have it
    const auto code = static_cast<std::int32_t>(at - values.levels->begin());
    for (std::size_t i = 0; i < eta.size(); ++i)
      if (values.code[i] == code) eta[i] += term.coefficient;
  } else {
    for (const std::int32_t i : values.carriers)
      if (values.known[size(i)] != 0) eta[size(i)] += term.coefficient;
  }
}

Predictions::Predictions(const Design& design, const engine::Setup& setup, const engine::Cohort& cohort,
                         const kernels::Timeline& timeline)
    : eta(size(cohort.n_patients()), 0.0), included(timeline.analysed.begin(), timeline.analysed.end()) {
  const auto& variables = design.model.variables;
  std::vector<std::vector<bool>> known;  // a bit a patient: a model may have hundreds of variables
  for (std::size_t v = 0; v < variables.size(); ++v) {
    Values values = read(design, setup, cohort, v);
    bool leaves = false;
    for (const auto& term : design.model.terms) {
      if (size(term.variable) != v) continue;
      add(term, values);
      leaves = leaves || !term.when_missing;
    }
    known.emplace_back(values.known.begin(), values.known.end());
    if (!leaves) continue;
    Index n_left = 0;
    for (std::size_t i = 0; i < included.size(); ++i) {
      if (known[v][i]) continue;
      n_left += included[i];
      included[i] = 0;
    }
    attrition.push_back({.step = "model", .reason = reason_of(variables[v]), .n_left = n_left});
  }
  n_included = std::accumulate(included.begin(), included.end(), Index{0});
  for (std::size_t v = 0; v < variables.size(); ++v) {
    Index n = 0;
    for (std::size_t i = 0; i < included.size(); ++i) n += included[i] != 0 && !known[v][i];
    n_missing.push_back(n);
    if (variables[v].kind == Kind::category) require_levels(variables[v], setup, cohort);
  }
  for (std::size_t i = 0; i < eta.size(); ++i)
    eta[i] = included[i] == 0 ? kernels::missing : without_rounding(eta[i]);
}

void Predictions::require_levels(const io::ModelFile::Variable& variable, const engine::Setup& setup,
                                 const engine::Cohort& cohort) const {
  const auto& levels = levels_of(setup, variable.name);
  const auto code = cohort.codes(variable.name);
  std::vector<Index> n_patients(levels.size(), 0);
  for (std::size_t i = 0; i < included.size(); ++i)
    if (included[i] != 0 && code[i] >= 0) ++n_patients[size(code[i])];
  std::vector<std::string> unknown;
  for (std::size_t level = 0; level < levels.size(); ++level)
    if (n_patients[level] > 0 &&
        std::find(variable.levels.begin(), variable.levels.end(), levels[level]) == variable.levels.end())
      unknown.push_back(fmt::format("{} ({} patients)", levels[level], n_patients[level]));
  if (unknown.empty()) return;
  throw InputError({.what = "patients have levels that the model does not know",
                    .found = fmt::format("{}", fmt::join(unknown, ", ")),
                    .expected = fmt::format("one of {}", fmt::join(variable.levels, ", ")),
                    .in = variable.name,
                    .remedy = "bring the levels to the model's at ingest, or leave these patients out with "
                              "[select]"});
}

}  // namespace chorale::jobs::score
