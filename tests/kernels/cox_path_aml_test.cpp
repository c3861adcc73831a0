// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
//
// Elastic-net paths in a real cohort of acute myeloid leukaemia, as glmnet fitted them.
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "kernels/cox_path.hpp"
#include "tests/aml.hpp"

namespace chorale::kernels {
namespace {

using aml::number;

TEST(CoxPathAml, MatchesGlmnet) {
  if (!aml::are_here()) GTEST_SKIP() << aml::why_skipped();
  const aml::json expected = aml::reference("aml_glmnet.json");
  const aml::Table clinical = aml::patients();
  const auto carriers = aml::carriers();
  const std::size_t n = clinical.at("PATIENT_ID").size();
  std::vector<double> time, dense;
  std::vector<std::int8_t> event;
  for (std::size_t i = 0; i < n; ++i) {
    time.push_back(number(clinical.at("OS_MONTHS")[i]));
    event.push_back(clinical.at("OS_STATUS")[i].starts_with('1'));
  }
  const std::vector<std::string> genes{"NPM1",  "FLT3-ITD", "DNMT3A", "TP53", "RUNX1",
                                       "ASXL1", "NRAS",     "IDH2",   "CEBPA"};
  std::vector<std::string> names{"AGE",    "SEX_MALE", "LOG10_WBC",        "HB", "PLATELETS", "BM_BLASTS",
                                 "T_8_21", "INV_16",   "COMPLEX_KARYOTYPE"};
  for (const std::string& name : names) {
    for (std::size_t i = 0; i < n; ++i) {
      dense.push_back(name == "SEX_MALE"    ? (clinical.at("SEX")[i] == "Male" ? 1 : 0)
                      : name == "LOG10_WBC" ? std::log10(number(clinical.at("WBC")[i]))
                                            : number(clinical.at(name)[i]));
    }
  }
  std::vector<std::vector<std::int32_t>> lists;
  for (const std::string& gene : genes)
    lists.emplace_back(carriers.at(gene).begin(), carriers.at(gene).end());
  const std::vector<std::span<const std::int32_t>> sparse(lists.begin(), lists.end());
  const auto n_dense = static_cast<Index>(names.size());
  names.insert(names.end(), genes.begin(), genes.end());

  const Timeline timeline =
      make_timeline({.entry = {}, .time = time, .event = event, .weight = {}, .stratum = {}});
  const CoxPathDesign design =
      make_cox_path_design(timeline, {.dense = dense, .n_dense = n_dense, .sparse = sparse, .offset = {}});
  ASSERT_GT(design.n_missing_covariate, 0);
  for (const auto& [alpha, path] : expected.items()) {
    EXPECT_NEAR(cox_path(design, {.alpha = std::stod(alpha)}).lambda[0], path["lambda_max"].get<double>(),
                1e-8);
    const auto penalties = path["lambda"].get<std::vector<double>>();
    const CoxPath found = cox_path(design, {.alpha = std::stod(alpha), .lambda = penalties});
    ASSERT_EQ(found.n_lambda(), static_cast<Index>(penalties.size()));
    for (std::size_t k = 0; k < penalties.size(); ++k) {
      for (std::size_t j = 0; j < names.size(); ++j) {
        EXPECT_NEAR(found.beta_at(static_cast<Index>(k))[j], path["beta"][k][names[j]].get<double>(), 1e-5)
            << names[j] << " at " << penalties[k];
      }
      EXPECT_NEAR(found.dev_ratio[k], path["dev_ratio"][k].get<double>(), 1e-7);
    }
  }
}

}  // namespace
}  // namespace chorale::kernels
