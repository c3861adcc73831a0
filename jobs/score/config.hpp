// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <string>
#include <vector>

#include "io/config/schema.hpp"
#include "io/model_file.hpp"
#include "kernels/types.hpp"

namespace chorale::jobs::score {

/// [score]
struct Config {
  std::string model;
  std::string model_sha256;
  std::string by;
  std::vector<std::string> measures;
  std::vector<double> horizons;
  Index integration_points = 20;
  Index calibration_groups = 10;
  double confidence = 0.95;
  bool patients = false;
};

io::Schema<Config> config_schema();

/// The config with the model's checksum, so that a changed model is another run.
/// Throws   ConfigError when no model is named; StoreError when it cannot be read
Config settled(Config config);

/// Throws   InputError when the file is not the one of the checksum, or no model; StoreError when it cannot be read
io::ModelFile model_of(const Config& config);

}  // namespace chorale::jobs::score
