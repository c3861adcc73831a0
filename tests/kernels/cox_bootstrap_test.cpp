// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/cox_bootstrap.hpp"

#include <gtest/gtest.h>
#include <omp.h>

#include <cmath>
#include <string>

#include "kernels/bootstrap_weights.hpp"
#include "kernels/error.hpp"
#include "kernels/level.hpp"
#include "tests/kernels/survival_data.hpp"

namespace chorale::kernels {
namespace {

using survival_data::close;
using survival_data::Cohort;
using survival_data::random_cohort;
using survival_data::twenty_four;

struct Replicates {
  std::vector<CoxReplicate> fits;
  std::vector<double> beta;
};

Replicates bootstrap(const CoxDesign& design, std::span<const std::uint8_t> copies,
                     const CoxBootstrapOptions& options = {}) {
  const auto n = copies.size() / static_cast<std::size_t>(design.n_patients);
  Replicates found{std::vector<CoxReplicate>(n),
                   std::vector<double>(n * static_cast<std::size_t>(design.n_columns))};
  cox_bootstrap(design, cox_fit(design, {.ties = options.ties}), copies, options, found.fits, found.beta);
  return found;
}

std::vector<std::uint8_t> draws(Index n_patients, Index n_replicates, std::uint64_t seed) {
  std::vector<std::uint8_t> copies(static_cast<std::size_t>(n_patients * n_replicates));
  const BootstrapPlan plan = make_bootstrap_plan({.n_patients = n_patients, .stratum = {}, .cluster = {}});
  bootstrap_weights(plan, seed, 0, n_replicates, copies);
  return copies;
}

/// Patient i stands there copies(i) times, or once with a weight of so many.
template <class Copies>
Cohort resampled(const Cohort& c, Index p, Resample resample, Copies copies) {
  Cohort out;
  std::vector<std::size_t> from;
  for (std::size_t i = 0; i < c.time.size(); ++i) {
    const std::size_t n = resample == Resample::rows ? copies(i) : copies(i) > 0;
    for (std::size_t k = 0; k < n; ++k) {
      from.push_back(i);
      const double weight = c.weight.empty() ? 1 : c.weight[i];
      out.weight.push_back(resample == Resample::rows ? weight : weight * static_cast<double>(copies(i)));
    }
  }
  for (const std::size_t i : from) {
    out.time.push_back(c.time[i]);
    out.event.push_back(c.event[i]);
    if (!c.entry.empty()) out.entry.push_back(c.entry[i]);
    if (!c.stratum.empty()) out.stratum.push_back(c.stratum[i]);
  }
  for (Index j = 0; j < p; ++j) {
    for (const std::size_t i : from)
      out.covariate.push_back(c.covariate[static_cast<std::size_t>(j) * c.time.size() + i]);
  }
  return out;
}

TEST(CoxBootstrap, EveryLevelAgreesWithRowsWrittenOut) {
  const Level before = level();
  for (const Level each : available_levels()) {
    force_level(each);
    for (unsigned seed = 1; seed <= 60; ++seed) {
      const Index n = 60 + 61 * (seed % 9), p = seed % 6;
      const CoxBootstrapOptions options{.ties = seed % 4 == 0 ? Ties::breslow : Ties::efron,
                                        .resample = seed % 2 ? Resample::rows : Resample::weights};
      const Cohort c = random_cohort({.n = n,
                                      .days = seed % 3 ? 15 : 300,
                                      .with = {seed % 5 == 0, seed % 3 == 0, seed % 7 < 3},
                                      .seed = seed,
                                      .n_covariates = p});
      std::vector<double> offset;
      for (Index i = 0; i < n && seed % 8 == 1; ++i) offset.push_back(0.1 * static_cast<double>(i % 11));
      constexpr Index n_replicates = 35;
      const auto copies = draws(n, n_replicates, seed);
      const Replicates found =
          bootstrap(make_cox_design(c.timeline(), {c.covariate, p, offset}), copies, options);
      for (std::size_t r = 0; r < n_replicates; r += 5) {
        const auto times = [&](std::size_t i) { return std::size_t{copies[i * n_replicates + r]}; };
        const Cohort rows = resampled(c, p, options.resample, times);
        Cohort offsets = c;
        offsets.covariate = offset;
        const auto drawn = resampled(offsets, offset.empty() ? 0 : 1, options.resample, times).covariate;
        const CoxFit expected = cox_fit(make_cox_design(rows.timeline(), {rows.covariate, p, drawn}),
                                        {.ties = options.ties, .max_iterations = 60});
        const CoxReplicate& fit = found.fits[r];
        const std::string where = "seed " + std::to_string(seed) + " replicate " + std::to_string(r);
        EXPECT_EQ(fit.verdict, expected.verdict) << where << " " << name_of(fit.verdict);
        if (fit.verdict != CoxVerdict::converged) continue;
        if (options.resample == Resample::rows) {
          EXPECT_EQ(fit.n_events, expected.n_events) << where;
        }
        EXPECT_TRUE(close(fit.loglik, expected.loglik, 1e-11))
            << where << " " << fit.loglik - expected.loglik;
        EXPECT_TRUE(close(fit.loglik_null, expected.loglik_null, 1e-11)) << where;
        for (std::size_t j = 0; j < static_cast<std::size_t>(p); ++j) {
          const double se = std::sqrt(expected.covariance[j * static_cast<std::size_t>(p + 1)]);
          EXPECT_NEAR(found.beta[r * static_cast<std::size_t>(p) + j], expected.beta[j], 2e-9 * se)
              << where << " " << fit.alone << " " << fit.iterations;
        }
      }
    }
  }
  force_level(before);
}

}  // namespace
}  // namespace chorale::kernels
