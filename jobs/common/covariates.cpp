// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "jobs/common/covariates.hpp"

#include <algorithm>
#include <limits>

#include "engine/selection.hpp"

namespace chorale::jobs {
namespace {

/// The levels of a covariate, none where it is a number.
std::span<const std::string> levels_of(const engine::Setup& setup, const std::string& name) {
  const Index f = engine::require_field(setup.catalogue, name, "outcome.covariates");
  if (f < 0) return setup.catalogue.sites;
  const io::Field& field = setup.catalogue.fields[static_cast<std::size_t>(f)];
  return field.kind == io::FieldKind::number ? std::span<const std::string>{} : field.levels;
}

bool is_number(const engine::Setup& setup, const std::string& name) {
  const Index f = engine::require_field(setup.catalogue, name, "outcome.covariates");
  return f >= 0 && setup.catalogue.fields[static_cast<std::size_t>(f)].kind == io::FieldKind::number;
}

/// Levels with a column: those that occur but for the first.
std::vector<std::size_t> indicated(std::span<const std::uint8_t> occurs) {
  std::vector<std::size_t> levels;
  for (std::size_t level = 0; level < occurs.size(); ++level)
    if (occurs[level] != 0) levels.push_back(level);
  if (!levels.empty()) levels.erase(levels.begin());
  return levels;
}

}  // namespace

std::vector<std::string> covariate_terms(const engine::Setup& setup,
                                         std::span<const std::uint8_t> occurring) {
  std::vector<std::string> terms;
  for (const auto& name : setup.config.outcome.covariates) {
    if (is_number(setup, name)) {
      terms.push_back(name);
      continue;
    }
    const auto levels = levels_of(setup, name);
    for (const std::size_t level : indicated(occurring.first(levels.size())))
      terms.push_back(name + "=" + levels[level]);
    occurring = occurring.subspan(levels.size());
  }
  return terms;
}

OccurringLevels occurring_levels(const engine::Setup& setup, const engine::Cohort& cohort) {
  OccurringLevels occurs;
  for (const auto& name : setup.config.outcome.covariates) {
    if (is_number(setup, name)) continue;
    const std::size_t first = occurs.size();
    occurs.resize(first + levels_of(setup, name).size(), 0);
    for (const std::int32_t code : cohort.codes(name))
      if (code >= 0) occurs[first + static_cast<std::size_t>(code)] = 1;
  }
  return occurs;
}

Covariates read_covariates(const engine::Setup& setup, const engine::Cohort& cohort) {
  return read_covariates(setup, cohort, occurring_levels(setup, cohort));
}

Covariates read_covariates(const engine::Setup& setup, const engine::Cohort& cohort,
                           std::span<const std::uint8_t> occurring) {
  Covariates covariates{.terms = covariate_terms(setup, occurring), .values = {}};
  for (const auto& name : setup.config.outcome.covariates) {
    if (is_number(setup, name)) {
      const auto values = cohort.numbers(name);
      covariates.values.insert(covariates.values.end(), values.begin(), values.end());
    } else {
      const std::size_t n_levels = levels_of(setup, name).size();
      for (const std::size_t level : indicated(occurring.first(n_levels)))
        for (const std::int32_t code : cohort.codes(name))
          covariates.values.push_back(code < 0
                                          ? std::numeric_limits<double>::quiet_NaN()
                                          : static_cast<double>(code == static_cast<std::int32_t>(level)));
      occurring = occurring.subspan(n_levels);
    }
  }
  return covariates;
}

void require_covariates(const engine::Setup& setup, std::vector<std::string>& fields) {
  for (const auto& name : setup.config.outcome.covariates) {
    engine::require_field(setup.catalogue, name, "outcome.covariates");
    if (std::find(fields.begin(), fields.end(), name) == fields.end()) fields.push_back(name);
  }
}

}  // namespace chorale::jobs
