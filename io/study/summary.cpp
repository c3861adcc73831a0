// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "io/study/summary.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "io/study/values.hpp"

namespace chorale::io::study {
namespace {

void add_all(std::vector<Index>& to, const std::vector<Index>& from) {
  for (std::size_t i = 0; i < to.size(); ++i) to[i] += from[i];
}

// Rows that only the shards could judge are added to the table's report.
void account(TableReport& table, const std::array<Kept, n_profiles>& kept) {
  if (table.content == "variants" || table.content == "structural variants") {
    const Kept& k =
        kept[static_cast<std::size_t>(table.content == "variants" ? Profile::mutation : Profile::structural)];
    table.n_kept = k.kept;
    table.drop("gene is not on the patient's panel", k.off_panel);
    table.drop("the same variant stood before in the same sample", k.duplicate);
    table.drop("the same variant was found in another sample of the patient", k.other_sample);
  } else if (table.content.starts_with("copy numbers")) {
    const Kept& k = kept[static_cast<std::size_t>(Profile::copy_number)];
    if (k.off_panel > 0)
      table.note(fmt::format("{} gains and losses dropped: gene is not on the patient's panel", k.off_panel));
  }
  Index n = table.n_kept;
  for (const Count& count : table.dropped) n += count.n;
  if (n != table.n_read)
    throw ShapeError({.what = "rows of a table are not accounted for",
                      .found = fmt::format("{} kept or dropped", n),
                      .expected = fmt::format("{} read", table.n_read),
                      .in = table.file,
                      .remedy = "report this as a bug"});
}

std::vector<std::string> rules(const IngestRecipe& recipe) {
  std::vector<std::string> rules{
      fmt::format(
          "a patient is the unit; of several samples {}",
          recipe.sample_rule == SampleRule::any ? "any counts" : "the first in the sample table counts"),
      "carriers are always tested: what lies off the patient's panel is dropped",
      fmt::format(
          "a variant whose class is missing or Unknown {}",
          recipe.count_unknown_class ? "makes a carrier, as cBioPortal counts it" : "makes no carrier"),
      "two rows are one variant when gene, class, place, alleles and protein change are equal; a row with "
      "neither place "
      "nor protein change equals none",
      fmt::format("a month of an outcome is {} days", days_per_month),
      "attributes of samples are those of the patient's first sample",
      fmt::format("wrong rows and values {}",
                  recipe.drop_invalid ? "are dropped or blanked, and counted" : "are refused")};
  if (recipe.pseudonym_key.empty())
    rules.emplace_back("patient ids are kept as delivered; a pseudonym key replaces them by HMAC-SHA-256");
  else
    rules.emplace_back("patient ids are replaced by HMAC-SHA-256 under the pseudonym key");
  return rules;
}

}  // namespace

void ShardSums::add(const ShardSums& more) {
  for (std::size_t s = 0; s < kept.size(); ++s)
    for (std::size_t p = 0; p < n_profiles; ++p) kept[s][p].add(more.kept[s][p]);
  add_all(n_missing, more.n_missing);
  add_all(n_bounds, more.n_bounds);
  add_all(n_known, more.n_known);
  add_all(n_events, more.n_events);
  add_all(n_by_class, more.n_by_class);
  for (std::size_t p = 0; p < n_profiles; ++p) {
    for (std::size_t i = 0; i < n_on_panel.size(); ++i) n_on_panel[i][p] += more.n_on_panel[i][p];
    n_not_profiled[p] += more.n_not_profiled[p];
  }
}

ShardSums empty_sums(const Plan& plan) {
  ShardSums sums;
  sums.kept.resize(plan.studies.size());
  sums.n_missing.assign(plan.catalogue.fields.size(), 0);
  sums.n_bounds = sums.n_missing;
  sums.n_known.assign(plan.catalogue.endpoints.size(), 0);
  sums.n_events = sums.n_known;
  sums.n_on_panel.resize(plan.catalogue.panels.size());
  sums.n_by_class.assign(plan.catalogue.variant_classes.size(), 0);
  return sums;
}

void add_shard(const ShardData& data, ShardSums& sums) {
  for (std::size_t f = 0; f < data.clinical.size(); ++f) {
    for (const double value : data.clinical[f].number) sums.n_missing[f] += std::isnan(value);
    for (const std::int32_t code : data.clinical[f].code) sums.n_missing[f] += code < 0;
    for (const std::int8_t bound : data.clinical[f].bound) sums.n_bounds[f] += bound != 0;
  }
  for (std::size_t e = 0; e < data.survival.size(); ++e)
    for (const std::int8_t event : data.survival[e].event) {
      sums.n_known[e] += event >= 0;
      sums.n_events[e] += event == 1;
    }
  for (std::size_t p = 0; p < n_profiles; ++p)
    for (const std::int16_t panel : data.panel[p])
      ++(panel < 0 ? sums.n_not_profiled[p] : sums.n_on_panel[static_cast<std::size_t>(panel)][p]);
  for (const std::int8_t c : data.variant.variant_class) ++sums.n_by_class[static_cast<std::size_t>(c)];
}

IngestReport summarise(const IngestRecipe& recipe, const Plan& plan, const ShardSums& sums) {
  const Catalogue& catalogue = plan.catalogue;
  IngestReport report;
  report.cohort = catalogue.name;
  report.program = fmt::format("chorale {}", CHORALE_VERSION);
  report.n_shards = static_cast<Index>(catalogue.shards.size());
  report.n_genes = static_cast<Index>(catalogue.genes.size());
  report.n_features = static_cast<Index>(catalogue.features.size());
  for (const ShardEntry& shard : catalogue.shards) {
    report.n_patients += shard.n_patients;
    report.n_variants += shard.n_variants;
    report.n_alterations += shard.n_alterations;
  }
  report.class_set = catalogue.class_set;
  report.classes = catalogue.classes;
  report.rules = rules(recipe);
  for (std::size_t c = 0; c < sums.n_by_class.size(); ++c)
    report.variants_by_class.push_back({catalogue.variant_classes[c], sums.n_by_class[c]});
  std::stable_sort(report.variants_by_class.begin(), report.variants_by_class.end(),
                   [](const Count& a, const Count& b) { return a.n > b.n; });
  for (std::size_t s = 0; s < plan.studies.size(); ++s) {
    const Study& study = plan.studies[s];
    StudyReport& of_study = report.studies.emplace_back();
    of_study.study = study.layout.study;
    of_study.site = study.site;
    of_study.folder = study.layout.folder.string();
    of_study.n_patients = study.n_patients();
    of_study.n_samples = study.n_samples();
    of_study.tables = study.tables;
    of_study.notes = study.notes;
    for (TableReport& table : of_study.tables) account(table, sums.kept[s]);
  }
  for (std::size_t f = 0; f < catalogue.fields.size(); ++f) {
    const Field& field = catalogue.fields[f];
    report.fields.push_back(
        {.name = field.name,
         .source = field.source,
         .n_levels = field.kind == FieldKind::number ? -1 : static_cast<Index>(field.levels.size()),
         .n_missing = sums.n_missing[f],
         .n_bounds = sums.n_bounds[f]});
  }
  for (std::size_t e = 0; e < catalogue.endpoints.size(); ++e) {
    EndpointReport of_endpoint{.name = catalogue.endpoints[e].name,
                               .source = catalogue.endpoints[e].source,
                               .n_known = sums.n_known[e],
                               .n_events = sums.n_events[e]};
    for (const OutcomePart& part : plan.fields.endpoint[e])
      if (part.outcome != nullptr) {
        of_endpoint.n_half += part.outcome->n_half;
        of_endpoint.n_bound += part.outcome->n_bound;
      }
    report.endpoints.push_back(std::move(of_endpoint));
  }
  for (std::size_t p = 0; p < catalogue.panels.size(); ++p)
    report.panels.push_back({.name = catalogue.panels[p].name,
                             .n_genes = catalogue.panels[p].whole_exome
                                            ? -1
                                            : static_cast<Index>(catalogue.panels[p].genes.size()),
                             .n_patients = sums.n_on_panel[p]});
  report.n_not_profiled = sums.n_not_profiled;
  return report;
}

}  // namespace chorale::io::study
