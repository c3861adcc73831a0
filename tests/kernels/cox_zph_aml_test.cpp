// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
//
// A model of 18 columns in a real cohort of 1,540 patients with acute myeloid leukaemia, as R fitted and judged it.
#include "kernels/cox_zph.hpp"

#include "tests/kernels/aml_multivariable.hpp"

namespace chorale::kernels {
namespace {

using CoxZphAml = Multivariable;

TEST_F(CoxZphAml, ProportionalHazardsMatchR) {
  const CoxDesign design = make_cox_design(timeline(), columns(), complete_);
  const CoxZph found = cox_zph(timeline(), design, cox_fit(design), Ties::efron);
  const aml::json &chi2 = expected_["proportional_hazards"]["chisq"],
                  &p = expected_["proportional_hazards"]["p"];
  for (std::size_t j = 0; j < names_.size(); ++j) {
    EXPECT_NEAR(found.terms[j].chi2, chi2["Z" + names_[j]].get<double>(), 1e-6) << names_[j];
    EXPECT_NEAR(std::pow(10, found.terms[j].log10_p), p["Z" + names_[j]].get<double>(), 1e-6) << names_[j];
  }
  EXPECT_NEAR(found.global.chi2, chi2["GLOBAL"].get<double>(), 1e-6);
  EXPECT_NEAR(std::pow(10, found.global.log10_p), p["GLOBAL"].get<double>(), 1e-6);
  EXPECT_EQ(found.global.df, 18);
}

TEST_F(CoxZphAml, FitsMatchR) {
  for (const char* name : {"efron", "breslow", "efron_stratified_by_trial"}) {
    const bool by_trial = std::string(name) == "efron_stratified_by_trial";
    const Ties ties = std::string(name) == "breslow" ? Ties::breslow : Ties::efron;
    const CoxFit fit = cox_fit(make_cox_design(timeline(by_trial), columns(), complete_), {.ties = ties});
    const aml::json& r = expected_[name];
    for (std::size_t j = 0; j < names_.size(); ++j) {
      EXPECT_NEAR(fit.beta[j], r["beta"][names_[j]].get<double>(), 1e-6) << name << " " << names_[j];
      EXPECT_NEAR(std::sqrt(fit.covariance[j * 18 + j]), r["se"][names_[j]].get<double>(), 1e-6) << name;
    }
    EXPECT_NEAR(fit.loglik_null, r["loglik"][0].get<double>(), 1e-6) << name;
    EXPECT_NEAR(fit.loglik, r["loglik"][1].get<double>(), 1e-6) << name;
    if (r.contains("score")) {
      EXPECT_NEAR(fit.score_chi2, r["score"].get<double>(), 1e-6) << name;
    }
  }
}

}  // namespace
}  // namespace chorale::kernels
