// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/nelson_aalen.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "kernels/error.hpp"
#include "tests/kernels/survival_data.hpp"

namespace chorale::kernels {
namespace {

using survival_data::close;
using survival_data::Cohort;
using survival_data::twenty_four;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double normal_quantile_of_975 = 1.95996398454005;

void expect_close(std::span<const double> found, const std::vector<double>& expected, const char* what) {
  ASSERT_EQ(found.size(), expected.size()) << what;
  for (std::size_t k = 0; k < found.size(); ++k) {
    EXPECT_TRUE(close(found[k], expected[k], 1e-12))
        << what << " " << k << ": " << found[k] << ", " << expected[k];
  }
}

TEST(NelsonAalen, AddsDeathsOverThoseAtRisk) {
  Cohort c;  // two of four die together, one is censored, the last dies
  c.time = {1, 1, 2, 3};
  c.event = {1, 1, 0, 1};
  const HazardCurve curve = nelson_aalen(c.timeline(), {}, {.conf = HazardConf::plain});
  expect_close(curve.hazard, {2. / 4, 2. / 4, 2. / 4 + 1}, "hazard");
  expect_close(curve.variance, {2. / 16, 2. / 16, 2. / 16 + 1}, "variance");
  // 1/2 − 1.96 √(1/8) < 0
  expect_close(curve.lower, {0, 0, 0}, "lower");

  // one after the other: 1/4 + 1/3
  const HazardCurve apart = nelson_aalen(c.timeline(), {}, {.ties = HazardTies::fleming_harrington});
  expect_close(apart.hazard, {1. / 4 + 1. / 3, 1. / 4 + 1. / 3, 1. / 4 + 1. / 3 + 1}, "apart");
  expect_close(apart.variance, {1. / 16 + 1. / 9, 1. / 16 + 1. / 9, 1. / 16 + 1. / 9 + 1}, "variance apart");
}

TEST(NelsonAalen, MatchesRSurvfitOnEachScale) {
  // survival 3.5.3: survfit(Surv(time, event) ~ 1, stype = 2, ctype = 1, conf.type = "log", "log-log");
  // tests/oracle/nelson_aalen.R
  const Timeline timeline = twenty_four({}).timeline();
  const HazardCurve plain = nelson_aalen(timeline, {}, {.conf = HazardConf::plain});
  expect_close(plain.hazard,
               {0.0416666666666667, 0.0851449275362319, 0.130599472990777, 0.180599472990777,
                0.285862630885514, 0.403509689709044, 0.474938261137615, 0.551861338060692, 0.642770428969783,
                0.842770428969783, 0.985627571826926, 0.985627571826926, 1.38562757182693, 1.71896090516026,
                1.71896090516026, 2.71896090516026},
               "hazard");
  expect_close(plain.variance,
               {0.00173611111111111, 0.00362647027935308, 0.00569258598183242, 0.00819258598183241,
                0.0137327521868186, 0.0206531674117321, 0.0257552082280586, 0.0316723679913722,
                0.0399368308012896, 0.0599368308012896, 0.0803449940665957, 0.0803449940665957,
                0.160344994066596, 0.271456105177707, 0.271456105177707, 1.27145610517771},
               "variance");
  expect_close(plain.lower,
               {0, 0, 0, 0.00319743894323554, 0.0561806724724498, 0.121839151439471, 0.160394827210773,
                0.203051794910383, 0.251087277746524, 0.362932052674113, 0.430072006508981, 0.430072006508981,
                0.600797213207134, 0.697791257321971, 0.697791257321971, 0.508927812566327},
               "lower");
  const HazardCurve log = nelson_aalen(timeline, {}, {.conf = HazardConf::log});
  expect_close(log.upper,
               {0.295794641009639, 0.340553528262163, 0.40522200363934, 0.482305213483062, 0.638410229922016,
                0.810986969639848, 0.921006969248233, 1.03831754275386, 1.18222640984079, 1.48928726556628,
                1.73183227847007, 1.73183227847007, 2.44137407266475, 3.11360791394947, 3.11360791394947,
                6.12925045874196},
               "upper");
}

TEST(NelsonAalen, LetsTiedDeathsHappenOneAfterTheOther) {
  // survival 3.5.3: survfit(Surv(entry, time, event) ~ 1, ctype = 2); tests/oracle/nelson_aalen.R
  const HazardOptions apart{.ties = HazardTies::fleming_harrington};
  const HazardCurve curve = nelson_aalen(twenty_four({.entry = true}).timeline(), {}, apart);
  expect_close(
      curve.hazard,
      {0.0555555555555556, 0.111111111111111, 0.169934640522876, 0.291258169934641, 0.420424836601307,
       0.491853408029879, 0.568776484952956, 0.659685575862046, 0.870796686973158, 1.0136538298303,
       1.0136538298303, 1.4636538298303, 1.79698716316363, 1.79698716316363, 2.79698716316363},
      "hazard");
  EXPECT_NEAR(curve.variance.back(), 1.30099881595385, 1e-13);
}

TEST(NelsonAalen, WholeWeightsAreThoseOfR) {
  // survival 3.5.3: survfit(Surv(time, event) ~ 1, weights = weight, ctype = 1, 2); tests/oracle/nelson_aalen.R
  Cohort c = twenty_four({.weight = true});
  for (double& weight : c.weight) weight *= 2;
  const HazardCurve together = nelson_aalen(c.timeline(), {});
  EXPECT_NEAR(together.hazard.back(), 2.64826770004189, 1e-13);
  EXPECT_NEAR(together.variance[13], 0.144365185593738, 1e-14);
  const HazardCurve apart = nelson_aalen(c.timeline(), {}, {.ties = HazardTies::fleming_harrington});
  expect_close(apart.variance,
               {0.000771604938271605, 0.00240425799949609, 0.00332253164504247, 0.0064442798240227,
                0.0104935365861793, 0.0156096977450747, 0.0178772714412199, 0.0203772714412199,
                0.0327229504535655, 0.0499760116780553, 0.0599760116780553, 0.0599760116780553,
                0.118916470257937, 0.158916470257937, 0.158916470257937, 1.15891647025794},
               "variance");
}

TEST(NelsonAalen, PatientsOfNoWeightLeave) {
  Cohort c = twenty_four({});
  const HazardCurve before = nelson_aalen(c.timeline(), {}, {.ties = HazardTies::fleming_harrington});
  c.weight.assign(24, 1);
  c.time.push_back(3.5);
  c.event.push_back(1);
  c.weight.push_back(0);
  const HazardCurve after = nelson_aalen(c.timeline(), {}, {.ties = HazardTies::fleming_harrington});
  EXPECT_EQ(before.time, after.time);
  EXPECT_EQ(before.hazard, after.hazard);
}

TEST(NelsonAalen, OfNobodyIsEmpty) {
  const std::vector<std::uint8_t> nobody(24, 0);
  EXPECT_TRUE(nelson_aalen(twenty_four({}).timeline(), nobody).time.empty());
}

TEST(NelsonAalen, HasNoIntervalOnTheLogScaleBeforeAnyDeath) {
  Cohort c;
  c.time = {1, 2};
  c.event = {0, 1};
  const HazardCurve curve = nelson_aalen(c.timeline(), {});
  expect_close(curve.lower, {nan, std::exp(-normal_quantile_of_975)}, "lower");
}

TEST(NelsonAalen, RefusesALevelOfOne) {
  EXPECT_THROW(nelson_aalen(twenty_four({}).timeline(), {}, {.level = 1}), ShapeError);
}

}  // namespace
}  // namespace chorale::kernels
