// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <array>
#include <filesystem>
#include <span>
#include <string>
#include <utility>

#include "io/config/schema.hpp"
#include "io/study/recipe.hpp"

namespace chorale::jobs {

/// The ingest recipe as a TOML file has it.
io::Schema<io::IngestRecipe> recipe_schema();

/// A recipe file, or a study folder that needs none. Paths in a recipe are relative to its own folder.
/// Throws   ConfigError when the recipe is wrong or names no delivery
io::IngestRecipe load_recipe(const std::filesystem::path& recipe_or_study,
                             std::span<const std::string> overrides);

}  // namespace chorale::jobs

template <>
struct chorale::io::ConfigWords<chorale::io::SampleRule> {
  static constexpr std::array words{std::pair{"any", SampleRule::any}, std::pair{"first", SampleRule::first}};
};
template <>
struct chorale::io::ConfigWords<chorale::io::NaRule> {
  static constexpr std::array words{std::pair{"by_rows", NaRule::by_rows},
                                    std::pair{"whole_exome", NaRule::whole_exome},
                                    std::pair{"not_profiled", NaRule::not_profiled}};
};
template <>
struct chorale::io::ConfigWords<chorale::io::ProfiledRule> {
  static constexpr std::array words{std::pair{"by_files", ProfiledRule::by_files},
                                    std::pair{"everyone", ProfiledRule::everyone}};
};
