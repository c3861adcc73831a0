// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/cohort.hpp"
#include "engine/plan.hpp"

namespace chorale::jobs {

/// The name under which a patient's mutation panel can be used like a category.
inline constexpr std::string_view panel_field = "PANEL";

/// How patients fall into groups: by the levels of a category, the site, the panel, or the ranges between cut points
/// of a number. Labels come from the catalogue alone, codes from the patients.
struct Grouping {
  std::string field;
  std::vector<double> cuts;         ///< ascending; numbers only
  std::vector<std::string> labels;  ///< group code i means labels[i]

  Index size() const { return static_cast<Index>(labels.size()); }

  /// Without cut points a number field must be 0/1. A cut point opens its range: cuts = [18] gives "<18", "≥18".
  /// Throws   ConfigError naming `key` when the field is unknown or the cut points do not fit it
  static Grouping by(const io::Catalogue& catalogue, const std::string& field,
                     const std::vector<double>& cuts, const std::string& key);

  /// (n_patients) codes, -1 for a missing value, or for a number that is neither 0 nor 1 without cut points.
  std::vector<std::int32_t> codes(const engine::Cohort& cohort) const;

 private:
  bool number_ = false;
};

/// Groupings crossed: codes of the combinations, -1 where any is missing. `n_codes` becomes their number.
std::vector<std::int32_t> crossed(const engine::Cohort& cohort, const std::vector<Grouping>& groupings,
                                  Index& n_codes);

/// What the codes of crossed groupings mean: "TRIAL=X, SITE=A"; one empty text without groupings.
std::vector<std::string> crossed_labels(const std::vector<Grouping>& groupings);

/// Adds what groupings read of each patient: clinical fields, or panels, which are read with the alterations.
void require_columns(const std::vector<Grouping>& groupings, engine::Columns& columns);

}  // namespace chorale::jobs
