// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
// What must hold of curves, tests and concordance for any cohort, on thousands of small ones.
#include <gtest/gtest.h>

#include <cmath>

#include "kernels/competing_risks.hpp"
#include "kernels/concordance.hpp"
#include "kernels/fine_gray.hpp"
#include "kernels/gray_test.hpp"
#include "kernels/kaplan_meier.hpp"
#include "kernels/log_rank.hpp"
#include "kernels/nelson_aalen.hpp"
#include "tests/kernels/small_cohorts.hpp"

namespace chorale::kernels {
namespace {

using small_cohorts::shuffled;
using small_cohorts::small_cohort;
using small_cohorts::SmallCohort;
using survival_data::close;

constexpr unsigned n_cohorts = 3000;

void expect_close(const std::vector<double>& found, const std::vector<double>& expected, double tolerance,
                  unsigned seed, const char* what) {
  ASSERT_EQ(found.size(), expected.size()) << what << ", seed " << seed;
  for (std::size_t k = 0; k < found.size(); ++k)
    EXPECT_TRUE(close(found[k], expected[k], tolerance))
        << what << ", seed " << seed << ": " << found[k] << ", " << expected[k];
}

/// The same cohort with whole weights, and with each patient as often as they weigh.
struct Copies {
  SmallCohort weighted, written_out;
};

Copies copies_of(unsigned seed, bool without_entries = false) {
  Copies both{small_cohort(seed, {.weights = true, .entries = without_entries}), {}};
  std::vector<std::size_t> rows;
  for (std::size_t i = 0; i < both.weighted.size(); ++i) {
    const std::size_t n = i == 0 ? 1 : (i * 5 + seed) % 3;  // see small_cohort on the first
    rows.insert(rows.end(), n, i);
    both.weighted.cohort.weight.push_back(static_cast<double>(n));
  }
  const std::vector<double> weight = std::move(both.weighted.cohort.weight);
  both.weighted.cohort.weight.clear();
  both.written_out = both.weighted.at(rows);
  both.weighted.cohort.weight = weight;
  return both;
}

/// Groups 0 … 2 by the patient, so that copies share theirs.
std::vector<std::int32_t> groups_of(const SmallCohort& small) {
  std::vector<std::int32_t> group;
  for (std::size_t i = 0; i < small.size(); ++i)
    group.push_back(static_cast<std::int32_t>(std::abs(small.cohort.covariate[i]) * 10) % 3);
  return group;
}

TEST(SurvivalProperties, CurvesDoNotDependOnTheOrderAndWeightsAreCopies) {
  for (unsigned seed = 0; seed < n_cohorts; ++seed) {
    const SmallCohort small = small_cohort(seed), other = small.at(shuffled(small.size(), seed));
    const Copies copies = copies_of(seed);
    for (const auto& [a, b] :
         {std::pair(small.cohort.timeline(), other.cohort.timeline()),
          std::pair(copies.weighted.cohort.timeline(), copies.written_out.cohort.timeline())}) {
      const KmCurve one = kaplan_meier(a, {}), two = kaplan_meier(b, {});
      expect_close(one.time, two.time, 0, seed, "time");
      expect_close(one.survival, two.survival, 1e-12, seed, "survival");
      expect_close(one.se, two.se, 1e-12, seed, "se");
      expect_close(one.lower, two.lower, 1e-11, seed, "lower");
      expect_close(one.upper, two.upper, 1e-11, seed, "upper");
      const HazardCurve h = nelson_aalen(a, {}), i = nelson_aalen(b, {});
      expect_close(h.hazard, i.hazard, 1e-12, seed, "hazard");
      expect_close(h.variance, i.variance, 1e-12, seed, "variance");
    }
  }
}

TEST(SurvivalProperties, CurvesFallWithinTheirLimitsAndEveryNanIsExplained) {
  for (unsigned seed = 0; seed < n_cohorts; ++seed) {
    const SmallCohort small = small_cohort(seed);
    const Timeline timeline = small.cohort.timeline();
    for (const ConfType type : {ConfType::plain, ConfType::log, ConfType::log_log}) {
      const KmCurve curve = kaplan_meier(timeline, {}, {.type = type});
      double before = 1;
      for (std::size_t k = 0; k < curve.time.size(); ++k) {
        const double s = curve.survival[k];
        EXPECT_LE(s, before + 1e-15) << seed;
        EXPECT_GE(s, 0) << seed;
        before = s;
        EXPECT_EQ(std::isnan(curve.se[k]), s == 0) << seed;
        const bool none = s == 0 || (type == ConfType::log_log && s == 1);
        EXPECT_EQ(std::isnan(curve.lower[k]), none) << seed;
        if (none) continue;
        EXPECT_LE(curve.lower[k], s + 1e-12) << seed;
        EXPECT_GE(curve.upper[k], s - 1e-12) << seed;
      }
    }
    // S <= exp(−H), as 1 − x <= exp(−x)
    const KmCurve curve = kaplan_meier(timeline, {});
    const HazardCurve hazard = nelson_aalen(timeline, {});
    ASSERT_EQ(curve.time, hazard.time);
    for (std::size_t k = 0; k < curve.time.size(); ++k)
      EXPECT_LE(curve.survival[k], std::exp(-hazard.hazard[k]) + 1e-12) << seed;
  }
}

TEST(SurvivalProperties, IncidencesAndTheEventFreeAddUpToOne) {
  for (unsigned seed = 0; seed < n_cohorts; ++seed) {
    const SmallCohort small = small_cohort(seed), other = small.at(shuffled(small.size(), seed));
    const Copies copies = copies_of(seed);
    const CumulativeIncidence curve = cumulative_incidence(small.causes());
    const auto n_times = static_cast<std::size_t>(curve.n_times());
    for (std::size_t k = 0; k < n_times; ++k) {
      EXPECT_NEAR(curve.event_free[k] + curve.incidence[k] + curve.incidence[n_times + k], 1, 1e-12) << seed;
      EXPECT_FALSE(std::isnan(curve.se[k])) << seed;
    }
    const CumulativeIncidence permuted = cumulative_incidence(other.causes());
    expect_close(permuted.incidence, curve.incidence, 1e-12, seed, "incidence");
    expect_close(permuted.se, curve.se, 1e-8, seed, "error");
    // who dies of any cause is who dies
    const KmCurve all = kaplan_meier(small.cohort.timeline(), {});
    std::size_t k = 0;
    for (std::size_t row = 0; row < all.time.size(); ++row) {
      if (all.events[row] > 0) {
        EXPECT_NEAR(curve.event_free[k++], all.survival[row], 1e-12) << seed;
      }
    }
    const IncidenceOptions aalen{.variance = IncidenceVariance::aalen};
    const CumulativeIncidence weighted = cumulative_incidence(copies.weighted.causes(), {}, aalen);
    const CumulativeIncidence repeated = cumulative_incidence(copies.written_out.causes(), {}, aalen);
    expect_close(weighted.incidence, repeated.incidence, 1e-12, seed, "copies");
    expect_close(weighted.se, repeated.se, 1e-8, seed, "error of copies");
  }
}

TEST(SurvivalProperties, TestsBetweenGroupsDoNotDependOnTheOrderAndWeightsAreCopies) {
  for (unsigned seed = 0; seed < n_cohorts; ++seed) {
    const SmallCohort small = small_cohort(seed, {.weights = true});
    const SmallCohort other = small.at(shuffled(small.size(), seed));
    const Copies copies = copies_of(seed);
    for (const double rho : {0., 1.}) {
      const auto test = [&](const SmallCohort& c, bool weights) {
        return log_rank(c.cohort.timeline(), groups_of(c), 3, {}, {.rho = rho, .case_weights = weights});
      };
      const auto gray = [&](const SmallCohort& c, bool weights) {
        return gray_test(c.causes(), 1, groups_of(c), 3, {}, {.rho = rho, .case_weights = weights});
      };
      const LogRankResult a = test(small, false), b = test(other, false);
      expect_close({a.chi2}, {b.chi2}, 1e-9, seed, "log-rank");
      expect_close(a.observed, b.observed, 1e-12, seed, "observed");
      double difference = 0;
      for (std::size_t g = 0; g < 3; ++g) difference += a.observed[g] - a.expected[g];
      EXPECT_NEAR(difference, 0, 1e-11) << seed;
      const LogRankResult w = test(copies.weighted, true), r = test(copies.written_out, false);
      expect_close(w.expected, r.expected, 1e-11, seed, "copies");
      expect_close(w.variance, r.variance, 1e-11, seed, "variance of copies");
      expect_close({w.chi2}, {r.chi2}, 1e-8, seed, "chi-square of copies");
      // chi2 is a number unless groups were never at risk together, and 0 with no df
      if (a.df == 0) {
        EXPECT_EQ(a.chi2, 0) << seed;
      }
      const GrayResult c = gray(small, false), d = gray(other, false);
      expect_close(c.score, d.score, 1e-11, seed, "Gray");
      expect_close({c.chi2}, {d.chi2}, 1e-8, seed, "Gray's chi-square");
      expect_close(gray(copies.weighted, true).score, gray(copies.written_out, false).score, 1e-11, seed,
                   "Gray's copies");
    }
  }
}

TEST(SurvivalProperties, LogRankIsTheScoreOfCoxAtZero) {
  for (unsigned seed = 0; seed < n_cohorts; ++seed) {
    SmallCohort small = small_cohort(seed, {.weights = true});
    small.n_columns = 1;
    small.cohort.covariate.resize(small.size());
    std::vector<std::int32_t> group;
    for (double& x : small.cohort.covariate) {
      group.push_back(x > 0);
      x = group.back();
    }
    const LogRankResult test = log_rank(small.cohort.timeline(), group, 2);
    const double zero[] = {0};
    // with Breslow's ties; the variance of the log-rank test shrinks with them, Cox's information does not
    const CoxTerms terms = cox_terms(small.design(), zero, Ties::breslow);
    EXPECT_NEAR(terms.gradient[0], test.observed[1] - test.expected[1], 1e-11) << seed;
    EXPECT_LE(test.variance[3], terms.information[0] + 1e-11) << seed;
    // without ties they are equal: each time a little later than the one before
    double later = 0;
    for (double& time : small.cohort.time) time += later += 1e-4;
    const LogRankResult untied = log_rank(small.cohort.timeline(), group, 2);
    const CoxTerms at_zero = cox_terms(small.design(), zero, Ties::efron);
    EXPECT_NEAR(at_zero.gradient[0], untied.observed[1] - untied.expected[1], 1e-11) << seed;
    EXPECT_NEAR(at_zero.information[0], untied.variance[3], 1e-11) << seed;
  }
}

TEST(SurvivalProperties, GraysScoreWithoutOtherCausesIsThatOfTheLogRankTest) {
  for (unsigned seed = 0; seed < n_cohorts; ++seed) {
    SmallCohort small = small_cohort(seed, {.weights = true, .entries = true});
    for (std::int8_t& cause : small.cause) cause = std::min(cause, std::int8_t{1});
    const std::vector<std::int32_t> group = groups_of(small);
    const GrayResult gray = gray_test(small.causes(), 1, group, 3);
    const LogRankResult test = log_rank(small.cohort.timeline(), group, 3);
    for (std::size_t g = 0; g < 3; ++g)
      EXPECT_NEAR(gray.score[g], test.observed[g] - test.expected[g], 1e-11) << seed;
  }
}

TEST(SurvivalProperties, ConcordanceOfTheOppositeRiskIsWhatIsMissingToOne) {
  ConcordanceCounter counter;
  for (unsigned seed = 0; seed < n_cohorts; ++seed) {
    const SmallCohort small = small_cohort(seed), other = small.at(shuffled(small.size(), seed));
    const Copies copies = copies_of(seed);
    const auto count = [&](const SmallCohort& c, double sign, bool with_error) {
      std::vector<double> risk(c.cohort.covariate.begin(),
                               c.cohort.covariate.begin() + static_cast<std::ptrdiff_t>(c.size()));
      for (double& r : risk) r = std::round(4 * r) * sign;
      return counter.count(make_risk_order(c.cohort.timeline()), risk, {}, {.with_error = with_error});
    };
    const Concordance a = count(small, 1, true), opposite = count(small, -1, true),
                      scaled = count(small, 17, true);
    EXPECT_EQ(std::isnan(a.c), a.verdict == ConcordanceVerdict::no_pairs) << seed;
    EXPECT_EQ(std::isnan(a.se), std::isnan(a.c)) << seed;
    expect_close({a.c}, {1 - opposite.c}, 1e-12, seed, "opposite");
    expect_close({a.se}, {opposite.se}, 1e-12, seed, "error of the opposite");
    expect_close({a.c, a.se}, {scaled.c, scaled.se}, 0, seed, "scaled");
    const Concordance permuted = count(other, 1, true);
    expect_close({a.c, a.se}, {permuted.c, permuted.se}, 1e-12, seed, "order");
    expect_close({count(copies.weighted, 1, false).c}, {count(copies.written_out, 1, false).c}, 1e-12, seed,
                 "copies");
  }
}

TEST(SurvivalProperties, FineGrayWithoutOtherCausesIsCoxAndWeightsAreCopies) {
  for (unsigned seed = 0; seed < n_cohorts; ++seed) {
    // late entries have weights of their own
    SmallCohort small = small_cohort(seed, {.entries = true});
    const auto fit = [](const SmallCohort& c, bool robust = true) {
      return fine_gray_fit(make_fine_gray_design(c.causes(), {.columns = c.columns()}), {.robust = robust});
    };
    const FineGrayFit two = fit(small), permuted = fit(small.at(shuffled(small.size(), seed)));
    EXPECT_EQ(name_of(two.verdict), name_of(permuted.verdict)) << seed;
    EXPECT_EQ(two.infinite, permuted.infinite) << seed;
    const Copies copies = copies_of(seed, true);
    const FineGrayFit weighted = fit(copies.weighted, false), repeated = fit(copies.written_out, false);
    EXPECT_EQ(name_of(weighted.verdict), name_of(repeated.verdict)) << seed;
    SmallCohort one = small;
    for (std::int8_t& cause : one.cause) cause = std::min(cause, std::int8_t{1});
    const FineGrayFit found = fit(one, false);
    const CoxFit cox = cox_fit(one.design(), {.ties = Ties::breslow});
    EXPECT_EQ(name_of(found.verdict), name_of(cox.verdict)) << seed;
    const std::size_t p = two.beta.size();
    for (std::size_t j = 0; j < p; ++j) {
      const bool none = two.verdict == FineGrayVerdict::no_events;
      const auto is = [&](const std::vector<Index>& list) {
        return std::find(list.begin(), list.end(), static_cast<Index>(j)) != list.end();
      };
      EXPECT_EQ(std::isnan(two.beta[j]), none || is(two.aliased)) << seed;
      EXPECT_EQ(std::isinf(two.beta[j]), is(two.infinite)) << seed;
      const double se = std::sqrt(two.naive_covariance[j * p + j]);
      if (two.verdict == FineGrayVerdict::converged) {
        EXPECT_NEAR(two.beta[j], permuted.beta[j], 1e-6 * se) << seed;
      }
      if (found.verdict == FineGrayVerdict::converged) {
        EXPECT_NEAR(found.beta[j], cox.beta[j], 1e-6 * std::sqrt(cox.covariance[j * p + j])) << seed;
      }
    }
    const std::size_t q = weighted.beta.size();
    for (std::size_t j = 0; j < q && weighted.verdict == FineGrayVerdict::converged; ++j) {
      EXPECT_NEAR(weighted.beta[j], repeated.beta[j], 1e-6 * std::sqrt(repeated.naive_covariance[j * q + j]))
          << seed;
    }
  }
}

}  // namespace
}  // namespace chorale::kernels
