// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "io/study/clinical.hpp"
#include "io/study/layout.hpp"
#include "io/study/recipe.hpp"
#include "io/study/records.hpp"

namespace chorale::io::study {

/// What is known of a sample's assay: a code >= 0 into Layout::panels, or one of these.
enum SampleAssay : std::int32_t { not_profiled = -1, whole_exome = -2, genes_seen = -3, as_rows_say = -4 };

/// One molecular profile of a study.
struct ProfileState {
  bool has_table = false;
  std::vector<std::int32_t> assay;      ///< per sample
  std::vector<std::uint8_t> has_rows;   ///< per sample: a row of the table names it
  std::vector<std::uint8_t> gene_seen;  ///< per code of the gene pool: a row of the table names it
};

/// One delivery: its clinical tables, who its samples belong to, and who was profiled. Grows with the patients.
struct Study {
  Layout layout;
  std::string site;
  ClinicalTable patients, samples;       ///< either may be empty, not both
  StringTable patient_id;                ///< rows of the patient table, then patients that only samples name
  std::vector<std::int32_t> patient_of;  ///< per sample
  std::vector<std::int32_t> first_sample;           ///< per patient, -1 without one
  std::vector<std::uint8_t> used;                   ///< per sample: counts under the sample rule
  Index first_patient = 0;                          ///< row in the cohort
  std::vector<Place> place;                         ///< per sample
  std::vector<std::int32_t> n_copy_number_samples;  ///< per patient: samples that count and were profiled
  std::array<ProfileState, n_profiles> profile;
  std::vector<TableReport> tables;
  std::vector<std::string> notes;

  Index n_patients() const { return patient_id.size(); }
  Index n_samples() const { return samples.n_rows(); }
  ProfileState& state(Profile p) { return profile[static_cast<std::size_t>(p)]; }
  const ProfileState& state(Profile p) const { return profile[static_cast<std::size_t>(p)]; }
};

/// Reads a delivery's layout, clinical tables, panel matrix and case lists.
/// A study without a sample table has one sample per patient, of the same name.
Study read_study(const Delivery& delivery, const IngestRecipe& recipe, const ReadOptions& options);

}  // namespace chorale::io::study
