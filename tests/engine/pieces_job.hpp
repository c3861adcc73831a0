// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "engine/analysis.hpp"
#include "tests/engine/tally_job.hpp"

namespace chorale::engine {

/// An analysis whose later stage needs the earlier one, and whose rows stay where they are made: ages in pieces, their
/// sum for all, then each tile's share of it.
class Shares {
 public:
  static constexpr std::string_view name = "shares";
  struct Config {
    Index tiles = 3;
  };
  struct Part {
    double sum = 0;
    std::string heard;  ///< what the second stage was told
    std::optional<io::ResultTable> piece;

    template <class Archive>
    void serialize(Archive& archive, unsigned) {
      archive& sum& heard;
    }
  };

  static io::Schema<Config> schema() {
    io::Schema<Config> schema("shares", "Ages and their shares of the sum.");
    schema.field("tiles", &Config::tiles).at_least(1).help("units of each stage");
    return schema;
  }
  explicit Shares(Config config) : config_(config) {}

  std::vector<Stage> stages(const Setup&) const {
    const Columns ages{.fields = {"AGE"}, .endpoint = {}, .alterations = false, .variants = false};
    return {
        {.name = "ages", .layout = Layout::replicated, .columns = ages, .n_units = config_.tiles},
        {.name = "shares", .layout = Layout::replicated, .columns = ages, .n_units = config_.tiles},
    };
  }

  Part run(const Setup& setup, const Cohort& cohort, Unit unit) const {
    const int now = ++TallyWatch::units_run;
    if (now == TallyWatch::signal_after) std::raise(SIGUSR1);
    Part part;
    if (unit.stage == 1) {
      part.heard = setup.briefs[0];
      return part;
    }
    std::vector<std::int32_t> patient;
    std::vector<double> age;
    const auto ages = cohort.numbers("AGE");
    for (auto i = static_cast<std::size_t>(unit.index); i < ages.size();
         i += static_cast<std::size_t>(config_.tiles)) {
      if (ages[i] != ages[i]) continue;
      patient.push_back(static_cast<std::int32_t>(i));
      age.push_back(ages[i]);
    }
    part.sum = std::accumulate(age.begin(), age.end(), 0.0);
    part.piece = io::ResultTable{.name = "ages", .caption = "Every age.", .columns = {}};
    part.piece->add("patient", "", "number of the patient", std::move(patient));
    part.piece->add("age", "years", "at diagnosis", std::move(age));
    return part;
  }

  std::string brief(const Setup&, Index stage, std::span<const Part> parts) const {
    double sum = 0;
    for (const Part& part : parts) sum += part.sum;
    return stage == 0 ? "the sum is " + std::to_string(sum) : std::string();
  }

  void complete(const Setup&, io::Pieces& pieces) const {
    pieces.require("ages", config_.tiles);
    double sum = 0;
    for (Index number = 0; number < config_.tiles; ++number)
      for (const double age : pieces.reals("ages", number, "age")) sum += age;
    for (Index number = 0; number < config_.tiles; ++number) {
      auto share = pieces.reals("ages", number, "age");
      for (double& age : share) age /= sum;
      pieces.put("ages", number,
                 {.name = "share", .unit = "", .description = "of the sum", .values = std::move(share)});
    }
  }

  io::Results finish(const Setup& setup, std::span<const Part> parts) const {
    std::vector<std::string> heard;
    for (const Part& part : parts) heard.push_back(part.heard);
    io::ResultTable table{.name = "heard", .caption = "What each unit was told.", .columns = {}};
    table.add("text", "", "the first stage's brief", std::move(heard));
    return {.title = setup.briefs[0],
            .summary = {},
            .tables = {std::move(table)},
            .settings = {},
            .numbers = {{"briefs", static_cast<double>(setup.briefs.size())}}};
  }

 private:
  Config config_;
};
static_assert(Analysis<Shares>);

}  // namespace chorale::engine
