// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <array>
#include <utility>

#include "engine/plan.hpp"
#include "io/config/schema.hpp"

namespace chorale::jobs::cox_model {

/// [cox_model]
struct Config {
  engine::Layout patients = engine::Layout::by_time;
  double confidence = 0.95;
};

io::Schema<Config> config_schema();

}  // namespace chorale::jobs::cox_model

template <>
struct chorale::io::ConfigWords<chorale::engine::Layout> {
  static constexpr std::array words{std::pair{"by_time", chorale::engine::Layout::by_time},
                                    std::pair{"replicated", chorale::engine::Layout::replicated}};
};
