// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include "io/shard.hpp"

namespace chorale::engine {

/// A cohort drawn at random but always the same, with everything the loader must get right: three panels and patients
/// without, single gaps, silent variants, a fusion, a copy number, missing values. The patients are kept beside it,
/// so that tests can count by hand.
struct DrawnCohort {
  io::Catalogue catalogue;
  std::vector<io::ShardData> shards;
};

/// A linear congruential generator, Numerical Recipes' constants: tests need no better.
class Dice {
 public:
  explicit Dice(std::uint32_t seed) : state_(seed) {}
  std::int32_t below(std::uint32_t n) {
    state_ = state_ * 1664525U + 1013904223U;
    return static_cast<std::int32_t>((state_ >> 16) % n);
  }
  bool one_in(std::uint32_t n) { return below(n) == 0; }

 private:
  std::uint32_t state_;
};

inline io::Catalogue drawn_catalogue() {
  const auto mutation = [](const char* gene) {
    return io::Feature{.name = gene, .gene = gene, .partner = "", .profile = io::Profile::mutation};
  };
  const auto number = [](const char* name, const char* unit) {
    return io::Field{.name = name,
                     .kind = io::FieldKind::number,
                     .unit = unit,
                     .description = "drawn",
                     .levels = {},
                     .source = "test"};
  };
  io::Catalogue catalogue;
  catalogue.name = "drawn";
  catalogue.sites = {"Berlin", "Graz", "Wien"};
  catalogue.fields = {number("AGE", "years"),
                      number("FLAG", ""),
                      {.name = "SEX",
                       .kind = io::FieldKind::category,
                       .unit = "",
                       .description = "drawn",
                       .levels = {"Female", "Male"},
                       .source = "test"}};
  catalogue.endpoints = {{.name = "OS", .description = "overall survival", .source = "test"}};
  catalogue.genes = {"A", "B", "C", "D", "E"};
  catalogue.features = {
      mutation("A"), {.name = "A:AMP", .gene = "A", .partner = "", .profile = io::Profile::copy_number},
      mutation("B"), {.name = "B::D", .gene = "B", .partner = "D", .profile = io::Profile::structural},
      mutation("C"), mutation("D"),
      mutation("E")};
  catalogue.panels = {{.name = "exome", .whole_exome = true, .genes = {}},
                      {.name = "left", .whole_exome = false, .genes = {0, 1, 2}},
                      {.name = "right", .whole_exome = false, .genes = {2, 3}}};
  catalogue.class_set = "nonsilent";
  catalogue.classes = {"Missense_Mutation", "Nonsense_Mutation"};
  catalogue.variant_classes = {"Missense_Mutation", "Nonsense_Mutation", "Silent"};
  catalogue.provenance = {"drawn for a test"};
  return catalogue;
}

/// Whether a panel tests a feature, as the format says: the gene, or a fusion's other gene, stands on it.
inline bool panel_tests(const io::Catalogue& catalogue, std::int16_t panel, const io::Feature& feature) {
  if (panel < 0) return false;
  const io::Panel& on = catalogue.panels[static_cast<std::size_t>(panel)];
  const auto has = [&](const std::string& gene) {
    const auto code = static_cast<std::int32_t>(catalogue.gene_index(gene));
    return std::find(on.genes.begin(), on.genes.end(), code) != on.genes.end();
  };
  return on.whole_exome || has(feature.gene) || has(feature.partner);
}

/// The features a patient carries when variants of `classes` count; other profiles as stored.
inline std::vector<std::int32_t> carried_under(const io::Catalogue& catalogue, const io::ShardData& shard,
                                               std::size_t patient, const std::vector<std::string>& classes) {
  std::vector<std::int32_t> carried;
  for (std::size_t f = 0; f < catalogue.features.size(); ++f) {
    const auto code = static_cast<std::int32_t>(f);
    bool carries = false;
    if (catalogue.features[f].profile == io::Profile::mutation) {
      for (auto v = shard.variant.offset[patient]; v < shard.variant.offset[patient + 1]; ++v) {
        const auto k = static_cast<std::size_t>(v);
        const auto& name =
            catalogue.variant_classes[static_cast<std::size_t>(shard.variant.variant_class[k])];
        carries = carries || (catalogue.genes[static_cast<std::size_t>(shard.variant.gene[k])] ==
                                  catalogue.features[f].gene &&
                              std::find(classes.begin(), classes.end(), name) != classes.end());
      }
    } else {
      const auto from = shard.alteration.value.begin() + shard.alteration.offset[patient];
      const auto to = shard.alteration.value.begin() + shard.alteration.offset[patient + 1];
      carries = std::find(from, to, code) != to;
    }
    if (carries) carried.push_back(code);
  }
  return carried;
}

inline void draw_patient(const io::Catalogue& catalogue, Dice& dice, io::ShardData& shard) {
  constexpr double missing = std::numeric_limits<double>::quiet_NaN();
  shard.site.push_back(dice.below(3));
  shard.clinical[0].number.push_back(dice.one_in(6) ? missing : 18 + dice.below(70));
  shard.clinical[1].number.push_back(dice.one_in(5) ? missing : dice.below(2));
  shard.clinical[2].code.push_back(dice.one_in(7) ? -1 : dice.below(2));
  const bool known = !dice.one_in(8);
  shard.survival[0].entry.push_back(0);
  shard.survival[0].time.push_back(known ? 1 + dice.below(300) : missing);
  shard.survival[0].event.push_back(static_cast<std::int8_t>(known ? dice.below(2) : -1));
  for (auto& panel : shard.panel) panel.push_back(static_cast<std::int16_t>(dice.below(4) - 1));

  for (std::int32_t gene = 0; gene < 5; ++gene)
    for (std::int8_t variant_class = 0; variant_class < 3; ++variant_class) {
      const auto& feature = catalogue.features[static_cast<std::size_t>(
          catalogue.feature_index(catalogue.genes[static_cast<std::size_t>(gene)]))];
      if (!dice.one_in(6) || !panel_tests(catalogue, shard.panel[0].back(), feature)) continue;
      shard.variant.gene.push_back(gene);
      shard.variant.variant_class.push_back(variant_class);
      shard.variant.protein_change.push_back(dice.one_in(2) ? 0 : -1);
      shard.variant.vaf.push_back(0.25F);
    }
  shard.variant.offset.push_back(static_cast<std::int64_t>(shard.variant.gene.size()));

  for (std::size_t f = 0; f < catalogue.features.size(); ++f) {
    const io::Feature& feature = catalogue.features[f];
    if (feature.profile == io::Profile::mutation) continue;
    const auto panel = shard.panel[static_cast<std::size_t>(feature.profile)].back();
    if (dice.one_in(3) && panel_tests(catalogue, panel, feature))
      shard.alteration.value.push_back(static_cast<std::int32_t>(f));
  }
  // rows are completed with the mutations of the set, then sorted
  shard.alteration.offset.push_back(static_cast<std::int64_t>(shard.alteration.value.size()));
  const std::size_t patient = shard.site.size() - 1;
  const auto carried = carried_under(catalogue, shard, patient, catalogue.classes);
  shard.alteration.value.resize(static_cast<std::size_t>(shard.alteration.offset[patient]));
  shard.alteration.value.insert(shard.alteration.value.end(), carried.begin(), carried.end());
  shard.alteration.offset.back() = static_cast<std::int64_t>(shard.alteration.value.size());

  for (std::int32_t f = 0; f < static_cast<std::int32_t>(catalogue.features.size()); ++f)
    if (dice.one_in(10) && std::find(carried.begin(), carried.end(), f) == carried.end())
      shard.untested.value.push_back(f);
  shard.untested.offset.push_back(static_cast<std::int64_t>(shard.untested.value.size()));
}

/// Shards of these sizes, written to `folder` and loaded back.
inline DrawnCohort draw_cohort(const std::filesystem::path& folder, const std::vector<Index>& sizes) {
  std::filesystem::create_directories(folder);
  DrawnCohort cohort;
  io::Catalogue catalogue = drawn_catalogue();
  Dice dice(7);
  for (std::size_t s = 0; s < sizes.size(); ++s) {
    io::ShardData shard;
    shard.clinical.resize(3);
    shard.survival.resize(1);
    shard.variant.protein_changes = {"p.X1Y"};
    for (Index i = 0; i < sizes[s]; ++i) {
      shard.id.push_back("P-" + std::to_string(s) + "-" + std::to_string(i));
      draw_patient(catalogue, dice, shard);
    }
    catalogue.shards.push_back(io::write_shard(folder, static_cast<Index>(s), catalogue, shard));
    cohort.shards.push_back(std::move(shard));
  }
  io::save_catalogue(catalogue, folder);
  cohort.catalogue = io::load_catalogue(folder);
  return cohort;
}

}  // namespace chorale::engine
