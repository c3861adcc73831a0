// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
//
// Survival and competing risks in a real cohort of 1,540 patients with acute myeloid leukaemia, as R computed them:
// survival by ELN group, and relapse against death without relapse after complete remission.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "kernels/competing_risks.hpp"
#include "kernels/fine_gray.hpp"
#include "kernels/kaplan_meier.hpp"
#include "kernels/log_rank.hpp"
#include "tests/aml.hpp"

namespace chorale::kernels {
namespace {

using aml::json, aml::number;

class AmlSurvival : public testing::Test {
 protected:
  void SetUp() override {
    if (!aml::are_here()) GTEST_SKIP() << aml::why_skipped();
    clinical_ = aml::patients();
  }

  aml::Table clinical_;
};

TEST_F(AmlSurvival, ByElnGroupIsThatOfR) {
  const json expected = aml::reference("aml_km.json");
  std::vector<double> time;
  std::vector<std::int8_t> event;
  for (const auto& cell : clinical_["OS_MONTHS"]) time.push_back(number(cell));
  for (const auto& cell : clinical_["OS_STATUS"]) event.push_back(cell.starts_with('1'));
  const Timeline timeline =
      make_timeline({.entry = {}, .time = time, .event = event, .weight = {}, .stratum = {}});
  const auto& eln = clinical_["ELN_2011"];
  const std::vector<std::string> names{"Adverse", "Favorable", "Inter-1", "Inter-2"};
  std::vector<std::int32_t> group;
  for (const auto& cell : eln) {
    const auto at = std::find(names.begin(), names.end(), cell) - names.begin();
    group.push_back(at < 4 ? static_cast<std::int32_t>(at) : -1);
  }
  for (std::size_t g = 0; g < 4; ++g) {
    std::vector<std::uint8_t> mask;
    for (const std::int32_t code : group) mask.push_back(code == static_cast<std::int32_t>(g));
    const KmCurve curve = kaplan_meier(timeline, mask, {.type = ConfType::log_log});
    for (std::size_t k = 0; k < 3; ++k) {
      const json& r = expected["at"][3 * g + k];
      const KmPoint point = km_landmarks(timeline, mask, curve, std::vector<double>{r["time"]})[0];
      EXPECT_EQ(point.at_risk, r["at_risk"].get<double>());
      EXPECT_NEAR(point.survival, r["surv"].get<double>(), 1e-11);
      EXPECT_NEAR(point.se, r["se"].get<double>(), 1e-11);
      EXPECT_NEAR(point.lower, r["lower"].get<double>(), 1e-11);
      EXPECT_NEAR(point.upper, r["upper"].get<double>(), 1e-11);
    }
    EXPECT_EQ(curve.n_events, expected["median"][g]["events"].get<Index>());
    EXPECT_NEAR(km_median(curve).time, expected["median"][g]["median"].get<double>(), 1e-4);
  }
  EXPECT_NEAR(log_rank(timeline, group, 4).chi2, expected["logrank"]["chisq"].get<double>(), 1e-8);
}

TEST_F(AmlSurvival, RelapseAndDeathAfterRemissionAreThoseOfR) {
  const json expected = aml::reference("aml_competing_risks.json");
  const auto carriers = aml::carriers();
  std::vector<double> time, columns[3];
  std::vector<std::int8_t> cause;
  constexpr double days_per_month = 30.4375;
  for (std::size_t i = 0; i < clinical_["PATIENT_ID"].size(); ++i) {
    const double remission = number(clinical_["CR_DAYS"][i]), relapse = number(clinical_["RELAPSE_DAYS"][i]);
    const bool relapsed = !std::isnan(relapse);
    const double end = relapsed ? relapse : number(clinical_["OS_MONTHS"][i]) * days_per_month;
    if (!(end - remission > 0)) continue;
    const auto patient = static_cast<std::int32_t>(i);
    time.push_back((end - remission) / days_per_month);
    cause.push_back(relapsed ? 1 : clinical_["OS_STATUS"][i].starts_with('1') ? 2 : 0);
    columns[0].push_back(number(clinical_["AGE"][i]));
    columns[1].push_back(carriers.at("NPM1").contains(patient));
    columns[2].push_back(carriers.at("FLT3-ITD").contains(patient));
  }
  const CauseTimeline causes =
      make_cause_timeline({.entry = {}, .time = time, .cause = cause, .weight = {}, .stratum = {}}, 2);
  const CumulativeIncidence curve = cumulative_incidence(causes);
  EXPECT_EQ(curve.n_analysed, expected["n"].get<Index>());
  EXPECT_EQ(curve.n_events[0], expected["relapses"].get<Index>());
  EXPECT_EQ(curve.n_events[1], expected["deaths"].get<Index>());
  const std::vector<double> at = expected["times"];
  for (std::size_t k = 0; k < at.size(); ++k) {
    EXPECT_NEAR(incidence_at(curve, 1, at)[k].incidence, expected["cif_relapse"][k].get<double>(), 1e-11);
    EXPECT_NEAR(incidence_at(curve, 2, at)[k].incidence, expected["cif_death"][k].get<double>(), 1e-11);
  }
  std::vector<double> values;
  for (const auto& column : columns) values.insert(values.end(), column.begin(), column.end());
  const FineGrayFit fit = fine_gray_fit(
      make_fine_gray_design(causes, {.columns = {values, 3, {}}, .ties = CensoringTies::after_events}));
  const json& r = expected["fine_gray_relapse"];
  const char* names[] = {"AGE", "NPM1", "ITD"};
  for (std::size_t j = 0; j < 3; ++j) {
    EXPECT_NEAR(fit.beta[j], r["beta"][names[j]].get<double>(), 1e-6);
    EXPECT_NEAR(std::sqrt(fit.naive_covariance[4 * j]), r["se_naive"][j].get<double>(), 1e-6);
  }
}

}  // namespace
}  // namespace chorale::kernels
