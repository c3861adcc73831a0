// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <span>
#include <string>
#include <vector>

#include "engine/plan.hpp"
#include "io/model_file.hpp"
#include "io/results.hpp"
#include "jobs/prognosis/design.hpp"
#include "jobs/prognosis/part.hpp"
#include "kernels/optimism.hpp"

namespace chorale::jobs::prognosis {

/// What the parts of all units say together.
struct Findings {
  FullModel full;
  std::vector<Replicate> replicates;               ///< in order
  std::vector<LevelScores> left_out;               ///< by level
  std::vector<std::vector<std::uint8_t>> entered;  ///< per half sample
  std::vector<Measure> measures;
  std::vector<kernels::Corrected> corrected;  ///< (n_measures)

  static Findings of(const Design& design, std::span<const Part> parts);
  Index n_predicting() const;  ///< replicates with a model that predicts
};

/// Coefficients of one term in all replicates.
struct BootstrapOf {
  Index n = 0;         ///< replicates with a finite coefficient
  Index n_chosen = 0;  ///< of them, not 0
  double mean = kernels::missing, se = kernels::missing;
  kernels::Interval percentile, bca;
  double mean_rank = kernels::missing;
  kernels::Interval rank;
};
std::vector<BootstrapOf> bootstrap_of(const Design& design, const Findings& findings);

io::ResultTable coefficient_table(const Design& design, const Findings& findings,
                                  const std::vector<BootstrapOf>& bootstrap);
io::ResultTable variable_table(const Findings& findings);
io::ResultTable performance_table(const Findings& findings);
io::ResultTable calibration_table(const Design& design, const Findings& findings);
io::ResultTable scheme_table(const Design& design, const Findings& findings);
io::ResultTable left_out_table(const Design& design, const Findings& findings);
io::ResultTable path_table(const Design& design, const Findings& findings);
io::ResultTable stability_table(const Design& design, const Findings& findings);
std::vector<io::ResultTable> replicate_tables(const Findings& findings);

/// The model, ready to travel.
io::ModelFile model_file(const Design& design, const engine::Setup& setup, const Findings& findings);

/// One sentence: selection, tuning, missing values.
std::string procedure_text(const Design& design);

io::Results tabulate(const Design& design, const engine::Setup& setup, std::span<const Part> parts);

}  // namespace chorale::jobs::prognosis
