// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/analysis.hpp"
#include "jobs/interaction_screen/config.hpp"
#include "jobs/interaction_screen/part.hpp"

namespace chorale::jobs {

namespace interaction {
struct Frame;
}

/// Which features go together or avoid each other, and which pairs and larger sets change outcome beyond the sum of
/// their parts.
///
/// Stages   sets          replicated, a unit is a range of features: triples and sets of four
///          pairs         a unit is some tiles of pairs: cells, tests of association, screen of interaction
///          set fits      a unit is a share of the sets with most carriers
///          details       a unit is a share of the pairs that the pairs stage singled out: full fits, curves
///          permutations  a unit is a range of permutations: maxT
class InteractionScreen {
 public:
  static constexpr std::string_view name = "interaction_screen";
  using Config = interaction::Config;
  using Part = interaction::Part;

  static io::Schema<Config> schema() { return interaction::config_schema(); }
  explicit InteractionScreen(Config config);
  ~InteractionScreen();

  std::vector<engine::Stage> stages(const engine::Setup& setup) const;
  Part run(const engine::Setup& setup, const engine::Cohort& cohort, engine::Unit unit) const;
  std::vector<std::int64_t> count(const engine::Setup& setup, Index stage, std::span<const Part> parts) const;
  void condense(const engine::Setup& setup, Index stage, std::vector<Part>& parts) const;
  std::string brief(const engine::Setup& setup, Index stage, std::span<const Part> parts) const;
  void complete(const engine::Setup& setup, io::Pieces& pieces) const;
  double result_bytes(const engine::Setup& setup) const;
  io::Results finish(const engine::Setup& setup, std::span<const Part> parts) const;

 private:
  Config config_;
  // what all units of a rank share, a function of the cohort and the config alone; a rank runs one unit at a time
  mutable std::unique_ptr<interaction::Frame> frame_;
};

}  // namespace chorale::jobs
