// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "engine/feature_set.hpp"

#include <gtest/gtest.h>

#include "kernels/error.hpp"
#include "tests/engine/drawn_cohort.hpp"
#include "tests/io/message.hpp"

namespace chorale::engine {
namespace {

using Words = std::vector<std::string>;

Words names_of(const FeatureSet& set) {
  Words names;
  for (const auto& feature : set.features) names.push_back(feature.name);
  return names;
}

FeatureSet resolve(const FeaturesConfig& config) {
  return FeatureSet::resolve(config, drawn_catalogue());
}

std::string refusal(const FeaturesConfig& config) {
  return message_of<ConfigError>([&] { resolve(config); });
}

TEST(FeatureSet, IsTheDictionaryInItsOrderUnlessToldOtherwise) {
  const FeatureSet set = resolve({});
  EXPECT_EQ(names_of(set), (Words{"A", "A:AMP", "B", "B::D", "C", "D", "E"}));
  EXPECT_EQ(set.features[1].kind, "copy_number");
  EXPECT_EQ(set.features[3].kind, "structural");
  EXPECT_EQ(set.class_set, "nonsilent");
  EXPECT_FALSE(set.from_variants);
}

TEST(FeatureSet, FieldsFollowTheDictionary) {
  const FeatureSet set = resolve({.fields = {"FLAG"}, .include = {}});
  EXPECT_EQ(names_of(set).back(), "FLAG");
  EXPECT_EQ(set.features.back().kind, "field");
  EXPECT_EQ(set.features.back().field, 1);
  EXPECT_EQ(set.features.back().dictionary, -1);
}

TEST(FeatureSet, IncludeKeepsTheOrderOfTheDictionary) {
  EXPECT_EQ(names_of(resolve({.fields = {"FLAG"}, .include = {"FLAG", "E", "A"}})),
            (Words{"A", "E", "FLAG"}));
}

TEST(FeatureSet, OtherClassSetsComeFromTheVariants) {
  EXPECT_FALSE(resolve({.classes = "nonsilent", .fields = {}, .include = {}}).from_variants)
      << "the cohort's own";
  const FeatureSet truncating = resolve({.classes = "truncating", .fields = {}, .include = {}});
  EXPECT_TRUE(truncating.from_variants);
  EXPECT_EQ(truncating.class_set, "truncating");
  EXPECT_EQ(resolve({.classes = "all", .fields = {}, .include = {}}).classes,
            drawn_catalogue().variant_classes);
}

TEST(FeatureSet, KeepsAChosenFew) {
  EXPECT_EQ(names_of(resolve({}).keep({0, 4})), (Words{"A", "C"}));
}

TEST(FeatureSet, UnknownClassSetIsRefused) {
  const std::string message = refusal({.classes = "truncatign", .fields = {}, .include = {}});
  EXPECT_NE(
      message.find(
          "no variant-class set has this name (found \"truncatign\", expected one of cohort, nonsilent, "
          "truncating, all)"),
      std::string::npos)
      << message;
  EXPECT_NE(message.find("did you mean \"truncating\"?"), std::string::npos) << message;
}

TEST(FeatureSet, UnknownIncludeIsRefused) {
  const std::string message = refusal({.fields = {}, .include = {"A:AMPL"}});
  EXPECT_NE(message.find("the cohort has no such feature (found \"A:AMPL\")"), std::string::npos) << message;
  EXPECT_NE(message.find("did you mean \"A:AMP\"?"), std::string::npos) << message;
  EXPECT_NE(refusal({.fields = {}, .include = {"ZZZZZZZZ"}}).find("inspect COHORT --features"),
            std::string::npos);
}

TEST(FeatureSet, CategoryAndSiteCannotBeFeatures) {
  for (const char* field : {"SEX", "SITE"})
    EXPECT_NE(refusal({.fields = {field}, .include = {}}).find("a feature needs a 0/1 field"),
              std::string::npos)
        << field;
}

TEST(FeatureSet, UnknownFieldIsRefused) {
  EXPECT_NE(refusal({.fields = {"FLAGG"}, .include = {}}).find("did you mean FLAG?"), std::string::npos);
}

TEST(FeatureSet, FieldNamedTwiceOrLikeAFeatureIsRefused) {
  EXPECT_NE(refusal({.fields = {"FLAG", "FLAG"}, .include = {}}).find("a field is listed twice"),
            std::string::npos);
  io::Catalogue catalogue = drawn_catalogue();
  catalogue.fields[0].name = "A";
  const FeaturesConfig config{.fields = {"A"}, .include = {}};
  EXPECT_NE(message_of<ConfigError>([&] {
              FeatureSet::resolve(config, catalogue);
            }).find("a field has the name of a feature"),
            std::string::npos);
}

TEST(FeatureSet, CohortWithoutFeaturesIsRefused) {
  io::Catalogue catalogue = drawn_catalogue();
  catalogue.features.clear();
  EXPECT_NE(
      message_of<ConfigError>([&] { FeatureSet::resolve({}, catalogue); }).find("the cohort has no features"),
      std::string::npos);
}

}  // namespace
}  // namespace chorale::engine
