// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "io/study/recipe.hpp"

#include <algorithm>

#include "kernels/error.hpp"

namespace chorale::io {

const std::vector<ClassSet>& class_sets() {
  static const std::vector<ClassSet> sets{
      {"nonsilent",
       "the nine classes that change the protein",
       {"Frame_Shift_Del", "Frame_Shift_Ins", "In_Frame_Del", "In_Frame_Ins", "Missense_Mutation",
        "Nonsense_Mutation", "Nonstop_Mutation", "Splice_Site", "Translation_Start_Site"}},
      {"truncating",
       "the classes that cut the protein short or lose its start",
       {"Frame_Shift_Del", "Frame_Shift_Ins", "Nonsense_Mutation", "Splice_Site", "Translation_Start_Site"}},
      {"all", "every class, silent ones too", {}}};
  return sets;
}

std::vector<std::string> counting_classes(const IngestRecipe& recipe) {
  std::vector<std::string> classes = recipe.classes;
  if (classes.empty()) {
    const auto& sets = class_sets();
    const auto set =
        std::find_if(sets.begin(), sets.end(), [&](const ClassSet& s) { return s.name == recipe.class_set; });
    if (set == sets.end())
      throw ConfigError({.what = "no variant-class set has this name",
                         .found = recipe.class_set,
                         .expected = "nonsilent, truncating or all",
                         .in = "class_set",
                         .remedy = "take one of these names, or list the classes beside it"});
    if (set->classes.empty()) return {};
    classes = set->classes;
  }
  if (recipe.count_unknown_class) classes.emplace_back(unknown_class);
  std::sort(classes.begin(), classes.end());
  classes.erase(std::unique(classes.begin(), classes.end()), classes.end());
  return classes;
}

}  // namespace chorale::io
