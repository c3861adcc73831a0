// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "jobs/interaction_screen/config.hpp"

namespace chorale::jobs::interaction {

io::Schema<Config> config_schema() {
  io::Schema<Config> schema(
      "interaction_screen",
      "Which features go together or avoid each other, and which pairs and triples change outcome beyond the "
      "sum of their parts.");
  schema.field("tests", &Config::tests)
      .one_of({"fisher", "mid_p", "cmh", "exact_conditional", "burden"})
      .help("tests of association; the first is the one that log10_p and q of the pair table belong to");
  schema.field("alternative", &Config::alternative).help("what the tests of association look for");
  schema.field("odds_ratio", &Config::odds_ratio)
      .help(
          "conditional (maximum likelihood, exact interval) or sample (n11 n00 / n10 n01, Woolf's interval)");
  schema.field("stratify", &Config::stratify)
      .help(
          "fields (SITE and PANEL too) whose strata cmh, exact_conditional, burden and permutations respect");
  schema.field("burden_model", &Config::burden_model)
      .help("given_burden: the number of a patient's features is what it is; independent: as DISCOVER");
  schema.field("confidence", &Config::confidence)
      .above(0)
      .below(1)
      .help("level of every confidence interval");
  schema.field("min_both", &Config::min_both)
      .unit("patients")
      .at_least(1)
      .help("pairs that fewer patients carry both of are not asked about outcome");
  schema.field("screen_p", &Config::screen_p)
      .above(0)
      .at_most(1)
      .help("pairs whose screened interaction p is at most this get the full fit");
  schema.field("check_screen", &Config::check_screen)
      .unit("pairs")
      .at_least(0)
      .help(
          "how many pairs beyond that bound, drawn at random, are fitted in full to measure what the screen "
          "missed");
  schema.field("landmarks", &Config::landmarks)
      .unit("days")
      .at_least(0)
      .help("times at which survival of a pair's four groups is reported");
  schema.field("largest_set", &Config::largest_set)
      .unit("features")
      .at_least(2)
      .at_most(4)
      .help("2: pairs only; 3: triples too; 4: and sets of four");
  schema.field("min_carriers_of_set", &Config::min_carriers_of_set)
      .unit("patients")
      .at_least(1)
      .help("triples and sets of four that fewer patients carry are left out");
  schema.field("most_sets", &Config::most_sets)
      .unit("sets")
      .at_least(1)
      .help("triples (and sets of four) that are tested and fitted: those that most patients carry");
  schema.field("permutations", &Config::permutations)
      .at_least(0)
      .help("of Westfall and Young's maxT, within strata; 0: none");
  schema.field("report", &Config::report)
      .help("pairs in the pair table: by q, by p, the top ones, or all; by association or by interaction");
  schema.field("report_q", &Config::report_q).above(0).at_most(1).help("largest q of a reported pair");
  schema.field("report_p", &Config::report_p)
      .above(0)
      .at_most(1)
      .help("largest p of a reported pair, when report = \"p\"");
  schema.field("report_top", &Config::report_top)
      .unit("pairs")
      .at_least(1)
      .help("pairs of smallest p, when report = \"top\"");
  schema.field("complete_table", &Config::complete_table)
      .help("also write every pair to results.h5, in pieces that are joined");
  schema.field("matrix_features", &Config::matrix_features)
      .unit("features")
      .at_least(0)
      .at_most(500)
      .help("most frequent features whose pairs make the matrix for a heat map");
  return schema;
}

}  // namespace chorale::jobs::interaction
