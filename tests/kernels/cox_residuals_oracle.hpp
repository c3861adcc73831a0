// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <string>
#include <vector>

#include "kernels/cox.hpp"
#include "tests/kernels/oracle_numbers.hpp"
#include "tests/kernels/survival_data.hpp"

namespace chorale::kernels::residuals_oracle {

/// What R answered, by the name of the fit and of the number: tests/oracle/cox_residuals.R.
inline std::vector<double> numbers(const std::string& name) {
  static const OracleNumbers all("cox_residuals");
  return all(name);
}

/// The 24 patients with columns z and x; with everything, the patient whom R drops has time 0.
struct TwoColumns {
  explicit TwoColumns(bool with_all)
      : cohort(survival_data::twenty_four({.entry = with_all, .weight = with_all, .stratum = with_all})),
        timeline(cohort.timeline()),
        columns(cohort.covariate) {
    columns.insert(columns.end(), cohort.feature.begin(), cohort.feature.end());
    design = make_cox_design(timeline, {columns, 2, {}});
  }

  survival_data::Cohort cohort;
  Timeline timeline;
  std::vector<double> columns;
  CoxDesign design;
};

}  // namespace chorale::kernels::residuals_oracle
