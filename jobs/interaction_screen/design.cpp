// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "jobs/interaction_screen/design.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "jobs/common/expected.hpp"
#include "jobs/interaction_screen/falling.hpp"
#include "jobs/interaction_screen/outcome.hpp"
#include "kernels/error.hpp"

namespace chorale::jobs::interaction {
namespace {

constexpr std::array tests{
    std::tuple{Test::fisher, std::string_view("fisher"), std::string_view("Fisher's exact test")},
    std::tuple{Test::mid_p, std::string_view("mid_p"), std::string_view("Fisher's exact test, mid-p")},
    std::tuple{Test::cmh, std::string_view("cmh"), std::string_view("Cochran-Mantel-Haenszel")},
    std::tuple{Test::exact_conditional, std::string_view("exact_conditional"),
               std::string_view("exact conditional test over strata")},
    std::tuple{Test::burden, std::string_view("burden"), std::string_view("burden-aware test")}};

const auto& entry_of(Test test) {
  return tests[static_cast<std::size_t>(test)];
}

std::vector<Test> chosen_tests(const Config& config) {
  std::vector<Test> chosen;
  for (const auto& name : config.tests)
    for (const auto& [test, word, title] : tests)
      if (word == name && std::find(chosen.begin(), chosen.end(), test) == chosen.end())
        chosen.push_back(test);
  if (chosen.empty()) {
    throw ConfigError({.what = "no test of association is chosen",
                       .found = "an empty list",
                       .in = "interaction_screen.tests",
                       .remedy = "name at least one, such as [\"fisher\"]"});
  }
  return chosen;
}

}  // namespace

std::string_view name_of(Test test) {
  return std::get<1>(entry_of(test));
}
std::string_view title_of(Test test) {
  return std::get<2>(entry_of(test));
}

std::string_view title_of(Alternative alternative) {
  switch (alternative) {
    case Alternative::co_occurrence:
      return "one-sided, together";
    case Alternative::exclusivity:
      return "one-sided, apart";
    default:
      return "two-sided";
  }
}

bool Design::needs_strata() const {
  return !strata.empty();
}

double Design::keep_log10_p() const {
  if (keeps_every_p()) return 0;
  return std::log10(config.report == Report::p ? std::max(config.report_p, config.report_q)
                                               : config.report_q);
}

double Design::n_asked(double selected) const {
  if (!with_outcome) return 0;
  // frequencies spread over orders of magnitude, as those of genes do: 1 pair in 20 for each expected double carrier,
  // with min_both at 5
  const double share = 0.25 * selected * mean_both / static_cast<double>(std::max<Index>(1, config.min_both));
  return static_cast<double>(n_pairs()) * std::min(1.0, share);
}

double Design::n_chosen() const {
  const auto pairs = static_cast<double>(n_pairs());
  const auto shown = static_cast<double>(std::min(config.matrix_features, n_features));
  return std::min(pairs,
                  shown * shown / 2 + static_cast<double>(config.check_screen) + n_asked() * config.screen_p);
}

// Rates of one core, here and below, measured on 2,000 to 20,000 features of 100,000 patients.
TileCost Design::tile_cost() const {
  return {.pair = 1.2e-7 * static_cast<double>(tests.size()),
          .asked = with_outcome ? 2e-9 * n_times : 0,
          .feature = 2e-6 + 2e-9 * n_times,
          .row = 3e-6,
          .min_both = config.min_both};
}

double Design::seconds(StageNumber stage, Index n_patients) const {
  const auto pairs = static_cast<double>(n_pairs());
  const auto patients = static_cast<double>(n_patients);
  const double sets =
      config.largest_set > 2 ? std::min(static_cast<double>(config.most_sets), pairs / 20'000) : 0;
  switch (stage) {
    case pairs_stage:
      return pairs * tile_cost().pair + n_asked() * tile_cost().asked;
    case details_stage:
      return n_chosen() * (2e-5 + (with_outcome ? 3e-4 + 3e-9 * patients : 0));
    case sets_stage:
      return config.largest_set > 2 ? 4e-8 * pairs : 0;
    case set_fits_stage:
      return sets * (1e-5 + (with_outcome ? 4e-8 * patients : 0));
    case permutations_stage:
      return static_cast<double>(config.permutations) * (1e-7 * pairs + 1e-7 * patients);
    default:
      return 0;
  }
}

// Bytes of a patient were measured, on one to eight models and on 25,000 to 300,000 patients.
double Design::bytes_per_rank(const engine::Setup& setup) const {
  const double patients = setup.expected_patients(), times = expected_times(setup, patients);
  double bytes = 14e6 + 40 * patients;
  if (with_outcome) {
    const Index sets = expected_tested_sets(setup);
    const auto models = static_cast<double>(std::min(OutcomeModel::most_models, sets * (sets + 1) / 2));
    bytes += models * (patients * (141 + 27 * static_cast<double>(expected_terms(setup))) + 325 * times);
    // what the screen makes of features, steps over event times and a bit a patient: of those that are asked about, once for
    // each set of tested patients that they meet; no more than it keeps, or a tile needs, in each model
    const double feature = 16 * times + patients / 8;
    const double selected = patients / static_cast<double>(std::max<Index>(1, setup.catalogue.n_patients()));
    const double asked = std::min(1.0, 1.1 * std::sqrt(n_asked(selected) / static_cast<double>(n_pairs()))) *
                         static_cast<double>(n_features);
    const auto n_sets = static_cast<double>(std::max<Index>(1, sets));
    const double in_tile = 2.1 * std::sqrt(static_cast<double>(most_cells()));
    bytes += std::min(
        asked * std::min(n_sets, 16 / n_sets) * feature,
        models * std::max(in_tile * feature, static_cast<double>(kernels::PairCoxScreener::kept_bytes)));
  }
  if (config.complete_table) {
    const auto units = static_cast<double>(n_units(pairs_stage, setup.catalogue.n_patients()));
    bytes += 150 * static_cast<double>(n_pairs()) / units;
  }
  if (config.permutations > 0) bytes += 16 * static_cast<double>(n_pairs()) + 40 * patients;
  return bytes;
}

double Design::bytes_per_thread(const engine::Setup& setup) const {
  return with_outcome ? 8e6 + 1400 * expected_times(setup, setup.expected_patients()) : 4e6;
}

double Design::bytes_kept() const {
  // as numbers and as an archive: all of few pairs; of many the small ones, in lists that grow
  const double p = static_cast<double>(n_pairs()) * static_cast<double>(tests.size()) + n_asked();
  return keeps_every_p() ? 32 * p : 42 * 0.05 * p;
}

Index Design::n_units(StageNumber stage, Index n_patients) const {
  // short ones: a thousand ranks wait for the last
  const auto by_time = static_cast<Index>(std::ceil(seconds(stage, n_patients) / 0.01));
  switch (stage) {
    case pairs_stage:  // a unit of the complete table is a file
      return std::clamp<Index>(by_time, std::clamp<Index>(n_pairs() / 64, 1, 8),
                               config.complete_table ? 1024 : 16384);
    case details_stage:
      return std::clamp<Index>(n_pairs() / pairs_together, 1, 16384);
    case sets_stage:
      return config.largest_set > 2 && n_features > 2 ? std::min<Index>(n_features, 1024) : 0;
    case set_fits_stage:
      return config.largest_set > 2 && n_features > 2 ? std::min<Index>(n_features, 4096) : 0;
    case permutations_stage:
      return config.permutations > 0 ? std::clamp<Index>(config.permutations / 16, 1, 64) : 0;
    default:
      return 0;
  }
}

void Design::require_room_for_all() const {
  if (config.report != Report::all || keeps_every_p()) return;
  throw ConfigError({.what = "too many pairs for one text table",
                     .found = std::to_string(n_pairs()) + " pairs",
                     .expected = "at most 200000",
                     .in = "interaction_screen.report",
                     .remedy = "report by q, and set complete_table = true for every pair in results.h5"});
}

Range Design::share(Index n, Index unit, Index n_units, Index least) {
  const Index each = std::max(least, (n + n_units - 1) / n_units);
  return {std::min(n, unit * each), std::min(n, (unit + 1) * each)};
}

Range Design::falling_share(Index n, Index unit, Index n_units, Index least) {
  const Index n_used = std::min(n_units, (n + least - 1) / least);
  const Index place = unit - (n_units - n_used);
  if (place < 0) return {0, 0};
  const auto edge = [&](Index k) {
    const double done = work_up_to(static_cast<double>(k) / static_cast<double>(n_used));
    return k == n_used ? n : static_cast<Index>(done * static_cast<double>(n));
  };
  return {edge(place), edge(place + 1)};
}

Design Design::of(const Config& config, const engine::Setup& setup) {
  Design design;
  design.config = config;
  design.seed = setup.config.seed;
  design.tests = chosen_tests(config);
  for (const auto& field : config.stratify)
    design.strata.push_back(Grouping::by(setup.catalogue, field, {}, "interaction_screen.stratify"));
  for (const Test test : design.tests) {
    if (!design.strata.empty() || (test != Test::cmh && test != Test::exact_conditional)) continue;
    throw ConfigError(
        {.what = "a stratified test needs strata",
         .found = std::string(name_of(test)) + " without strata",
         .in = "interaction_screen.stratify",
         .remedy = "name fields, as in stratify = [\"ENTITY\", \"SITE\"], or choose another test"});
  }
  design.outcome = OutcomeDesign::of(setup);
  design.with_outcome = !setup.config.outcome.endpoint.empty();
  design.ties = setup.config.outcome.ties;
  design.n_times = design.with_outcome
                       ? std::round(expected_times(setup, static_cast<double>(setup.catalogue.n_patients())))
                       : 0;
  design.n_features = setup.features.size();
  double n_carried = 0;
  for (const io::ShardEntry& shard : setup.catalogue.shards)
    n_carried += static_cast<double>(shard.n_alterations);
  const auto n_patients = static_cast<double>(std::max<Index>(1, setup.catalogue.n_patients()));
  design.mean_both =
      n_carried * n_carried / (2 * n_patients * static_cast<double>(std::max<Index>(1, design.n_pairs())));
  if (design.n_features < 2) {
    throw ConfigError({.what = "a pair needs two features",
                       .found = std::to_string(design.n_features) + " feature",
                       .expected = "at least 2",
                       .in = "features",
                       .remedy = "include more features, or lower min_carriers"});
  }
  if (setup.config.features.min_carriers == 0) design.require_room_for_all();  // else the data decide
  return design;
}

}  // namespace chorale::jobs::interaction
