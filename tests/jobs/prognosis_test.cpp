// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
//
// The prognosis job against the same numbers put together from its kernels, patient by patient.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "io/model_file.hpp"
#include "kernels/baseline_hazard.hpp"
#include "kernels/bootstrap_weights.hpp"
#include "kernels/brier.hpp"
#include "kernels/calibration.hpp"
#include "kernels/concordance.hpp"
#include "kernels/cox.hpp"
#include "kernels/cox_path.hpp"
#include "kernels/optimism.hpp"
#include "kernels/time_auc.hpp"
#include "tests/jobs/prognosis_runs.hpp"

namespace chorale::jobs {
namespace {

constexpr double tight = 1e-9;

/// Follow-up of the cohort, repeated as often as `copies` says, so that resampled rows can be written out.
struct Rows400 {
  std::vector<double> time, age, x_level, weight;
  std::vector<std::int8_t> event;

  Rows400(const SmallCohort& cohort, const std::vector<int>& copies = {}) {
    for (std::size_t i = 0; i < cohort.patients.size(); ++i) {
      const auto& p = cohort.patients[i];
      for (int c = 0; c < (copies.empty() ? 1 : copies[i]); ++c) {
        time.push_back(p.time);
        event.push_back(p.event);
        age.push_back(p.age);
        weight.push_back(p.weight);
        x_level.push_back(p.trial < 0 ? nan : p.trial);
      }
    }
  }
  kernels::Timeline timeline() const {
    return kernels::make_timeline({.entry = {}, .time = time, .event = event, .weight = {}, .stratum = {}});
  }
};

std::vector<double> joined(std::initializer_list<std::vector<double>> columns) {
  std::vector<double> all;
  for (const auto& column : columns) all.insert(all.end(), column.begin(), column.end());
  return all;
}

/// Age and the eight genes of everyone, for elastic nets.
kernels::CoxPathDesign age_and_genes(const SmallCohort& cohort) {
  const Rows400 rows(cohort);
  std::vector<std::vector<std::int32_t>> carriers(8);
  for (std::size_t i = 0; i < cohort.patients.size(); ++i)
    for (const std::int32_t gene : cohort.patients[i].carries)
      carriers[static_cast<std::size_t>(gene)].push_back(static_cast<std::int32_t>(i));
  const std::vector<std::span<const std::int32_t>> sparse(carriers.begin(), carriers.end());
  return kernels::make_cox_path_design(rows.timeline(),
                                       {.dense = rows.age, .n_dense = 1, .sparse = sparse, .offset = {}});
}

const std::string covariates = "covariates = [\"AGE\", \"TRIAL\"]\n";
const std::string alone = "features = false\n";

TEST(Prognosis, CompleteCasesLeaveWithTheReason) {
  const PrognosisRuns runs(prompt_patients());
  const auto results = runs.run(covariates, alone + no_replicates);
  const Rows attrition(results, "attrition"), terms(results, "coefficients");

  Index no_outcome = 0, no_age = 0, no_trial = 0;
  for (const auto& p : runs.cohort.patients) {
    if (std::isnan(p.time)) {
      ++no_outcome;
    } else if (std::isnan(p.age)) {
      ++no_age;
    } else {
      no_trial += p.trial < 0;
    }
  }
  EXPECT_EQ(attrition.whole("left", attrition.find({{"reason", "time or status missing"}})), no_outcome);
  EXPECT_EQ(attrition.whole("left", attrition.find({{"reason", "AGE missing"}})), no_age);
  EXPECT_EQ(attrition.whole("left", attrition.find({{"reason", "TRIAL missing"}})), no_trial);
  EXPECT_EQ(number(results, "n_analysed"), 400.0 - static_cast<double>(no_outcome + no_age + no_trial));

  ASSERT_EQ(terms.size(), 2);
  EXPECT_EQ(terms.text("term", 0), "AGE");
  EXPECT_EQ(terms.text("term", 1), "TRIAL=Y");
  const Rows400 rows(runs.cohort);
  const auto columns = joined({rows.age, rows.x_level});
  const auto fit = kernels::cox_fit(
      kernels::make_cox_design(rows.timeline(), {.values = columns, .n_columns = 2, .offset = {}}));
  for (const Index t : {0, 1}) {
    EXPECT_NEAR(terms.real("log_hazard", t), fit.beta[static_cast<std::size_t>(t)], tight);
    EXPECT_NEAR(terms.real("se", t), std::sqrt(fit.covariance[static_cast<std::size_t>(3 * t)]), tight);
  }
}

TEST(Prognosis, FillsWithMedianAndMostFrequentLevel) {
  const PrognosisRuns runs(prompt_patients());
  const auto results = runs.run(covariates, alone + no_replicates + "missing = \"fill\"\n");

  Rows400 rows(runs.cohort);
  std::vector<double> known;
  Index n_y = 0, n_x = 0;
  for (const auto& p : runs.cohort.patients) {
    if (std::isnan(p.time)) continue;  // who has no outcome teaches nothing
    if (!std::isnan(p.age)) known.push_back(p.age);
    n_y += p.trial == 1;
    n_x += p.trial == 0;
  }
  std::sort(known.begin(), known.end());
  const std::size_t half = known.size() / 2;
  const double median = known.size() % 2 == 1 ? known[half] : (known[half - 1] + known[half]) / 2;
  for (double& age : rows.age)
    if (std::isnan(age)) age = median;
  for (double& level : rows.x_level)
    if (std::isnan(level)) level = n_y > n_x ? 1 : 0;
  const auto columns = joined({rows.age, rows.x_level});
  const auto fit = kernels::cox_fit(
      kernels::make_cox_design(rows.timeline(), {.values = columns, .n_columns = 2, .offset = {}}));

  const Rows terms(results, "coefficients");
  EXPECT_NEAR(terms.real("log_hazard", 0), fit.beta[0], tight);
  EXPECT_NEAR(terms.real("log_hazard", 1), fit.beta[1], tight);
  EXPECT_EQ(number(results, "n_analysed"), static_cast<double>(fit.n_analysed));
  const auto model = io::read_model(runs.folder / "out" / "model.json");
  EXPECT_NEAR(*model.terms[0].when_missing, median, 1e-12);
  EXPECT_EQ(*model.terms[1].when_missing, n_y > n_x ? 1 : 0);
}

TEST(Prognosis, IndicatorsTellWhoMissesAValue) {
  const PrognosisRuns runs(prompt_patients());
  const auto results = runs.run(covariates, alone + no_replicates + "missing = \"indicator\"\n");
  const Rows terms(results, "coefficients");

  ASSERT_EQ(terms.size(), 4);
  EXPECT_EQ(terms.text("term", 2), "AGE missing");
  EXPECT_EQ(terms.text("term", 3), "TRIAL missing");
  Index n = 0, n_missing = 0;
  for (const auto& p : runs.cohort.patients) {
    n += !std::isnan(p.time);
    n_missing += !std::isnan(p.time) && std::isnan(p.age);
  }
  EXPECT_NEAR(terms.real("mean", 2), static_cast<double>(n_missing) / static_cast<double>(n), 1e-12);
}

TEST(Prognosis, UntestedIsNotUnmutated) {
  const PrognosisRuns runs(prompt_patients());
  const auto results = runs.run("", no_replicates, "include = [\"TP53\"]\n");

  Index n_untested = 0, n_left = 0;
  for (const auto& p : runs.cohort.patients) {
    const bool untested = !runs.cohort.tested(7, p);
    n_untested += untested && !std::isnan(p.time);
    n_left += untested || std::isnan(p.time);
  }
  const Rows attrition(results, "attrition"), variables(results, "variables");
  EXPECT_EQ(attrition.whole("left", attrition.find({{"reason", "not tested for TP53"}})), n_untested);
  EXPECT_EQ(variables.whole("missing", 0), n_untested);
  EXPECT_EQ(number(results, "n_analysed"), static_cast<double>(400 - n_left));

  const auto indicated =
      runs.run("", no_replicates + "untested = \"indicator\"\n", "include = [\"RUNX1\", \"TP53\"]\n");
  const Rows terms(indicated, "coefficients");
  EXPECT_EQ(terms.text("term", 0), "RUNX1");
  EXPECT_EQ(terms.text("term", 2),
            "RUNX1 untested");  // single gaps differ, so each has an indicator of its own
}

/// One replicate put together from kernels.
struct ByHand {
  std::vector<std::uint8_t> copies;
  std::vector<double> eta, boot;
  kernels::CoxFit fit;
};

/// The samples that seed 5 draws from all 400 patients.
std::vector<std::uint8_t> drawn_copies(Index n_replicates) {
  const auto plan = kernels::make_bootstrap_plan({.n_patients = 400, .stratum = {}, .cluster = {}});
  std::vector<std::uint8_t> copies(static_cast<std::size_t>(400 * n_replicates));
  kernels::bootstrap_weights(plan, 5, 0, n_replicates, copies);
  return copies;
}

TEST(Prognosis, ReplicatesAreFitsWithWholeNumberWeights) {
  const PrognosisRuns runs(complete_patients());
  const Index n_replicates = 70;  // one batch of lanes and the beginning of another
  for (const bool rows_written_out : {false, true}) {
    const auto results = runs.run(covariates, alone + "replicates = 70\ncopies = \"" +
                                                  (rows_written_out ? "rows" : "weights") + "\"\n");
    const Rows coefficients(results, "replicate_coefficients"), replicates(results, "replicates");
    ASSERT_EQ(replicates.size(), n_replicates);
    ASSERT_EQ(coefficients.size(), 2 * n_replicates);
    const auto copies = drawn_copies(n_replicates);
    for (const Index r : {Index{0}, Index{17}, Index{69}}) {
      std::vector<int> own;
      for (std::size_t i = 0; i < 400; ++i) own.push_back(copies[i * 70 + static_cast<std::size_t>(r)]);
      kernels::CoxFit fit;
      if (rows_written_out) {
        const Rows400 rows(runs.cohort, own);
        const auto columns = joined({rows.age, rows.x_level});
        fit = kernels::cox_fit(
            kernels::make_cox_design(rows.timeline(), {.values = columns, .n_columns = 2, .offset = {}}));
      } else {
        const Rows400 rows(runs.cohort);
        const std::vector<double> weight(own.begin(), own.end());
        const auto columns = joined({rows.age, rows.x_level});
        fit = kernels::cox_fit(kernels::make_cox_design(
            kernels::make_timeline(
                {.entry = {}, .time = rows.time, .event = rows.event, .weight = weight, .stratum = {}}),
            {.values = columns, .n_columns = 2, .offset = {}}));
      }
      EXPECT_NEAR(coefficients.real("log_hazard", 2 * r), fit.beta[0], 1e-8) << r;
      EXPECT_NEAR(coefficients.real("log_hazard", 2 * r + 1), fit.beta[1], 1e-7) << r;
    }
  }
}

TEST(Prognosis, MeasuresOfAReplicateAreThoseOfItsModel) {
  const PrognosisRuns runs(complete_patients());
  const auto results =
      runs.run(covariates, alone + "replicates = 5\nhorizons = [200, 400]\nintegration_points = 4\n");
  const Rows replicates(results, "replicates"), coefficients(results, "replicate_coefficients");
  const auto copies = drawn_copies(5);
  const Rows400 rows(runs.cohort);
  const auto timeline = rows.timeline();
  const auto order = kernels::make_risk_order(timeline);
  for (const Index r : {Index{0}, Index{4}}) {
    std::vector<double> eta, in_sample, everyone(400, 1), out;
    for (std::size_t i = 0; i < 400; ++i) {
      eta.push_back(coefficients.real("log_hazard", 2 * r) * rows.age[i] +
                    coefficients.real("log_hazard", 2 * r + 1) * rows.x_level[i]);
      in_sample.push_back(copies[i * 5 + static_cast<std::size_t>(r)]);
      out.push_back(in_sample.back() == 0 ? 1 : 0);
    }
    const auto hazard = kernels::baseline_hazard(order, eta, in_sample, kernels::Ties::efron);
    const auto expect = [&](const std::string& sample, const std::vector<double>& weight) {
      kernels::ConcordanceCounter counter;
      const auto of = [&](const std::string& measure) { return replicates.real(sample + measure, r); };
      EXPECT_NEAR(of("_harrell_c"), counter.count(order, eta, weight).c, tight) << sample;
      EXPECT_NEAR(
          of("_uno_c"),
          counter.count(order, eta, weight, {.pairs = kernels::PairWeight::inverse_censoring, .tau = 400}).c,
          tight)
          << sample;
      const double horizons[] = {200, 400};
      EXPECT_NEAR(of("_auc_200"), kernels::time_auc(order, eta, horizons, weight)[0].auc, tight) << sample;
      std::vector<double> survival(400);
      kernels::predicted_survival(order, hazard, eta, 400, survival);
      EXPECT_NEAR(of("_brier_400"), kernels::brier_score(order, survival, 400, weight).score, tight)
          << sample;
      const double points[] = {100, 200, 300, 400};
      EXPECT_NEAR(of("_integrated_brier"),
                  kernels::brier_curve(order, hazard, eta, points, weight).integrated, tight)
          << sample;
      EXPECT_NEAR(of("_calibration_slope"),
                  kernels::calibration_slope(order, eta, weight, kernels::Ties::efron).slope, tight)
          << sample;
    };
    expect("boot", in_sample);
    expect("original", everyone);
    expect("oob", out);
    EXPECT_NEAR(replicates.real("boot_calibration_slope", r), 1, 1e-6);
  }
}

TEST(Prognosis, PerformanceSumsUpTheReplicates) {
  const PrognosisRuns runs(complete_patients());
  const auto results = runs.run(covariates, alone + "replicates = 40\nhorizons = [200, 400]\n");
  const Rows replicates(results, "replicates"), performance(results, "performance");
  const auto column = [&](const std::string& name) {
    std::vector<double> values;
    for (Index r = 0; r < replicates.size(); ++r) values.push_back(replicates.real(name, r));
    return values;
  };
  const Index c = performance.find({{"measure", "harrell_c"}});
  const auto boot = column("boot_harrell_c"), original = column("original_harrell_c"),
             oob = column("oob_harrell_c");
  const auto expected = kernels::correct_optimism({.apparent = performance.real("apparent", c),
                                                   .no_information = 0.5,
                                                   .boot = boot,
                                                   .original = original,
                                                   .oob = oob},
                                                  0.95);
  EXPECT_EQ(performance.whole("n_replicates", c), 40);
  EXPECT_NEAR(performance.real("optimism", c), expected.optimism, 1e-14);
  EXPECT_NEAR(performance.real("corrected", c), expected.corrected, 1e-14);
  EXPECT_NEAR(performance.real("lower", c), expected.interval.lower, 1e-14);
  EXPECT_NEAR(performance.real("est_632plus", c), expected.est632plus, 1e-14);
  EXPECT_GT(performance.real("optimism", c), 0);

  // who predicts 1/2 for everyone has a Brier score of 1/4; one that knows the cohort's survival, less
  const Index brier = performance.find({{"measure", "brier"}});
  EXPECT_LT(performance.real("apparent", brier), 0.25);
  EXPECT_GT(performance.real("est_632", brier), performance.real("apparent", brier));
}

TEST(Prognosis, ElasticNetIsThePathAtTheLeastCriterion) {
  const PrognosisRuns runs(complete_patients());
  const auto results =
      runs.run("covariates = [\"AGE\"]\n", no_replicates + "selection = \"elastic_net\"\ntuning = \"aic\"\n");
  const Rows terms(results, "coefficients"), path(results, "path");

  const auto design = age_and_genes(runs.cohort);
  const auto expected = kernels::cox_path(design, {.ties = kernels::Ties::efron});
  Index best = 0;
  std::vector<double> aic;
  for (Index k = 0; k < expected.n_lambda(); ++k) {
    const auto at = static_cast<std::size_t>(k);
    aic.push_back(-2 * expected.loglik[at] + 2 * static_cast<double>(expected.n_nonzero[at]));
    if (aic[at] < aic[static_cast<std::size_t>(best)]) best = k;
  }
  ASSERT_GT(best, 3);
  ASSERT_GE(path.size(), std::min(expected.n_lambda(), best + 16));  // fifteen beyond the least are looked at
  EXPECT_EQ(path.whole("chosen", best), 1);
  EXPECT_NEAR(path.real("criterion", best), aic[static_cast<std::size_t>(best)], 1e-6);
  EXPECT_NEAR(number(results, "lambda"), expected.lambda[static_cast<std::size_t>(best)], 1e-12);
  ASSERT_EQ(terms.size(), 9);
  for (Index t = 0; t < 9; ++t)
    EXPECT_NEAR(terms.real("log_hazard", t), expected.beta_at(best)[static_cast<std::size_t>(t)], 1e-6) << t;
}

TEST(Prognosis, ReplicatesOfAnElasticNetRepeatTheProcedure) {
  const PrognosisRuns runs(complete_patients());
  const auto results =
      runs.run("covariates = [\"AGE\"]\n",
               "replicates = 9\nselection = \"elastic_net\"\ntuning = \"aic\"\nhorizons = [300]\n");
  const Rows replicates(results, "replicates"), coefficients(results, "replicate_coefficients");
  const auto copies = drawn_copies(9);

  const auto design = age_and_genes(runs.cohort);
  const auto all = kernels::cox_path(design, {.ties = kernels::Ties::efron});
  for (const Index r : {Index{0}, Index{5}, Index{8}}) {
    std::vector<double> weight;
    for (std::size_t i = 0; i < 400; ++i) {
      weight.push_back(copies[i * 9 + static_cast<std::size_t>(r)]);
    }
    const auto path = kernels::cox_path(
        design, {.ties = kernels::Ties::efron, .lambda = all.lambda, .weight = weight, .stop_early = true});
    std::size_t best = 0;
    std::vector<double> aic;
    for (std::size_t k = 0; k < path.lambda.size(); ++k) {
      aic.push_back(-2 * path.loglik[k] + 2 * static_cast<double>(path.n_nonzero[k]));
      if (aic[k] < aic[best]) best = k;
    }
    EXPECT_NEAR(replicates.real("lambda", r), path.lambda[best], 1e-12) << r;
    std::vector<double> found(9, 0);
    for (Index row = 0; row < coefficients.size(); ++row)
      if (coefficients.whole("replicate", row) == r)
        found[static_cast<std::size_t>(coefficients.whole("term", row))] =
            coefficients.real("log_hazard", row);
    for (std::size_t t = 0; t < 9; ++t)
      EXPECT_NEAR(found[t], path.beta_at(static_cast<Index>(best))[t], 1e-6) << r << ", term " << t;
  }
}

TEST(Prognosis, RefitIsTheCoxModelOfTheChosen) {
  const PrognosisRuns runs(complete_patients());
  const auto results =
      runs.run("covariates = [\"AGE\"]\n",
               "replicates = 6\nselection = \"elastic_net\"\ntuning = \"aic\"\nrefit = true\n");
  const Rows terms(results, "coefficients");
  std::vector<Index> chosen;
  for (Index t = 0; t < terms.size(); ++t)
    if (terms.real("log_hazard", t) != 0) chosen.push_back(t);
  ASSERT_GE(chosen.size(), 2u);
  ASSERT_LT(chosen.size(), 9u);

  const Rows400 rows(runs.cohort);
  std::vector<double> columns;
  for (const Index t : chosen)
    for (std::size_t i = 0; i < 400; ++i)
      columns.push_back(t == 0 ? rows.age[i] : runs.cohort.carries(t - 1, runs.cohort.patients[i]) ? 1 : 0);
  const auto fit = kernels::cox_fit(kernels::make_cox_design(
      rows.timeline(), {.values = columns, .n_columns = static_cast<Index>(chosen.size()), .offset = {}}));
  for (std::size_t j = 0; j < chosen.size(); ++j) {
    EXPECT_NEAR(terms.real("log_hazard", chosen[j]), fit.beta[j], tight);
    EXPECT_NEAR(terms.real("se", chosen[j]), std::sqrt(fit.covariance[j * chosen.size() + j]), tight);
  }
}

TEST(Prognosis, CrossValidationPrefersItsOwnLeast) {
  const PrognosisRuns runs(complete_patients());
  const std::string net = no_replicates + "selection = \"elastic_net\"\nfolds = 4\n";
  const auto least = runs.run("covariates = [\"AGE\"]\n", net + "tuning = \"cv\"\n");
  const auto sparse = runs.run("covariates = [\"AGE\"]\n", net + "tuning = \"cv_1se\"\n");

  const Rows path(least, "path");
  Index best = 0;
  for (Index k = 0; k < path.size(); ++k)
    if (path.real("criterion", k) < path.real("criterion", best)) best = k;
  EXPECT_EQ(path.whole("chosen", best), 1);
  EXPECT_LE(number(sparse, "n_terms"), number(least, "n_terms"));
  EXPECT_GE(number(sparse, "lambda"), number(least, "lambda"));
}

TEST(Prognosis, TermsThatAreAlwaysInAreNotPenalised) {
  const PrognosisRuns runs(complete_patients());
  const auto results = runs.run("covariates = [\"AGE\"]\n",
                                no_replicates + "selection = \"elastic_net\"\nalways = [\"TP53\"]\n");
  const Rows terms(results, "coefficients"), path(results, "path");

  EXPECT_NE(terms.real("log_hazard", terms.find({{"term", "TP53"}})), 0);
  EXPECT_EQ(path.whole("n_terms", 0), 1);
}

TEST(Prognosis, RiskGroupsPartThePatientsByLinearPredictor) {
  const PrognosisRuns runs(complete_patients());
  const auto results =
      runs.run(covariates, alone + no_replicates + "group_quantiles = [0.5]\nhorizons = [300]\n");
  const Rows groups(results, "groups"), terms(results, "coefficients");
  const Rows400 rows(runs.cohort);
  std::vector<double> eta;
  for (std::size_t i = 0; i < 400; ++i)
    eta.push_back(terms.real("log_hazard", 0) * rows.age[i] + terms.real("log_hazard", 1) * rows.x_level[i]);
  auto sorted = eta;
  std::sort(sorted.begin(), sorted.end());
  const double median = (sorted[199] + sorted[200]) / 2;

  ASSERT_EQ(groups.size(), 2);
  EXPECT_NEAR(groups.real("to", 0), median, 1e-10);  // the job keeps linear predictors to 2^-36
  EXPECT_NEAR(groups.real("from", 1), median, 1e-10);
  std::vector<double> high;
  Index n_high = 0, events = 0;
  for (std::size_t i = 0; i < 400; ++i) {
    high.push_back(eta[i] >= median ? 1 : 0);
    n_high += high.back() == 1;
    events += high.back() == 1 && rows.event[i] == 1;
  }
  EXPECT_EQ(groups.whole("patients", 1), n_high);
  EXPECT_EQ(groups.whole("events", 1), events);
  const auto fit = kernels::cox_fit(
      kernels::make_cox_design(rows.timeline(), {.values = high, .n_columns = 1, .offset = {}}));
  EXPECT_NEAR(groups.real("log_hazard", 1), fit.beta[0], tight);
  EXPECT_NEAR(groups.real("hazard_ratio", 1), std::exp(fit.beta[0]), tight);
  EXPECT_TRUE(std::isnan(groups.real("log_hazard", 0)));
}

TEST(Prognosis, SchemesAreComparedOnPatientsWithBoth) {
  const PrognosisRuns runs(prompt_patients());
  const auto results = runs.run("covariates = [\"AGE\"]\n",
                                alone + no_replicates + "schemes = [\"TRIAL\"]\nhorizons = [300]\n");
  const Rows schemes(results, "schemes"), terms(results, "coefficients");

  Rows400 rows(runs.cohort);
  std::vector<std::uint8_t> both;
  Index n = 0;
  std::vector<double> eta;
  for (std::size_t i = 0; i < 400; ++i) {
    const auto& p = runs.cohort.patients[i];
    both.push_back(!std::isnan(p.time) && !std::isnan(p.age) && p.trial >= 0);
    n += both.back();
    eta.push_back(terms.real("log_hazard", 0) * rows.age[i]);
  }
  const Index row = schemes.find({{"predictor", "model"}, {"measure", "harrell_c"}});
  EXPECT_EQ(schemes.whole("n", row), n);
  kernels::ConcordanceCounter counter;
  const auto order = kernels::make_risk_order(rows.timeline(), both);
  EXPECT_NEAR(schemes.real("concordance", row), counter.count(order, eta, {}).c, tight);
  // two levels: whichever has the higher hazard ranks higher, so the concordance is at least one half
  const double up = counter.count(order, rows.x_level, {}).c;
  EXPECT_NEAR(schemes.real("scheme_concordance", row), std::max(up, 1 - up), 0.02);
  EXPECT_NEAR(schemes.real("difference", row),
              schemes.real("concordance", row) - schemes.real("scheme_concordance", row), 1e-15);
  EXPECT_GT(schemes.real("se", row), 0);
}

TEST(Prognosis, LeavesOutOneLevelAtATime) {
  const PrognosisRuns runs(complete_patients());
  const auto results = runs.run("covariates = [\"AGE\"]\n",
                                alone + no_replicates + "leave_out = \"TRIAL\"\nhorizons = [300]\n");
  const Rows left_out(results, "left_out");
  const Rows400 rows(runs.cohort);
  for (const int level : {0, 1}) {
    std::vector<std::uint8_t> others, own;
    for (const double x : rows.x_level) {
      own.push_back(x == level);
      others.push_back(x != level);
    }
    const auto timeline = rows.timeline();
    const auto fit = kernels::cox_fit(
        kernels::make_cox_design(timeline, {.values = rows.age, .n_columns = 1, .offset = {}}, others));
    std::vector<double> eta;
    for (const double age : rows.age) eta.push_back(fit.beta[0] * age);
    kernels::ConcordanceCounter counter;
    const Index row = left_out.find({{"level", level == 0 ? "X" : "Y"}, {"measure", "harrell_c"}});
    EXPECT_NEAR(left_out.real("value", row),
                counter.count(kernels::make_risk_order(timeline, own), eta, {}).c, tight);
    EXPECT_GT(left_out.real("se", row), 0);
  }
}

TEST(Prognosis, PanelsAreReadWithoutCandidateFeatures) {
  const PrognosisRuns runs(prompt_patients());
  const auto results = runs.run("covariates = [\"AGE\"]\nstrata = [\"PANEL\"]\n",
                                alone + "replicates = 5\ncluster = \"PANEL\"\nhorizons = [300]\n");

  Index n = 0, n_profiled = 0;
  for (const auto& p : runs.cohort.patients) {
    const bool known = !std::isnan(p.time) && !std::isnan(p.age);
    n += known;
    n_profiled += known && p.panel != SmallCohort::none;
  }
  ASSERT_LT(n_profiled, n);
  EXPECT_EQ(number(results, "n_analysed"), static_cast<double>(n_profiled));
}

TEST(Prognosis, ClustersAreDrawnWhole) {
  const PrognosisRuns runs(complete_patients());
  const auto results = runs.run("covariates = [\"AGE\"]\n",
                                alone + "replicates = 30\ncluster = \"TRIAL\"\nhorizons = [300]\n");
  const Rows coefficients(results, "coefficients"), replicates(results, "replicates");

  EXPECT_FALSE(std::isnan(coefficients.real("robust_se", 0)));
  // two clusters: X twice, Y twice, or both once; so there are three different samples at most
  std::vector<Index> events;
  for (Index r = 0; r < replicates.size(); ++r) events.push_back(replicates.whole("n_events", r));
  std::sort(events.begin(), events.end());
  EXPECT_LE(std::unique(events.begin(), events.end()) - events.begin(), 3);
}

TEST(Prognosis, StabilitySelectionCountsWhoEntersFirst) {
  const PrognosisRuns runs(complete_patients());
  const auto results =
      runs.run("covariates = [\"AGE\"]\n", no_replicates +
                                               "selection = \"elastic_net\"\nstability_pairs = 10\n"
                                               "stability_terms = 2\nstability_cutoff = 0.6\n");
  const Rows stability(results, "stability");
  ASSERT_EQ(stability.size(), 9);
  double total = 0;
  for (Index t = 0; t < 9; ++t) {
    const double frequency = stability.real("frequency", t);
    total += frequency;
    EXPECT_NEAR(frequency * 20, std::round(frequency * 20), 1e-9);
    EXPECT_EQ(stability.whole("stable", t), frequency >= 0.6);
  }
  EXPECT_LE(total, 2 + 1e-9);  // two terms enter each half sample's path at most
  EXPECT_NEAR(number(results, "stability_terms_per_half"), total, 1e-9);
  EXPECT_NEAR(number(results, "stability_false_terms_at_most"), total * total / (0.2 * 9), 1e-9);
}

TEST(Prognosis, ModelFilePredictsWhatTheJobPredicts) {
  const PrognosisRuns runs(complete_patients());
  const auto results =
      runs.run(covariates + "strata = [\"FLAG\"]\n", alone + no_replicates + "horizons = [300]\n");
  const auto model = io::read_model(runs.folder / "out" / "model.json");
  const Rows terms(results, "coefficients");

  ASSERT_EQ(model.terms.size(), 2u);
  EXPECT_EQ(model.terms[0].coefficient, terms.real("log_hazard", 0));
  EXPECT_EQ(model.variables[1].levels, (std::vector<std::string>{"X", "Y"}));
  EXPECT_FALSE(model.terms[0].when_missing);
  ASSERT_EQ(model.baselines.size(), 2u);
  EXPECT_EQ(model.baselines[1].stratum, "FLAG=1");
  EXPECT_EQ(model.strata, std::vector<std::string>{"FLAG"});
  EXPECT_EQ(model.n_patients, 400);

  // the mean of the martingale residuals of a fit is 0: as many die as the model expects, stratum by stratum
  const Rows400 rows(runs.cohort);
  for (const int flag : {0, 1}) {
    const auto& baseline = model.baselines[static_cast<std::size_t>(flag)];
    double expected = 0, observed = 0;
    for (std::size_t i = 0; i < 400; ++i) {
      if (runs.cohort.patients[i].flag != flag) continue;
      const auto after =
          std::upper_bound(baseline.time.begin(), baseline.time.end(), rows.time[i]) - baseline.time.begin();
      const double hazard = after == 0 ? 0 : baseline.cumulative[static_cast<std::size_t>(after - 1)];
      expected += hazard * std::exp(model.terms[0].coefficient * rows.age[i] +
                                    model.terms[1].coefficient * rows.x_level[i] - model.centre);
      observed += rows.event[i];
    }
    EXPECT_NEAR(expected, observed, 0.02 * observed);  // Efron's shares of tied deaths are not patients' own
  }
}

}  // namespace
}  // namespace chorale::jobs
