// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <span>
#include <string>
#include <vector>

#include <boost/serialization/string.hpp>
#include <boost/serialization/vector.hpp>

#include "io/results.hpp"
#include "jobs/common/evaluation.hpp"
#include "jobs/common/kernel_archives.hpp"

namespace chorale::jobs {

/// A model measured on the patients of one level of a field, such as a site.
struct LevelScores {
  Index level = 0;
  Index n = 0, n_events = 0;
  std::string trouble;
  std::vector<Score> scores;                       ///< (n_measures)
  std::vector<kernels::CalibrationGroup> overall;  ///< (n_horizons): everyone one group

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& level& n& n_events& trouble& scores& overall;
  }
};

/// Share who died by a horizon over the share predicted.
Score observed_over_expected(const kernels::CalibrationGroup& overall);

/// A row per level, measure and horizon.
io::ResultTable level_table(std::string name, std::string caption, std::span<const LevelScores> levels,
                            std::span<const std::string> labels, std::span<const Measure> measures,
                            std::span<const double> horizons, double confidence);

/// Survival predicted and observed, a row per horizon and group that has patients.
///
/// Shapes   groups (n_horizons · n_groups), one horizon after the other
io::ResultTable calibration_table(std::string caption, std::span<const kernels::CalibrationGroup> groups,
                                  std::span<const double> horizons);

}  // namespace chorale::jobs
