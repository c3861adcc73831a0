// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "jobs/mutation_landscape/config.hpp"

namespace chorale::jobs::landscape {

io::Schema<Config> config_schema() {
  io::Schema<Config> schema(
      "mutation_landscape",
      "Which features patients carry, how groups differ, and what each feature means for outcome.");
  schema.field("group", &Config::group)
      .help(
          "field whose levels are told apart (SITE and PANEL can be used too); empty: all patients together");
  schema.field("group_cuts", &Config::group_cuts)
      .help("cut points when the group is a number: [18] gives <18 and ≥18");
  schema.field("compare", &Config::compare)
      .help("two groups to compare; empty: both when there are two, otherwise each against all others");
  schema.field("stratify", &Config::stratify).help("fields that stratify the comparison of groups");
  schema.field("landmarks", &Config::landmarks)
      .unit("days")
      .at_least(0)
      .help("times at which survival is reported");
  schema.field("conf_type", &Config::conf_type).help("scale on which intervals of survival are symmetric");
  schema.field("confidence", &Config::confidence)
      .above(0)
      .below(1)
      .help("level of every confidence interval");
  schema.field("top_changes", &Config::top_changes)
      .at_least(0)
      .help("recurrent protein changes to list; 0: none");
  schema.field("feature_curves", &Config::feature_curves)
      .help("also report medians and landmark survival of carriers and others for every feature");
  return schema;
}

}  // namespace chorale::jobs::landscape
