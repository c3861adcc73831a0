// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <gtest/gtest.h>
#include <omp.h>

#include <cmath>
#include <limits>
#include <random>
#include <string>

#include "kernels/bootstrap_fills.hpp"
#include "kernels/cox_bootstrap.hpp"
#include "kernels/error.hpp"
#include "kernels/level.hpp"
#include "kernels/linear_predictors.hpp"
#include "tests/kernels/bootstrap_data.hpp"
#include "tests/kernels/survival_data.hpp"

namespace chorale::kernels {
namespace {

using bootstrap_data::draws;
using bootstrap_data::Replicates;
using bootstrap_data::resampled;
using survival_data::close;
using survival_data::Cohort;
using survival_data::random_cohort;

/// A cohort whose columns have gaps, and what fills them: free columns first, gap columns behind them.
struct Gapped {
  Cohort cohort;
  Index n_free = 0, n_gaps = 0;
  std::vector<Index> column, gap;
  std::vector<double> full_fill = {}, value = {};  ///< replicate by replicate

  std::size_t n() const { return cohort.time.size(); }
  double& x(Index j, std::size_t i) { return cohort.covariate[static_cast<std::size_t>(j) * n() + i]; }
  double x(Index j, std::size_t i) const { return cohort.covariate[static_cast<std::size_t>(j) * n() + i]; }
  Index n_columns() const { return n_free + n_gaps; }
  CoxDesign design() const { return make_cox_design(cohort.timeline(), {cohort.covariate, n_columns(), {}}); }

  /// The free columns written out with the given fills.
  Cohort filled(std::span<const double> by) const {
    Cohort out = cohort;
    out.covariate.resize(static_cast<std::size_t>(n_free) * n());
    for (std::size_t k = 0; k < column.size(); ++k) {
      for (std::size_t i = 0; i < n(); ++i)
        out.covariate[static_cast<std::size_t>(column[k]) * n() + i] += by[k] * x(gap[k], i);
    }
    return out;
  }
  std::span<const double> fills_of(std::size_t replicate) const {
    return std::span(value).subspan(replicate * column.size(), column.size());
  }
  CoxFit full(Ties ties = Ties::efron) const {
    const Cohort all = filled(full_fill);
    return cox_fit(make_cox_design(all.timeline(), {all.covariate, n_free, {}}), {.ties = ties});
  }
  Replicates fit(std::span<const std::uint8_t> copies, CoxBootstrapOptions options = {}) const {
    const std::size_t n_replicates = copies.size() / n();
    Replicates found{std::vector<CoxReplicate>(n_replicates),
                     std::vector<double>(n_replicates * static_cast<std::size_t>(n_columns()))};
    options.fills = {column, gap, value, full_fill};
    cox_bootstrap(design(), full(options.ties), copies, options, found.fits, found.beta);
    return found;
  }
  double beta(const Replicates& found, std::size_t replicate, Index j) const {
    return found.beta[replicate * static_cast<std::size_t>(n_columns()) + static_cast<std::size_t>(j)];
  }
  CoxFit on_rows(std::span<const std::uint8_t> copies, std::size_t replicate,
                 Resample resample = Resample::rows, Ties ties = Ties::efron) const {
    const Cohort rows = resampled(filled(fills_of(replicate)), n_free, resample, [&](std::size_t i) {
      return std::size_t{copies[i * (copies.size() / n()) + replicate]};
    });
    return cox_fit(make_cox_design(rows.timeline(), {rows.covariate, n_free, {}}), {.ties = ties});
  }
};

/// Two continuous columns with gaps of their own, two levels of a category that share one, and one without.
Gapped with_gaps(const survival_data::Recipe& recipe, std::size_t n_replicates, double spread) {
  Gapped g{
      .cohort = random_cohort(recipe), .n_free = 5, .n_gaps = 3, .column = {0, 1, 2, 3}, .gap = {5, 6, 7, 7}};
  std::mt19937_64 engine(recipe.seed + 1000);
  std::uniform_real_distribution<double> uniform(0, 1);
  for (std::size_t i = 0; i < g.n(); ++i) {
    g.x(1, i) = 60 + 10 * g.x(1, i);
    const double level = uniform(engine);
    g.x(2, i) = level < 0.4;
    g.x(3, i) = level > 0.7;
    for (const Index gap : {5, 6, 7}) g.x(gap, i) = uniform(engine) < 0.05 * static_cast<double>(gap - 3);
    for (std::size_t k = 0; k < 4; ++k) {
      if (g.x(g.gap[k], i) == 1) g.x(g.column[k], i) = 0;
    }
  }
  g.full_fill = {1, 70, 1, 0};
  for (std::size_t r = 0; r < n_replicates; ++r) {
    const bool other_level = spread > 0.5 && r % 2 == 1;
    const double noise = spread * (uniform(engine) - 0.5);
    g.value.insert(g.value.end(),
                   {1 + noise, 70 - 10 * noise, other_level ? 0.0 : 1.0, other_level ? 1.0 : 0.0});
  }
  return g;
}

TEST(CoxBootstrapFills, EveryLevelAgreesWithFilledRowsWrittenOut) {
  const Level before = level();
  constexpr std::size_t n_replicates = 70;
  for (const Level each : available_levels()) {
    force_level(each);
    for (unsigned seed = 1; seed <= 24; ++seed) {
      const CoxBootstrapOptions options{.ties = seed % 4 == 0 ? Ties::breslow : Ties::efron,
                                        .resample = seed % 2 ? Resample::rows : Resample::weights};
      const Gapped g = with_gaps({.n = 90 + 101 * (seed % 9),
                                  .days = seed % 3 ? 15 : 300,
                                  .with = {seed % 5 == 0, seed % 3 == 0, seed % 7 < 3},
                                  .seed = seed,
                                  .n_covariates = 8},
                                 n_replicates, seed % 2 ? 0.05 : 1.5);
      const auto copies = draws(static_cast<Index>(g.n()), n_replicates, seed);
      const Replicates found = g.fit(copies, options);
      for (std::size_t r = 0; r < n_replicates; r += 9) {
        const CoxFit expected = g.on_rows(copies, r, options.resample, options.ties);
        const std::string where = "seed " + std::to_string(seed) + " replicate " + std::to_string(r) +
                                  (found.fits[r].alone ? " alone" : "");
        ASSERT_EQ(found.fits[r].verdict, expected.verdict) << where;
        if (expected.verdict != CoxVerdict::converged) continue;
        EXPECT_TRUE(close(found.fits[r].loglik, expected.loglik, 1e-11)) << where;
        EXPECT_TRUE(close(found.fits[r].loglik_null, expected.loglik_null, 1e-11)) << where;
        const auto of = [&](Index j) { return expected.beta[static_cast<std::size_t>(j)]; };
        for (Index j = 0; j < g.n_free; ++j) {
          const double se = std::sqrt(expected.covariance[static_cast<std::size_t>(j * (g.n_free + 1))]);
          EXPECT_NEAR(g.beta(found, r, j), of(j), 1e-9 * se) << where;
        }
        // gap columns: Σ f β
        const auto f = g.fills_of(r);
        EXPECT_NEAR(g.beta(found, r, 5), f[0] * of(0), 1e-9) << where;
        EXPECT_NEAR(g.beta(found, r, 6), f[1] * of(1), 1e-9) << where;
        EXPECT_NEAR(g.beta(found, r, 7), f[2] * of(2) + f[3] * of(3), 1e-9) << where;
      }
    }
  }
  force_level(before);
}

TEST(CoxBootstrapFills, MatchRSurvival) {
  // survival 3.5.3, eps = 1e-14, the replicate of tests/oracle/cox_bootstrap.R with gaps: z, y filled with the median
  // of the resampled rows, u with its most frequent value
  struct Expected {
    Resample resample;
    bool all;           // late entries, weights, strata
    double numbers[5];  // three coefficients, log-likelihood at 0 and at them
  };
  const Expected cases[] = {
      {Resample::rows,
       false,
       {-0.0896731133244544, 0.189248355585421, 0.0453623094922948, -842.07080503621, -839.484613520444}},
      {Resample::weights,
       true,
       {-0.0633458458699151, 0.20605610136626, 0.0501076550767978, -709.021610506226, -706.452184909239}},
      {Resample::rows,
       true,
       {-0.0655411833497253, 0.209057224938252, 0.055327431804997, -706.851321968035, -704.200512937489}},
  };
  std::vector<double> z, y;
  std::vector<std::int32_t> u;
  std::vector<std::uint8_t> copies;
  for (int i = 0; i < 200; ++i) {
    z.push_back(i % 7 == 3 ? missing : ((11 * i) % 13) / 4.0);
    y.push_back(i % 11 == 5 ? missing : ((5 * i) % 9) / 3.0);
    u.push_back(i % 6 == 1 ? -1 : (i * i) % 7 < 2);
    copies.push_back(static_cast<std::uint8_t>(((i * i + 3 * i) % 11) / 4));
  }
  double median_z = 0, median_y = 0;
  std::int32_t mode_u = 0;
  weighted_fills(z, copies, {}, {&median_z, 1});
  weighted_fills(y, copies, {}, {&median_y, 1});
  weighted_fills(u, copies, {}, {&mode_u, 1});
  EXPECT_EQ(median_z, 1.5);
  EXPECT_EQ(median_y, 4.0 / 3);
  EXPECT_EQ(mode_u, 0);
  for (const Expected& expected : cases) {
    Gapped g{.cohort = {},
             .n_free = 3,
             .n_gaps = 3,
             .column = {0, 1, 2},
             .gap = {3, 4, 5},
             .full_fill = {1.25, 1, 0},
             .value = {median_z, median_y, static_cast<double>(mode_u)}};
    Cohort& c = g.cohort;
    for (int i = 0; i < 200; ++i) {
      c.time.push_back(1 + (37 * i) % 29);
      c.event.push_back(i % 5 != 2);
      if (!expected.all) continue;
      c.entry.push_back(i % 4 == 1 ? (i % 3) / 3.0 : 0);
      c.weight.push_back((1 + i % 3) / 2.0);
      c.stratum.push_back(i % 2);
    }
    for (const auto& column : {z, y, std::vector<double>(u.begin(), u.end())}) {
      for (const double value : column) c.covariate.push_back(std::isnan(value) || value < 0 ? 0 : value);
    }
    for (const auto& column : {z, y, std::vector<double>(u.begin(), u.end())}) {
      for (const double value : column) c.covariate.push_back(std::isnan(value) || value < 0);
    }
    const Replicates found = g.fit(copies, {.resample = expected.resample});
    EXPECT_FALSE(found.fits[0].alone);
    for (std::size_t j = 0; j < 3; ++j) EXPECT_NEAR(found.beta[j], expected.numbers[j], 1e-10);
    EXPECT_NEAR(found.fits[0].loglik_null, expected.numbers[3], 1e-9);
    EXPECT_NEAR(found.fits[0].loglik, expected.numbers[4], 1e-9);
  }
}

TEST(CoxBootstrapFills, LinearPredictorsOfTheColumnsFillTheirGaps) {
  constexpr std::size_t n_replicates = 3;
  const Gapped g = with_gaps({.n = 800, .days = 60, .seed = 5, .n_covariates = 8}, n_replicates, 0.1);
  const Replicates found = g.fit(draws(800, n_replicates, 3));
  std::vector<double> eta(800 * n_replicates);
  linear_predictors({g.cohort.covariate, g.n_columns(), {}}, 800, found.beta, eta);
  for (std::size_t r = 0; r < n_replicates; ++r) {
    const Cohort filled = g.filled(g.fills_of(r));
    for (std::size_t i = 0; i < 800; ++i) {
      double expected = 0;
      for (std::size_t j = 0; j < 5; ++j)
        expected += filled.covariate[j * 800 + i] * g.beta(found, r, static_cast<Index>(j));
      EXPECT_NEAR(eta[i * n_replicates + r], expected, 1e-12);
    }
  }
}

TEST(CoxBootstrapFills, StayInLanesWhereEventsAreMany) {
  constexpr std::size_t n_replicates = 66;
  // every second replicate fills the category with another level
  const Gapped g = with_gaps({.n = 8000, .days = 900, .seed = 4, .n_covariates = 8}, n_replicates, 0.6);
  const auto copies = draws(8000, n_replicates, 9);
  const Replicates found = g.fit(copies);
  for (const CoxReplicate& fit : found.fits) {
    EXPECT_FALSE(fit.alone);
    EXPECT_LE(fit.iterations, 10);
  }
  for (const std::size_t r : {0, 1, 65}) {
    const CoxFit expected = g.on_rows(copies, r);
    for (Index j = 0; j < g.n_free; ++j) {
      const double se = std::sqrt(expected.covariance[static_cast<std::size_t>(j * (g.n_free + 1))]);
      EXPECT_NEAR(g.beta(found, r, j), expected.beta[static_cast<std::size_t>(j)], 1e-9 * se);
    }
  }
}

TEST(CoxBootstrapFills, WithoutGapsNothingChanges) {
  constexpr std::size_t n_replicates = 70, n = 300;
  Gapped g = with_gaps({.n = n, .days = 30, .with = {.weight = true}, .seed = 8, .n_covariates = 8},
                       n_replicates, 1);
  for (std::size_t i = 0; i < n; ++i) {
    for (const Index gap : {5, 6, 7}) g.x(gap, i) = 0;
    g.x(4, i) = i < 6;  // few patients tell this one, so that some replicates are fitted alone
  }
  const auto copies = draws(n, n_replicates, 4);
  const Replicates found = g.fit(copies);
  Cohort plain = g.cohort;
  plain.covariate.resize(5 * n);
  const Replicates expected =
      bootstrap_data::bootstrap(make_cox_design(plain.timeline(), {plain.covariate, 5, {}}), copies);
  Index n_alone = 0;
  for (std::size_t r = 0; r < n_replicates; ++r) {
    EXPECT_EQ(found.fits[r].loglik, expected.fits[r].loglik);
    EXPECT_EQ(found.fits[r].alone, expected.fits[r].alone);
    n_alone += found.fits[r].alone;
    for (Index j = 0; j < 5; ++j) {
      const double beta = g.beta(found, r, j), same = expected.beta[r * 5 + static_cast<std::size_t>(j)];
      EXPECT_TRUE(beta == same || (std::isnan(beta) && std::isnan(same)));
    }
  }
  EXPECT_TRUE(n_alone > 0 && n_alone < 70);
}

TEST(CoxBootstrapFills, AGapColumnThatNobodyHasIsFilledByNobody) {
  Gapped g = with_gaps({.n = 600, .days = 50, .seed = 3, .n_covariates = 8}, 5, 0.1);
  for (std::size_t i = 0; i < 600; ++i) g.x(6, i) = 0;
  const auto copies = draws(600, 5, 6);
  const Replicates found = g.fit(copies);
  for (std::size_t r = 0; r < 5; ++r) {
    const CoxFit expected = g.on_rows(copies, r);
    for (Index j = 0; j < 5; ++j)
      EXPECT_NEAR(g.beta(found, r, j), expected.beta[static_cast<std::size_t>(j)], 1e-10);
    EXPECT_EQ(g.beta(found, r, 6), g.fills_of(r)[1] * g.beta(found, r, 1));
  }
}

/// One column that is `known` wherever it is known, one patient in ten without, beside a continuous one.
Gapped constant_where_known(double known, double full_fill, std::vector<double> value) {
  Gapped g{.cohort = random_cohort({.n = 2000, .days = 200, .seed = 6, .n_covariates = 3}),
           .n_free = 2,
           .n_gaps = 1,
           .column = {0},
           .gap = {2},
           .full_fill = {full_fill},
           .value = std::move(value)};
  for (std::size_t i = 0; i < 2000; ++i) {
    g.x(2, i) = i % 10 == 3;
    g.x(0, i) = i % 10 == 3 ? 0 : known;
  }
  return g;
}

TEST(CoxBootstrapFills, AFillMayMakeAColumnConstantOrNoLongerSo) {
  for (const double full_fill : {0.0, 1.0, 0.97}) {
    // replicates 0 and 3 fill with what is known, 1 and 2 with something else
    const Gapped g = constant_where_known(1, full_fill, {1, 0, 0.5, 1});
    const auto copies = draws(2000, 4, 2);
    const Replicates found = g.fit(copies);
    for (std::size_t r = 0; r < 4; ++r) {
      const CoxFit expected = g.on_rows(copies, r);
      EXPECT_EQ(expected.verdict, r % 3 == 0 ? CoxVerdict::singular : CoxVerdict::converged);
      EXPECT_EQ(found.fits[r].verdict, expected.verdict) << r << " " << full_fill;
      EXPECT_NEAR(g.beta(found, r, 1), expected.beta[1], 1e-9);
      EXPECT_EQ(std::isnan(g.beta(found, r, 0)), r % 3 == 0);
      EXPECT_EQ(std::isnan(g.beta(found, r, 2)), r % 3 == 0);
      if (r % 3 != 0) {
        EXPECT_NEAR(g.beta(found, r, 0), expected.beta[0], 1e-8);
      }
    }
  }
}

TEST(CoxBootstrapFills, FillsDecideWhetherColumnsAreAliased) {
  // x1 = 2 x0 + 1 where known; so it stays in replicates that fill both alike
  Gapped g{.cohort = random_cohort({.n = 1500, .days = 90, .seed = 7, .n_covariates = 4}),
           .n_free = 3,
           .n_gaps = 1,
           .column = {0, 1},
           .gap = {3, 3},
           .full_fill = {1, 3},
           .value = {1, 3, 1.25, 3.5, 1, 2, 1.25, 3.25}};
  for (std::size_t i = 0; i < 1500; ++i) {
    const bool missing_here = g.x(3, i) > 2;
    g.x(3, i) = missing_here;
    g.x(1, i) = missing_here ? 0 : 2 * g.x(0, i) + 1;
    if (missing_here) g.x(0, i) = 0;
  }
  const auto copies = draws(1500, 4, 2);
  const Replicates found = g.fit(copies);
  for (std::size_t r = 0; r < 4; ++r) {
    const CoxFit expected = g.on_rows(copies, r);
    EXPECT_EQ(expected.verdict, r < 2 ? CoxVerdict::singular : CoxVerdict::converged);
    EXPECT_EQ(found.fits[r].verdict, expected.verdict);
    EXPECT_EQ(found.fits[r].alone, r >= 2);
    for (Index j = 0; j < 3; ++j)
      EXPECT_TRUE(close(g.beta(found, r, j), expected.beta[static_cast<std::size_t>(j)], 1e-8));
    // an aliased column fills nothing
    if (r < 2) {
      EXPECT_EQ(g.beta(found, r, 3), g.fills_of(r)[0] * g.beta(found, r, 0));
    }
  }
}

TEST(CoxBootstrapFills, ReplicatesFittedAloneAreFilledToo) {
  Gapped g = with_gaps({.n = 400, .days = 60, .seed = 9, .n_covariates = 8, .missing = 0}, 4, 0.1);
  std::vector<std::uint8_t> copies(400 * 4, 1);
  for (std::size_t i = 0; i < 400; ++i) {
    g.x(4, i) = i < 12;
    if (i < 12) copies[i * 4 + 1] = 0;                            // a column without carriers
    if (i < 12 && g.cohort.event[i] == 1) copies[i * 4 + 2] = 0;  // no carrier dies
    if (g.cohort.event[i] == 1) copies[i * 4 + 3] = 0;            // nobody dies
  }
  const Replicates found = g.fit(copies);
  EXPECT_FALSE(found.fits[0].alone);
  EXPECT_EQ(found.fits[1].verdict, CoxVerdict::singular);
  EXPECT_EQ(found.fits[2].verdict, CoxVerdict::monotone);
  EXPECT_EQ(found.fits[3].verdict, CoxVerdict::no_events);
  EXPECT_TRUE(std::isnan(g.beta(found, 3, 0)) && std::isnan(g.beta(found, 3, 5)));
  EXPECT_EQ(g.beta(found, 2, 4), -std::numeric_limits<double>::infinity());
  const CoxFit expected = g.on_rows(copies, 1);
  for (Index j = 0; j < 4; ++j)
    EXPECT_NEAR(g.beta(found, 1, j), expected.beta[static_cast<std::size_t>(j)], 1e-9);
  EXPECT_EQ(g.beta(found, 1, 5), g.fills_of(1)[0] * g.beta(found, 1, 0));
}

TEST(CoxBootstrapFills, AReplicateDoesNotDependOnThoseBesideIt) {
  constexpr std::size_t n_replicates = 130, n = 700;
  const Gapped g = with_gaps({.n = n, .days = 40, .seed = 6, .n_covariates = 8}, n_replicates, 1);
  const auto copies = draws(n, n_replicates, 8);
  omp_set_num_threads(1);
  const Replicates all = g.fit(copies);
  omp_set_num_threads(3);
  EXPECT_EQ(g.fit(copies).beta, all.beta);
  omp_set_num_threads(omp_get_num_procs());
  for (const std::size_t r : {0, 63, 64, 129}) {
    std::vector<std::uint8_t> one;
    for (std::size_t i = 0; i < n; ++i) one.push_back(copies[i * n_replicates + r]);
    Gapped alone = g;
    alone.value.assign(g.fills_of(r).begin(), g.fills_of(r).end());
    const Replicates found = alone.fit(one);
    for (Index j = 0; j < g.n_columns(); ++j) EXPECT_EQ(g.beta(found, 0, j), g.beta(all, r, j));
  }
}

TEST(CoxBootstrapFills, RefuseWhatDoesNotFit) {
  const Gapped good = with_gaps({.n = 100, .days = 20, .seed = 1, .n_covariates = 8}, 2, 0.1);
  const std::vector<std::uint8_t> copies(200, 1);
  const CoxDesign design = good.design();
  const CoxFit full = good.full();
  std::vector<CoxReplicate> fits(2);
  std::vector<double> beta(16);
  const auto refuses = [&](const Gapped& g, const CoxFit& of_full) {
    const CoxBootstrapOptions options{.fills = {g.column, g.gap, g.value, g.full_fill}};
    EXPECT_THROW(cox_bootstrap(design, of_full, copies, options, fits, beta), ShapeError);
  };
  refuses(good, cox_fit(design));  // has coefficients of gap columns
  Gapped g = good;
  g.gap.pop_back();
  refuses(g, full);
  g = good;
  g.value.pop_back();
  refuses(g, full);
  g = good;
  g.full_fill.pop_back();
  refuses(g, full);
  g = good;
  g.gap[0] = 8;
  refuses(g, full);
  g = good;
  g.column[0] = 5;  // a gap column
  refuses(g, full);
  g = good;
  g.value[3] = missing;
  refuses(g, full);
}

}  // namespace
}  // namespace chorale::kernels
