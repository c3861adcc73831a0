// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

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

/// Throws   ConfigError when a covariate is unknown (checked against the catalogue by require_covariates)
Covariates read_covariates(const engine::Setup& setup, const engine::Cohort& cohort);

/// Adds the columns that the configured covariates need.
void require_covariates(const engine::Setup& setup, std::vector<std::string>& fields);

}  // namespace chorale::jobs
