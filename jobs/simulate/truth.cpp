// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "jobs/simulate/truth.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>

#include <fmt/format.h>

#include "io/file.hpp"

namespace chorale::jobs {
namespace {

using Text = std::string;

template <class... Cells>
void row(Text& text, const Cells&... cells) {
  const char* before = "";
  ((fmt::format_to(std::back_inserter(text), "{}{}", before, cells), before = "\t"), ...);
  text += '\n';
}

Text frequencies(const CohortModel& model) {
  const SimulateSpec& spec = model.spec();
  Text text;
  row(text, "entity", "feature", "kind", "frequency");
  for (std::size_t e = 0; e < spec.entities.size(); ++e) {
    for (const auto& alteration : spec.entities[e].alterations) {
      const bool gene = model.catalogue().gene_index(alteration.name) >= 0;
      row(text, spec.entities[e].name, alteration.name, gene ? "gene" : "aberration", alteration.frequency);
    }
    for (Index g = 0; g < model.background().size(); ++g)
      row(text, spec.entities[e].name, model.background_gene(g), "background",
          model.background().frequency(static_cast<Index>(e), g));
  }
  return text;
}

Text pairs(const SimulateSpec& spec) {
  Text text;
  row(text, "entity", "a", "b", "odds_ratio", "both");
  for (const EntitySpec& entity : spec.entities) {
    const auto frequency = [&](const std::string& name) {
      return std::find_if(entity.alterations.begin(), entity.alterations.end(),
                          [&](const auto& alteration) { return alteration.name == name; })
          ->frequency;
    };
    for (const PairSpec& pair : entity.pairs)
      row(text, entity.name, pair.a, pair.b, pair.odds_ratio,
          probability_of_both(frequency(pair.a), frequency(pair.b), pair.odds_ratio));
  }
  return text;
}

void field_effects(const FieldSpec& field, const std::vector<EntitySpec>& entities, Text& text) {
  std::vector<std::string> done;
  for (const FieldValuesSpec& values : field.values) {
    for (const EntitySpec& entity : entities) {
      const auto is = [&](const std::string& name) { return name == entity.name; };
      if (!values.entities.empty() && std::none_of(values.entities.begin(), values.entities.end(), is))
        continue;
      if (std::any_of(done.begin(), done.end(), is)) continue;
      done.push_back(entity.name);
      for (std::size_t k = 0; k < values.hazard_ratios.size(); ++k)
        row(text, entity.name, field.name, field.levels[k], std::log(values.hazard_ratios[k]));
      if (field.shape != FieldShape::levels)
        row(text, entity.name, field.name, field.shape == FieldShape::normal ? "unit" : "doubling",
            std::log(values.hazard_ratio));
    }
  }
}

Text effects(const SimulateSpec& spec) {
  Text text;
  row(text, "entity", "term", "per", "log_hazard");
  for (const EntitySpec& entity : spec.entities)
    for (const AlterationSpec& alteration : entity.alterations)
      row(text, entity.name, alteration.name, "carrier", std::log(alteration.hazard_ratio));
  for (const FieldSpec& field : spec.fields) field_effects(field, spec.entities, text);
  for (const SiteSpec& site : spec.sites) row(text, "*", "SITE", site.name, std::log(site.hazard_ratio));
  return text;
}

Text interactions(const SimulateSpec& spec) {
  Text text;
  row(text, "entity", "a", "b", "log_hazard");
  for (const EntitySpec& entity : spec.entities)
    for (const InteractionSpec& interaction : entity.interactions)
      row(text, entity.name, interaction.a, interaction.b, std::log(interaction.hazard_ratio));
  return text;
}

Text baseline(const CohortModel& model) {
  Text text;
  row(text, "entity", "shape", "death_rate", "relapse_rate");
  for (std::size_t e = 0; e < model.spec().entities.size(); ++e) {
    const OutcomeLaw& law = model.outcome(static_cast<Index>(e));
    row(text, model.spec().entities[e].name, model.spec().entities[e].shape, law.death_rate(),
        law.relapse_rate());
  }
  return text;
}

}  // namespace

void write_truth(const CohortModel& model, const std::filesystem::path& folder) {
  io::make_folder(folder);
  io::write_file(folder / "frequencies.tsv", frequencies(model));
  io::write_file(folder / "pairs.tsv", pairs(model.spec()));
  io::write_file(folder / "effects.tsv", effects(model.spec()));
  io::write_file(folder / "interactions.tsv", interactions(model.spec()));
  io::write_file(folder / "baseline.tsv", baseline(model));
  io::write_file(folder / "spec.toml", simulate_spec_text(model.spec()));
}

}  // namespace chorale::jobs
