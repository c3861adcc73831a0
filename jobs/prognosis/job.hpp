// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "engine/analysis.hpp"
#include "jobs/prognosis/config.hpp"
#include "jobs/prognosis/part.hpp"

namespace chorale::jobs {

namespace prognosis {
struct Frame;
}

/// A prognostic model: what predicts, how surely, how well it holds on others, and which risk groups it makes.
///
/// Stages   model       the procedure on all patients; a single unit
///          replicates  replicated, a unit is a batch of bootstrap replicates: the whole procedure on each, measured on its
///                      sample, on all patients and out of bag
///          left out    replicated, a unit is a level (a site): the procedure without it, measured on it
///          stability   replicated, a unit is a few pairs of half samples: which terms enter first
class Prognosis {
 public:
  static constexpr std::string_view name = "prognosis";
  using Config = prognosis::Config;
  using Part = prognosis::Part;

  static io::Schema<Config> schema() { return prognosis::config_schema(); }
  explicit Prognosis(Config config);
  ~Prognosis();

  std::vector<engine::Stage> stages(const engine::Setup& setup) const;
  Part run(const engine::Setup& setup, const engine::Cohort& cohort, engine::Unit unit) const;
  double result_bytes(const engine::Setup& setup) const;
  io::Results finish(const engine::Setup& setup, std::span<const Part> parts) const;

 private:
  Config config_;
  // what all units of a rank share, a function of config and patients; a rank runs one unit at a time
  mutable std::unique_ptr<prognosis::Frame> frame_;
};

}  // namespace chorale::jobs
