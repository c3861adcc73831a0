// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
//
// 1,540 real patients with acute myeloid leukaemia, from the study folder to the tables of a prognostic model, against R.
#include <gtest/gtest.h>

#include <cmath>

#include "io/model_file.hpp"
#include "io/study/ingest.hpp"
#include "tests/aml.hpp"
#include "tests/io/temporary_folder.hpp"
#include "tests/jobs/job_runs.hpp"

namespace chorale::jobs {
namespace {

using aml::json, aml::reference;

/// The reference's names of columns, as the job names its terms.
std::string term_of(const std::string& name) {
  return name == "SEX_MALE" ? "SEX=Male" : name == "LOG10_WBC" ? "log10(WBC)" : name;
}

class PrognosisAml : public testing::Test {
 protected:
  void SetUp() override {
    if (!aml::are_here()) GTEST_SKIP() << aml::why_skipped();
    io::ingest(io::recipe_for(aml::study()), folder_ / "cohort");
  }

  /// The model of aml_multivariable.json.
  io::Results run(const std::string& outcome, const std::string& own) const {
    return run_alone("job = \"prognosis\"\ncohort = \"" + (folder_ / "cohort").string() + "\"\noutput = \"" +
                     (folder_ / "out").string() + R"("
[features]
fields = ["T_8_21", "INV_16", "COMPLEX_KARYOTYPE"]
include = ["NPM1", "FLT3-ITD", "DNMT3A", "TP53", "RUNX1", "ASXL1", "NRAS", "IDH2", "CEBPA", "T_8_21", "INV_16",
           "COMPLEX_KARYOTYPE"]
[outcome]
endpoint = "OS"
covariates = ["AGE", "SEX", "WBC", "HB", "PLATELETS", "BM_BLASTS"]
)" + outcome + "[prognosis]\nlog10 = [\"WBC\"]\n" +
                     own);
  }

  static void expect_model(const io::Results& results, const json& expected) {
    const Rows terms(results, "coefficients");
    ASSERT_EQ(terms.size(), 18);
    for (const auto& [name, beta] : expected["beta"].items()) {
      const Index row = terms.find({{"term", term_of(name)}});
      EXPECT_NEAR(terms.real("log_hazard", row), beta.get<double>(), 1e-6) << name;
      EXPECT_NEAR(terms.real("se", row), expected["se"][name].get<double>(), 1e-6) << name;
    }
    EXPECT_NEAR(number(results, "loglik_null"), expected["loglik"][0].get<double>(), 1e-6);
    EXPECT_NEAR(number(results, "loglik"), expected["loglik"][1].get<double>(), 1e-6);
    if (!expected.contains("score")) return;
    EXPECT_NEAR(number(results, "score_chi2"), expected["score"].get<double>(), 1e-6);
    const Rows performance(results, "performance");
    const Index c = performance.find({{"measure", "harrell_c"}});
    EXPECT_NEAR(performance.real("apparent", c), expected["concordance"].get<double>(), 1e-9);
    EXPECT_NEAR(performance.real("se", c), expected["concordance_se"].get<double>(), 1e-9);
  }

  TemporaryFolder folder_;
};

TEST_F(PrognosisAml, CompleteCasesAreThoseOfR) {
  const auto results = run("", "replicates = 0\n");
  const auto expected = reference("aml_multivariable.json");

  EXPECT_EQ(number(results, "n_analysed"), expected["efron"]["n"].get<double>());
  EXPECT_EQ(number(results, "n_events"), expected["efron"]["events"].get<double>());
  const Rows attrition(results, "attrition");
  EXPECT_EQ(attrition.whole("remaining", attrition.size() - 1), 1305);
}

TEST_F(PrognosisAml, EfronMatchesCoxph) {
  expect_model(run("", "replicates = 0\n"), reference("aml_multivariable.json")["efron"]);
}

TEST_F(PrognosisAml, BreslowMatchesCoxph) {
  expect_model(run("ties = \"breslow\"\n", "replicates = 0\n"),
               reference("aml_multivariable.json")["breslow"]);
}

TEST_F(PrognosisAml, StrataMatchCoxph) {
  expect_model(run("strata = [\"TRIAL\"]\n", "replicates = 0\n"),
               reference("aml_multivariable.json")["efron_stratified_by_trial"]);
}

TEST_F(PrognosisAml, ProportionalHazardsAreTestedAsByCoxZph) {
  const auto results = run("", "replicates = 0\n");
  const Rows terms(results, "coefficients");
  const auto expected = reference("aml_multivariable.json")["proportional_hazards"];
  Index n_compared = 0;
  for (const auto& [name, chi2] : expected["chisq"].items()) {
    if (name == "GLOBAL") continue;
    const std::string column =
        name.rfind('Z', 0) == 0 ? name.substr(1) : name;  // R puts the matrix's name before it
    const Index row = terms.find({{"term", term_of(column)}});
    EXPECT_NEAR(terms.real("zph_chi2", row), chi2.get<double>(), 1e-6) << name;
    EXPECT_NEAR(std::pow(10, terms.real("zph_log10_p", row)), expected["p"][name].get<double>(), 1e-6)
        << name;
    ++n_compared;
  }
  EXPECT_EQ(n_compared, 18);
  EXPECT_NEAR(number(results, "zph_chi2"), expected["chisq"]["GLOBAL"].get<double>(), 1e-6);
}

TEST_F(PrognosisAml, PathStartsWhereGlmnetStarts) {
  const auto expected = reference("aml_glmnet.json");
  for (const char* alpha : {"1", "0.95"}) {
    const auto results =
        run("ties = \"breslow\"\n",
            std::string("replicates = 0\nselection = \"elastic_net\"\nalpha = ") + alpha + "\n");
    // glmnet separates deaths from censorings of a day by 2e-14 days, which rounding loses: 3e-6 relative
    // (kernels/cox_path.hpp); tests/kernels/cox_path_test.cpp compares with ranks in place of times, to 1e-8
    const double lambda_max = expected[alpha]["lambda_max"];
    EXPECT_NEAR(Rows(results, "path").real("lambda", 0), lambda_max, 1e-5 * lambda_max);
  }
}

TEST_F(PrognosisAml, OptimismIsWhatModelsOfThisSizeHave) {
  const auto results = run("", "replicates = 100\nschemes = [\"ELN_2011\"]\n");
  const Rows performance(results, "performance");
  const Index c = performance.find({{"measure", "harrell_c"}});

  EXPECT_EQ(performance.whole("n_replicates", c), 100);
  // 18 terms on 756 events lose about (terms / events) / 4 ≈ 0.006 to 0.01 of C
  EXPECT_GT(performance.real("optimism", c), 0.004);
  EXPECT_LT(performance.real("optimism", c), 0.013);
  const Index slope = performance.find({{"measure", "calibration_slope"}});
  EXPECT_NEAR(performance.real("apparent", slope), 1, 1e-9);
  EXPECT_LT(performance.real("corrected", slope), 1);
  EXPECT_GT(performance.real("corrected", slope), 0.9);

  const Rows schemes(results, "schemes");
  const Index model = schemes.find({{"predictor", "model"}, {"measure", "harrell_c"}});
  EXPECT_EQ(schemes.text("scheme", model), "ELN_2011");
  EXPECT_GT(schemes.real("lower", model), 0);  // the model knows more than the scheme alone

  const auto model_file = io::read_model(folder_ / "out" / "model.json");
  EXPECT_EQ(model_file.terms.size(), 18u);
  EXPECT_EQ(model_file.n_events, 756);
}

}  // namespace
}  // namespace chorale::jobs
