// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <span>

#include "kernels/types.hpp"

namespace chorale::kernels {

/// Features by patient: those of patient i are feature[offset[i]] … feature[offset[i + 1] - 1], rising.
struct SparseRowsView {
  std::span<const std::int64_t> offset;   ///< (n_patients + 1), rising from 0 to feature.size()
  std::span<const std::int32_t> feature;  ///< codes 0 … n_features - 1

  Index n_patients() const { return static_cast<Index>(offset.size()) - 1; }
};

/// Which group each patient belongs to: a disease, an age class, a site × panel stratum, or any product of
/// them.
struct Groups {
  std::span<const std::int32_t> code;  ///< (n_patients), 0 … n_groups - 1, or -1 for patients to leave out
  Index n_groups = 0;
};

/// Carriers of every feature in every group.
///
///   counts[g, f] = number of patients i with group i = g and feature f in row i
///
/// Shapes   rows (n_patients), groups (n_patients), counts (n_groups, n_features) patients, overwritten
/// Throws   ShapeError when sizes do not fit or a code is out of range
/// Cost     1 to 2 ns a carried feature: a million patients with 6.5 each take 13 ms
/// Threads  pure and serial; give each thread its own shard and add the integers up
/// Oracle   kernels/reference/carrier_counts.cpp
void carrier_counts(const SparseRowsView& rows, const Groups& groups, Index n_features,
                    std::span<std::int64_t> counts);

/// The same for one feature of which the patients are listed: counts[g] = Σ over patients with group g.
///
/// Shapes   patients (n) positions into groups.code, counts (n_groups), overwritten
/// Throws   ShapeError when counts is not n_groups long; patients are not checked
/// Cost     1 to 2 ns a patient
void group_counts(std::span<const std::int32_t> patients, const Groups& groups,
                  std::span<std::int64_t> counts);

/// Patients of every panel and group; code -1 of a panel means not profiled, and such patients count nowhere.
///
///   counts[p, g] = number of patients i with panel i = p and group i = g
///
/// Shapes   panel (n_patients), counts (n_panels, n_groups) patients, overwritten
/// Throws   ShapeError when sizes do not fit or a code is out of range
/// Cost     1 to 2 ns a patient
void panel_counts(std::span<const std::int16_t> panel, const Groups& groups, Index n_panels,
                  std::span<std::int64_t> counts);

/// Patients tested for every feature in every group: not tested is not unmutated.
///
///   tested[g, f] = Σ_p holds[p, f] · n[p, g] - untested[g, f]
///
/// `untested` counts those whose panel holds the feature but who miss its value: carrier_counts() of their
/// rows; it may be empty when nobody does. A patient without any alteration is counted like every other.
///
/// Shapes   holds (n_panels, n_features) 0 or 1, n_by_panel (n_panels, n_groups) as from panel_counts(),
///          untested (n_groups, n_features) or empty, tested (n_groups, n_features), overwritten
/// Throws   ShapeError when sizes do not fit or more are untested than the panels tested
/// Cost     n_panels · n_groups · n_features multiplications
/// Oracle   kernels/reference/carrier_counts.cpp, patient by patient
void tested_counts(std::span<const std::uint8_t> holds, std::span<const std::int64_t> n_by_panel,
                   std::span<const std::int64_t> untested, Index n_panels, Index n_groups, Index n_features,
                   std::span<std::int64_t> tested);

namespace reference {

void carrier_counts(const SparseRowsView& rows, const Groups& groups, Index n_features,
                    std::span<std::int64_t> counts);

/// The definition: asks every patient about every feature.
void tested_counts(std::span<const std::uint8_t> holds, std::span<const std::int16_t> panel,
                   const SparseRowsView& untested, const Groups& groups, Index n_features,
                   std::span<std::int64_t> tested);

}  // namespace reference
}  // namespace chorale::kernels
