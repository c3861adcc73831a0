// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/kaplan_meier.hpp"

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

void expect_close(std::span<const double> found, const std::vector<double>& expected, const char* what) {
  ASSERT_EQ(found.size(), expected.size()) << what;
  for (std::size_t k = 0; k < found.size(); ++k) {
    EXPECT_TRUE(close(found[k], expected[k], 1e-12))
        << what << " " << k << ": " << found[k] << ", " << expected[k];
  }
}

TEST(KaplanMeier, MultipliesTheChancesOfSurvivingEachTime) {
  Cohort c;  // four patients: death, death, censored, death
  c.time = {1, 2, 3, 4};
  c.event = {1, 1, 0, 1};
  const KmCurve curve = kaplan_meier(c.timeline(), {}, {.type = ConfType::plain});

  expect_close(curve.at_risk, {4, 3, 2, 1}, "at risk");
  expect_close(curve.survival, {3. / 4, 3. / 4 * 2 / 3, 1. / 2, 0}, "survival");
  // Greenwood: S sqrt(1/(4·3)), S sqrt(1/12 + 1/(3·2)); undefined once survival is 0
  expect_close(curve.se, {0.75 * std::sqrt(1. / 12), 0.5 * std::sqrt(1. / 4), 0.25, nan}, "se");
  // the curve rests on one half from 2 to 4; the lower limit falls below it at 1, the upper never does
  const KmMedian median = km_median(curve);
  EXPECT_EQ(median.time, 3);
  EXPECT_EQ(median.lower, 1);
  EXPECT_TRUE(std::isnan(median.upper));
}

TEST(KaplanMeier, MatchesRSurvfitOnEachScale) {
  // survival 3.5.3: survfit(Surv(time, event) ~ 1, conf.type), summary(…, censored = TRUE), summary(…,
  // times = c(0, 4.5, 9)), summary(…)$table; tests/oracle/survival.R
  struct Expected {
    ConfType type;
    std::vector<double> lower, upper, median, lower_at, upper_at;
  };
  const Expected cases[] = {
      {ConfType::plain,
       {0.878387626534358, 0.806091509152037, 0.742687308728934, 0.680303311645411, 0.566554701883085,
        0.462806311345908, 0.40911666886866, 0.357652827525203, 0.302051471218526, 0.199063215618777,
        0.141712963997471, 0.141712963997471, 0.0144629450730719, 0, 0, nan},
       {1, 1, 1, 0.982196688354589, 0.920945298116915, 0.849693688654092, 0.80963333113134, 0.767347172474797,
        0.720675801508747, 0.619118602563042, 0.55958573730123, 0.55958573730123, 0.406316275706149,
        0.312470005484059, 0.312470005484059, nan},
       {9, 5, 12},
       {0.878387626534358, 0.566554701883085, 0.199063215618777},
       {1, 0.920945298116915, 0.619118602563042}},
      {ConfType::log,
       {0.881631402331465, 0.81250044137222, 0.752205367727069, 0.693215273513553, 0.586081687238021,
        0.488710592461403, 0.438695164396418, 0.390808778577891, 0.339596920671324, 0.244823213975271,
        0.193239644874324, 0.193239644874324, 0.0829057754331519, 0.0410873620612195, 0.0410873620612195,
        nan},
       {1, 1, 1, 0.996770539976412, 0.943834408317466, 0.881225144580865, 0.846459958444967, 0.80961909594602,
        0.770009245307984, 0.683576402676139, 0.636282307343179, 0.636282307343179, 0.533904760297219,
        0.478804034885902, 0.478804034885902, nan},
       {9, 5, 13},
       {0.881631402331465, 0.586081687238021, 0.244823213975271},
       {1, 0.943834408317466, 0.683576402676139}},
      {ConfType::log_log,
       {0.739206151146895, 0.706055267844015, 0.660755349675342, 0.610370398125975, 0.515814749273222,
        0.428243844532703, 0.382253322054556, 0.338411075987042, 0.29091706313452, 0.204443398103879,
        0.157164589664265, 0.157164589664265, 0.0588365243983045, 0.0254772693760199, 0.0254772693760199,
        nan},
       {0.994023720195695, 0.978483036574296, 0.957882140863665, 0.933145957789049, 0.875995837368574,
        0.811227133032391, 0.774822199458603, 0.736730081686919, 0.694684657352851, 0.604555370355005,
        0.552393788415991, 0.552393788415991, 0.424139219949232, 0.34947583715783, 0.34947583715783, nan},
       {9, 5, 12},
       {0.739206151146895, 0.515814749273222, 0.204443398103879},
       {0.994023720195695, 0.875995837368574, 0.604555370355005}},
  };
  const std::vector<double> landmarks{0, 4.5, 9};
  const Timeline timeline = twenty_four({}).timeline();
  for (const Expected& expected : cases) {
    const KmCurve curve = kaplan_meier(timeline, {}, {.type = expected.type});
    expect_close(curve.time, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, "time");
    expect_close(curve.at_risk, {24, 23, 22, 20, 19, 17, 14, 13, 11, 10, 7, 6, 5, 3, 2, 1}, "at risk");
    expect_close(curve.events, {1, 1, 1, 1, 2, 2, 1, 1, 1, 2, 1, 0, 2, 1, 0, 1}, "events");
    expect_close(curve.censored, {0, 0, 1, 0, 0, 1, 0, 1, 0, 1, 0, 1, 0, 0, 1, 0}, "censored");
    expect_close(curve.survival,
                 {0.958333333333333, 0.916666666666667, 0.875, 0.83125, 0.74375, 0.65625, 0.609375, 0.5625,
                  0.511363636363636, 0.409090909090909, 0.350649350649351, 0.350649350649351,
                  0.21038961038961, 0.14025974025974, 0.14025974025974, 0},
                 "survival");
    expect_close(curve.se,
                 {0.04078937543219, 0.0564169333655275, 0.0675077156084152, 0.0770150316767231,
                  0.0904074256030259, 0.098697573108461, 0.102174495404483, 0.104515784009607,
                  0.106793883355071, 0.107158955536328, 0.106602156111002, 0.106602156111002,
                  0.0999644212148708, 0.0878639947380111, 0.0878639947380111, nan},
                 "se");
    expect_close(curve.lower, expected.lower, "lower");
    expect_close(curve.upper, expected.upper, "upper");
    const KmMedian median = km_median(curve);
    expect_close(std::vector{median.time, median.lower, median.upper}, expected.median, "median");
    const auto points = km_landmarks(timeline, {}, curve, landmarks);
    const std::vector<double> at_risk{24, 17, 10}, survival{0.958333333333333, 0.74375, 0.409090909090909};
    for (std::size_t k = 0; k < points.size(); ++k) {
      EXPECT_EQ(points[k].at_risk, at_risk[k]);
      EXPECT_TRUE(close(points[k].survival, survival[k], 1e-13));
      EXPECT_TRUE(close(points[k].lower, expected.lower_at[k], 1e-12));
      EXPECT_TRUE(close(points[k].upper, expected.upper_at[k], 1e-12));
    }
  }
}

TEST(KaplanMeier, WholeWeightsCountCopies) {
  // survival 3.5.3: survfit(Surv(time, event) ~ 1, weights = weight, conf.type = "log"); tests/oracle/survival.R
  Cohort c = twenty_four({.weight = true});
  for (double& weight : c.weight) weight *= 2;
  const KmCurve curve = kaplan_meier(c.timeline(), {}, {.type = ConfType::log});
  expect_close(curve.at_risk, {36, 35, 33, 31, 28, 25, 21, 20, 18, 14, 10, 9, 8, 5, 4, 1}, "at risk");
  expect_close(
      curve.survival,
      {0.972222222222222, 0.916666666666667, 0.888888888888889, 0.802867383512545, 0.716845878136201,
       0.630824372759857, 0.600785116914149, 0.570745861068442, 0.443913447497677, 0.348789137319603,
       0.313910223587643, 0.313910223587643, 0.196193889742277, 0.156955111793821, 0.156955111793821, 0},
      "survival");
  expect_close(
      curve.se,
      {0.0273892582550908, 0.0460642331993805, 0.0523782800878924, 0.0668284906384969, 0.0759117707467584,
       0.0814440516896839, 0.0829206559638368, 0.0840397542956013, 0.0860256276510345, 0.0832976592553729,
       0.081945529415112, 0.081945529415112, 0.0742292214365257, 0.0689792058344913, 0.0689792058344913, nan},
      "se");
  expect_close(
      curve.lower,
      {0.919995401806164, 0.830686116707525, 0.791935744596572, 0.682012164417171, 0.582486910567901,
       0.489792470332404, 0.45839082014601, 0.427668419812568, 0.303629974641393, 0.218413458034012,
       0.188192056862537, 0.188192056862537, 0.0934623227786573, 0.0663263809870203, 0.0663263809870203, nan},
      "lower");
  expect_close(curve.upper,
               {1, 1, 0.997711572158708, 0.945138619424968, 0.882196670307768, 0.812465305964789,
                0.787412707328165, 0.76169018528308, 0.649010853101748, 0.556988856855187, 0.523612048859328,
                0.523612048859328, 0.411845556881394, 0.371419437509065, 0.371419437509065, nan},
               "upper");
}

TEST(KaplanMeier, LateEntriesJoinTheRiskSetAfterTheirEntry) {
  // survival 3.5.3: survfit(Surv(entry, time, event) ~ 1, conf.type = "log-log"); tests/oracle/survival.R
  const KmCurve curve = kaplan_meier(twenty_four({.entry = true}).timeline(), {}, {});
  expect_close(curve.time, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, "time");
  expect_close(curve.at_risk, {18, 18, 17, 17, 16, 14, 13, 11, 10, 7, 6, 5, 3, 2, 1}, "at risk");
  expect_close(curve.survival,
               {0.944444444444444, 0.891975308641975, 0.839506172839506, 0.740740740740741, 0.648148148148148,
                0.601851851851852, 0.555555555555556, 0.505050505050505, 0.404040404040404, 0.346320346320346,
                0.346320346320346, 0.207792207792208, 0.138528138528139, 0.138528138528139, 0},
               "survival");
  expect_close(
      curve.se,
      {0.0539902953226417, 0.0721119296661525, 0.0848375643131206, 0.0995340462752907, 0.106470298213953,
       0.108464712288923, 0.109557033020363, 0.110627734119995, 0.109150599442256, 0.107743661546077,
       0.107743661546077, 0.0996802103049014, 0.087260558133433, 0.087260558133433, nan},
      "se");
  expect_close(curve.lower,
               {0.66639016833533, 0.633069535361013, 0.581149960267825, 0.485894017204189, 0.402074566733911,
                0.361298323978413, 0.321588178023641, 0.277857079630945, 0.196815270892215, 0.151901502341653,
                0.151901502341653, 0.0573623642423837, 0.0249372079616214, 0.0249372079616214, nan},
               "lower");
  const KmMedian median = km_median(curve);
  expect_close(std::vector{median.time, median.lower, median.upper}, {9, 4, 12}, "median");
}

TEST(KaplanMeier, SaysNothingBeyondTheLastFollowUp) {
  const Timeline timeline = twenty_four({}).timeline();
  const std::vector<double> landmarks{15, 15.5};
  const auto points = km_landmarks(timeline, {}, kaplan_meier(timeline, {}, {}), landmarks);
  EXPECT_EQ(points[0].survival, 0);
  EXPECT_TRUE(std::isnan(points[1].survival));
  EXPECT_EQ(points[1].at_risk, 0);
}

TEST(KaplanMeier, OfNobodyIsEmpty) {
  const Timeline timeline = twenty_four({}).timeline();
  const std::vector<std::uint8_t> nobody(24, 0);
  const KmCurve curve = kaplan_meier(timeline, nobody, {});
  EXPECT_TRUE(curve.time.empty());
  EXPECT_TRUE(std::isnan(km_median(curve).time));
}

TEST(KaplanMeier, RefusesALevelOfOne) {
  EXPECT_THROW(kaplan_meier(twenty_four({}).timeline(), {}, {.type = ConfType::log, .level = 1}), ShapeError);
}

TEST(KaplanMeier, RefusesAMaskOfAnotherLength) {
  const std::vector<std::uint8_t> mask(23, 1);
  EXPECT_THROW(kaplan_meier(twenty_four({}).timeline(), mask, {}), ShapeError);
}

}  // namespace
}  // namespace chorale::kernels
