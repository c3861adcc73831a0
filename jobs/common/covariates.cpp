// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "jobs/common/covariates.hpp"

#include <algorithm>
#include <limits>

#include "engine/selection.hpp"

namespace chorale::jobs {
namespace {

void add_indicators(const std::string& field, const std::vector<std::string>& levels,
                    std::span<const std::int32_t> codes, Covariates& covariates) {
  std::vector<std::uint8_t> occurs(levels.size(), 0);
  for (const std::int32_t code : codes)
    if (code >= 0) occurs[static_cast<std::size_t>(code)] = 1;
  bool reference_passed = false;
  for (std::size_t level = 0; level < levels.size(); ++level) {
    if (occurs[level] == 0) continue;
    if (!reference_passed) {
      reference_passed = true;
      continue;
    }
    covariates.terms.push_back(field + "=" + levels[level]);
    for (const std::int32_t code : codes)
      covariates.values.push_back(code < 0 ? std::numeric_limits<double>::quiet_NaN()
                                           : static_cast<double>(code == static_cast<std::int32_t>(level)));
  }
}

}  // namespace

Covariates read_covariates(const engine::Setup& setup, const engine::Cohort& cohort) {
  Covariates covariates;
  for (const auto& name : setup.config.outcome.covariates) {
    const Index f = engine::require_field(setup.catalogue, name, "outcome.covariates");
    const io::Field* field = f < 0 ? nullptr : &setup.catalogue.fields[static_cast<std::size_t>(f)];
    if (field != nullptr && field->kind == io::FieldKind::number) {
      const auto values = cohort.numbers(name);
      covariates.terms.push_back(name);
      covariates.values.insert(covariates.values.end(), values.begin(), values.end());
    } else {
      add_indicators(name, field == nullptr ? setup.catalogue.sites : field->levels, cohort.codes(name),
                     covariates);
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
