// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/sample_rows.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "kernels/baseline_hazard.hpp"
#include "kernels/brier.hpp"
#include "kernels/calibration.hpp"
#include "kernels/concordance.hpp"
#include "kernels/error.hpp"
#include "kernels/level.hpp"
#include "kernels/sample_risks.hpp"
#include "kernels/time_auc.hpp"
#include "tests/kernels/survival_data.hpp"

namespace chorale::kernels {
namespace {

using survival_data::Cohort;
using survival_data::random_cohort;
using survival_data::twenty_four;
using survival_data::With;

constexpr double tight = 1e-12;

/// Two NaN are equal.
void expect_close(double found, double expected, const std::string& what) {
  EXPECT_TRUE(survival_data::close(found, expected, tight)) << what << ": " << found << ", " << expected;
}

/// What all samples share, and the samples: everyone, copies 0 to 3, those without a copy, and weights that are no whole
/// numbers.
struct Case {
  Case(Index n, int days, With with, bool coarse, Ties ties, unsigned seed) {
    cohort = random_cohort({.n = n, .days = days, .with = with, .seed = seed});
    if (coarse)
      for (double& x : cohort.covariate) x = std::floor(2 * x);
    order = make_risk_order(cohort.timeline());
    const auto size = static_cast<std::size_t>(n);
    std::mt19937_64 engine(seed);
    std::uniform_int_distribution<int> copies(0, 3);
    weight.assign(4, std::vector<double>(size, 1));
    for (std::size_t i = 0; i < size; ++i) {
      weight[1][i] = copies(engine);
      weight[2][i] = weight[1][i] == 0 ? 1 : 0;
      weight[3][i] = weight[1][i] * 0.75;
    }
    for (std::size_t s = 0; s < weight.size(); ++s) sample[s].take(order, weight[s], ties);
    EXPECT_TRUE(prediction.take(order, cohort.covariate));
    prediction.centre_at(mean_prediction(prediction, sample[1]));
  }

  Cohort cohort;
  RiskOrder order;
  std::vector<std::vector<double>> weight;
  SampleRows sample[4];
  PredictionRows prediction;
};

/// Calls body(case, its name) at every level, for sizes around the widths of vectors and of the nodes of trees.
template <class Body>
void for_cases(bool strata, const Body& body) {
  const Level before = level();
  for (const Level at : available_levels()) {
    force_level(at);
    unsigned seed = 0;
    for (const Index n : {1, 2, 7, 8, 9, 15, 16, 17, 31, 64, 65, 257, 400, 4097}) {
      for (const bool coarse : {false, true}) {
        ++seed;
        const With with{.stratum = strata && seed % 3 == 0};
        const Ties ties = seed % 2 == 0 ? Ties::efron : Ties::breslow;
        const Case own(n, seed % 4 == 0 ? 3000 : 20, with, coarse, ties, seed);
        body(own, ties,
             std::string(name_of(at)) + ", n " + std::to_string(n) + ", seed " + std::to_string(seed));
      }
    }
  }
  force_level(before);
}

TEST(SampleConcordances, AreThoseOfEachSampleByItself) {
  for_cases(true, [](const Case& own, Ties, const std::string& name) {
    for (const std::size_t n_samples : {1, 2, 3, 4}) {
      std::vector<const SampleRows*> samples;
      for (std::size_t s = 0; s < n_samples; ++s) samples.push_back(&own.sample[s]);
      std::vector<SampleConcordance> found(n_samples);
      SampleConcordances counter;
      counter.count(own.order, own.prediction, samples, 12, found);
      for (std::size_t s = 0; s < n_samples; ++s) {
        ConcordanceCounter alone;
        const double harrell = alone.count(own.order, own.cohort.covariate, own.weight[s]).c;
        const double uno = alone
                               .count(own.order, own.cohort.covariate, own.weight[s],
                                      {.pairs = PairWeight::inverse_censoring, .tau = 12})
                               .c;
        expect_close(found[s].harrell, harrell, name + ", Harrell");
        expect_close(found[s].uno, uno, name + ", Uno");
      }
      counter.count(own.order, own.prediction, samples, missing, found);
      EXPECT_TRUE(std::isnan(found[0].uno));
    }
  });
}

TEST(SampleRisks, HazardAndSlopeAreThoseOfTheSample) {
  Index n_slopes = 0;
  for_cases(true, [&](const Case& own, Ties ties, const std::string& name) {
    SampleRisks risks;
    std::vector<double> cumulative;
    for (std::size_t s = 0; s < 4; ++s) {
      const BaselineHazard hazard = baseline_hazard(own.order, own.cohort.covariate, own.weight[s], ties);
      PredictionRows prediction = own.prediction;
      expect_close(mean_prediction(prediction, own.sample[s]), hazard.centre, name + ", centre");
      prediction.centre_at(hazard.centre);
      risks.cumulative_hazard(own.order, prediction, own.sample[s], cumulative);
      for (std::size_t t = 0; t < cumulative.size(); ++t)
        expect_close(cumulative[t], hazard.cumulative[t], name + ", hazard");

      const CalibrationSlope slope = calibration_slope(own.order, own.cohort.covariate, own.weight[s], ties);
      const auto found = risks.slope(own.order, own.prediction, own.sample[s]);
      if (!found) continue;
      ++n_slopes;
      ASSERT_EQ(slope.verdict, CoxVerdict::converged) << name;
      EXPECT_EQ(found->n_analysed, slope.n_analysed);
      EXPECT_EQ(found->n_events, slope.n_events);
      EXPECT_NEAR(found->slope, slope.slope, 1e-10 * std::max(1.0, slope.se)) << name;
      // the information is that before the last step, of up to 1e-3 standard errors
      EXPECT_NEAR(found->se / slope.se, 1, 1e-3) << name;
    }
  });
  EXPECT_GT(n_slopes, 100);
}

TEST(SampleRisks, NoSlopeWhereThereIsNone) {
  const Cohort cohort = twenty_four({});
  const RiskOrder order = make_risk_order(cohort.timeline());
  SampleRisks risks;
  SampleRows everyone, nobody;
  everyone.take(order, {}, Ties::efron);
  nobody.take(order, std::vector<double>(24, 0), Ties::efron);
  const auto slope_of = [&](const std::vector<double>& eta, const SampleRows& sample) {
    PredictionRows prediction;
    EXPECT_TRUE(prediction.take(order, eta));
    prediction.centre_at(mean_prediction(prediction, sample));
    return risks.slope(order, prediction, sample);
  };
  EXPECT_FALSE(slope_of(std::vector<double>(24, 3), everyone));
  EXPECT_FALSE(slope_of(cohort.covariate, nobody));
  std::vector<double> time = cohort.time;
  for (double& t : time) t = -t;
  EXPECT_FALSE(slope_of(time, everyone));  // monotone
}

TEST(SampleBrier, ScoresAndAreasAreThoseOfTheSample) {
  for_cases(true, [](const Case& own, Ties, const std::string& name) {
    std::vector<double> cumulative;
    for (Index s = 0; s < own.order.n_strata; ++s) cumulative.push_back(0.3 + 0.1 * static_cast<double>(s));
    std::vector<double> of_patient(own.cohort.time.size()), of_row(own.prediction.value.size());
    const double centre = mean_prediction(own.prediction, own.sample[1]);
    predicted_survival(own.order, centre, cumulative, own.cohort.covariate, of_patient);
    survival_of_rows(own.order, cumulative, own.prediction.risk, of_row);
    for (std::size_t row = 0; row < of_row.size(); ++row)
      expect_close(of_row[row], of_patient[static_cast<std::size_t>(own.order.patient[row])], name);
    SampleAuc auc;
    const std::vector<double> horizons{0, 3, 6, 19};
    std::vector<TimeAuc> areas(4);
    for (std::size_t s = 0; s < 4; ++s) {
      const auto alone = time_auc(own.order, own.cohort.covariate, horizons, own.weight[s]);
      auc.areas(own.order, own.prediction, own.sample[s], horizons, areas);
      for (std::size_t h = 0; h < horizons.size(); ++h) {
        EXPECT_EQ(areas[h].verdict, alone[h].verdict) << name;
        expect_close(areas[h].auc, alone[h].auc, name + ", area");
        const BrierScore expected = brier_score(own.order, of_patient, horizons[h], own.weight[s]);
        const BrierScore found = brier_score(own.order, own.sample[s], of_row, horizons[h]);
        EXPECT_EQ(found.verdict, expected.verdict) << name;
        EXPECT_EQ(found.n_analysed, expected.n_analysed) << name;
        expect_close(found.score, expected.score, name + ", Brier");
      }
    }
  });
}

TEST(SampleCalibration, GroupsAreThoseOfTheSample) {
  for_cases(false, [](const Case& own, Ties, const std::string& name) {
    SampleCalibration calibration;
    // where the hazard is nought all predictions are equal, whatever tells the patients apart
    for (const double gathered : {0.4, 0.0}) {
      const std::vector<double> cumulative{gathered};
      std::vector<double> of_patient(own.cohort.time.size()), of_row(own.prediction.value.size());
      const double centre = mean_prediction(own.prediction, own.sample[1]);
      predicted_survival(own.order, centre, cumulative, own.cohort.covariate, of_patient);
      survival_of_rows(own.order, cumulative, own.prediction.risk, of_row);
      for (const double horizon : {0.0, 5.0, 19.0, 1e4}) {
        for (const std::size_t n_groups : {1, 3, 10}) {
          std::vector<CalibrationGroup> found(n_groups);
          for (std::size_t s = 0; s < 4; ++s) {
            const auto expected = calibration_groups(own.order, of_patient, horizon, own.weight[s],
                                                     static_cast<Index>(n_groups));
            calibration.groups(own.order, own.prediction, own.sample[s], of_row, horizon, found);
            for (std::size_t g = 0; g < n_groups; ++g) {
              ASSERT_EQ(found[g].n, expected[g].n) << name;
              expect_close(found[g].weight, expected[g].weight, name + ", weight");
              expect_close(found[g].predicted, expected[g].predicted, name + ", predicted");
              expect_close(found[g].observed, expected[g].observed, name + ", observed");
            }
          }
        }
      }
    }
  });
}

TEST(SampleRows, WholeWeightsAreKeptAsWholeNumbers) {
  const Cohort cohort = twenty_four({});
  const RiskOrder order = make_risk_order(cohort.timeline());
  SampleRows sample;
  sample.take(order, {}, Ties::efron);
  EXPECT_EQ(sample.whole.size(), 24u);
  EXPECT_EQ(sample.total, 24);
  EXPECT_EQ(sample.n_analysed, 24);
  EXPECT_EQ(sample.n_events, 18);  // ones among the events of twenty_four()
  sample.take(order, std::vector<double>(24, 0.5), Ties::efron);
  EXPECT_TRUE(sample.whole.empty());
  sample.take(order, std::vector<double>(24, 1e9), Ties::efron);
  EXPECT_TRUE(sample.whole.empty());  // their sum is beyond 2^31
}

TEST(SampleRows, ArgumentsMustFit) {
  const Cohort cohort = twenty_four({});
  const RiskOrder order = make_risk_order(cohort.timeline());
  SampleRows sample;
  EXPECT_THROW(sample.take(order, std::vector<double>(23, 1), Ties::efron), ShapeError);
  EXPECT_THROW(sample.take(order, std::vector<double>(24, -1), Ties::efron), ShapeError);
  EXPECT_THROW(sample.take(make_risk_order(twenty_four({.entry = true}).timeline()), {}, Ties::efron),
               ShapeError);
  PredictionRows prediction;
  std::vector<double> unknown = cohort.covariate;
  EXPECT_THROW(prediction.take(order, std::span(unknown).first(3)), ShapeError);
  unknown[4] = missing;
  EXPECT_FALSE(prediction.take(order, unknown));

  sample.take(order, {}, Ties::efron);
  ASSERT_TRUE(prediction.take(order, cohort.covariate));
  const RiskOrder other = make_risk_order(random_cohort({.n = 30}).timeline());
  const SampleRows* const samples[] = {&sample};
  std::vector<SampleConcordance> c(1);
  EXPECT_THROW(SampleConcordances().count(other, prediction, samples, missing, c), ShapeError);
  EXPECT_THROW(SampleConcordances().count(order, prediction, samples, missing, {}), ShapeError);
  std::vector<CalibrationGroup> groups(2);
  const std::vector<double> survival(24, 0.5);
  EXPECT_THROW(SampleCalibration().groups(order, prediction, sample, survival, 5, {}), ShapeError);
  EXPECT_THROW(SampleCalibration().groups(other, prediction, sample, survival, 5, groups), ShapeError);
  EXPECT_THROW(brier_score(other, sample, survival, 5), ShapeError);
}

}  // namespace
}  // namespace chorale::kernels
