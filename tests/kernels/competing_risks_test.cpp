// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/competing_risks.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "kernels/error.hpp"
#include "tests/kernels/causes_data.hpp"

namespace chorale::kernels {
namespace {

using causes_data::causes_of;
using causes_data::random_causes;
using causes_data::two_causes;
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

std::span<const double> of_cause(const std::vector<double>& values, Index cause,
                                 const CumulativeIncidence& curve) {
  const auto n = static_cast<std::size_t>(curve.n_times());
  return std::span(values).subspan(static_cast<std::size_t>(cause - 1) * n, n);
}

/// What survfit says: cause 1, cause 2, limits of cause 1.
struct Expected {
  std::vector<double> time, f1, se1, f2, se2, lower1, upper1;
};

void expect_matches(const CumulativeIncidence& curve, const Expected& expected) {
  expect_close(curve.time, expected.time, "time");
  expect_close(of_cause(curve.incidence, 1, curve), expected.f1, "F 1");
  expect_close(of_cause(curve.incidence, 2, curve), expected.f2, "F 2");
  expect_close(of_cause(curve.se, 1, curve), expected.se1, "se 1");
  expect_close(of_cause(curve.se, 2, curve), expected.se2, "se 2");
  expect_close(of_cause(curve.lower, 1, curve), expected.lower1, "lower 1");
  expect_close(of_cause(curve.upper, 1, curve), expected.upper1, "upper 1");
}

TEST(CumulativeIncidence, SharesEventsAmongTheCauses) {
  Cohort c;  // four patients: cause 1, cause 2, censored, cause 1
  c.time = {1, 2, 3, 4};
  const CumulativeIncidence curve =
      cumulative_incidence(causes_of(c, std::vector<std::int8_t>{1, 2, 0, 1}, 2));
  expect_close(curve.time, {1, 2, 4}, "time");
  expect_close(curve.at_risk, {4, 3, 1}, "at risk");
  expect_close(curve.event_free, {0.75, 0.5, 0}, "event-free");
  expect_close(of_cause(curve.incidence, 1, curve), {0.25, 0.25, 0.75}, "F 1");
  expect_close(of_cause(curve.incidence, 2, curve), {0, 0.25, 0.25}, "F 2");
  // one of four: √(1/4 · 3/4 / 4); S(2) = 1/2 falls to 0 at 4, so at the end F 1 = 1 − F 2
  expect_close(of_cause(curve.se, 1, curve), {std::sqrt(3. / 64), std::sqrt(3. / 64), std::sqrt(3. / 64)},
               "se");
  EXPECT_EQ(curve.n_events, (std::vector<Index>{2, 1}));
}

TEST(CumulativeIncidence, MatchesRSurvfit) {
  // survival 3.5.3: survfit(Surv(time, factor(cause)) ~ 1); tests/oracle/competing_risks.R
  expect_matches(
      cumulative_incidence(two_causes({})),
      {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 15},
       {0.0416666666666667, 0.0416666666666667, 0.0833333333333333, 0.127083333333333, 0.170833333333333,
        0.214583333333333, 0.261458333333333, 0.261458333333333, 0.312594696969697, 0.363731060606061,
        0.422172619047619, 0.492302489177489, 0.562432359307359, 0.562432359307359},
       {0.04078937543219, 0.04078937543219, 0.0564169333655275, 0.0686207223081526, 0.0778852803689385,
        0.0851751752245749, 0.0920723388964591, 0.0920723388964591, 0.0988151176714746, 0.103714283029105,
        0.109066380717707, 0.115101699458304, 0.116375122490796, 0.116375122490796},
       {0, 0.0416666666666667, 0.0416666666666667, 0.0416666666666667, 0.0854166666666667, 0.129166666666667,
        0.129166666666667, 0.176041666666667, 0.176041666666667, 0.22717803030303, 0.22717803030303,
        0.2973079004329, 0.2973079004329, 0.437567640692641},
       {0, 0.04078937543219, 0.04078937543219, 0.04078937543219, 0.0578067126732925, 0.0696479656585199,
        0.0696479656585199, 0.0801047359078377, 0.0801047359078377, 0.0898806179984929, 0.0898806179984929,
        0.104681570830536, 0.104681570830536, 0.116375122490796},
       {0.00611658837154872, 0.00611658837154872, 0.0221081592897653, 0.0441030288288452, 0.0699033604457884,
        0.0985657721017877, 0.131115054268965, 0.131115054268965, 0.16823102308809, 0.208002598874068,
        0.254440362701548, 0.311328392432293, 0.374925339765134, 0.374925339765134},
       {0.283836512390898, 0.283836512390898, 0.314112285578623, 0.36619193828584, 0.417491056104672,
        0.46716021152752, 0.521377659114658, 0.521377659114658, 0.580840815088015, 0.636051112658016,
        0.700477386453756, 0.778476190227526, 0.843715068696617, 0.843715068696617}});
}

TEST(CumulativeIncidence, MatchesRSurvfitWithFractionalWeights) {
  // survival 3.5.3: survfit(…, weights = half, conf.type = "log-log"); tests/oracle/competing_risks.R
  expect_matches(
      cumulative_incidence(two_causes({.weight = true}), {}, {.conf = ConfType::log_log}),
      {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 15},
       {0.0277777777777778, 0.0277777777777778, 0.0555555555555556, 0.1415770609319, 0.170250896057348,
        0.198924731182796, 0.228963987028503, 0.228963987028503, 0.355796400599268, 0.387504503991959,
        0.42238341772392, 0.50086097362083, 0.540099751569286, 0.540099751569286},
       {0.0277563360317978, 0.0277563360317978, 0.0392230402072186, 0.0868536736605871, 0.0898637680308955,
        0.0927698124826527, 0.0960147016464064, 0.0960147016464064, 0.126160973466459, 0.125843079353217,
        0.126167378653217, 0.130024835703726, 0.129978274199496, 0.129978274199496},
       {0, 0.0555555555555556, 0.0555555555555556, 0.0555555555555556, 0.112903225806452, 0.170250896057348,
        0.170250896057348, 0.200290151903055, 0.200290151903055, 0.263706358688438, 0.263706358688438,
        0.302945136636893, 0.302945136636893, 0.459900248430714},
       {0, 0.0539461675708288, 0.0539461675708288, 0.0539461675708288, 0.0751604533926561, 0.0894680985437674,
        0.0894680985437674, 0.0928573087807661, 0.0928573087807661, 0.10531214831059, 0.10531214831059,
        0.110597198100431, 0.110597198100431, 0.129978274199496},
       {0.00205076137015625, 0.00205076137015625, 0.00941720133145815, 0.0268866465592738, 0.0417588684877825,
        0.0581845704232346, 0.0761959126120818, 0.0761959126120818, 0.132047218001717, 0.156411974907146,
        0.182687605609058, 0.23616197769755, 0.265877096422372, 0.265877096422372},
       {0.125590838800042, 0.125590838800042, 0.166834604555407, 0.34755125174846, 0.372687309878429,
        0.39977260422011, 0.429919638765695, 0.429919638765695, 0.590097460710847, 0.616044190965354,
        0.646016628911004, 0.718026374264985, 0.750929499661963, 0.750929499661963}});
}

TEST(CumulativeIncidence, MatchesRSurvfitWithLateEntries) {
  // survival 3.5.3: survfit(Surv(entry, time, factor(cause)) ~ 1, id = id), with and without weights;
  // tests/oracle/competing_risks.R
  const Expected plain{
      {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 15},
      {0, 0.0524691358024691, 0.104938271604938, 0.154320987654321, 0.200617283950617, 0.246913580246914,
       0.246913580246914, 0.297418630751964, 0.347923681257015, 0.405643738977072, 0.474907808241142,
       0.544171877505211, 0.544171877505211},
      {0, 0.0510887620332113, 0.070138490137699, 0.0816320116451107, 0.0899213935815139, 0.0953219786235475,
       0.0953219786235475, 0.102650748777542, 0.106588846225486, 0.11297017174972, 0.118077939983216,
       0.119381577743683, 0.119381577743683},
      {0.0555555555555556, 0.0555555555555556, 0.0555555555555556, 0.104938271604938, 0.151234567901235,
       0.151234567901235, 0.197530864197531, 0.197530864197531, 0.248035914702581, 0.248035914702581,
       0.317299983966651, 0.317299983966651, 0.455828122494789},
      {0.0539902953226417, 0.0539902953226417, 0.0539902953226417, 0.0719310691150899, 0.0814972927613402,
       0.0814972927613402, 0.0888603053151414, 0.0888603053151414, 0.0963010025730327, 0.0963010025730327,
       0.110721933046125, 0.110721933046125, 0.119381577743683},
      {0, 0, 0, 0, 0.0243745910911989, 0.0600859352096636, 0.0600859352096636, 0.0962268601619126,
       0.139013381501385, 0.184226271020316, 0.243479298505356, 0.310188284710023, 0.310188284710023},
      {0, 0.152601269402301, 0.242407186204846, 0.314316790464292, 0.376859976810036, 0.433741225284163,
       0.433741225284163, 0.498610401342016, 0.556833981012644, 0.627061206933829, 0.706336317976927,
       0.778155470300398, 0.778155470300398}},
      weighted{{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 15},
               {0, 0.0355029585798817, 0.142011834319527, 0.172052799271734, 0.200842057350933,
                0.229631315430132, 0.229631315430132, 0.351185960653416, 0.381574621959237, 0.41500214939564,
                0.490214086127548, 0.527820054493501, 0.527820054493501},
               {0, 0.0353878864106825, 0.101659396624619, 0.103284611866844, 0.10479990458458,
                0.106172677285729, 0.106172677285729, 0.137791676492902, 0.1363048811794, 0.135897582506337,
                0.136816313903574, 0.135906111127401, 0.135906111127401},
               {0.0769230769230769, 0.0769230769230769, 0.0769230769230769, 0.137005006827492,
                0.19458352298589, 0.19458352298589, 0.223372781065089, 0.223372781065089, 0.284150103676731,
                0.284150103676731, 0.321756072042684, 0.321756072042684, 0.472179945506499},
               {0.0735491295541778, 0.0735491295541778, 0.0735491295541778, 0.0927529700451167,
                0.102635562579563, 0.102635562579563, 0.104699085780436, 0.104699085780436, 0.113547139347752,
                0.113547139347752, 0.119055525414852, 0.119055525414852, 0.135906111127401},
               {nan, 0.00503294189488965, 0.0349132729403154, 0.0530492127730289, 0.0722263214409014,
                0.0927829762163598, 0.0927829762163598, 0.162764186821779, 0.189459312068501,
                0.218430802515639, 0.283674088579398, 0.318649814640289, 0.318649814640289},
               {nan, 0.250442006732611, 0.577641664282607, 0.5580132897333, 0.558487974968535,
                0.56832129315631, 0.56832129315631, 0.757731669160774, 0.768498473543975, 0.78847297184961,
                0.847133594193627, 0.874295220413092, 0.874295220413092}};
  CumulativeIncidence curve =
      cumulative_incidence(two_causes({.entry = true}), {}, {.conf = ConfType::plain});
  curve.lower[0] = curve.upper[0] = 0;  // R's plain interval of 0 is from 0 to 0, here there is none
  expect_matches(curve, plain);
  expect_matches(cumulative_incidence(two_causes({.entry = true, .weight = true})), weighted);
}

TEST(CumulativeIncidence, HasTheVarianceOfCumincWhereAskedTo) {
  // cmprsk 2.2.11: timepoints(cuminc(time, cause))$var; tests/oracle/competing_risks.R
  const CumulativeIncidence curve =
      cumulative_incidence(two_causes({}), {}, {.variance = IncidenceVariance::gray});
  const std::vector<double> of_one{
      0.00173611111111111, 0.00173611111111111, 0.00332812491863123, 0.00493639968069269, 0.00637232272770465,
      0.0076307387187504,  0.00893922543250068, 0.00893922543250068, 0.0103737498854364,  0.0115084207897709,
      0.0128969664188695,  0.0148649243341716,  0.0156964891194804,  0.0156964891194804},
      of_two{0,
             0.00173939298466709,
             0.00173939298466709,
             0.00173939298466709,
             0.00351184305231332,
             0.00510678606399335,
             0.00510678606399335,
             0.00678883901445448,
             0.00678883901445448,
             0.00864049209298537,
             0.00864049209298537,
             0.0123110397386411,
             0.0123110397386411,
             0.0353692838572102};
  for (std::size_t k = 0; k < of_one.size(); ++k) {
    EXPECT_NEAR(curve.se[k] * curve.se[k], of_one[k], 1e-14) << k;
    EXPECT_NEAR(curve.se[of_one.size() + k] * curve.se[of_one.size() + k], of_two[k], 1e-14) << k;
  }
}

TEST(CumulativeIncidence, OfOneCauseIsOneLessSurvival) {
  // and its error Greenwood's, with late entries too
  for (const bool late : {false, true}) {
    const Cohort c = survival_data::random_cohort({.n = 200, .with = {.entry = late}, .seed = 5});
    const KmCurve km = kaplan_meier(c.timeline(), {});
    const CumulativeIncidence curve =
        cumulative_incidence(causes_of(c, c.event, 1), {}, {.variance = IncidenceVariance::aalen});
    std::size_t row = 0;
    for (std::size_t k = 0; k < km.time.size(); ++k) {
      if (km.events[k] == 0) continue;
      EXPECT_NEAR(curve.incidence[row], 1 - km.survival[k], 1e-13);
      if (km.survival[k] > 0) {
        EXPECT_NEAR(curve.se[row], km.se[k], 1e-12);
      }
      ++row;
    }
  }
}

TEST(CumulativeIncidence, JackknifeIsTheDerivativeByEachWeight) {
  // three causes, strata, late entries, weights: the sums over groups of patients against a difference quotient
  for (unsigned seed = 1; seed <= 20; ++seed) {
    auto [c, cause] = random_causes(
        {.n = 40, .days = 12, .with = {.entry = true, .weight = true, .stratum = true}, .seed = seed}, 3);
    const CumulativeIncidence curve = cumulative_incidence(causes_of(c, cause, 3));
    std::vector<double> variance(curve.incidence.size(), 0);
    for (std::size_t i = 0; i < c.time.size(); ++i) {
      const double weight = c.weight[i], step = 1e-5 * weight;
      c.weight[i] = weight + step;
      const CumulativeIncidence up = cumulative_incidence(causes_of(c, cause, 3));
      c.weight[i] = weight - step;
      const CumulativeIncidence down = cumulative_incidence(causes_of(c, cause, 3));
      c.weight[i] = weight;
      for (std::size_t k = 0; k < variance.size(); ++k) {
        const double slope = weight * (up.incidence[k] - down.incidence[k]) / (2 * step);
        variance[k] += slope * slope;
      }
    }
    for (std::size_t k = 0; k < variance.size(); ++k)
      EXPECT_NEAR(curve.se[k], std::sqrt(variance[k]), 1e-8) << "seed " << seed << " row " << k;
  }
}

TEST(CumulativeIncidence, WithoutWeightsAndLateEntriesAllMethodsButGraysAgree) {
  for (unsigned seed = 1; seed <= 50; ++seed) {
    const auto [c, cause] = random_causes({.n = 60, .days = 15, .seed = seed}, 3);
    const CauseTimeline causes = causes_of(c, cause, 3);
    const CumulativeIncidence a = cumulative_incidence(causes);
    const CumulativeIncidence b = cumulative_incidence(causes, {}, {.variance = IncidenceVariance::aalen});
    for (std::size_t k = 0; k < a.se.size(); ++k) EXPECT_NEAR(a.se[k], b.se[k], 1e-9) << seed << " " << k;
  }
}

TEST(CumulativeIncidence, OfSomePatientsIsThatOfACohortWithoutTheOthers) {
  const auto [c, cause] = random_causes({.n = 80, .with = {.entry = true, .stratum = true}, .seed = 3}, 2);
  std::vector<std::uint8_t> mask;
  Cohort few;
  std::vector<std::int8_t> few_causes;
  for (std::size_t i = 0; i < c.time.size(); ++i) {
    mask.push_back(i % 3 != 0);
    if (!mask[i]) continue;
    few.time.push_back(c.time[i]);
    few.entry.push_back(c.entry[i]);
    few.stratum.push_back(c.stratum[i]);
    few_causes.push_back(cause[i]);
  }
  const CumulativeIncidence a = cumulative_incidence(causes_of(c, cause, 2), mask);
  const CumulativeIncidence b = cumulative_incidence(causes_of(few, few_causes, 2));
  EXPECT_EQ(a.time, b.time);
  expect_close(a.incidence, b.incidence, "incidence");
  expect_close(a.se, b.se, "se");
}

TEST(CumulativeIncidence, AtATimeIsTheRowInForce) {
  const CumulativeIncidence curve = cumulative_incidence(two_causes({.entry = true}));
  const auto points = incidence_at(curve, 1, std::vector<double>{0.5, 2, 2.5, 99});
  EXPECT_EQ(points[0].incidence, 0);
  EXPECT_TRUE(std::isnan(points[0].lower));
  EXPECT_EQ(points[1].incidence, curve.incidence[1]);
  EXPECT_EQ(points[2].upper, curve.upper[1]);
  EXPECT_EQ(points[3].incidence, curve.incidence[12]);
}

TEST(CumulativeIncidence, CountsWhoLeaves) {
  Cohort c = twenty_four({});
  c.weight.assign(24, 1);
  c.weight[3] = 0;
  auto cause = causes_data::causes;
  cause[5] = -1;
  const CauseTimeline causes = causes_of(c, cause, 2);
  EXPECT_EQ(causes.timeline.attrition.missing_outcome, 1);
  EXPECT_EQ(causes.timeline.attrition.missing_weight, 1);
  EXPECT_EQ(cumulative_incidence(causes).n_analysed, 22);
}

TEST(CumulativeIncidence, OfNobodyIsEmpty) {
  const std::vector<std::uint8_t> nobody(24, 0);
  const CumulativeIncidence curve = cumulative_incidence(two_causes({}), nobody);
  EXPECT_EQ(curve.n_times(), 0);
  EXPECT_EQ(curve.n_analysed, 0);
}

TEST(CumulativeIncidence, RefusesWhatDoesNotFit) {
  const Cohort c = twenty_four({});
  EXPECT_THROW(causes_of(c, causes_data::causes, 1), ShapeError);
  EXPECT_THROW(causes_of(c, causes_data::causes, 0), ShapeError);
  EXPECT_THROW(cumulative_incidence(two_causes({}), std::vector<std::uint8_t>(3, 1)), ShapeError);
  EXPECT_THROW(incidence_at(cumulative_incidence(two_causes({})), 3, {}), ShapeError);
}

}  // namespace
}  // namespace chorale::kernels
