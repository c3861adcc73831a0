// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "engine/feature_set.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "engine/selection.hpp"
#include "io/study/recipe.hpp"

namespace chorale::engine {
namespace {

constexpr std::string_view cohorts_own = "cohort";

void choose_classes(const FeaturesConfig& config, const io::Catalogue& catalogue, FeatureSet& set) {
  if (config.classes == cohorts_own || config.classes == catalogue.class_set) {
    set.class_set = catalogue.class_set;
    set.classes = catalogue.classes;
    return;
  }
  std::vector<std::string> names{std::string(cohorts_own)};
  for (const auto& known : io::class_sets()) {
    if (known.name == config.classes) {
      set.class_set = known.name;
      set.classes = known.classes.empty() ? catalogue.variant_classes : known.classes;
      set.from_variants = true;
      return;
    }
    names.emplace_back(known.name);
  }
  const std::string near = io::nearest(config.classes, names);
  throw ConfigError({.what = "no variant-class set has this name",
                     .found = '"' + config.classes + '"',
                     .expected = fmt::format("one of {}", fmt::join(names, ", ")),
                     .in = "features.classes",
                     .remedy = near.empty() ? "choose one of these" : "did you mean \"" + near + "\"?"});
}

}  // namespace

FeatureSet FeatureSet::resolve(const FeaturesConfig& config, const io::Catalogue& catalogue) {
  FeatureSet set;
  choose_classes(config, catalogue, set);
  for (std::size_t f = 0; f < catalogue.features.size(); ++f) {
    const io::Feature& feature = catalogue.features[f];
    set.features.push_back({.name = feature.name,
                            .kind = std::string(io::name_of(feature.profile)),
                            .dictionary = static_cast<std::int32_t>(f)});
  }
  for (const auto& name : config.fields) {
    const Index field = require_field(catalogue, name, "features.fields");
    if (field < 0 || catalogue.fields[static_cast<std::size_t>(field)].kind != io::FieldKind::number) {
      throw ConfigError({.what = "a feature needs a 0/1 field",
                         .found = name + ", a category",
                         .expected = "a number field that holds 0 and 1",
                         .in = "features.fields",
                         .remedy = "leave it out; categories can be groups or covariates"});
    }
    if (catalogue.feature_index(name) >= 0) {
      throw ConfigError({.what = "a field has the name of a feature",
                         .found = name,
                         .in = "features.fields",
                         .remedy = "leave it out, or rename the field at ingest"});
    }
    if (std::count(config.fields.begin(), config.fields.end(), name) > 1) {
      throw ConfigError({.what = "a field is listed twice",
                         .found = name,
                         .in = "features.fields",
                         .remedy = "name it once"});
    }
    set.features.push_back({.name = name, .kind = "field", .field = static_cast<std::int32_t>(field)});
  }
  if (!config.include.empty()) {
    std::vector<std::string> names;
    for (const auto& feature : set.features) names.push_back(feature.name);
    for (const auto& wanted : config.include)
      if (std::find(names.begin(), names.end(), wanted) == names.end()) {
        const std::string near = io::nearest(wanted, names);
        throw ConfigError({.what = "the cohort has no such feature",
                           .found = '"' + wanted + '"',
                           .in = "features.include",
                           .remedy = near.empty() ? "'chorale inspect COHORT --features' lists them"
                                                  : "did you mean \"" + near + "\"?"});
      }
    std::erase_if(set.features, [&](const JobFeature& feature) {
      return std::find(config.include.begin(), config.include.end(), feature.name) == config.include.end();
    });
  }
  if (set.features.empty()) {
    throw ConfigError({.what = "the cohort has no features",
                       .in = "features",
                       .remedy = "name 0/1 clinical fields in features.fields, or ingest mutations"});
  }
  return set;
}

FeatureSet FeatureSet::keep(const std::vector<Index>& positions) const {
  FeatureSet kept{.features = {}, .class_set = class_set, .classes = classes, .from_variants = from_variants};
  for (const Index position : positions)
    kept.features.push_back(features[static_cast<std::size_t>(position)]);
  return kept;
}

}  // namespace chorale::engine
