// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "io/config/schema.hpp"
#include "kernels/burden.hpp"

namespace chorale::jobs::interaction {

/// A test of association of two features.
enum class Test { fisher, mid_p, cmh, exact_conditional, burden };
/// What a test of association looks for.
enum class Alternative { two_sided, co_occurrence, exclusivity };
/// Which odds ratio stands in the pair table.
enum class OddsRatio { conditional, sample };
/// Which pairs the pair table holds.
enum class Report { q, p, top, all };

/// [interaction_screen]
struct Config {
  std::vector<std::string> tests{"fisher", "burden"};
  Alternative alternative = Alternative::two_sided;
  OddsRatio odds_ratio = OddsRatio::conditional;
  std::vector<std::string> stratify;
  kernels::PairModel burden_model = kernels::PairModel::given_burden;
  double confidence = 0.95;

  Index min_both = 5;
  double screen_p = 0.01;
  Index check_screen = 200;
  std::vector<double> landmarks{365.25, 1095.75, 1826.25};

  Index largest_set = 3;
  Index min_carriers_of_set = 10;
  Index most_sets = 10'000;

  Index permutations = 0;

  Report report = Report::q;
  double report_q = 0.05;
  double report_p = 1e-4;
  Index report_top = 1000;
  bool complete_table = false;
  Index matrix_features = 40;
};

io::Schema<Config> config_schema();

}  // namespace chorale::jobs::interaction

template <>
struct chorale::io::ConfigWords<chorale::jobs::interaction::Alternative> {
  static constexpr std::array words{std::pair{"two_sided", jobs::interaction::Alternative::two_sided},
                                    std::pair{"co_occurrence", jobs::interaction::Alternative::co_occurrence},
                                    std::pair{"exclusivity", jobs::interaction::Alternative::exclusivity}};
};
template <>
struct chorale::io::ConfigWords<chorale::jobs::interaction::OddsRatio> {
  static constexpr std::array words{std::pair{"conditional", jobs::interaction::OddsRatio::conditional},
                                    std::pair{"sample", jobs::interaction::OddsRatio::sample}};
};
template <>
struct chorale::io::ConfigWords<chorale::jobs::interaction::Report> {
  static constexpr std::array words{
      std::pair{"q", jobs::interaction::Report::q}, std::pair{"p", jobs::interaction::Report::p},
      std::pair{"top", jobs::interaction::Report::top}, std::pair{"all", jobs::interaction::Report::all}};
};
template <>
struct chorale::io::ConfigWords<chorale::kernels::PairModel> {
  static constexpr std::array words{std::pair{"given_burden", kernels::PairModel::given_burden},
                                    std::pair{"independent", kernels::PairModel::independent}};
};
