// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "jobs/commands/recipe.hpp"

#include "io/study/ingest.hpp"

namespace chorale::jobs {

using io::Delivery;
using io::IngestRecipe;

io::Schema<IngestRecipe> recipe_schema() {
  io::Schema<Delivery> delivery("deliveries", "");
  delivery.field("path", &Delivery::path).help("study folder, relative to the recipe");
  delivery.field("site", &Delivery::site).help("name of the site; empty: the study's own identifier");

  io::Schema<IngestRecipe> schema("", "How deliveries become a cohort.");
  schema.field("name", &IngestRecipe::name).help("name of the cohort; empty: the studies' identifiers");
  schema.tables("deliveries", &IngestRecipe::deliveries, std::move(delivery), "study folders, in this order");
  schema.field("site_field", &IngestRecipe::site_field)
      .help("clinical column that names the site; empty: the delivery's");
  schema.field("class_set", &IngestRecipe::class_set)
      .help(
          "named set of variant classes that make a carrier: nonsilent, truncating, all; or a new name with "
          "classes");
  schema.field("classes", &IngestRecipe::classes)
      .help("variant classes that make a carrier; empty: those of the set");
  schema.field("count_unknown_class", &IngestRecipe::count_unknown_class)
      .help("does a variant whose class is not known make a carrier?");
  schema.field("sample_rule", &IngestRecipe::sample_rule)
      .help("any: a patient carries what any sample carries; first: only the first sample counts");
  schema.field("panel_na", &IngestRecipe::panel_na).help("what NA in the gene panel matrix means");
  schema.field("profiled", &IngestRecipe::profiled)
      .help("who was tested: whom the study's files name, or everyone");
  schema.field("gains_and_losses", &IngestRecipe::gains_and_losses)
      .help("also count copy-number gains and single losses");
  schema.field("drop_invalid", &IngestRecipe::drop_invalid)
      .help("drop rows and blank values that are wrong, and count them, instead of refusing the study");
  schema.field("overwrite", &IngestRecipe::overwrite)
      .help("replace a cohort that stands in the output folder");
  schema.field("patients_per_shard", &IngestRecipe::patients_per_shard)
      .unit("patients")
      .at_least(1)
      .help("size of shards");
  schema.field("pseudonym_key", &IngestRecipe::pseudonym_key)
      .help("file with a secret; patient identifiers become its HMAC-SHA-256; empty: as delivered");
  return schema;
}

IngestRecipe load_recipe(const std::filesystem::path& recipe_or_study,
                         std::span<const std::string> overrides) {
  const auto schema = recipe_schema();
  if (std::filesystem::is_directory(recipe_or_study)) {
    const io::Node node = io::parse_config("", recipe_or_study.string(), overrides);
    IngestRecipe recipe = schema.parse(&node);
    if (recipe.deliveries.empty()) recipe.deliveries = io::recipe_for(recipe_or_study).deliveries;
    return recipe;
  }
  const io::Node node = io::load_config(recipe_or_study, overrides);
  IngestRecipe recipe = schema.parse(&node);
  if (recipe.deliveries.empty()) {
    throw ConfigError({.what = "recipe names no delivery",
                       .in = recipe_or_study.string(),
                       .remedy = "add  deliveries = [ { path = \"STUDY_FOLDER\", site = \"NAME\" } ]"});
  }
  const auto folder = recipe_or_study.parent_path();
  for (Delivery& delivery : recipe.deliveries) delivery.path = folder / delivery.path;
  if (!recipe.pseudonym_key.empty()) recipe.pseudonym_key = folder / recipe.pseudonym_key;
  return recipe;
}

}  // namespace chorale::jobs
