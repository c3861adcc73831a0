// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "engine/selection.hpp"
#include "io/study/recipe.hpp"
#include "jobs/score/design.hpp"
#include "kernels/error.hpp"

namespace chorale::jobs::score {
namespace {

using Kind = io::ModelFile::Kind;

std::string text_of(io::FieldKind kind) {
  return kind == io::FieldKind::number ? "a number" : "a category";
}

bool has(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// Fails with all that is missing; `known` are names to suggest.
void require_none(const std::vector<std::string>& missing, const std::vector<std::string>& known,
                  const char* what, const char* remedy, const engine::Setup& setup) {
  if (missing.empty()) return;
  const std::string near = missing.size() == 1 ? io::nearest(missing.front(), known) : std::string();
  throw InputError({.what = what,
                    .found = fmt::format("no {}", fmt::join(missing, ", no ")),
                    .expected = "all that the model was made from",
                    .in = setup.catalogue.folder.string(),
                    .remedy = near.empty() ? std::string(remedy)
                                           : "the cohort has " + near + ": if that is meant, ingest it as " +
                                                 missing.front()});
}

void require_fields(const io::ModelFile& model, const engine::Setup& setup) {
  std::vector<std::string> missing, known;
  for (const auto& field : setup.catalogue.fields) known.push_back(field.name);
  for (const auto& variable : model.variables) {
    if (variable.kind == Kind::feature || setup.catalogue.field_index(variable.name) >= 0) continue;
    if (variable.kind == Kind::category && variable.name == engine::site_field) continue;
    missing.push_back(variable.name);
  }
  require_none(missing, known, "the cohort lacks fields of the model",
               "ingest them under these names; 'chorale inspect' lists what there is", setup);
  for (const auto& variable : model.variables) {
    const Index f = setup.catalogue.field_index(variable.name);
    if (variable.kind == Kind::feature || f < 0) continue;
    const io::Field& field = setup.catalogue.fields[static_cast<std::size_t>(f)];
    const auto wanted = variable.kind == Kind::category ? io::FieldKind::category : io::FieldKind::number;
    if (field.kind != wanted)
      throw InputError({.what = "a field of the model is of another kind here",
                        .found = field.name + ", " + text_of(field.kind),
                        .expected = text_of(wanted),
                        .in = setup.catalogue.folder.string(),
                        .remedy = "ingest it as the model has it"});
    if (!field.unit.empty() && !variable.unit.empty() && field.unit != variable.unit)
      throw InputError({.what = "a field of the model has another unit here",
                        .found = field.name + " in " + field.unit,
                        .expected = variable.unit,
                        .in = setup.catalogue.folder.string(),
                        .remedy = "ingest it in the model's unit"});
  }
}

void require_classes(const io::ModelFile& model, const engine::Setup& setup) {
  const auto& features = setup.features;
  const auto apart = classes_apart(model, features.class_set, features.classes, setup.catalogue);
  if (apart.empty()) return;
  throw ConfigError(
      {.what = "other variant classes make a gene altered than in the model",
       .found = fmt::format("set {}; it differs in {}", features.class_set, fmt::join(apart, ", ")),
       .expected = "set " + model.class_set,
       .in = "features.classes",
       .remedy = fmt::format("set features.classes = \"{}\", or ingest the cohort with its classes",
                             model.class_set)});
}

/// Does a class make a carrier in this set? A set without classes, or of the name of one, holds all.
bool holds(const std::string& name, const std::vector<std::string>& classes, const std::string& one) {
  const auto& sets = io::class_sets();
  const bool every = std::any_of(sets.begin(), sets.end(),
                                 [&](const auto& set) { return set.name == name && set.classes.empty(); });
  return every || classes.empty() || has(classes, one);
}

}  // namespace

std::vector<std::string> classes_apart(const io::ModelFile& model, const std::string& class_set,
                                       const std::vector<std::string>& classes,
                                       const io::Catalogue& catalogue) {
  std::vector<std::string> asked = catalogue.variant_classes;
  if (asked.empty()) {
    asked = model.classes;
    for (const auto& one : classes)
      if (!has(asked, one)) asked.push_back(one);
  }
  std::erase_if(asked, [&](const std::string& one) {
    return holds(model.class_set, model.classes, one) == holds(class_set, classes, one);
  });
  return asked;
}

std::vector<Index> require_inputs(const io::ModelFile& model, const engine::Setup& setup) {
  require_fields(model, setup);
  std::vector<Index> position;
  std::vector<std::string> missing, known;
  bool mutations = false;
  for (const auto& feature : setup.features.features) known.push_back(feature.name);
  for (const auto& variable : model.variables) {
    position.push_back(-1);
    if (variable.kind != Kind::feature) continue;
    const auto at = std::find(known.begin(), known.end(), variable.name);
    if (at == known.end()) {
      missing.push_back(variable.name);
      continue;
    }
    position.back() = at - known.begin();
    mutations =
        mutations || setup.features.features[static_cast<std::size_t>(position.back())].kind == "mutation";
  }
  require_none(missing, known, "the cohort lacks features of the model",
               "name 0/1 fields in features.fields and all of them in features.include, or ingest them",
               setup);
  if (mutations) require_classes(model, setup);
  return position;
}

}  // namespace chorale::jobs::score
