// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
// What must hold for any cohort, on thousands of small ones.
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "kernels/cox_bootstrap.hpp"
#include "kernels/cox_firth.hpp"
#include "kernels/cox_path.hpp"
#include "kernels/cox_residuals.hpp"
#include "kernels/cox_zph.hpp"
#include "kernels/martingale.hpp"
#include "kernels/survival_prediction.hpp"
#include "tests/kernels/small_cohorts.hpp"

namespace chorale::kernels {
namespace {

using small_cohorts::places;
using small_cohorts::shuffled;
using small_cohorts::small_cohort;
using small_cohorts::SmallCohort;
using small_cohorts::some_beta;
using survival_data::close;

constexpr unsigned n_cohorts = 3000;

Ties ties_of(unsigned seed) {
  return seed % 2 == 0 ? Ties::efron : Ties::breslow;
}

bool has_maximum(const CoxFit& fit) {
  return fit.verdict == CoxVerdict::converged || fit.verdict == CoxVerdict::singular;
}

bool contains(const std::vector<Index>& list, Index j) {
  return std::find(list.begin(), list.end(), j) != list.end();
}

void expect_close(const std::vector<double>& found, const std::vector<double>& expected, double tolerance,
                  unsigned seed, const char* what) {
  ASSERT_EQ(found.size(), expected.size());
  double largest = 1;
  for (const double e : expected) largest = std::fmax(largest, std::abs(e));
  for (std::size_t k = 0; k < found.size(); ++k)
    EXPECT_NEAR(found[k], expected[k], tolerance * largest) << what << ", seed " << seed;
}

void expect_close(const CoxTerms& found, const CoxTerms& expected, double tolerance, unsigned seed,
                  const char* what) {
  EXPECT_TRUE(close(found.loglik, expected.loglik, tolerance)) << what << ", seed " << seed;
  expect_close(found.gradient, expected.gradient, tolerance, seed, what);
  expect_close(found.information, expected.information, tolerance, seed, what);
}

/// Where both have a maximum, or both none for the same reason.
void expect_same_fit(const CoxFit& found, const CoxFit& expected, unsigned seed, const char* what) {
  EXPECT_EQ(name_of(found.verdict), name_of(expected.verdict)) << what << ", seed " << seed;
  EXPECT_EQ(found.aliased, expected.aliased) << what << ", seed " << seed;
  EXPECT_EQ(found.infinite, expected.infinite) << what << ", seed " << seed;
  // a monotone likelihood is left near its limit: where little is missing, or where numbers end
  EXPECT_TRUE(close(found.loglik, expected.loglik, has_maximum(found) ? 1e-9 : 1e-2))
      << what << ", seed " << seed;
  if (!has_maximum(found) || !has_maximum(expected)) return;
  for (std::size_t j = 0; j < found.beta.size(); ++j) {
    const double se = std::sqrt(expected.covariance[j * found.beta.size() + j]);
    if (!std::isnan(found.beta[j])) {
      EXPECT_NEAR(found.beta[j], expected.beta[j], 1e-6 * se) << what << ", " << seed;
    }
  }
}

TEST(CoxProperties, DerivativesAreThoseOfDifferences) {
  for (unsigned seed = 0; seed < n_cohorts; ++seed) {
    const SmallCohort small = small_cohort(seed);
    const CoxDesign design = small.design();
    const std::vector<double> beta = some_beta(small, seed);
    const CoxTerms here = cox_terms(design, beta, ties_of(seed));
    const double h = 1e-4;
    for (std::size_t j = 0; j < beta.size(); ++j) {
      std::vector<double> up = beta, down = beta;
      up[j] += h;
      down[j] -= h;
      const CoxTerms above = cox_terms(design, up, ties_of(seed)),
                     below = cox_terms(design, down, ties_of(seed));
      const double size = 1 + std::abs(here.loglik) + std::abs(here.information[j * beta.size() + j]);
      EXPECT_NEAR((above.loglik - below.loglik) / (2 * h), here.gradient[j], 1e-6 * size) << seed;
      for (std::size_t k = 0; k < beta.size(); ++k) {
        const double slope = (above.gradient[k] - below.gradient[k]) / (2 * h);
        EXPECT_NEAR(-slope, here.information[j * beta.size() + k], 1e-6 * size) << seed;
      }
    }
  }
}

TEST(CoxProperties, TheOrderOfPatientsDoesNotMatter) {
  for (unsigned seed = 0; seed < n_cohorts; ++seed) {
    const SmallCohort small = small_cohort(seed), other = small.at(shuffled(small.size(), seed));
    const std::vector<double> beta = some_beta(small, seed);
    const Ties ties = ties_of(seed);
    expect_close(cox_terms(other.design(), beta, ties), cox_terms(small.design(), beta, ties), 1e-12, seed,
                 "order");
    expect_same_fit(cox_fit(other.design(), {.ties = ties}), cox_fit(small.design(), {.ties = ties}), seed,
                    "order");
  }
}

TEST(CoxProperties, BreslowsWeightOfTwoIsTheRowTwiceAndZeroIsNone) {
  for (unsigned seed = 0; seed < n_cohorts; ++seed) {
    SmallCohort small = small_cohort(seed);
    std::vector<std::size_t> rows;
    std::vector<double> weight;
    for (std::size_t i = 0; i < small.size(); ++i) {
      const std::size_t copies = i == 0 ? 1 : (i * 7 + seed) % 3;  // see small_cohort on the first
      rows.insert(rows.end(), copies, i);
      weight.push_back(static_cast<double>(copies) *
                       (small.cohort.weight.empty() ? 1 : small.cohort.weight[i]));
    }
    const SmallCohort written_out = small.at(rows);
    small.cohort.weight = weight;
    const std::vector<double> beta = some_beta(small, seed);
    const CoxDesign weighted = small.design(), repeated = written_out.design();
    expect_close(cox_terms(weighted, beta, Ties::breslow), cox_terms(repeated, beta, Ties::breslow), 1e-11,
                 seed, "copies");
    expect_same_fit(cox_fit(weighted, {.ties = Ties::breslow}), cox_fit(repeated, {.ties = Ties::breslow}),
                    seed, "copies");
  }
}

TEST(CoxProperties, EfronsCopiesOfWhoDoesNotDieAreWeights) {
  // copies of a death tie with each other, those of a censored patient do not
  for (unsigned seed = 0; seed < n_cohorts; ++seed) {
    SmallCohort small = small_cohort(seed);
    std::vector<std::size_t> rows;
    if (small.cohort.weight.empty()) small.cohort.weight.assign(small.size(), 1);
    std::vector<double> weight = small.cohort.weight;
    for (std::size_t i = 0; i < small.size(); ++i) {
      const std::size_t copies = i == 0 || small.cohort.event[i] == 1 ? 1 : (i + seed) % 3;
      rows.insert(rows.end(), copies, i);
      weight[i] *= static_cast<double>(copies);
    }
    const SmallCohort written_out = small.at(rows);
    small.cohort.weight = weight;
    const std::vector<double> beta = some_beta(small, seed);
    expect_close(cox_terms(small.design(), beta, Ties::efron),
                 cox_terms(written_out.design(), beta, Ties::efron), 1e-11, seed, "censored copies");
  }
}

TEST(CoxProperties, OneFactorOnAllWeightsScalesTheLikelihood) {
  for (unsigned seed = 0; seed < n_cohorts; ++seed) {
    SmallCohort small = small_cohort(seed);
    if (small.cohort.weight.empty()) small.cohort.weight.assign(small.size(), 1);
    SmallCohort heavy = small;
    for (double& w : heavy.cohort.weight) w *= 3;
    const std::vector<double> beta = some_beta(small, seed), zero(beta.size(), 0.0);
    const CoxDesign a = small.design(), b = heavy.design();
    const CoxTerms one = cox_terms(a, beta, ties_of(seed)), three = cox_terms(b, beta, ties_of(seed));
    // 3 (l − W log 3), W the weight of all deaths, which is the same at every beta
    const double constant =
        cox_terms(b, zero, ties_of(seed)).loglik - 3 * cox_terms(a, zero, ties_of(seed)).loglik;
    EXPECT_TRUE(close(three.loglik, 3 * one.loglik + constant, 1e-11)) << seed;
    for (std::size_t j = 0; j < beta.size(); ++j)
      EXPECT_NEAR(three.gradient[j], 3 * one.gradient[j], 1e-9 * (1 + std::abs(one.loglik))) << seed;
  }
}

TEST(CoxProperties, UnitsAndOriginsOfColumnsDoNotMatter) {
  for (unsigned seed = 0; seed < n_cohorts; ++seed) {
    const SmallCohort small = small_cohort(seed);
    SmallCohort other = small;
    std::vector<double> factor;
    for (std::size_t j = 0; j < static_cast<std::size_t>(small.n_columns); ++j) {
      // a 0/1 column is reversed by −1 and 1
      factor.push_back(j % 2 == 0 ? -1 : 250);
      for (std::size_t i = 0; i < small.size(); ++i) {
        double& x = other.cohort.covariate[j * small.size() + i];
        x = factor[j] * x + (j % 2 == 0 ? 1 : -40);
      }
    }
    const CoxFit plain = cox_fit(small.design(), {.ties = ties_of(seed)});
    CoxFit moved = cox_fit(other.design(), {.ties = ties_of(seed)});
    const std::size_t p = plain.beta.size();
    for (std::size_t j = 0; j < p; ++j) {
      moved.beta[j] *= factor[j];
      if (std::isinf(plain.beta[j])) {
        EXPECT_EQ(moved.beta[j], plain.beta[j]) << seed;
      }
    }
    expect_same_fit(moved, plain, seed, "units");
  }
}

TEST(CoxProperties, APatientAloneInAStratumDoesNothing) {
  for (unsigned seed = 0; seed < n_cohorts; ++seed) {
    SmallCohort small = small_cohort(seed);
    if (small.cohort.stratum.empty()) small.cohort.stratum.assign(small.size(), 0);
    std::vector<std::size_t> rows = places(small.size());
    rows.push_back(seed % small.size());
    SmallCohort more = small.at(rows);
    more.cohort.stratum.back() = 9;
    if (!more.cohort.weight.empty()) more.cohort.weight.back() = 1;  // l of one patient: −w log w
    const std::vector<double> beta = some_beta(small, seed);
    expect_close(cox_terms(more.design(), beta, ties_of(seed)),
                 cox_terms(small.design(), beta, ties_of(seed)), 1e-11, seed, "alone");
  }
}

TEST(CoxProperties, RowsCutInTwoIntervalsDoNothing) {
  for (unsigned seed = 0; seed < n_cohorts; ++seed) {
    SmallCohort small = small_cohort(seed);
    if (small.cohort.entry.empty()) continue;
    std::vector<std::size_t> rows = places(small.size());
    for (std::size_t i = 0; i < small.size(); i += 2) rows.push_back(i);
    SmallCohort cut = small.at(rows);
    for (std::size_t i = 0, k = small.size(); i < small.size(); i += 2, ++k) {
      const double middle = std::floor((cut.cohort.entry[i] + cut.cohort.time[i]) / 2);
      cut.cohort.entry[k] = middle;  // the last interval, with the event
      cut.cohort.time[i] = middle;   // an empty first one leaves by itself
      if (cut.cohort.event[i] == 1) cut.cohort.event[i] = 0;
    }
    const std::vector<double> beta = some_beta(small, seed);
    expect_close(cox_terms(cut.design(), beta, ties_of(seed)), cox_terms(small.design(), beta, ties_of(seed)),
                 1e-11, seed, "cut");
  }
}

TEST(CoxProperties, EveryVerdictExplainsWhatIsNotANumber) {
  std::set<CoxVerdict> seen;
  int n_not_converged = 0;
  for (unsigned seed = 0; seed < 2 * n_cohorts; ++seed) {
    const SmallCohort small = small_cohort(seed);
    const CoxDesign design = small.design();
    const Ties ties = ties_of(seed);
    const CoxFit fit = cox_fit(design, {.ties = ties});
    const std::size_t p = fit.beta.size();
    seen.insert(fit.verdict);
    n_not_converged += fit.verdict == CoxVerdict::not_converged;
    EXPECT_EQ(fit.verdict == CoxVerdict::no_events, design.n_events == 0) << seed;
    EXPECT_EQ(fit.verdict == CoxVerdict::monotone, !fit.infinite.empty()) << seed;
    EXPECT_EQ(std::isnan(fit.loglik), fit.verdict == CoxVerdict::no_events) << seed;
    EXPECT_EQ(std::isnan(fit.df), !has_maximum(fit)) << seed;
    for (std::size_t j = 0; j < p; ++j) {
      const auto column = static_cast<Index>(j);
      const bool aliased = contains(fit.aliased, column), infinite = contains(fit.infinite, column);
      EXPECT_EQ(std::isnan(fit.beta[j]), aliased || design.n_events == 0) << seed;
      EXPECT_EQ(std::isinf(fit.beta[j]), infinite) << seed;
      EXPECT_EQ(std::isnan(fit.covariance[j * p + j]), infinite || design.n_events == 0) << seed;
    }
    if (design.n_events == 0) continue;
    for (const Index j : small.constant) EXPECT_TRUE(contains(fit.aliased, j)) << seed;
    for (const Index j : small.copies) EXPECT_TRUE(contains(fit.aliased, j)) << seed;
    if (has_maximum(fit)) {
      EXPECT_EQ(fit.verdict == CoxVerdict::singular, !fit.aliased.empty()) << seed;
      std::vector<double> beta = fit.beta;
      for (double& b : beta) b = std::isnan(b) ? 0 : b;
      const CoxTerms terms = cox_terms(design, beta, ties);
      for (std::size_t j = 0; j < p; ++j)
        EXPECT_NEAR(terms.gradient[j] * std::sqrt(fit.covariance[j * p + j]), 0, 1e-6) << seed;
    }
  }
  EXPECT_EQ(seen.size(), 4u);  // all but not_converged
  EXPECT_EQ(n_not_converged, 0);
}

/// Is there a direction in which no dying patient's predictor falls behind that of anybody at risk? Of two columns
/// of small whole numbers, by trying every direction that could bound the cone of them. Axes: which columns take part.
struct Recession {
  bool exists = false;
  bool takes_part[2] = {false, false};  ///< in some direction of the cone
  int n_rays = 0;
};

Recession recession(const SmallCohort& small) {
  const Timeline t = small.cohort.timeline();
  const auto x = [&](std::size_t i, std::size_t j) { return small.cohort.covariate[j * small.size() + i]; };
  std::vector<std::array<double, 2>> differences;
  for (std::size_t i = 0; i < small.size(); ++i) {
    if (!t.event[i] || t.first[i] == t.last[i]) continue;
    for (std::size_t k = 0; k < small.size(); ++k) {
      if (!t.analysed[k] || t.stratum[k] != t.stratum[i]) continue;
      if (t.first[k] <= t.last[i] - 1 && t.last[i] - 1 < t.last[k])
        differences.push_back({x(i, 0) - x(k, 0), x(i, 1) - x(k, 1)});
    }
  }
  std::vector<std::array<double, 2>> directions{{1, 0}, {-1, 0}, {0, 1}, {0, -1}};
  for (const auto& d : differences) {
    directions.push_back({d[1], -d[0]});
    directions.push_back({-d[1], d[0]});
  }
  std::set<std::pair<double, double>> rays;
  for (const auto& u : directions) {
    bool none_falls = true, some_rises = false;
    for (const auto& d : differences) {
      const double rise = u[0] * d[0] + u[1] * d[1];
      none_falls &= rise >= 0;
      some_rises |= rise > 0;
    }
    if (!none_falls || !some_rises) continue;
    const double length = std::hypot(u[0], u[1]);
    rays.insert({std::round(1e9 * u[0] / length), std::round(1e9 * u[1] / length)});
  }
  Recession found;
  found.exists = !rays.empty();
  found.n_rays = static_cast<int>(rays.size());
  for (const auto& [a, b] : rays) {
    found.takes_part[0] |= a != 0;
    found.takes_part[1] |= b != 0;
  }
  return found;
}

TEST(CoxProperties, MonotoneLikelihoodIsFoundWhereItIsAndNamesItsColumns) {
  int n_monotone = 0, n_named = 0;
  for (unsigned seed = 0; seed < 4 * n_cohorts; ++seed) {
    SmallCohort small = small_cohort(seed, {.trouble = true});
    // two columns of small whole numbers
    std::mt19937_64 engine(seed);
    small.n_columns = 2;
    small.cohort.covariate.clear();
    for (std::size_t k = 0; k < 2 * small.size(); ++k)
      small.cohort.covariate.push_back(static_cast<double>(engine() % (2 + seed % 3)));
    const CoxDesign design = small.design();
    const CoxFit fit = cox_fit(design, {.ties = ties_of(seed)});
    if (design.n_events == 0 || !fit.aliased.empty()) continue;  // with aliased columns a cone has no bounds
    const Recession expected = recession(small);
    n_monotone += expected.exists;
    EXPECT_EQ(fit.verdict == CoxVerdict::monotone, expected.exists) << seed << " " << name_of(fit.verdict);
    EXPECT_EQ(fit.verdict == CoxVerdict::converged, !expected.exists) << seed << " " << name_of(fit.verdict);
    for (Index j = 0; j < 2; ++j) {
      const bool takes_part = expected.takes_part[j];
      if (contains(fit.infinite, j)) {
        EXPECT_TRUE(takes_part) << seed << " column " << j;
      }
      // one ray: each of its columns diverges. More: a column may rest where it makes no difference
      if (expected.n_rays == 1) {
        ++n_named;
        EXPECT_EQ(contains(fit.infinite, j), takes_part) << seed << " column " << j;
      }
    }
  }
  EXPECT_GT(n_monotone, 500);
  EXPECT_GT(n_named, 200);
}

TEST(CoxProperties, PenaltiesHaveAFiniteMaximum) {
  for (unsigned seed = 0; seed < n_cohorts; ++seed) {
    const SmallCohort small = small_cohort(seed);
    const CoxDesign design = small.design();
    const double theta[] = {0.5};
    const CoxFit ridge = cox_fit(design, {.ties = ties_of(seed), .ridge = {.theta = theta}});
    const CoxFit firth = cox_firth(design, {.ties = ties_of(seed)}).fit;
    const CoxFit plain = cox_fit(design, {.ties = ties_of(seed)});
    EXPECT_EQ(firth.aliased, plain.aliased) << seed;
    for (const CoxFit& fit : {ridge, firth}) {
      EXPECT_EQ(has_maximum(fit), design.n_events > 0) << seed << " " << name_of(fit.verdict);
      for (std::size_t j = 0; j < fit.beta.size(); ++j) {
        EXPECT_EQ(std::isfinite(fit.beta[j]),
                  design.n_events > 0 && !contains(fit.aliased, static_cast<Index>(j)))
            << seed;
      }
    }
    if (design.n_events == 0) continue;
    EXPECT_LE(ridge.loglik, plain.loglik + 1e-7 * (1 + std::abs(plain.loglik))) << seed;
    EXPECT_GE(ridge.loglik - ridge.penalty, ridge.loglik_null - 1e-9 * (1 + std::abs(plain.loglik))) << seed;
    EXPECT_GE(firth.loglik, firth.loglik_null - 1e-9 * (1 + std::abs(plain.loglik))) << seed;
  }
}

TEST(CoxProperties, ResidualsAddUpAndAreNumbersWhereThereIsAMaximum) {
  for (unsigned seed = 0; seed < n_cohorts; ++seed) {
    const SmallCohort small = small_cohort(seed);
    const CoxDesign design = small.design();
    const Timeline timeline = small.cohort.timeline();
    const Ties ties = ties_of(seed);
    const CoxFit fit = cox_fit(design, {.ties = ties});
    const std::size_t n = small.size(), p = fit.beta.size();
    std::vector<double> martingale(n), deviance(n), score(n * p);
    martingale_residuals(design, fit, ties, martingale);
    deviance_residuals(design, fit, ties, deviance);
    score_residuals(design, fit, ties, score);
    const bool known = has_maximum(fit) || fit.verdict == CoxVerdict::no_events;
    double sum = 0;
    std::vector<double> gradient(p, 0.0);
    for (std::size_t i = 0; i < n; ++i) {
      const bool in_model = timeline.analysed[i];
      EXPECT_EQ(std::isnan(martingale[i]), !(known && in_model)) << seed;
      EXPECT_EQ(std::isnan(deviance[i]), !(known && in_model)) << seed;
      if (!known || !in_model) continue;
      const double w = timeline.weight.empty() ? 1 : timeline.weight[i];
      EXPECT_LE(martingale[i], timeline.event[i] + 1e-12) << seed;
      sum += w * martingale[i];
      for (std::size_t j = 0; j < p; ++j) gradient[j] += w * score[j * n + i];
    }
    EXPECT_NEAR(sum, 0, 1e-9 * (1 + static_cast<double>(n))) << seed;
    const RobustVariance robust = robust_variance(design, fit, ties);
    const CoxZph zph = cox_zph(timeline, design, fit, ties, ZphTransform::identity);
    EXPECT_EQ(std::isnan(zph.global.chi2), zph.global.verdict != ZphVerdict::computed) << seed;
    for (const ZphTest& term : zph.terms)
      EXPECT_EQ(std::isnan(term.chi2), term.verdict != ZphVerdict::computed) << seed;
    if (!has_maximum(fit)) continue;
    for (std::size_t j = 0; j < p; ++j) {
      EXPECT_NEAR(gradient[j] * std::sqrt(fit.covariance[j * p + j]), 0, 1e-6) << seed;
      EXPECT_GE(robust.covariance[j * p + j], 0) << seed;
    }
  }
}

TEST(CoxProperties, PredictionsStayWithinTheirLimits) {
  for (unsigned seed = 0; seed < n_cohorts; ++seed) {
    const SmallCohort small = small_cohort(seed);
    const CoxDesign design = small.design();
    const CoxFit fit = cox_fit(design, {.ties = ties_of(seed)});
    const SurvivalPrediction prediction(design, fit, ties_of(seed));
    EXPECT_EQ(prediction.verdict() == PredictionVerdict::predicted, has_maximum(fit)) << seed;
    std::vector<PredictedSurvival> at(small.size());
    const Index n_strata = small.cohort.timeline().n_strata;
    for (const double horizon : {-1., 0., 2., 7., 2000.}) {
      prediction.at(small.columns(), small.cohort.stratum, horizon, at);
      for (std::size_t i = 0; i < at.size(); ++i) {
        const bool known = prediction.verdict() != PredictionVerdict::no_maximum &&
                           (small.cohort.stratum.empty() ||
                            (small.cohort.stratum[i] >= 0 && small.cohort.stratum[i] < n_strata));
        EXPECT_EQ(!std::isnan(at[i].survival), known) << seed;
        EXPECT_EQ(!std::isnan(at[i].se), known) << seed;
        if (!known || at[i].survival == 0) continue;
        EXPECT_LE(at[i].lower, at[i].survival) << seed;
        EXPECT_LE(at[i].survival, at[i].upper) << seed;
        EXPECT_LE(at[i].upper, 1) << seed;
      }
    }
  }
}

TEST(CoxProperties, APathWithoutPenaltyEndsAtTheFit) {
  int n_compared = 0;
  for (unsigned seed = 0; seed < 400; ++seed) {
    const SmallCohort small = small_cohort(seed, {.trouble = true});
    const Ties ties = ties_of(seed);
    const CoxFit fit = cox_fit(small.design(), {.ties = ties});
    if (fit.verdict != CoxVerdict::converged) continue;
    const double lambda[] = {0.1, 0.01, 0};
    const CoxPath path = cox_path(
        make_cox_path_design(
            small.cohort.timeline(),
            {.dense = small.cohort.covariate, .n_dense = small.n_columns, .sparse = {}, .offset = {}}),
        {.ties = ties, .lambda = lambda});
    if (path.verdict != CoxPathVerdict::complete) continue;  // far coefficients of a handful of patients
    ++n_compared;
    for (std::size_t j = 0; j < fit.beta.size(); ++j) {
      const double se = std::sqrt(fit.covariance[j * fit.beta.size() + j]);
      EXPECT_NEAR(path.beta_at(2)[j], fit.beta[j], 1e-4 * se) << seed;
    }
  }
  EXPECT_GT(n_compared, 100);
}

TEST(CoxProperties, AReplicateOfEverybodyOnceIsTheFit) {
  for (unsigned seed = 0; seed < 600; ++seed) {
    const SmallCohort small = small_cohort(seed);
    const CoxDesign design = small.design();
    const Ties ties = ties_of(seed);
    const CoxFit fit = cox_fit(design, {.ties = ties});
    const std::vector<std::uint8_t> copies(small.size(), 1);
    CoxReplicate replicate;
    std::vector<double> beta(fit.beta.size());
    cox_bootstrap(design, fit, copies, {.ties = ties}, {&replicate, 1}, beta);
    EXPECT_EQ(name_of(replicate.verdict), name_of(fit.verdict)) << seed;
    EXPECT_TRUE(close(replicate.loglik, fit.loglik, 1e-8)) << seed;
    if (!has_maximum(fit)) continue;
    for (std::size_t j = 0; j < beta.size(); ++j) {
      const double se = std::sqrt(fit.covariance[j * beta.size() + j]);
      EXPECT_EQ(std::isnan(beta[j]), std::isnan(fit.beta[j])) << seed;
      if (!std::isnan(beta[j])) {
        EXPECT_NEAR(beta[j], fit.beta[j], 1e-6 * se) << seed;
      }
    }
  }
}

}  // namespace
}  // namespace chorale::kernels
