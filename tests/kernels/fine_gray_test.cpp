// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/fine_gray.hpp"

#include <gtest/gtest.h>
#include <omp.h>

#include <algorithm>
#include <cmath>

#include "kernels/error.hpp"
#include "tests/kernels/causes_data.hpp"

namespace chorale::kernels {
namespace {

using causes_data::causes_of;
using causes_data::random_causes;
using survival_data::Cohort;
using survival_data::twenty_four;

void expect_close(const std::vector<double>& found, const std::vector<double>& expected, const char* what,
                  double tolerance = 1e-10) {
  ASSERT_EQ(found.size(), expected.size()) << what;
  for (std::size_t k = 0; k < found.size(); ++k)
    EXPECT_NEAR(found[k], expected[k], tolerance) << what << " " << k;
}

/// Columns z and x of the 24 patients.
std::vector<double> z_and_x() {
  const Cohort c = twenty_four({});
  std::vector<double> columns = c.covariate;
  columns.insert(columns.end(), c.feature.begin(), c.feature.end());
  return columns;
}

TEST(FineGray, MatchesCrr) {
  // cmprsk 2.2.11: crr(time, cause, cbind(z, x), failcode, gtol = 1e-14); tests/oracle/fine_gray.R
  const std::vector<double> columns = z_and_x();
  const CauseTimeline causes = causes_data::two_causes({});
  const FineGrayFit one = fine_gray_fit(make_fine_gray_design(causes, {.columns = {columns, 2, {}}}));
  EXPECT_EQ(one.verdict, FineGrayVerdict::converged);
  expect_close(one.beta, {0.21074537607606, -0.707424058753867}, "beta");
  expect_close(one.naive_covariance,
               {0.0552634339019488, 0.00605022648537124, 0.00605022648537124, 0.460978553840137}, "naive");
  expect_close(one.covariance,
               {0.0344483967199335, 0.00642749175320972, 0.00642749175320972, 0.389091921934095}, "sandwich");
  EXPECT_NEAR(one.loglik_null, -29.9100607929459, 1e-12);
  EXPECT_NEAR(one.loglik, -28.899754427187, 1e-12);
  const FineGrayFit two =
      fine_gray_fit(make_fine_gray_design(causes, {.cause = 2, .columns = {columns, 2, {}}}));
  expect_close(two.beta, {-0.366968303793733, 0.542264543329304}, "beta 2");
  expect_close(two.covariance,
               {0.112271525361975, -0.0945100343562309, -0.0945100343562309, 0.587481460932396},
               "sandwich 2");
}

TEST(FineGray, EachCensoringGroupHasItsOwnCensoring) {
  // cmprsk 2.2.11: crr(…, cengroup = stratum); the sandwich as defined, patient by patient; tests/oracle/fine_gray.R
  const std::vector<double> columns = z_and_x();
  const Cohort c = twenty_four({.stratum = true});
  const FineGrayFit fit = fine_gray_fit(make_fine_gray_design(
      causes_data::two_causes({}), {.columns = {columns, 2, {}}, .censoring_group = c.stratum}));
  expect_close(fit.beta, {0.204608209889241, -0.699062021374698}, "beta");
  expect_close(fit.naive_covariance,
               {0.0561741329363119, 0.00873701217622232, 0.00873701217622232, 0.461700988190139}, "naive");
  expect_close(fit.covariance,
               {0.0348434639068519, 0.00706064338411419, 0.00706064338411418, 0.393603294865187}, "sandwich");
  EXPECT_NEAR(fit.loglik, -28.9273124686607, 1e-12);
}

TEST(FineGray, WholeWeightsCountCopies) {
  // cmprsk 2.2.11: crr on each patient as often as the weight says; tests/oracle/fine_gray.R
  const std::vector<double> columns = z_and_x();
  Cohort c = twenty_four({.weight = true});
  for (double& weight : c.weight) weight *= 2;
  const FineGrayFit fit = fine_gray_fit(
      make_fine_gray_design(causes_of(c, causes_data::causes, 2), {.columns = {columns, 2, {}}}));
  expect_close(fit.beta, {0.018094410404529, -0.753630945578794}, "beta");
  expect_close(fit.naive_covariance,
               {0.0407763400207972, -0.00719360295045806, -0.00719360295045806, 0.261364779291524}, "naive");
  EXPECT_NEAR(fit.loglik, -53.154523992252, 1e-12);
}

TEST(FineGray, CensoringAfterEventsIsThatOfFinegray) {
  // survival 3.5.3: coxph(Surv(fgstart, fgstop, fgstatus) ~ z + x [+ strata(stratum)], finegray(…), ties = "breslow");
  // tests/oracle/fine_gray.R
  const std::vector<double> columns = z_and_x();
  const FineGrayModel model{.columns = {columns, 2, {}}, .ties = CensoringTies::after_events};
  const FineGrayFit fit = fine_gray_fit(make_fine_gray_design(causes_data::two_causes({}), model));
  expect_close(fit.beta, {0.209954452155229, -0.702167272161009}, "beta");
  expect_close(fit.naive_covariance,
               {0.0552913776219721, 0.00601386706284878, 0.00601386706284878, 0.460979508357981}, "naive");
  const FineGrayFit strata =
      fine_gray_fit(make_fine_gray_design(causes_data::two_causes({.stratum = true}), model));
  expect_close(strata.beta, {0.305333406769917, -1.00790155655388}, "strata");
  expect_close(strata.naive_covariance,
               {0.0663145380304821, -0.0447687570135255, -0.0447687570135255, 0.571500875298746},
               "naive of strata");
  // finegray leaves fractional weights out of G: rows with weighted G by hand in the script
  const FineGrayFit weighted =
      fine_gray_fit(make_fine_gray_design(causes_data::two_causes({.weight = true}), model));
  expect_close(weighted.beta, {0.0175938093757736, -0.750856712685702}, "weights");
  expect_close(weighted.naive_covariance,
               {0.0815953826103459, -0.014518169882902, -0.014518169882902, 0.522704803794744},
               "naive of weights");
}

TEST(FineGray, LateEntriesAreWeighedAsByFinegray) {
  // survival 3.5.3: coxph(Surv(fgstart, fgstop, fgstatus) ~ z + x, finegray(Surv(entry, time, f) ~ ., id = id),
  // ties = "breslow", cluster = id); tests/oracle/fine_gray.R
  const std::vector<double> columns = z_and_x();
  const FineGrayFit fit = fine_gray_fit(
      make_fine_gray_design(causes_data::two_causes({.entry = true}),
                            {.columns = {columns, 2, {}}, .ties = CensoringTies::after_events}));
  EXPECT_EQ(fit.verdict, FineGrayVerdict::converged);
  expect_close(fit.beta, {0.277365952513718, -0.742020656268797}, "beta");
  expect_close(fit.naive_covariance,
               {0.062863367350608, 0.00435650669598942, 0.00435650669598942, 0.478775709889624}, "naive");
  expect_close(fit.covariance,
               {0.0433822920305059, 0.00201557785192265, 0.00201557785192265, 0.412362232940959}, "sandwich");
  EXPECT_NEAR(fit.loglik_null, -26.4268641196111, 1e-11);
  EXPECT_NEAR(fit.loglik, -25.2041844546791, 1e-11);
}

TEST(FineGray, WithoutOtherCausesIsCoxWithLateEntriesToo) {
  const Cohort c = survival_data::random_cohort(
      {.n = 300, .with = {.entry = true, .weight = true, .stratum = true}, .seed = 4, .n_covariates = 3});
  const FineGrayFit fit =
      fine_gray_fit(make_fine_gray_design(causes_of(c, c.event, 1), {.columns = {c.covariate, 3, {}}}));
  const CoxFit cox = cox_fit(make_cox_design(c.timeline(), {c.covariate, 3, {}}), {.ties = Ties::breslow});
  expect_close(fit.beta, cox.beta, "beta");
  expect_close(fit.naive_covariance, cox.covariance, "covariance");
}

TEST(FineGray, OneWeightForAllChangesNothing) {
  // few patients who enter late: some cohorts have days that nobody was observed on
  for (unsigned seed = 1; seed <= 60; ++seed) {
    auto [c, cause] = random_causes({.n = 30, .days = 10, .with = {.entry = true}, .seed = seed}, 2);
    const auto fit = [](const Cohort& cohort, const auto& causes) {
      return fine_gray_fit(
          make_fine_gray_design(causes_of(cohort, causes, 2), {.columns = {cohort.covariate, 1, {}}}));
    };
    const FineGrayFit plain = fit(c, cause);
    c.weight.assign(30, 1. / 3);
    const FineGrayFit thirds = fit(c, cause);
    ASSERT_EQ(plain.verdict, thirds.verdict) << seed;
    if (plain.verdict != FineGrayVerdict::converged) continue;
    EXPECT_NEAR(plain.beta[0], thirds.beta[0], 1e-9) << seed;
    EXPECT_NEAR(plain.naive_covariance[0], thirds.naive_covariance[0] / 3, 1e-9) << seed;
    EXPECT_NEAR(plain.covariance[0], thirds.covariance[0], 1e-9) << seed;
  }
}

/// Fine and Gray's log likelihood as it is written, one pair of patients after the other.
double log_likelihood(const Cohort& c, std::span<const std::int8_t> cause,
                      std::span<const std::int32_t> group, const std::vector<double>& beta) {
  const std::size_t n = c.time.size();
  const auto in = [&](std::size_t i) { return cause[i] >= 0 && c.stratum[i] >= 0; };
  const auto uncensored = [&](std::int32_t g, double before) {
    double survival = 1, last = -1;
    std::vector<double> times;
    for (std::size_t i = 0; i < n; ++i) {
      if (!in(i) || group[i] != g) continue;
      last = std::fmax(last, c.time[i]);
      if (cause[i] == 0 && c.time[i] < before) times.push_back(c.time[i]);
    }
    std::sort(times.begin(), times.end());
    times.erase(std::unique(times.begin(), times.end()), times.end());
    for (const double time : times) {
      double at_risk = 0, censored = 0;
      for (std::size_t i = 0; i < n; ++i) {
        if (!in(i) || group[i] != g || c.time[i] < time) continue;
        at_risk += c.weight[i];
        censored += cause[i] == 0 && c.time[i] == time ? c.weight[i] : 0;
      }
      survival *= 1 - censored / at_risk;
    }
    return before > last ? 0 : survival;
  };
  const auto eta = [&](std::size_t i) {
    double sum = 0;
    for (std::size_t j = 0; j < beta.size(); ++j) sum += beta[j] * c.covariate[j * n + i];
    return sum;
  };
  double loglik = 0;
  for (std::size_t d = 0; d < n; ++d) {
    if (!in(d) || cause[d] != 1) continue;
    double risk = 0;
    for (std::size_t i = 0; i < n; ++i) {
      if (!in(i) || c.stratum[i] != c.stratum[d]) continue;
      const double t = c.time[d];
      const double left = c.time[i] >= t ? 1
                          : cause[i] > 1 ? uncensored(group[i], t) / uncensored(group[i], c.time[i])
                                         : 0;
      risk += c.weight[i] * std::exp(eta(i)) * left;
    }
    loglik += c.weight[d] * (eta(d) - std::log(risk));
  }
  return loglik;
}

TEST(FineGray, ClimbsTheLikelihoodAsItIsWritten) {
  // ties, strata, weights, three causes, two censoring groups
  for (unsigned seed = 1; seed <= 40; ++seed) {
    const auto [c, cause] = random_causes(
        {.n = 60, .days = 15, .with = {.weight = true, .stratum = true}, .seed = seed, .n_covariates = 2}, 3);
    std::vector<std::int32_t> group;
    for (std::size_t i = 0; i < c.time.size(); ++i) group.push_back(static_cast<std::int32_t>(i % 5 == 0));
    const FineGrayFit fit = fine_gray_fit(make_fine_gray_design(
        causes_of(c, cause, 3), {.columns = {c.covariate, 2, {}}, .censoring_group = group}));
    ASSERT_EQ(fit.verdict, FineGrayVerdict::converged) << seed;
    const double top = log_likelihood(c, cause, group, fit.beta);
    EXPECT_NEAR(fit.loglik, top, 1e-10 * std::abs(top)) << seed;
    EXPECT_NEAR(fit.loglik_null, log_likelihood(c, cause, group, {0, 0}), 1e-10 * std::abs(top)) << seed;
    for (std::size_t j = 0; j < 2; ++j) {
      const double step = 1e-4;
      std::vector<double> up = fit.beta, down = fit.beta;
      up[j] += step;
      down[j] -= step;
      const double slope =
          (log_likelihood(c, cause, group, up) - log_likelihood(c, cause, group, down)) / (2 * step);
      EXPECT_NEAR(slope, 0, 1e-5) << seed;
    }
  }
}

TEST(FineGray, WithoutOtherCausesIsCox) {
  const Cohort c =
      survival_data::random_cohort({.n = 300, .with = {.weight = true, .stratum = true}, .n_covariates = 3});
  const FineGrayFit fit =
      fine_gray_fit(make_fine_gray_design(causes_of(c, c.event, 1), {.columns = {c.covariate, 3, {}}}));
  const CoxFit cox = cox_fit(make_cox_design(c.timeline(), {c.covariate, 3, {}}), {.ties = Ties::breslow});
  expect_close(fit.beta, cox.beta, "beta");
  expect_close(fit.naive_covariance, cox.covariance, "covariance");
  EXPECT_NEAR(fit.loglik, cox.loglik, 1e-9);
}

TEST(FineGray, IsTheSameForAnyNumberOfThreads) {
  const auto [c, cause] =
      random_causes({.n = 20'000, .days = 400, .with = {.weight = true}, .n_covariates = 3}, 2);
  const FineGrayDesign design =
      make_fine_gray_design(causes_of(c, cause, 2), {.columns = {c.covariate, 3, {}}});
  omp_set_num_threads(1);
  const FineGrayFit one = fine_gray_fit(design);
  omp_set_num_threads(2);
  const FineGrayFit two = fine_gray_fit(design);
  EXPECT_EQ(one.beta, two.beta);
  EXPECT_EQ(one.covariance, two.covariance);
}

TEST(FineGray, StartsWhereAskedTo) {
  const std::vector<double> columns = z_and_x(), start{0.2, -0.7};
  const FineGrayDesign design =
      make_fine_gray_design(causes_data::two_causes({}), {.columns = {columns, 2, {}}});
  const FineGrayFit fit = fine_gray_fit(design, {.robust = false, .start = start});
  expect_close(fit.beta, {0.21074537607606, -0.707424058753867}, "beta");
  EXPECT_TRUE(fit.covariance.empty());
  EXPECT_LT(fit.iterations, fine_gray_fit(design).iterations);
  EXPECT_THROW(fine_gray_fit(design, {.start = std::span(start).first(1)}), ShapeError);
}

TEST(FineGray, SaysWhatCannotBeFitted) {
  std::vector<double> columns = z_and_x();
  const CauseTimeline causes = causes_data::two_causes({});
  const auto fit_of = [&](const CauseTimeline& who, Index cause) {
    return fine_gray_fit(make_fine_gray_design(
        who, {.cause = cause, .columns = {columns, static_cast<Index>(columns.size()) / 24, {}}}));
  };
  const FineGrayFit none = fit_of(causes_of(twenty_four({}), causes_data::causes, 3), 3);
  EXPECT_EQ(none.verdict, FineGrayVerdict::no_events);
  EXPECT_TRUE(std::isnan(none.beta[0]));

  for (std::size_t i = 0; i < 24; ++i) columns.push_back(2 * columns[i] - 1);  // a copy of z
  const FineGrayFit singular = fit_of(causes, 1);
  EXPECT_EQ(singular.verdict, FineGrayVerdict::singular);
  EXPECT_EQ(singular.aliased, std::vector<Index>{2});
  EXPECT_NEAR(singular.beta[0], 0.21074537607606, 1e-10);
  EXPECT_EQ(singular.covariance[8], 0);

  for (std::size_t i = 0; i < 24; ++i) columns[48 + i] = causes_data::causes[i] == 1 ? 0 : i % 2 == 0;
  const FineGrayFit monotone = fit_of(causes, 1);
  EXPECT_EQ(monotone.verdict, FineGrayVerdict::monotone);
  EXPECT_EQ(monotone.infinite, std::vector<Index>{2});
  EXPECT_TRUE(std::isinf(monotone.beta[2]) && monotone.beta[2] < 0);
  EXPECT_TRUE(std::isnan(monotone.covariance[8]) && std::isfinite(monotone.covariance[0]));
}

TEST(FineGray, CountsWhoLeaves) {
  std::vector<double> columns = z_and_x();
  columns[3] = missing;
  std::vector<std::int32_t> group(24, 0);
  group[5] = -1;
  const FineGrayDesign design = make_fine_gray_design(
      causes_data::two_causes({}), {.columns = {columns, 2, {}}, .censoring_group = group});
  EXPECT_EQ(design.n_missing_covariate, 1);
  EXPECT_EQ(design.n_missing_group, 1);
  EXPECT_EQ(design.n_analysed, 22);
  EXPECT_EQ(design.n_events, 10);
  EXPECT_EQ(design.n_competing, 7);
}

TEST(FineGray, RefusesWhatDoesNotFit) {
  const std::vector<double> columns = z_and_x();
  const CauseTimeline causes = causes_data::two_causes({});
  EXPECT_THROW(make_fine_gray_design(causes, {.cause = 3, .columns = {columns, 2, {}}}), ShapeError);
  EXPECT_THROW(make_fine_gray_design(causes, {.columns = {columns, 1, {}}}), ShapeError);
  const std::vector<std::int32_t> group(23, 0);
  EXPECT_THROW(make_fine_gray_design(causes, {.columns = {columns, 2, {}}, .censoring_group = group}),
               ShapeError);
}

}  // namespace
}  // namespace chorale::kernels
