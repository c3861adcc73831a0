// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "engine/cohort.hpp"
#include "engine/selection.hpp"
#include "io/shard.hpp"

namespace chorale::engine {

/// The selected patients and wanted columns of one shard, between disk and the packed cohort.
struct Slice {
  Index n_patients = 0;
  std::vector<std::vector<double>> numbers;      ///< per wanted field; empty when it is a category
  std::vector<std::vector<std::int32_t>> codes;  ///< per wanted field; empty when it is a number
  io::SurvivalData survival;
  std::array<std::vector<std::int16_t>, io::n_profiles> panel;
  io::SparseRows carried;   ///< positions in the job's feature set, ascending per patient
  io::SparseRows untested;  ///< likewise
  io::VariantData variants;
  Ledger ledger;
};

/// What a job reads, resolved once against the catalogue.
struct Reading {
  const io::Catalogue& catalogue;
  const Selection& selection;
  const FeatureSet& features;
  const Columns& columns;
};

/// Some of a slice's patients, ascending, without variants and ledger.
Slice take(const Slice& slice, const std::vector<std::int32_t>& patients);

/// The lines of the ledger of [select], for a rank that reads no shard.
Ledger no_ones_ledger(const Reading& reading);

/// Reads one shard. Throws StoreError, and InputError when a 0/1 field holds another number.
Slice read_slice(const Reading& reading, Index shard);

}  // namespace chorale::engine
