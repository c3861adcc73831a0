// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "engine/selection.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "kernels/error.hpp"
#include "tests/engine/drawn_cohort.hpp"
#include "tests/io/message.hpp"
#include "tests/io/temporary_folder.hpp"

namespace chorale::engine {
namespace {

using ::testing::Test;

Filter on(const std::string& field) {
  Filter filter;
  filter.field = field;
  return filter;
}

class SelectionTest : public Test {
 protected:
  SelectionTest() : cohort_(draw_cohort(folder_.path(), {40})) {}

  std::vector<std::int32_t> apply(const SelectConfig& config, Ledger& ledger) const {
    return Selection(config, cohort_.catalogue).apply(io::ShardReader(cohort_.catalogue, 0), ledger);
  }
  std::string refusal(const Filter& filter) const {
    return message_of<ConfigError>([&] { Selection({.where = {filter}}, cohort_.catalogue); });
  }
  const io::ShardData& shard() const { return cohort_.shards[0]; }

  TemporaryFolder folder_;
  DrawnCohort cohort_;
};

TEST_F(SelectionTest, WithoutConditionsKeepsEveryone) {
  Ledger ledger;
  EXPECT_EQ(apply({}, ledger).size(), 40U);
  EXPECT_TRUE(Selection({}, cohort_.catalogue).keeps_everyone());
  EXPECT_EQ(ledger.n_start, 40);
  EXPECT_TRUE(ledger.lines.empty());
}

TEST_F(SelectionTest, BoundsHoldTogetherAndMissingValuesAreCountedApart) {
  Filter age = on("AGE");
  age.at_least = 30;
  age.below = 60;
  Ledger ledger;
  const auto stay = apply({.where = {age}}, ledger);

  std::vector<std::int32_t> expected;
  Index n_missing = 0;
  for (std::size_t i = 0; i < 40; ++i) {
    const double value = shard().clinical[0].number[i];
    n_missing += std::isnan(value) ? 1 : 0;
    if (value >= 30 && value < 60) expected.push_back(static_cast<std::int32_t>(i));
  }
  ASSERT_GT(n_missing, 0);
  EXPECT_EQ(stay, expected);
  ASSERT_EQ(ledger.lines.size(), 2U);
  EXPECT_EQ(ledger.lines[0].reason, "AGE at least 30, below 60: no value");
  EXPECT_EQ(ledger.lines[0].n_left, n_missing);
  EXPECT_EQ(ledger.lines[1].reason, "AGE at least 30, below 60: does not hold");
  EXPECT_EQ(ledger.lines[1].n_left, 40 - n_missing - static_cast<Index>(expected.size()));
  EXPECT_EQ(ledger.n_remaining(), static_cast<Index>(expected.size()));
}

TEST_F(SelectionTest, StrictBoundsLeaveTheBoundItselfOut) {
  const double median_like = 50;
  for (const bool strict : {false, true}) {
    Filter low = on("AGE"), high = on("AGE");
    (strict ? low.above : low.at_least) = median_like;
    (strict ? high.below : high.at_most) = median_like;
    Index n_low = 0, n_high = 0;
    for (const double age : shard().clinical[0].number) {
      n_low += strict ? age > median_like : age >= median_like;
      n_high += strict ? age < median_like : age <= median_like;
    }
    Ledger ledger;
    EXPECT_EQ(static_cast<Index>(apply({.where = {low}}, ledger).size()), n_low);
    EXPECT_EQ(static_cast<Index>(apply({.where = {high}}, ledger).size()), n_high);
  }
}

TEST_F(SelectionTest, KeepMissingLetsThemStay) {
  Filter age = on("AGE");
  age.above = 1000;
  age.keep_missing = true;
  Ledger ledger;
  const auto stay = apply({.where = {age}}, ledger);
  EXPECT_FALSE(stay.empty());
  for (const auto i : stay) EXPECT_TRUE(std::isnan(shard().clinical[0].number[static_cast<std::size_t>(i)]));
  EXPECT_EQ(ledger.lines[0].n_left, 0);
}

TEST_F(SelectionTest, CategoriesChooseLevels) {
  Filter sex = on("SEX");
  sex.is = {"Male"};
  Filter not_female = on("SEX");
  not_female.is_not = {"Female"};
  Ledger ledger;
  const auto stay = apply({.where = {sex}}, ledger);
  for (const auto i : stay) EXPECT_EQ(shard().clinical[2].code[static_cast<std::size_t>(i)], 1);
  EXPECT_EQ(static_cast<Index>(stay.size()),
            std::count(shard().clinical[2].code.begin(), shard().clinical[2].code.end(), 1));
  Ledger other;
  EXPECT_EQ(apply({.where = {not_female}}, other), stay);  // missing leaves either way
}

TEST_F(SelectionTest, NumbersCanBeListed) {
  Filter flag = on("FLAG");
  flag.is = {"1"};
  Filter not_zero = on("FLAG");
  not_zero.is_not = {"0.0"};
  Ledger ledger, other;
  const auto stay = apply({.where = {flag}}, ledger);
  EXPECT_EQ(static_cast<Index>(stay.size()),
            std::count(shard().clinical[1].number.begin(), shard().clinical[1].number.end(), 1.0));
  EXPECT_EQ(apply({.where = {not_zero}}, other), stay);
}

TEST_F(SelectionTest, TheSiteIsAFieldToo) {
  Filter site = on("SITE");
  site.is = {"Graz", "Wien"};
  Ledger ledger;
  const auto stay = apply({.where = {site}}, ledger);
  EXPECT_EQ(static_cast<Index>(stay.size()), 40 - std::count(shard().site.begin(), shard().site.end(), 0));
  EXPECT_EQ(ledger.lines[1].reason, "SITE is Graz or Wien: does not hold");
}

TEST_F(SelectionTest, ConditionsFollowEachOther) {
  Filter sex = on("SEX"), age = on("AGE");
  sex.is = {"Male"};
  age.at_least = 18;  // everyone with an age
  Ledger ledger;
  const auto stay = apply({.where = {sex, age}}, ledger);
  Index n_male_without_age = 0;
  for (std::size_t i = 0; i < 40; ++i)
    n_male_without_age +=
        shard().clinical[2].code[i] == 1 && std::isnan(shard().clinical[0].number[i]) ? 1 : 0;
  EXPECT_EQ(ledger.lines[2].n_left, n_male_without_age) << "who left before is not counted again";
  EXPECT_EQ(ledger.n_remaining(), static_cast<Index>(stay.size()));
}

TEST_F(SelectionTest, UnknownFieldIsRefusedWithTheNearest) {
  const std::string message = refusal(on("AEG"));
  EXPECT_NE(message.find("the cohort has no such field (found AEG"), std::string::npos) << message;
  EXPECT_NE(message.find("did you mean AGE?"), std::string::npos) << message;
  EXPECT_NE(refusal(on("HAEMOGLOBIN")).find("'chorale inspect' lists the fields"), std::string::npos);
}

TEST_F(SelectionTest, UnknownLevelIsRefusedWithTheNearest) {
  Filter sex = on("SEX");
  sex.is = {"male"};
  const std::string message = refusal(sex);
  EXPECT_NE(message.find("the cohort has no such level (found \"male\", expected one of Female, Male)"),
            std::string::npos)
      << message;
  EXPECT_NE(message.find("did you mean \"Male\"?"), std::string::npos) << message;
  Filter site = on("SITE");
  site.is_not = {"Zagreb"};
  EXPECT_NE(refusal(site).find("choose one of these"), std::string::npos);
}

TEST_F(SelectionTest, BoundOnACategoryIsRefused) {
  Filter sex = on("SEX");
  sex.at_least = 1;
  const std::string message = refusal(sex);
  EXPECT_NE(message.find("a category cannot be compared with a bound"), std::string::npos) << message;
  EXPECT_NE(message.find("select.where, field SEX"), std::string::npos) << message;
}

TEST_F(SelectionTest, TextForANumberIsRefused) {
  Filter age = on("AGE");
  age.is = {"old"};
  EXPECT_NE(refusal(age).find("a number field is compared with text (found \"old\", expected a number)"),
            std::string::npos);
  age.is = {"18 years"};
  EXPECT_NE(refusal(age), "");
}

TEST_F(SelectionTest, ConditionWithoutAFieldIsRefused) {
  EXPECT_NE(refusal(on("")).find("a condition names no field"), std::string::npos);
}

}  // namespace
}  // namespace chorale::engine
