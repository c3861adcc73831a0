// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "io/config/schema.hpp"
#include "kernels/cox_bootstrap.hpp"

namespace chorale::jobs::prognosis {

/// How the terms of the model are chosen.
enum class Selection { none, elastic_net };
/// What decides how hard the elastic net penalises.
enum class Tuning { bic, aic, cv, cv_1se };
/// What becomes of patients who miss a value.
enum class Missing { complete_case, indicator, fill };

/// [prognosis]
struct Config {
  bool features = true;
  std::vector<std::string> log10;
  Missing missing = Missing::complete_case;
  Missing untested = Missing::complete_case;

  Selection selection = Selection::none;
  double alpha = 1;
  Tuning tuning = Tuning::bic;
  Index folds = 10;
  std::string fold_by;
  std::vector<std::string> always;
  bool refit = false;

  Index replicates = 500;
  kernels::Resample copies = kernels::Resample::weights;
  std::vector<std::string> bootstrap_strata;
  std::string cluster;

  std::vector<std::string> measures{"harrell_c", "uno_c", "auc", "brier", "integrated_brier", "calibration"};
  std::vector<double> horizons{365.25, 1095.75, 1826.25};
  Index integration_points = 20;
  Index calibration_groups = 10;
  bool out_of_bag = true;

  Index stability_pairs = 0;
  Index stability_terms = 0;
  double stability_cutoff = 0.75;

  std::string leave_out;

  std::vector<double> group_quantiles{0.25, 0.5, 0.75};
  std::vector<double> group_cuts;
  std::vector<std::string> schemes;

  double confidence = 0.95;
};

io::Schema<Config> config_schema();

}  // namespace chorale::jobs::prognosis

template <>
struct chorale::io::ConfigWords<chorale::jobs::prognosis::Selection> {
  static constexpr std::array words{std::pair{"none", jobs::prognosis::Selection::none},
                                    std::pair{"elastic_net", jobs::prognosis::Selection::elastic_net}};
};
template <>
struct chorale::io::ConfigWords<chorale::jobs::prognosis::Tuning> {
  static constexpr std::array words{
      std::pair{"bic", jobs::prognosis::Tuning::bic}, std::pair{"aic", jobs::prognosis::Tuning::aic},
      std::pair{"cv", jobs::prognosis::Tuning::cv}, std::pair{"cv_1se", jobs::prognosis::Tuning::cv_1se}};
};
template <>
struct chorale::io::ConfigWords<chorale::jobs::prognosis::Missing> {
  static constexpr std::array words{std::pair{"complete_case", jobs::prognosis::Missing::complete_case},
                                    std::pair{"indicator", jobs::prognosis::Missing::indicator},
                                    std::pair{"fill", jobs::prognosis::Missing::fill}};
};
template <>
struct chorale::io::ConfigWords<chorale::kernels::Resample> {
  static constexpr std::array words{std::pair{"weights", kernels::Resample::weights},
                                    std::pair{"rows", kernels::Resample::rows}};
};
