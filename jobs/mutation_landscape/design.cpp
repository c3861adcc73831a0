// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "jobs/mutation_landscape/design.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace chorale::jobs::landscape {
namespace {

std::int32_t require_group(const Grouping& grouping, const std::string& label) {
  const auto at = std::find(grouping.labels.begin(), grouping.labels.end(), label);
  if (at != grouping.labels.end()) return static_cast<std::int32_t>(at - grouping.labels.begin());
  const std::string near = io::nearest(label, grouping.labels);
  throw ConfigError({.what = "no group has this label",
                     .found = '"' + label + '"',
                     .expected = fmt::format("one of {}", fmt::join(grouping.labels, ", ")),
                     .in = "mutation_landscape.compare",
                     .remedy = near.empty() ? "choose one of these" : "did you mean \"" + near + "\"?"});
}

std::vector<std::pair<std::int32_t, std::int32_t>> comparisons(const Config& config,
                                                               const Grouping& grouping) {
  if (!config.compare.empty()) {
    if (config.compare.size() != 2) {
      throw ConfigError({.what = "a comparison has two groups",
                         .found = fmt::format("{}", config.compare.size()),
                         .expected = "two labels",
                         .in = "mutation_landscape.compare",
                         .remedy = "name two groups, or leave it out to compare each with all others"});
    }
    const auto a = require_group(grouping, config.compare[0]);
    const auto b = require_group(grouping, config.compare[1]);
    if (a == b) {
      throw ConfigError({.what = "a group is compared with itself",
                         .found = config.compare[0],
                         .in = "mutation_landscape.compare",
                         .remedy = "name two different groups"});
    }
    return {{a, b}};
  }
  if (grouping.size() == 2) return {{0, 1}};
  std::vector<std::pair<std::int32_t, std::int32_t>> all;
  for (std::int32_t group = 0; group < grouping.size(); ++group) all.emplace_back(group, -1);
  return all;
}

}  // namespace

std::string Design::group_label(Index group) const {
  return group == 0 ? "all" : grouping->labels[static_cast<std::size_t>(group - 1)];
}

Design Design::of(const Config& config, const engine::Setup& setup) {
  Design design;
  design.config = config;
  if (!config.group.empty()) {
    design.grouping =
        Grouping::by(setup.catalogue, config.group, config.group_cuts, "mutation_landscape.group");
    design.compared = comparisons(config, *design.grouping);
    for (const auto& field : config.stratify)
      if (field != config.group)
        design.comparison_strata.push_back(
            Grouping::by(setup.catalogue, field, {}, "mutation_landscape.stratify"));
  } else if (!config.compare.empty() || !config.group_cuts.empty()) {
    throw ConfigError(
        {.what = "a comparison needs groups",
         .found = "compare or group_cuts without group",
         .in = "mutation_landscape.group",
         .remedy = "name the field that makes the groups, as in group = \"AGE\", group_cuts = [18]"});
  }
  design.outcome = OutcomeDesign::of(setup);
  return design;
}

}  // namespace chorale::jobs::landscape
