// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <span>
#include <vector>

#include "kernels/timeline.hpp"

namespace chorale::kernels::survival_data {

/// Follow-up with its own storage; view() shows the columns that are filled.
struct Cohort {
  std::vector<double> entry, time;
  std::vector<std::int8_t> event;
  std::vector<double> weight;
  std::vector<std::int32_t> stratum;
  std::vector<double> feature;    ///< 0/1
  std::vector<double> covariate;  ///< any number of columns, one after the other

  SurvivalView view() const {
    return {.entry = entry, .time = time, .event = event, .weight = weight, .stratum = stratum};
  }
  Timeline timeline() const { return make_timeline(view()); }
  std::vector<std::int32_t> carriers() const {
    std::vector<std::int32_t> list;
    for (std::size_t i = 0; i < feature.size(); ++i) {
      if (feature[i] != 0) list.push_back(static_cast<std::int32_t>(i));
    }
    return list;
  }
};

/// Which of the columns beside time and event take part.
struct With {
  bool entry = false, weight = false, stratum = false;
};

/// The 24 patients of tests/oracle/survival.R: ties, a zero time, late entries, weights, two strata. With entry
/// times the patient with entry 0 and time 0 leaves.
inline Cohort twenty_four(With with) {
  Cohort c;
  c.entry = {0, 0, 0, 0, 0, 0, 1, 0, 2, 0, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 5, 0, 0, 0};
  c.time = {0, 1, 2, 2, 3, 4, 4, 5, 5, 5, 6, 7, 7, 8, 9, 9, 9, 10, 11, 12, 12, 13, 14, 15};
  c.event = {1, 1, 1, 0, 1, 1, 1, 0, 1, 1, 1, 0, 1, 1, 1, 1, 0, 1, 0, 1, 1, 1, 0, 1};
  c.feature = {0, 1, 0, 1, 1, 0, 1, 0, 0, 1, 0, 1, 0, 0, 1, 0, 1, 0, 0, 1, 0, 0, 1, 0};
  c.covariate = {5, 3, 8, 1, 4, 4, 2, 9, 6, 7, 3, 5, 1, 2, 8, 6, 4, 9, 2, 3, 7, 5, 6, 1};
  for (double& z : c.covariate) z /= 2;
  c.weight = {1, 2, 1, 1, 3, 1, 2, 1, 1, 2, 1, 1, 1, 4, 1, 2, 1, 1, 1, 2, 1, 1, 3, 1};
  for (double& w : c.weight) w /= 2;
  c.stratum = {0, 1, 0, 0, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 1, 1, 0, 1};
  if (!with.entry) c.entry.clear();
  if (!with.weight) c.weight.clear();
  if (!with.stratum) c.stratum.clear();
  return c;
}

/// A cohort drawn at random: n patients, times in whole days up to `days`, so that small `days` mean many ties;
/// some outcomes missing; `carriers` is the share who carry the feature, `hazard_ratio` what it does.
struct Recipe {
  Index n = 50;
  int days = 20;
  double carriers = 0.3;
  double hazard_ratio = 1.5;
  With with = {};
  unsigned seed = 1;
  Index n_covariates = 1;
  double missing = 0.05;
};

inline Cohort random_cohort(const Recipe& recipe) {
  std::mt19937_64 engine(recipe.seed);
  std::uniform_real_distribution<double> uniform(0, 1);
  Cohort c;
  for (Index i = 0; i < recipe.n; ++i) {
    const bool carrier = uniform(engine) < recipe.carriers;
    const double rate = carrier ? recipe.hazard_ratio : 1;
    const double death = -std::log(uniform(engine)) / rate * recipe.days / 2;
    const double censoring = 1.2 * recipe.days * uniform(engine);
    c.feature.push_back(carrier);
    c.time.push_back(std::floor(std::fmin(std::fmin(death, censoring), recipe.days)));
    c.event.push_back(uniform(engine) < recipe.missing ? std::int8_t{-1} : death <= censoring);
    c.entry.push_back(uniform(engine) < 0.5 ? 0 : std::floor(c.time.back() * uniform(engine) * 1.1));
    c.weight.push_back(0.25 + 2 * uniform(engine));
    c.stratum.push_back(uniform(engine) < recipe.missing ? -1 : static_cast<int>(3 * uniform(engine)));
  }
  for (Index k = 0; k < recipe.n * recipe.n_covariates; ++k) c.covariate.push_back(4 * uniform(engine) - 1);
  if (!recipe.with.entry) c.entry.clear();
  if (!recipe.with.weight) c.weight.clear();
  if (!recipe.with.stratum) c.stratum.clear();
  return c;
}

/// |found − expected| relative to the expected, or absolute below 1; two NaN are equal.
inline bool close(double found, double expected, double tolerance) {
  if (std::isnan(expected) || std::isnan(found)) return std::isnan(expected) && std::isnan(found);
  return std::abs(found - expected) <= tolerance * std::fmax(1, std::abs(expected));
}

}  // namespace chorale::kernels::survival_data
