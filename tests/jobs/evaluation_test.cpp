// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "jobs/common/evaluation.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/kernels/survival_data.hpp"

namespace chorale::jobs {
namespace {

using kernels::survival_data::Cohort;
using kernels::survival_data::random_cohort;
using kernels::survival_data::With;

EvaluationOptions everything() {
  return {.measures = evaluation_words, .horizons = {5, 9}, .integration_points = 4, .calibration_groups = 3};
}

/// Measures of two samples by values(), beside each by itself.
void expect_same(With with, bool with_gap) {
  Cohort cohort = random_cohort({.n = 300, .with = with, .seed = 3});
  for (double& x : cohort.covariate) x /= 4;
  if (with_gap) cohort.covariate[17] = kernels::missing;
  const kernels::Timeline strict = cohort.timeline();
  cohort.stratum.clear();
  const kernels::Timeline pooled = cohort.timeline();
  const Evaluation evaluation(everything(), strict, pooled, strict.analysed);
  Evaluation::Sample drawn, everyone;
  for (std::size_t i = 0; i < 300; ++i) {
    drawn.weight.push_back(strict.analysed[i] != 0 ? static_cast<double>(i * i % 3) : 0);
    everyone.weight.push_back(strict.analysed[i]);
  }
  evaluation.prepare(drawn);
  evaluation.prepare(everyone);
  Evaluation::Scratch scratch;
  const auto found = evaluation.values(
      scratch, cohort.covariate,
      std::vector<Evaluation::Request>{{.sample = &drawn, .groups = true}, {.sample = &everyone}});

  const auto hazard = evaluation.at_times(evaluation.hazard(cohort.covariate, drawn.weight));
  const Evaluation::Sample* const samples[] = {&drawn, &everyone};
  for (std::size_t s = 0; s < 2; ++s) {
    const auto scores = evaluation.score(scratch, cohort.covariate, hazard, samples[s]->weight);
    ASSERT_EQ(found[s].scores.size(), scores.size());
    for (std::size_t m = 0; m < scores.size(); ++m)
      EXPECT_TRUE(kernels::survival_data::close(found[s].scores[m], scores[m].value, 1e-10))
          << key_of(evaluation.measures()[m]) << ": " << found[s].scores[m] << ", " << scores[m].value;
  }
  const auto groups = evaluation.calibration(scratch, cohort.covariate, hazard, drawn.weight);
  ASSERT_EQ(found[0].errors.size(), groups.size());
  for (std::size_t g = 0; g < groups.size(); ++g)
    EXPECT_TRUE(
        kernels::survival_data::close(found[0].errors[g], groups[g].observed - groups[g].predicted, 1e-12))
        << g;
  EXPECT_TRUE(found[1].errors.empty());
}

TEST(Evaluation, ValuesOfSamplesTogetherAreTheScoresOfEach) {
  expect_same({}, false);
  expect_same({.weight = true}, false);
  expect_same({.stratum = true}, false);
  expect_same({.entry = true}, false);
  expect_same({.entry = true, .stratum = true}, false);
  expect_same({}, true);
}

TEST(Evaluation, SlopeOfAMaximumIsOne) {
  const Cohort cohort = random_cohort({.n = 100, .seed = 3});
  const kernels::Timeline timeline = cohort.timeline();
  const Evaluation evaluation(everything(), timeline, timeline, timeline.analysed);
  Evaluation::Sample everyone;
  everyone.weight.assign(timeline.analysed.begin(), timeline.analysed.end());
  evaluation.prepare(everyone);
  Evaluation::Scratch scratch;
  const auto found = evaluation.values(
      scratch, cohort.covariate, std::vector<Evaluation::Request>{{.sample = &everyone, .maximum = true}});
  EXPECT_EQ(found[0].scores.back(), 1);
}

TEST(Evaluation, KeysTellHorizonsApart) {
  EXPECT_EQ(key_of({Measure::Kind::brier, 365.25}), "brier_365.25");
  EXPECT_EQ(key_of({Measure::Kind::uno_c, 365.25}), "uno_c");
}

TEST(Evaluation, WithoutRoundingKeepsMultiplesAndLargeNumbers) {
  constexpr double part = 0x1p-36;
  EXPECT_EQ(without_rounding(5 * part), 5 * part);
  EXPECT_EQ(without_rounding(-5.4 * part), -5 * part);
  EXPECT_EQ(without_rounding(4.5 * part), 4 * part);  // to the even one, as nearbyint
  EXPECT_EQ(without_rounding(1e9), 1e9);
  EXPECT_TRUE(std::isnan(without_rounding(kernels::missing)));
}

}  // namespace
}  // namespace chorale::jobs
