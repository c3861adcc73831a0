// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cmath>
#include <filesystem>
#include <limits>
#include <string>

#include "io/shard.hpp"

namespace chorale::io {

inline constexpr double missing = std::numeric_limits<double>::quiet_NaN();

/// A cohort small enough to read by eye, with one of everything the format knows.
inline Catalogue sample_catalogue() {
  return {
      .name = "sample",
      .sites = {"Berlin", "Wien"},
      .fields = {{.name = "AGE",
                  .kind = FieldKind::number,
                  .unit = "years",
                  .description = "age at diagnosis",
                  .levels = {},
                  .source = "data_clinical_patient.txt, column AGE",
                  .bounds = true},
                 {.name = "SEX",
                  .kind = FieldKind::category,
                  .unit = "",
                  .description = "sex",
                  .levels = {"Female", "Male"},
                  .source = "data_clinical_patient.txt, column SEX",
                  .bounds = false}},
      .endpoints = {{.name = "OS", .description = "overall survival", .source = "OS_MONTHS, OS_STATUS"}},
      .genes = {"ABL1", "BCR", "FLT3", "NPM1"},
      .features = {{.name = "BCR::ABL1", .gene = "BCR", .partner = "ABL1", .profile = Profile::structural},
                   {.name = "FLT3", .gene = "FLT3", .partner = "", .profile = Profile::mutation},
                   {.name = "NPM1", .gene = "NPM1", .partner = "", .profile = Profile::mutation}},
      .panels = {{.name = "exome", .whole_exome = true, .genes = {}},
                 {.name = "small", .whole_exome = false, .genes = {2, 3}}},
      .class_set = "nonsilent",
      .classes = {"Missense_Mutation", "Nonsense_Mutation"},
      .variant_classes = {"Missense_Mutation", "Nonsense_Mutation", "Silent"},
      .shards = {},
      .provenance = {"written by hand for a test"},
      .folder = {}};
}

/// Three patients: one with two mutations and a fusion, one never profiled, one with nothing found.
inline ShardData sample_shard(const std::string& first_id = "P-0001") {
  return {.id = {first_id, "P-0002", "P-0003"},
          .site = {0, 1, 1},
          .clinical = {{.number = {61.5, missing, 89}, .code = {}, .bound = {0, 0, 1}},
                       {.number = {}, .code = {1, 0, -1}, .bound = {}}},
          .survival = {{.entry = {0, 0, 10}, .time = {365.25, missing, 730}, .event = {1, -1, 0}}},
          .alteration = {.offset = {0, 3, 3, 3}, .value = {0, 1, 2}},
          .untested = {.offset = {0, 0, 0, 1}, .value = {2}},
          .variant = {.offset = {0, 3, 3, 3},
                      .gene = {2, 2, 3},
                      .variant_class = {0, 2, 1},
                      .protein_change = {0, -1, 1},
                      .vaf = {0.25F, std::numeric_limits<float>::quiet_NaN(), 0.5F},
                      .protein_changes = {"p.D835Y", "p.W288*"}},
          .panel = {{{1, -1, 0}, {-1, -1, -1}, {0, -1, 0}}}};
}

/// The sample written to a folder: two shards of three patients each.
inline Catalogue write_sample_cohort(const std::filesystem::path& folder) {
  Catalogue catalogue = sample_catalogue();
  catalogue.shards = {write_shard(folder, 0, catalogue, sample_shard()),
                      write_shard(folder, 1, catalogue, sample_shard("P-1001"))};
  save_catalogue(catalogue, folder);
  return load_catalogue(folder);
}

}  // namespace chorale::io
