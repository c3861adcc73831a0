// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <numeric>
#include <random>

#include "kernels/pair_cox.hpp"
#include "tests/kernels/survival_data.hpp"

namespace chorale::kernels::pair_data {

/// A cohort with two features; cohort.feature is the first.
struct PairCohort {
  survival_data::Cohort cohort = {};
  std::vector<std::int32_t> a = {}, b = {};
  Index n_covariates = 0;
  std::vector<std::uint8_t> tested = {};

  CoxColumns columns() const { return {cohort.covariate, n_covariates, {}}; }
  CoxDesign design() const { return make_cox_design(cohort.timeline(), columns(), tested); }
};

/// The 40 patients of tests/oracle/pair_cox.R.
inline PairCohort forty(survival_data::With with, Index n_covariates) {
  PairCohort pair{.n_covariates = n_covariates};
  survival_data::Cohort& c = pair.cohort;
  std::vector<double> z, y;
  for (int i = 0; i < 40; ++i) {
    c.time.push_back(1 + (7 * i) % 17);
    c.event.push_back(i % 5 != 2);
    if ((i * i) % 7 == 1 || (i * i) % 7 == 2) pair.a.push_back(i);
    if ((3 * i) % 8 < 3) pair.b.push_back(i);
    z.push_back((11 * i) % 13 / 4.0);
    y.push_back((5 * i) % 9 / 3.0);
    if (with.entry) c.entry.push_back(i % 4 == 1 ? (i % 3) / 3.0 : 0);
    if (with.weight) c.weight.push_back((1 + i % 3) / 2.0);
    if (with.stratum) c.stratum.push_back(i % 2);
  }
  if (n_covariates > 0) c.covariate = z;
  if (n_covariates > 1) c.covariate.insert(c.covariate.end(), y.begin(), y.end());
  return pair;
}

/// A random cohort and a second feature that `share` of the carriers of the first and of the others have; every
/// seventh patient is not tested.
inline PairCohort random_pair(const survival_data::Recipe& recipe, double share_of_carriers = 0.4,
                              double share_of_others = 0.3) {
  PairCohort pair{.cohort = survival_data::random_cohort(recipe), .n_covariates = recipe.n_covariates};
  std::mt19937_64 engine(recipe.seed + 1000);
  std::uniform_real_distribution<double> uniform(0, 1);
  pair.a = pair.cohort.carriers();
  for (std::int32_t i = 0; i < recipe.n; ++i) {
    const double share =
        pair.cohort.feature[static_cast<std::size_t>(i)] != 0 ? share_of_carriers : share_of_others;
    if (uniform(engine) < share) pair.b.push_back(i);
    pair.tested.push_back(i % 7 != 3);
  }
  return pair;
}

inline PairCoxFit full_fit(const CoxDesign& design, std::span<const std::int32_t> a,
                           std::span<const std::int32_t> b, Ties ties) {
  const CoxFit covariates = cox_fit(design, {.ties = ties});
  const std::vector<std::span<const std::int32_t>> carriers{a, b};
  const FeaturePair pair{0, 1};
  PairCoxFit fit;
  pair_cox_full(design, covariates, carriers, {&pair, 1}, ties, {&fit, 1});
  return fit;
}

}  // namespace chorale::kernels::pair_data
