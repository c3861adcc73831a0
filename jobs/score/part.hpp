// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <string>
#include <vector>

#include <boost/serialization/string.hpp>
#include <boost/serialization/vector.hpp>

#include "engine/ledger.hpp"
#include "jobs/common/evaluation.hpp"
#include "jobs/common/evaluation_tables.hpp"
#include "jobs/common/kernel_archives.hpp"
#include "jobs/common/risk_groups.hpp"

namespace chorale::jobs::score {

/// Deaths by a horizon, and those that the model expects in the follow-up that there was.
struct Deaths {
  double observed = 0, expected = 0;
  double squares = 0;  ///< Σ w² of the deaths, for their error

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& observed& expected& squares;
  }
};

/// Predictions of those who take part, one after another.
struct Rows {
  std::vector<std::int64_t> patient;  ///< place among the selected patients, from 0
  std::vector<double> eta;
  std::vector<std::int64_t> group;
  std::vector<double> survival;  ///< (n_horizons, n_rows)

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& patient& eta& group& survival;
  }
};

/// The model on all patients.
struct Whole {
  Index n = 0, n_events = 0;
  std::vector<Score> scores;  ///< (n_measures)
  std::vector<kernels::CalibrationGroup> calibration;
  std::vector<kernels::CalibrationGroup> overall;  ///< (n_horizons): everyone one group
  std::vector<Deaths> deaths;                      ///< (n_horizons)
  RiskGroups groups;
  std::vector<Index> n_missing;             ///< per variable of the model
  std::vector<std::string> without_deaths;  ///< strata in which the model saw nobody die
  engine::Ledger ledger;
  Rows rows;  ///< empty unless asked for

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& n& n_events& scores& calibration& overall& deaths& groups& n_missing& without_deaths& ledger&
        rows;
  }
};

struct Part {
  std::vector<Whole> whole;  ///< one, of the first stage
  std::vector<LevelScores> levels;

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& whole& levels;
  }
};

}  // namespace chorale::jobs::score
