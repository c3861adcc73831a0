// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
//
// Pairs of genes and survival in a real cohort of 1,540 patients with acute myeloid leukaemia, as R fitted them.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>

#include "kernels/pair_cox.hpp"
#include "tests/aml.hpp"

namespace chorale::kernels {
namespace {

using aml::json;

class PairCoxAml : public testing::Test {
 protected:
  void SetUp() override {
    if (!aml::are_here()) GTEST_SKIP() << aml::why_skipped();
    expected_ = aml::reference("aml_interactions.json");
    ASSERT_GT(expected_.size(), 20u);
    const aml::Table clinical = aml::patients();
    const std::size_t n = clinical.at("PATIENT_ID").size();
    ASSERT_EQ(n, 1540u);
    covariates_.resize(2 * n);
    std::vector<double> time;
    std::vector<std::int8_t> event;
    for (std::size_t i = 0; i < n; ++i) {
      time.push_back(std::stod(clinical.at("OS_MONTHS")[i]));
      event.push_back(clinical.at("OS_STATUS")[i].starts_with('1'));
      covariates_[i] = std::stod(clinical.at("AGE")[i]);
      covariates_[n + i] = clinical.at("SEX")[i] == "Male";
    }
    timeline_ = make_timeline({.entry = {}, .time = time, .event = event, .weight = {}, .stratum = {}});
    std::map<std::string, std::int32_t> feature;
    for (const auto& [gene, patients] : aml::carriers()) {
      feature[gene] = static_cast<std::int32_t>(lists_.size());
      lists_.emplace_back(patients.begin(), patients.end());
    }
    for (const json& pair : expected_) pairs_.push_back({feature.at(pair["a"]), feature.at(pair["b"])});
  }

  void expect_matches(Index n_covariates, const char* model) {
    const auto values = std::span(covariates_).first(static_cast<std::size_t>(n_covariates * 1540));
    const CoxDesign design = make_cox_design(timeline_, {values, n_covariates, {}});
    std::vector<PairCoxFit> fits(pairs_.size());
    const std::vector<std::span<const std::int32_t>> carriers(lists_.begin(), lists_.end());
    pair_cox_full(design, cox_fit(design), carriers, pairs_, Ties::efron, fits);
    for (std::size_t k = 0; k < fits.size(); ++k) {
      const json& r = expected_[k][model];
      const std::string where =
          expected_[k]["a"].get<std::string>() + " " + expected_[k]["b"].get<std::string>();
      // coxph stops by default where a step changes the likelihood by less than 1e-9 of it, which leaves up to 3e-6
      // standard errors (tests/oracle/pair_cox_aml.R)
      const double se = r["se_ab"], tolerance = std::max(1e-6, 4e-6 * se);
      EXPECT_EQ(fits[k].counts.n[both], expected_[k]["n11"].get<Index>()) << where;
      EXPECT_NEAR(fits[k].a, r["beta_a"].get<double>(), tolerance) << where;
      EXPECT_NEAR(fits[k].b, r["beta_b"].get<double>(), tolerance) << where;
      EXPECT_NEAR(fits[k].ab, r["beta_ab"].get<double>(), tolerance) << where;
      EXPECT_NEAR(fits[k].se_ab, se, 2e-6) << where;
      EXPECT_NEAR(fits[k].lrt_chi2, r["lrt"].get<double>(), 1e-6) << where;
      expect_limit(fits[k], where + " " + model);
    }
  }

  /// tests/oracle/pair_cox_aml.R, eps 1e-14: the pairs on which R's default stop shows.
  static void expect_limit(const PairCoxFit& fit, const std::string& where) {
    if (where == "DNMT3A RAD21 crude") {
      EXPECT_NEAR(fit.ab, -3.02822532138, 1e-10);
      EXPECT_NEAR(fit.se_ab, 1.02659109043, 1e-9);
    }
    if (where == "NRAS WT1 crude") {
      EXPECT_NEAR(fit.ab, -0.688998387701, 1e-10);
      EXPECT_NEAR(fit.se_ab, 0.609541985275, 1e-9);
    }
  }

  json expected_;
  Timeline timeline_;
  std::vector<double> covariates_;
  std::vector<std::vector<std::int32_t>> lists_;
  std::vector<FeaturePair> pairs_;
};

TEST_F(PairCoxAml, EveryCrudeInteractionMatchesR) {
  expect_matches(0, "crude");
}

TEST_F(PairCoxAml, EveryInteractionBesideAgeAndSexMatchesR) {
  expect_matches(2, "adjusted_age_sex");
}

}  // namespace
}  // namespace chorale::kernels
