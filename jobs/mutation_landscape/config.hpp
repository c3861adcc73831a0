// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "io/config/schema.hpp"
#include "kernels/kaplan_meier.hpp"

namespace chorale::jobs::landscape {

/// [mutation_landscape]
struct Config {
  std::string group;
  std::vector<double> group_cuts;
  std::vector<std::string> compare;
  std::vector<std::string> stratify{"SITE", "PANEL"};
  std::vector<double> landmarks{365.25, 1095.75, 1826.25};
  kernels::ConfType conf_type = kernels::ConfType::log_log;
  double confidence = 0.95;
  Index top_changes = 100;
  bool feature_curves = true;
};

io::Schema<Config> config_schema();

}  // namespace chorale::jobs::landscape

template <>
struct chorale::io::ConfigWords<chorale::kernels::ConfType> {
  static constexpr std::array words{std::pair{"plain", kernels::ConfType::plain},
                                    std::pair{"log", kernels::ConfType::log},
                                    std::pair{"log-log", kernels::ConfType::log_log}};
};
