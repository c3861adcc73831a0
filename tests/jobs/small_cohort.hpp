// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include "io/shard.hpp"
#include "tests/engine/drawn_cohort.hpp"

namespace chorale::jobs {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// Patients written down one by one, so that tests can count them, and the cohort folder made of them.
struct SmallCohort {
  enum Panel : std::int16_t { none = -1, exome = 0, small = 1 };
  struct Patient {
    std::vector<std::int32_t> carries;   // genes, ascending
    std::vector<std::int32_t> no_value;  // genes that the panel holds, and yet nothing is known
    Panel panel = exome;
    double flag = 0;  // the field FLAG: 1 carried, 0 not, NaN missing
    double age = 60, weight = 1;
    std::int32_t trial = 0;  // X, Y; -1 missing
    double entry = 0, time = 100;
    std::int8_t event = 0;
  };

  std::vector<std::string> genes;         // the features, in the order of the job; FLAG comes after them
  std::vector<std::int32_t> small_panel;  // genes on it
  std::vector<Patient> patients;

  Index n_genes() const { return static_cast<Index>(genes.size()); }
  const Patient& at(Index patient) const { return patients[static_cast<std::size_t>(patient)]; }

  bool carries(Index feature, const Patient& patient) const {
    return feature == n_genes() ? patient.flag == 1 : has(patient.carries, feature);
  }
  bool tested(Index feature, const Patient& patient) const {
    if (feature == n_genes()) return !std::isnan(patient.flag);
    if (patient.panel == none || has(patient.no_value, feature)) return false;
    return patient.panel == exome || has(small_panel, feature);
  }

  /// Two shards.
  void write(const std::filesystem::path& folder) const {
    std::filesystem::create_directories(folder);
    io::Catalogue c;
    c.name = "small";
    c.sites = {"A"};
    for (const char* name : {"AGE", "FLAG", "TRIAL", "WEIGHT"})
      c.fields.push_back({.name = name,
                          .kind = io::FieldKind::number,
                          .unit = "",
                          .description = "",
                          .levels = {},
                          .source = ""});
    c.fields[2].kind = io::FieldKind::category;
    c.fields[2].levels = {"X", "Y"};
    c.endpoints = {{.name = "OS", .description = "", .source = ""}};
    c.genes = genes;
    for (const auto& gene : genes) c.features.push_back({.name = gene, .gene = gene, .partner = ""});
    c.panels = {{.name = "EXOME", .whole_exome = true, .genes = {}},
                {.name = "SMALL", .whole_exome = false, .genes = small_panel}};
    c.class_set = "nonsilent";
    c.classes = {"Missense_Mutation"};
    c.variant_classes = {"Missense_Mutation"};
    const std::size_t half = patients.size() / 2;
    c.shards.push_back(io::write_shard(folder, 0, c, shard(0, patients.size() - half)));
    if (half > 0) c.shards.push_back(io::write_shard(folder, 1, c, shard(patients.size() - half, half)));
    io::save_catalogue(c, folder);
  }

 private:
  static bool has(const std::vector<std::int32_t>& values, Index value) {
    return std::find(values.begin(), values.end(), value) != values.end();
  }

  io::ShardData shard(std::size_t first, std::size_t n) const {
    io::ShardData d;
    d.clinical.resize(4);
    d.survival.resize(1);
    for (std::size_t i = first; i < first + n; ++i) {
      const Patient& p = patients[i];
      d.id.push_back("P" + std::to_string(i));
      d.site.push_back(0);
      d.clinical[0].number.push_back(p.age);
      d.clinical[1].number.push_back(p.flag);
      d.clinical[2].code.push_back(p.trial);
      d.clinical[3].number.push_back(p.weight);
      d.survival[0].entry.push_back(p.entry);
      d.survival[0].time.push_back(p.time);
      d.survival[0].event.push_back(p.event);
      for (auto [rows, own] : {std::pair{&d.alteration, &p.carries}, std::pair{&d.untested, &p.no_value}}) {
        rows->value.insert(rows->value.end(), own->begin(), own->end());
        rows->offset.push_back(static_cast<std::int64_t>(rows->value.size()));
      }
      d.variant.offset.push_back(0);
      d.panel[0].push_back(p.panel);
      for (const std::size_t other : {1, 2}) d.panel[other].push_back(-1);
    }
    return d;
  }
};

/// 400 patients and eight genes; FLT3 meets NPM1 often; a twelfth has the small panel without the last two genes, some
/// were never profiled, single values, flags, trials, ages, weights and outcomes are missing; some enter late. Who
/// carries CEBPA and FLT3 does not die.
inline SmallCohort drawn_patients() {
  SmallCohort cohort{.genes = {"CEBPA", "DNMT3A", "FLT3", "IDH2", "NPM1", "NRAS", "RUNX1", "TP53"},
                     .small_panel = {0, 1, 2, 3, 4, 5},
                     .patients = {}};
  const std::vector<std::uint32_t> one_in{3, 3, 3, 5, 3, 4, 6, 8};
  engine::Dice dice(5);
  for (int i = 0; i < 400; ++i) {
    SmallCohort::Patient p;
    p.panel = dice.one_in(20) ? SmallCohort::none : dice.one_in(4) ? SmallCohort::small : SmallCohort::exome;
    p.flag = dice.one_in(10) ? nan : dice.one_in(4) ? 1 : 0;
    for (std::int32_t gene = 0; gene < 8; ++gene) {
      bool carried = dice.one_in(one_in[static_cast<std::size_t>(gene)]);
      if (gene == 4 && cohort.carries(2, p)) carried = !dice.one_in(3);
      const bool gap = dice.one_in(15);
      if (p.panel == SmallCohort::none || (p.panel == SmallCohort::small && gene >= 6)) continue;
      if (gap)
        p.no_value.push_back(gene);
      else if (carried)
        p.carries.push_back(gene);
    }
    p.age = dice.one_in(20) ? nan : 20 + dice.below(60);
    p.trial = dice.below(9) == 0 ? -1 : dice.below(2);
    p.weight = dice.one_in(30) ? nan : 0.5 + dice.below(4) * 0.5;
    p.time = dice.one_in(25) ? nan : 1 + dice.below(600);
    p.entry = dice.one_in(5) ? dice.below(200) : 0;
    const bool spared = cohort.carries(0, p) && cohort.carries(2, p);
    p.event = std::isnan(p.time) ? -1 : spared || dice.one_in(3) ? 0 : 1;
    cohort.patients.push_back(p);
  }
  return cohort;
}

}  // namespace chorale::jobs
