// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "kernels/cox.hpp"
#include "tests/aml.hpp"

namespace chorale::kernels {

/// The multivariable model of reference/aml_reference.R: 18 columns, 1,305 patients without missing values.
class Multivariable : public testing::Test {
 protected:
  void SetUp() override {
    if (!aml::are_here()) GTEST_SKIP() << aml::why_skipped();
    expected_ = aml::reference("aml_multivariable.json");
    aml::Table clinical = aml::patients();
    const std::size_t n = clinical["PATIENT_ID"].size();
    ASSERT_EQ(n, 1540u);
    for (std::size_t i = 0; i < n; ++i) {
      time_.push_back(aml::number(clinical["OS_MONTHS"][i]));
      event_.push_back(clinical["OS_STATUS"][i].starts_with('1'));
      const auto& trials = clinical["TRIAL"];
      trial_.push_back(
          static_cast<std::int32_t>(std::find(trials.begin(), trials.end(), trials[i]) - trials.begin()));
    }
    // codes from 0
    std::vector<std::int32_t> codes = trial_;
    std::sort(codes.begin(), codes.end());
    codes.erase(std::unique(codes.begin(), codes.end()), codes.end());
    for (auto& code : trial_)
      code = static_cast<std::int32_t>(std::lower_bound(codes.begin(), codes.end(), code) - codes.begin());

    const auto carriers = aml::carriers();
    const auto field = [&](const std::string& name, auto value) {
      for (const std::string& cell : clinical[name]) columns_.push_back(value(cell));
      names_.push_back(name);
    };
    field("AGE", aml::number);
    field("SEX", [](const std::string& cell) { return cell == "Male" ? 1.0 : 0.0; });
    field("WBC", [&](const std::string& cell) { return std::log10(aml::number(cell)); });
    for (const char* name : {"HB", "PLATELETS", "BM_BLASTS"}) field(name, aml::number);
    names_[1] = "SEX_MALE";
    names_[2] = "LOG10_WBC";
    for (const char* gene :
         {"NPM1", "FLT3-ITD", "DNMT3A", "TP53", "RUNX1", "ASXL1", "NRAS", "IDH2", "CEBPA"}) {
      std::vector<double> carries(n, 0);
      for (const std::int32_t patient : carriers.at(gene)) carries[static_cast<std::size_t>(patient)] = 1;
      columns_.insert(columns_.end(), carries.begin(), carries.end());
      names_.emplace_back(gene);
    }
    for (const char* name : {"T_8_21", "INV_16", "COMPLEX_KARYOTYPE"}) field(name, aml::number);
    complete_.assign(n, 1);
    for (std::size_t k = 0; k < columns_.size(); ++k) {
      // R takes the logarithm of a count of 0 for minus infinity, and there is none
      if (std::isnan(columns_[k])) complete_[k % n] = 0;
    }
  }

  Timeline timeline(bool by_trial = false) const {
    return make_timeline(
        {.entry = {},
         .time = time_,
         .event = event_,
         .weight = {},
         .stratum = by_trial ? std::span<const std::int32_t>(trial_) : std::span<const std::int32_t>()});
  }
  CoxColumns columns() const { return {columns_, static_cast<Index>(names_.size()), {}}; }
  std::vector<double> risk(const std::vector<double>& beta) const {
    std::vector<double> sums(time_.size(), 0);
    for (std::size_t k = 0; k < columns_.size(); ++k)
      sums[k % sums.size()] += beta[k / sums.size()] * columns_[k];
    return sums;
  }

  aml::json expected_;
  std::vector<double> time_, columns_;
  std::vector<std::int8_t> event_;
  std::vector<std::int32_t> trial_;
  std::vector<std::string> names_;
  std::vector<std::uint8_t> complete_;
};

}  // namespace chorale::kernels
