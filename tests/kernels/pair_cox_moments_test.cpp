// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/pair_cox_moments.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "kernels/level.hpp"
#include "tests/kernels/pair_data.hpp"

namespace chorale::kernels {
namespace {

using pair_data::full_fit;
using pair_data::PairCohort;
using pair_data::random_pair;
using survival_data::close;

/// A design's moments with made-up risks.
struct Given {
  explicit Given(const PairCohort& c)
      : design(c.design()),
        risk(made_up(design)),
        slots(rows(), risk),
        moments(rows(), times(), slots, std::vector<double>(risk.size(), 0.6)) {}

  static std::vector<double> made_up(const CoxDesign& design) {
    std::vector<double> risk;
    for (Index i = 0; i < design.rows->n_rows; ++i) risk.push_back(0.5 + static_cast<double>(i % 7) / 5);
    return risk;
  }
  const CoxRows& rows() const { return *design.rows; }
  const EventTimes& times() const { return rows().efron; }

  CoxDesign design;
  std::vector<double> risk;
  PairSlots slots;
  PairMoments moments;
};

/// Σ risk e^(δ'z) z^k over who is at risk at t, less f of those who die, as one sees it from the rows; k as the rows
/// of n_slot_sums.
std::vector<double> plain_sums(const Given& given, std::span<const double> shift, Index t) {
  const CoxRows& rows = given.rows();
  std::vector<double> sums(static_cast<std::size_t>(n_slot_sums(rows.n_columns)), 0);
  Index past = 0;  // the first event time of the next stratum
  for (const Index begin : given.times().stratum_begin()) {
    past = begin;
    if (begin > t) break;
  }
  for (Index i = 0; i < rows.n_rows; ++i) {
    const auto row = static_cast<std::size_t>(i);
    const Index last = rows.place_of[row] / 2;
    if (last < t || last >= past) continue;
    if (!rows.enters.empty() && rows.enters[row] < given.times().n_times() && rows.enters[row] >= t) continue;
    std::vector<double> z;
    double eta = 0;
    for (std::size_t j = 0; j < shift.size(); ++j) {
      z.push_back(rows.columns[j * static_cast<std::size_t>(rows.n_rows) + row]);
      eta += shift[j] * z.back();
    }
    const bool dies = rows.place_of[row] == 2 * t + 1;
    const double risk = given.risk[row] * std::exp(eta) * (dies ? 1 - given.times().table().centre[t] : 1);
    std::size_t r = 0;
    sums[r++] += risk;
    for (const double each : z) sums[r++] += risk * each;
    for (std::size_t j = 0; j < z.size(); ++j) {
      for (std::size_t k = j; k < z.size(); ++k) sums[r++] += risk * z[j] * z[k];
    }
  }
  return sums;
}

TEST(PairMoments, SeriesAreTheSumsOverTheRiskSets) {
  const Level before = level();
  for (const Level each : available_levels()) {
    force_level(each);
    for (unsigned seed = 1; seed <= 12; ++seed) {
      const Index p = 1 + seed % 3;
      const Given given(random_pair({.n = 300,
                                     .days = seed % 2 == 0 ? 20 : 300,
                                     .with = {seed % 5 == 0, seed % 4 == 0, seed % 7 < 2},
                                     .seed = seed,
                                     .n_covariates = p}));
      std::vector<double> shift, coefficients;
      for (Index j = 0; j < p; ++j) shift.push_back((j % 2 == 0 ? 0.004 : -0.003) * (1 + seed % 3));
      const auto series = given.moments.series(shift, coefficients);
      ASSERT_TRUE(series.has_value()) << seed;
      const Index n_rows = n_slot_sums(p);
      for (Index t = 0; t < given.times().n_times(); t += 3) {
        const std::vector<double> expected = plain_sums(given, shift, t);
        for (Index r = 0; r < n_rows; ++r) {
          double found = 0;
          for (Index m = 0; m < series->n_rows; ++m) {
            found += series->coefficients[m * n_rows + r] *
                     series->moments[(t / lanes * series->n_moments + m) * 2 * lanes + t % lanes];
          }
          // S0 and the sums of z matter to the last digits, second moments to standard errors only
          EXPECT_NEAR(found, expected[static_cast<std::size_t>(r)], (r <= p ? 1e-11 : 1e-8) * expected[0])
              << "seed " << seed << " time " << t << " row " << r;
        }
      }
    }
  }
  force_level(before);
}

TEST(PairMoments, SayWhenTheyDoNotReach) {
  std::vector<double> coefficients;
  for (const Index p : {0, 2, 4}) {
    const Given given(random_pair({.n = 200, .seed = 4, .n_covariates = p}));
    const auto n = static_cast<std::size_t>(p);
    EXPECT_EQ(given.moments.series(std::vector(n, 1e-3), coefficients).has_value(), p == 2);
    EXPECT_FALSE(given.moments.series(std::vector(n, 0.5), coefficients).has_value());
    EXPECT_FALSE(given.moments.series(std::vector(n, std::nan("")), coefficients).has_value());
  }
}

TEST(PairCoxFull, NearTheCovariatesFitAgreesWithDenseColumns) {
  const Level before = level();
  for (const Level each : available_levels()) {
    force_level(each);
    for (const Index p : {1, 2, 3}) {
      PairCohort c = random_pair({.n = 4000,
                                  .days = 500,
                                  .carriers = 0.05,
                                  .hazard_ratio = 1.6,
                                  .seed = static_cast<unsigned>(p),
                                  .n_covariates = p});
      c.tested.clear();
      const PairCoxFit fit = full_fit(c.design(), c.a, c.b, Ties::efron);
      ASSERT_EQ(fit.verdict, PairVerdict::converged);
      std::vector<double> columns = c.cohort.covariate;
      const std::size_t n = 4000, before_a = columns.size();
      columns.resize(before_a + 3 * n, 0);
      for (const std::int32_t i : c.a) columns[before_a + static_cast<std::size_t>(i)] = 1;
      for (const std::int32_t i : c.b) columns[before_a + n + static_cast<std::size_t>(i)] = 1;
      for (std::size_t i = 0; i < n; ++i)
        columns[before_a + 2 * n + i] = columns[before_a + i] * columns[before_a + n + i];
      const CoxFit dense = cox_fit(make_cox_design(c.cohort.timeline(), {columns, p + 3, {}}));
      const CoxFit without = cox_fit(
          make_cox_design(c.cohort.timeline(), {std::span(columns).first(before_a + 2 * n), p + 2, {}}));
      EXPECT_NEAR(fit.ab, dense.beta.back(), 1e-9 * fit.se_ab);
      EXPECT_TRUE(close(fit.se_ab, std::sqrt(dense.covariance.back()), 1e-7));
      for (std::size_t j = 0; j < static_cast<std::size_t>(p); ++j)
        EXPECT_TRUE(close(fit.beta[j], dense.beta[j], 1e-9));
      EXPECT_TRUE(close(fit.loglik, dense.loglik, 1e-13));
      EXPECT_NEAR(fit.lrt_chi2, 2 * (dense.loglik - without.loglik), 1e-8);

      // and it is the moments that were asked
      const Given given(c);
      const CoxFit covariates = cox_fit(given.design);
      std::vector<double> shift, coefficients;
      for (std::size_t j = 0; j < static_cast<std::size_t>(p); ++j)
        shift.push_back((fit.beta[j] - covariates.beta[j]) * given.rows().scale[j]);
      EXPECT_TRUE(given.moments.series(shift, coefficients).has_value()) << p;
    }
  }
  force_level(before);
}

}  // namespace
}  // namespace chorale::kernels
