// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "engine/analysis.hpp"
#include "jobs/score/config.hpp"
#include "jobs/score/part.hpp"

namespace chorale::jobs {

namespace score {
struct Frame;
}

/// A model made elsewhere, measured on the patients of this cohort. Nothing is estimated again: coefficients, baseline
/// hazards and cut points are the model's.
///
/// Stages   score   all patients; a single unit
///          levels  replicated, a unit is a level of `by` (a site)
class ScoreModel {
 public:
  static constexpr std::string_view name = "score";
  using Config = score::Config;
  using Part = score::Part;

  static io::Schema<Config> schema() { return score::config_schema(); }
  static Config settled(Config config) { return score::settled(std::move(config)); }
  /// Throws   as score::model_of
  explicit ScoreModel(Config config);
  ~ScoreModel();

  std::vector<engine::Stage> stages(const engine::Setup& setup) const;
  Part run(const engine::Setup& setup, const engine::Cohort& cohort, engine::Unit unit) const;
  double result_bytes(const engine::Setup& setup) const;
  io::Results finish(const engine::Setup& setup, std::span<const Part> parts) const;

 private:
  Config config_;
  io::ModelFile model_;
  // what all units of a rank share, a function of config, model and patients; a rank runs one unit at a time
  mutable std::unique_ptr<score::Frame> frame_;
};

}  // namespace chorale::jobs
