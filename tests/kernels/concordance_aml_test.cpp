// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
//
// A model of 18 columns in a real cohort of 1,540 patients with acute myeloid leukaemia, as R fitted and judged it.
#include "kernels/concordance.hpp"

#include "tests/kernels/aml_multivariable.hpp"

namespace chorale::kernels {
namespace {

using ConcordanceAml = Multivariable;

TEST_F(ConcordanceAml, MatchesR) {
  for (const auto& [name, ties] : {std::pair{"efron", Ties::efron}, std::pair{"breslow", Ties::breslow}}) {
    const CoxDesign design = make_cox_design(timeline(), columns(), complete_);
    const CoxFit fit = cox_fit(design, {.ties = ties});
    const aml::json& r = expected_[name];
    ASSERT_EQ(design.n_analysed, r["n"].get<Index>());
    for (std::size_t j = 0; j < names_.size(); ++j)
      EXPECT_NEAR(fit.beta[j], r["beta"][names_[j]].get<double>(), 1e-6) << names_[j];
    ConcordanceCounter counter;
    const Concordance found =
        counter.count(make_risk_order(timeline(), complete_), risk(fit.beta), {}, {.with_error = true});
    EXPECT_NEAR(found.c, r["concordance"].get<double>(), 1e-11);
    EXPECT_NEAR(found.se, r["concordance_se"].get<double>(), 1e-12);
  }
}

}  // namespace
}  // namespace chorale::kernels
