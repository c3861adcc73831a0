// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/cox_zph.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "kernels/error.hpp"
#include "tests/kernels/cox_residuals_oracle.hpp"
#include "tests/kernels/pair_data.hpp"

namespace chorale::kernels {
namespace {

using residuals_oracle::numbers;
using residuals_oracle::TwoColumns;

TEST(CoxZph, MatchesRSurvival) {
  for (const bool with_all : {false, true}) {
    for (const Ties ties : {Ties::efron, Ties::breslow}) {
      const TwoColumns data(with_all);
      const CoxFit fit = cox_fit(data.design, {.ties = ties});
      const std::string fit_name =
          std::string(ties == Ties::efron ? "efron" : "breslow") + (with_all ? " all zph " : " plain zph ");
      for (const auto& [name, transform] : {std::pair{"km", ZphTransform::km},
                                            {"identity", ZphTransform::identity},
                                            {"log", ZphTransform::log},
                                            {"rank", ZphTransform::rank}}) {
        const CoxZph found = cox_zph(data.timeline, data.design, fit, ties, transform);
        if (transform == ZphTransform::log && !with_all) {
          EXPECT_EQ(found.global.verdict, ZphVerdict::bad_time);
          EXPECT_TRUE(std::isnan(found.terms[0].chi2));
          continue;
        }
        const auto expected = numbers(fit_name + name);
        EXPECT_NEAR(found.terms[0].chi2, expected[0], 1e-10) << fit_name << name;
        EXPECT_NEAR(found.terms[1].chi2, expected[1], 1e-10) << fit_name << name;
        EXPECT_NEAR(found.global.chi2, expected[2], 1e-10) << fit_name << name;
        EXPECT_EQ(found.global.df, 2);
      }
    }
  }
}

TEST(CoxZph, ColumnsOfOneTermAreTestedTogether) {
  const TwoColumns data(false);
  std::vector<double> columns(data.cohort.covariate);
  for (const double z : data.cohort.covariate) columns.push_back(z * z);
  columns.insert(columns.end(), data.cohort.feature.begin(), data.cohort.feature.end());
  const CoxDesign design = make_cox_design(data.timeline, {columns, 3, {}});
  const std::vector<Index> term{0, 0, 1};
  const CoxZph found =
      cox_zph(data.timeline, design, cox_fit(design), Ties::efron, ZphTransform::identity, term);
  const auto expected = numbers("efron terms zph identity");
  ASSERT_EQ(found.terms.size(), 2u);
  EXPECT_EQ(found.terms[0].df, 2);
  EXPECT_NEAR(found.terms[0].chi2, expected[0], 1e-9);
  EXPECT_NEAR(found.terms[1].chi2, expected[1], 1e-9);
  EXPECT_NEAR(found.global.chi2, expected[2], 1e-9);
}

TEST(CoxZph, NothingToTestHasAVerdict) {
  TwoColumns data(false);
  data.cohort.event.assign(24, 0);
  const Timeline nobody = data.cohort.timeline();
  const CoxDesign design = make_cox_design(nobody, {data.columns, 2, {}});
  EXPECT_EQ(cox_zph(nobody, design, cox_fit(design), Ties::efron).global.verdict, ZphVerdict::no_events);

  // all deaths at one time: g is the same for all
  data.cohort.event.assign(24, 1);
  data.cohort.time.assign(24, 5);
  for (std::size_t i = 0; i < 12; ++i) data.cohort.event[i] = 0;
  const Timeline once = data.cohort.timeline();
  const CoxDesign at_once = make_cox_design(once, {data.columns, 2, {}});
  const CoxZph constant = cox_zph(once, at_once, cox_fit(at_once), Ties::efron);
  EXPECT_EQ(constant.global.verdict, ZphVerdict::constant);
  EXPECT_TRUE(std::isnan(constant.global.log10_p));

  // whoever dies has the larger covariate and dies before the others leave
  std::vector<double> dies(24, 0);
  for (std::size_t i = 0; i < 24; ++i) {
    data.cohort.time[i] = i < 10 ? 1 + static_cast<double>(i) / 10 : 2;
    data.cohort.event[i] = i < 10;
    dies[i] = i < 10;
  }
  const Timeline apart = data.cohort.timeline();
  const CoxDesign monotone = make_cox_design(apart, {dies, 1, {}});
  EXPECT_EQ(cox_zph(apart, monotone, cox_fit(monotone), Ties::efron).terms[0].verdict,
            ZphVerdict::no_maximum);
}

TEST(CoxZph, AliasedColumnsChangeNothing) {
  TwoColumns data(true);
  std::vector<double> columns = data.columns;
  for (std::size_t i = 0; i < 24; ++i) columns.push_back(3 - data.columns[i]);
  const CoxDesign design = make_cox_design(data.timeline, {columns, 3, {}});
  const CoxZph two = cox_zph(data.timeline, data.design, cox_fit(data.design), Ties::efron),
               three = cox_zph(data.timeline, design, cox_fit(design), Ties::efron);
  EXPECT_NEAR(three.global.chi2, two.global.chi2, 1e-10);
  EXPECT_EQ(three.global.df, 2);
  EXPECT_EQ(three.terms[2].verdict, ZphVerdict::constant);
}

TEST(CoxZph, ArgumentsMustFit) {
  const TwoColumns data(false);
  const CoxFit fit = cox_fit(data.design);
  const std::vector<Index> one{0}, negative{0, -1};
  EXPECT_THROW(cox_zph(data.timeline, data.design, {}, Ties::efron), ShapeError);
  EXPECT_THROW(cox_zph({}, data.design, fit, Ties::efron), ShapeError);
  EXPECT_THROW(cox_zph(data.timeline, data.design, fit, Ties::efron, ZphTransform::km, one), ShapeError);
  EXPECT_THROW(cox_zph(data.timeline, data.design, fit, Ties::efron, ZphTransform::km, negative), ShapeError);
}

}  // namespace
}  // namespace chorale::kernels
