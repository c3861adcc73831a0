// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
//
// What the prognosis job says where there is little or nothing to say, and which configs it refuses.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "kernels/error.hpp"
#include "tests/jobs/prognosis_runs.hpp"

namespace chorale::jobs {
namespace {

using Patient = SmallCohort::Patient;

/// Complete patients, changed one by one.
SmallCohort changed(const std::function<void(Patient&, std::size_t)>& change) {
  SmallCohort cohort = complete_patients();
  for (std::size_t i = 0; i < cohort.patients.size(); ++i) change(cohort.patients[i], i);
  return cohort;
}

const std::string alone = "features = false\n";

/// The text of the error that a job ends with.
template <class Kind>
std::string refusal(const PrognosisRuns& runs, const std::string& outcome, const std::string& own) {
  try {
    runs.run(outcome, own);
  } catch (const Kind& error) {
    return error.what();
  }
  return "no such error";
}

void expect_says(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << text;
}

/// Every cell without a number says why: in the row's note, or in the column's description.
void expect_reasons(const io::Results& results, const std::string& table) {
  const Rows rows(results, table);
  for (Index row = 0; row < rows.size(); ++row)
    if (std::isnan(rows.real("apparent", row)) || std::isnan(rows.real("corrected", row))) {
      EXPECT_FALSE(rows.text("note", row).empty()) << rows.text("measure", row);
    }
}

TEST(PrognosisLimits, WithoutEventsThereIsNoModel) {
  const PrognosisRuns runs(changed([](Patient& p, std::size_t) { p.event = 0; }));
  const auto said = refusal<InputError>(runs, "covariates = [\"AGE\"]\n", alone);

  expect_says(said, "no patient of the model has an event");
  expect_says(said, "400 of 400 patients, 0 events");
}

TEST(PrognosisLimits, NobodyLeftIsNamedWithTheReason) {
  const PrognosisRuns runs(changed([](Patient& p, std::size_t) { p.age = nan; }));
  const auto said = refusal<InputError>(runs, "covariates = [\"AGE\"]\n", alone);

  expect_says(said, "no patient is left for the model");
  expect_says(said, "400 AGE missing");
  expect_says(said, "prognosis.missing");
}

TEST(PrognosisLimits, WeightsOfZeroLeaveNobody) {
  const PrognosisRuns runs(changed([](Patient& p, std::size_t) { p.weight = 0; }));
  expect_says(refusal<InputError>(runs, "covariates = [\"AGE\"]\nweight = \"WEIGHT\"\n", alone),
              "400 weight missing or 0");
}

TEST(PrognosisLimits, AllEventsOnOneDayStillMakeAModel) {
  const PrognosisRuns runs(changed([](Patient& p, std::size_t) {
    if (p.event == 1) p.time = 50;
  }));
  const auto results = runs.run("covariates = [\"AGE\"]\n", alone + "replicates = 10\nhorizons = [20, 60]\n");

  EXPECT_TRUE(std::isfinite(Rows(results, "coefficients").real("log_hazard", 0)));
  const Rows performance(results, "performance");
  expect_reasons(results, "performance");
  const auto auc = performance.find({{"measure", "auc"}});  // at 20 days
  EXPECT_TRUE(std::isnan(performance.real("apparent", auc)));
  expect_says(performance.text("note", auc), "dies");
}

TEST(PrognosisLimits, ConstantsAndCopiesAreLeftOutByName) {
  const PrognosisRuns runs(changed([](Patient& p, std::size_t) {
    p.flag = p.age;
    p.weight = 1;
  }));
  const auto results = runs.run("covariates = [\"AGE\", \"FLAG\", \"WEIGHT\"]\n",
                                alone + "replicates = 20\nhorizons = [300]\n");
  const Rows terms(results, "coefficients");

  EXPECT_TRUE(std::isfinite(terms.real("log_hazard", 0)));
  for (const Index t : {1, 2}) {
    EXPECT_TRUE(std::isnan(terms.real("log_hazard", t)));
    EXPECT_EQ(terms.text("note", t), "follows from the terms before it");
    EXPECT_EQ(terms.real("selected", t), 0);
  }
  expect_says(results.summary[1], "FLAG, WEIGHT");
  expect_reasons(results, "performance");
}

TEST(PrognosisLimits, OneConstantAlonePredictsNothing) {
  const PrognosisRuns runs(changed([](Patient& p, std::size_t) { p.weight = 2; }));
  const auto results = runs.run("covariates = [\"WEIGHT\"]\n", alone + "replicates = 10\nhorizons = [300]\n");
  const Rows performance(results, "performance");

  EXPECT_NEAR(performance.real("apparent", performance.find({{"measure", "harrell_c"}})), 0.5, 1e-12);
  expect_says(performance.text("note", performance.find({{"measure", "calibration_slope"}})),
              "all predictions are equal");
  EXPECT_EQ(Rows(results, "groups").size(), 1);  // nothing parts them
}

TEST(PrognosisLimits, MoreTermsThanEventsAreSaidToGrowOrFollow) {
  SmallCohort cohort = complete_patients();
  Index events = 0;
  for (auto& p : cohort.patients) {
    if (p.event == 1 && ++events > 4) p.event = 0;
  }
  const PrognosisRuns runs(std::move(cohort));
  const auto results = runs.run("covariates = [\"AGE\"]\n", "replicates = 10\nhorizons = [300]\n");

  const Rows terms(results, "coefficients");
  Index n_unbounded = 0;
  for (Index t = 0; t < terms.size(); ++t) {
    const double b = terms.real("log_hazard", t);
    n_unbounded += std::isinf(b);
    EXPECT_TRUE(std::isfinite(b) || !terms.text("note", t).empty());
  }
  EXPECT_GT(n_unbounded, 0);
  expect_says(results.summary[1], "grows without bound");
  expect_reasons(results, "performance");
}

TEST(PrognosisLimits, ATermThatSeparatesPredictsAsFifteen) {
  const PrognosisRuns runs(changed([](Patient& p, std::size_t) { p.flag = p.event; }));
  const auto results = runs.run("covariates = [\"FLAG\"]\n", alone + "replicates = 10\nhorizons = [300]\n");
  const Rows terms(results, "coefficients"), performance(results, "performance");

  EXPECT_TRUE(std::isinf(terms.real("log_hazard", 0)));
  EXPECT_GT(terms.real("log_hazard", 0), 0);
  expect_says(terms.text("note", 0), "predicts as ±15");
  EXPECT_GT(performance.real("apparent", performance.find({{"measure", "harrell_c"}})), 0.5);
}

TEST(PrognosisLimits, ALevelThatAReplicateDoesNotSeeHasNoCoefficientThere) {
  const PrognosisRuns runs(changed([](Patient& p, std::size_t i) {
    p.trial = i == 7 ? 1 : 0;  // one patient of level Y: not drawn in 37 % of the replicates
    if (i == 7) {
      p.time = 90;
      p.event = 1;
    }
  }));
  const auto results =
      runs.run("covariates = [\"TRIAL\", \"AGE\"]\n", alone + "replicates = 60\nhorizons = [300]\n");
  const Rows terms(results, "coefficients");

  EXPECT_TRUE(std::isfinite(terms.real("log_hazard", 0)));
  EXPECT_GT(terms.real("selected", 0), 0.4);
  EXPECT_LT(terms.real("selected", 0), 0.85);
  EXPECT_EQ(terms.real("selected", 1), 1);
}

TEST(PrognosisLimits, HorizonsBeyondFollowUpSaySo) {
  const PrognosisRuns runs(complete_patients());
  const auto results =
      runs.run("covariates = [\"AGE\"]\n", alone + "replicates = 10\nhorizons = [300, 5000]\n");
  const Rows performance(results, "performance");

  for (Index row = 0; row < performance.size(); ++row) {
    const std::string measure = performance.text("measure", row);
    if (performance.real("horizon", row) != 5000 || measure == "uno_c") continue;
    EXPECT_TRUE(std::isnan(performance.real("apparent", row))) << measure;
    EXPECT_FALSE(performance.text("note", row).empty()) << measure;
  }
  EXPECT_TRUE(
      std::isfinite(performance.real("apparent", performance.find({{"measure", "brier"}}))));  // at 300 days
}

TEST(PrognosisLimits, LateEntriesLeaveHarrellsCAndTheSlope) {
  SmallCohort cohort = complete_patients();
  for (std::size_t i = 0; i < 100; ++i)
    cohort.patients[i].entry = std::min(50.0, cohort.patients[i].time / 2);
  const PrognosisRuns runs(std::move(cohort));
  const auto results = runs.run("covariates = [\"AGE\"]\n", alone + "replicates = 10\nhorizons = [300]\n");
  const Rows performance(results, "performance");

  EXPECT_TRUE(std::isfinite(performance.real("corrected", performance.find({{"measure", "harrell_c"}}))));
  EXPECT_TRUE(
      std::isfinite(performance.real("corrected", performance.find({{"measure", "calibration_slope"}}))));
  for (const char* measure : {"uno_c", "auc", "brier", "integrated_brier"})
    expect_says(performance.text("note", performance.find({{"measure", measure}})), "enter late");
}

TEST(PrognosisLimits, WithoutReplicatesNothingIsCorrected) {
  const PrognosisRuns runs(complete_patients());
  const auto results = runs.run("covariates = [\"AGE\"]\n", alone + no_replicates + "horizons = [300]\n");
  const Rows performance(results, "performance");
  EXPECT_EQ(performance.text("note", 0), "no replicates");
  EXPECT_TRUE(std::isnan(performance.real("corrected", 0)));
}

TEST(PrognosisLimits, OnePatientPerTrialCannotBeMeasuredAlone) {
  const PrognosisRuns runs(changed([](Patient& p, std::size_t i) { p.trial = i == 3 ? 1 : 0; }));
  const auto results = runs.run("covariates = [\"AGE\"]\n",
                                alone + no_replicates + "leave_out = \"TRIAL\"\nhorizons = [300]\n");
  const Rows left_out(results, "left_out");
  const Index row = left_out.find({{"level", "Y"}, {"measure", "harrell_c"}});
  EXPECT_EQ(left_out.whole("n", row), 1);
  EXPECT_TRUE(std::isnan(left_out.real("value", row)));
  EXPECT_FALSE(left_out.text("note", row).empty());
}

TEST(PrognosisLimits, ConfigsThatMakeNoSenseAreRefused) {
  const PrognosisRuns runs(complete_patients());
  const auto said = [&](const std::string& outcome, const std::string& own) {
    return refusal<ConfigError>(runs, outcome, own);
  };
  const std::string age = "covariates = [\"AGE\"]\n";
  expect_says(said("", alone), "no candidates");
  expect_says(said("covariates = [\"AGE\", \"AGE\"]\n", ""), "named twice");
  expect_says(said(age, "log10 = [\"TRIAL\"]\n"), "logarithm of what is no covariate");
  expect_says(said("covariates = [\"TRIAL\"]\n", "log10 = [\"TRIAL\"]\n"), "a category has no logarithm");
  expect_says(said(age, "selection = \"elastic_net\"\nalways = [\"TP54\"]\n"), "did you mean \"TP53\"?");
  expect_says(said(age, "always = [\"AGE\"]\n"), "without selection");
  expect_says(said(age, alone + "selection = \"elastic_net\"\nalways = [\"AGE\"]\n"),
              "nothing is left to choose");
  expect_says(said(age, "stability_pairs = 5\n"), "follows elastic-net paths");
  expect_says(said(age, "selection = \"elastic_net\"\nalpha = 0\n"), "ridge keeps every term");
  expect_says(said(age, "horizons = []\n"), "no horizon");
  expect_says(said(age, "horizons = [300, 200]\n"), "do not ascend");
  expect_says(said(age, "group_quantiles = [0.5, 0.5]\n"), "do not ascend");
  expect_says(said(age + "strata = [\"TRIAL\"]\n", "leave_out = \"TRIAL\"\n"),
              "no baseline hazard of its own");
  expect_says(said(age, "cluster = \"TRIAL\"\nbootstrap_strata = [\"FLAG\"]\n"), "lies in two strata");
  expect_says(said(age, "measures = [\"harrel_c\"]\n"), "harrell_c");
  expect_says(said(age, "schemes = [\"ELN\"]\n"), "ELN");
}

}  // namespace
}  // namespace chorale::jobs
