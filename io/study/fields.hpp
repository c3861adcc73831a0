// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "io/catalogue.hpp"
#include "io/shard.hpp"
#include "io/study/study.hpp"

namespace chorale::io::study {

/// Where one study keeps the values of a field; column is null when it has none.
struct FieldPart {
  const ClinicalColumn* column = nullptr;
  bool by_sample = false;          ///< read at the patient's first sample
  std::vector<std::int32_t> code;  ///< texts: from the column's levels to the field's, -1 for unused ones
};

/// Where one study keeps an outcome; null when it has none.
struct OutcomePart {
  const Outcome* outcome = nullptr;
  bool by_sample = false;
};

/// Fields and endpoints of the cohort, beside those of the catalogue: [field][study].
struct FieldPlan {
  std::vector<std::vector<FieldPart>> field;
  std::vector<std::vector<OutcomePart>> endpoint;
  std::vector<std::vector<std::int32_t>> site;  ///< [study][patient]: code into Catalogue::sites
};

/// Joins the clinical columns of all studies by name, patient attributes before sample attributes. Texts with more
/// than 4096 distinct values that are also more than half of all values are free text and left out, with a note.
/// Fills the catalogue's sites, fields and endpoints.
/// Throws   InputError when a column is a number in one study and a text in another
///          ConfigError when no study has the recipe's site field, or it is a number
FieldPlan plan_fields(std::vector<Study>& studies, const std::string& site_field, Catalogue& catalogue);

/// Values of the patients [first, last) of one study, appended to a shard's columns.
void append_fields(const FieldPlan& plan, const Catalogue& catalogue, const std::vector<Study>& studies,
                   Index study, Index first, Index last, ShardData& shard);

}  // namespace chorale::io::study
