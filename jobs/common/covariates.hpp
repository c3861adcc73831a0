// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/cohort.hpp"
#include "engine/plan.hpp"

namespace chorale::jobs {

/// Columns of an adjusted model: numbers as they are, categories as indicators against their first level that occurs.
struct Covariates {
  std::vector<std::string> terms;  ///< (n_terms) "AGE", "SEX=Male"
  std::vector<double> values;  ///< (n_terms × n_patients), a term's patients side by side; NaN is missing

  Index n_terms() const { return static_cast<Index>(terms.size()); }
};

/// Which levels of each covariate occur, of those that are categories, one after the other; numbers have none.
using OccurringLevels = std::vector<std::uint8_t>;
OccurringLevels occurring_levels(const engine::Setup& setup, const engine::Cohort& cohort);

/// Throws   ConfigError when a covariate is unknown (checked against the catalogue by require_covariates)
Covariates read_covariates(const engine::Setup& setup, const engine::Cohort& cohort);

/// The same of some of the patients, with the columns that the levels of all of them make.
Covariates read_covariates(const engine::Setup& setup, const engine::Cohort& cohort,
                           std::span<const std::uint8_t> occurring);

/// The names of those columns.
std::vector<std::string> covariate_terms(const engine::Setup& setup, std::span<const std::uint8_t> occurring);

/// Adds the columns that the configured covariates need.
void require_covariates(const engine::Setup& setup, std::vector<std::string>& fields);

}  // namespace chorale::jobs
