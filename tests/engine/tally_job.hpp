// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <atomic>
#include <csignal>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "engine/analysis.hpp"
#include "engine/cohort.hpp"

namespace chorale::engine {

/// What the tests do to a run from outside and see of it.
struct TallyWatch {
  static inline std::atomic<int> units_run{0};
  static inline int signal_after =
      0;  ///< raise SIGUSR1 in the unit that makes units_run this number; 0: never
  static inline int throw_after = 0;  ///< throw there instead
};

/// An analysis as its author would write one: carriers per shard, then ages over the whole cohort in tiles.
class Tally {
 public:
  static constexpr std::string_view name = "tally";
  struct Config {
    Index tiles = 3;
    double scale = 1;
  };
  struct Part {
    Index stage = 0, index = 0;
    Index n_carried = 0;
    double age_sum = 0;

    template <class Archive>
    void serialize(Archive& archive, unsigned) {
      archive& stage& index& n_carried& age_sum;
    }
  };

  static io::Schema<Config> schema() {
    io::Schema<Config> schema("tally", "Counts carriers, adds ages.");
    schema.field("tiles", &Config::tiles).at_least(1).help("units of the second stage");
    schema.field("scale", &Config::scale).help("ages are multiplied by this");
    return schema;
  }
  explicit Tally(Config config) : config_(config) {}

  std::vector<Stage> stages(const Setup&) const {
    return {{.name = "carriers",
             .layout = Layout::by_shard,
             .columns = {.fields = {}, .endpoint = {}, .alterations = true, .variants = false}},
            {.name = "ages",
             .layout = Layout::replicated,
             .columns = {.fields = {"AGE"}, .endpoint = {}, .alterations = false, .variants = false},
             .n_units = config_.tiles}};
  }

  Part run(const Setup&, const Cohort& cohort, Unit unit) const {
    const int now = ++TallyWatch::units_run;
    if (now == TallyWatch::signal_after) std::raise(SIGUSR1);
    if (now == TallyWatch::throw_after) throw std::runtime_error("a unit failed");
    Part part{.stage = unit.stage, .index = unit.index};
    if (unit.stage == 0) {
      for (Index i = 0; i < cohort.n_patients(); ++i)
        part.n_carried += static_cast<Index>(cohort.features_of(i).size());
    } else {
      const auto ages = cohort.numbers("AGE");
      for (std::size_t i = static_cast<std::size_t>(unit.index); i < ages.size();
           i += static_cast<std::size_t>(config_.tiles))
        part.age_sum += ages[i] == ages[i] ? ages[i] * config_.scale : 0;
    }
    return part;
  }

  io::Results finish(const Setup&, std::span<const Part> parts) const {
    std::vector<std::int64_t> stage, index, carried;
    std::vector<double> ages;
    for (const Part& part : parts) {
      stage.push_back(part.stage);
      index.push_back(part.index);
      carried.push_back(part.n_carried);
      ages.push_back(part.age_sum);
    }
    io::ResultTable table{.name = "tally", .caption = "One row per unit.", .columns = {}};
    table.add("stage", "", "stage of the unit", std::move(stage));
    table.add("unit", "", "unit within the stage", std::move(index));
    table.add("carried", "", "features carried", std::move(carried));
    table.add("age_sum", "years", "sum of the ages", std::move(ages));
    return {.title = "Tally", .summary = {}, .tables = {std::move(table)}, .settings = {}, .numbers = {}};
  }

 private:
  Config config_;
};
static_assert(Analysis<Tally>);

}  // namespace chorale::engine
