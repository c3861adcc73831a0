// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <boost/serialization/string.hpp>
#include <boost/serialization/vector.hpp>

#include "io/results.hpp"
#include "jobs/common/follow_up.hpp"
#include "jobs/common/kernel_archives.hpp"
#include "kernels/cox.hpp"
#include "kernels/kaplan_meier.hpp"
#include "kernels/log_rank.hpp"

namespace chorale::jobs {

struct RiskGroup {
  double lower = kernels::missing, upper = kernels::missing;  ///< linear predictors; NaN is open
  kernels::KmCurve curve;
  kernels::KmMedian median{};
  std::vector<kernels::KmPoint> landmarks;
  double log_hazard = kernels::missing, se = kernels::missing;  ///< against the lowest group with patients
  std::string note;                                             ///< why there is none

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& lower& upper& curve& median& landmarks& log_hazard& se& note;
  }
};

/// Patients parted by cut points of the linear predictor, and how each group fared.
struct RiskGroups {
  std::vector<double> cuts;
  std::vector<RiskGroup> groups;    ///< one more than cuts; some may have nobody
  kernels::LogRankResult log_rank;  ///< of the groups with patients
  bool compared = false;            ///< at least two groups have patients
  double confidence = 0.95;         ///< level of every interval

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& cuts& groups& log_rank& compared& confidence;
  }
};

/// The group of a linear predictor: a cut point opens its group.
std::int32_t risk_group_of(std::span<const double> cuts, double eta);

/// Risk groups of the patients taken. Curves pool strata; hazard ratios and the log-rank test keep them.
///
/// Shapes   taken, eta (n_patients); horizons in days
RiskGroups describe_risk_groups(const Timelines& timelines, kernels::Ties ties,
                                std::span<const std::uint8_t> taken, std::span<const double> eta,
                                std::vector<double> cuts, std::span<const double> horizons,
                                double confidence);

/// Tables groups, group_landmarks and group_survival; `caption` is that of the first.
std::vector<io::ResultTable> risk_group_tables(const RiskGroups& groups, std::string caption);

/// Cox model of the codes 1, 2, … against 0 among the patients taken.
kernels::CoxFit fit_codes(const kernels::Timeline& timeline, kernels::Ties ties,
                          std::span<const std::int32_t> code, Index n_codes,
                          std::span<const std::uint8_t> taken);

}  // namespace chorale::jobs
