// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/types.hpp"

namespace chorale::io {

/// One study folder as a site delivered it.
struct Delivery {
  std::filesystem::path path;
  std::string site;  ///< empty: the study's own identifier
};

/// How several samples of one patient become one patient.
enum class SampleRule {
  any,   ///< a patient carries what any of their samples carries, and was tested where any of them was
  first  ///< only the first sample in the sample table counts
};

/// What NA, or no row, in the gene panel matrix means.
enum class NaRule {
  by_rows,  ///< whole exome for a sample of the case list or with rows in the table, otherwise not profiled
  whole_exome,  ///< every gene was tested
  not_profiled  ///< no gene was tested
};

/// Who was tested at all.
enum class ProfiledRule {
  by_files,  ///< whom the panel matrix or the case list names; everyone where the study has neither
  everyone   ///< every sample, for every gene seen in the study's table
};

/// What to read, and how to understand it: a plain value, so that a config schema can be laid over it.
struct IngestRecipe {
  std::string name;  ///< of the cohort; empty: the study identifiers, joined by "+"
  std::vector<Delivery> deliveries;
  std::string site_field;               ///< clinical column that names the site; empty: the delivery's site
  std::string class_set = "nonsilent";  ///< a name from class_sets(), or any name when `classes` is given
  std::vector<std::string> classes;  ///< variant classes that make a carrier; empty: those of the named set
  bool count_unknown_class = true;   ///< does a variant whose class the study does not know make a carrier?
  SampleRule sample_rule = SampleRule::any;
  NaRule panel_na = NaRule::by_rows;
  ProfiledRule profiled = ProfiledRule::by_files;
  bool gains_and_losses = false;  ///< also GENE:GAIN (+1) and GENE:HETLOSS (-1)
  bool drop_invalid =
      false;               ///< drop rows and blank values that are wrong, and count them, instead of refusing
  bool overwrite = false;  ///< replace a cohort that stands in the output folder
  Index patients_per_shard = 8192;
  std::filesystem::path
      pseudonym_key;  ///< file with a secret; patient ids become its HMAC-SHA-256; empty: as delivered
  int n_threads = 0;  ///< 0: as many as OpenMP gives
  Index block_bytes = Index{4} << 20;  ///< text is parsed in blocks of this size; never changes the result
  Index spill_bytes =
      Index{512} << 20;  ///< variants beyond this go to temporary files; never changes the result
};

/// A named choice of variant classes.
struct ClassSet {
  std::string_view name;
  std::string_view help;
  std::vector<std::string> classes;  ///< empty: every class
};

/// "nonsilent" (the nine that change the protein), "truncating", "all".
const std::vector<ClassSet>& class_sets();

/// The classes that make a carrier under this recipe, sorted; "Unknown" among them when it counts; empty means all.
/// Throws   ConfigError when the set has no such name and the recipe lists no classes
std::vector<std::string> counting_classes(const IngestRecipe& recipe);

/// What a missing class is called in /variant/class: the study names none, or says Unknown.
inline constexpr std::string_view unknown_class = "Unknown";

}  // namespace chorale::io
