// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "engine/analysis.hpp"
#include "jobs/mutation_landscape/config.hpp"
#include "jobs/mutation_landscape/part.hpp"

namespace chorale::jobs {

namespace landscape {
class OutcomeFrame;
}

/// Per feature and group: carriers, tested, frequency; what differs between groups; what it means for outcome.
///
/// Stages   counts      by_shard: carriers and tested, variant classes, allele fractions, burden, protein changes;
///                      shards are joined by features and genes, each rank some of them
///          comparison  replicated, a unit is a tile of features: Fisher, Cochran-Mantel-Haenszel, Breslow-Day
///          outcome     replicated, a unit is a tile of features in one group: log-rank, Cox crude and adjusted
class MutationLandscape {
 public:
  static constexpr std::string_view name = "mutation_landscape";
  using Config = landscape::Config;
  using Part = landscape::Part;

  static io::Schema<Config> schema() { return landscape::config_schema(); }
  explicit MutationLandscape(Config config);
  ~MutationLandscape();

  std::vector<engine::Stage> stages(const engine::Setup& setup) const;
  Part run(const engine::Setup& setup, const engine::Cohort& cohort, engine::Unit unit) const;
  std::vector<Part> share_out(const engine::Setup& setup, Index stage, std::vector<Part> parts,
                              Index n) const;
  Part join(const engine::Setup& setup, Index stage, std::vector<Part> shares) const;
  double result_bytes(const engine::Setup& setup) const;
  io::Results finish(const engine::Setup& setup, std::span<const Part> parts) const;

 private:
  Config config_;
  // what all outcome units of a rank share, a function of the cohort alone; a rank runs one unit at a time
  mutable std::unique_ptr<landscape::OutcomeFrame> frame_;
};

}  // namespace chorale::jobs
