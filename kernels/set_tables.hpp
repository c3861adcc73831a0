// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/pair_counts.hpp"
#include "kernels/pair_counts_tables.hpp"

namespace chorale::kernels {

inline constexpr int max_table_features = 7;

/// Contingency tables of single sets of features: for the few of many that were found (kernels/item_sets.hpp).
///
///   cell[c] = #{ i : i tested for all features of the set, carries the j-th exactly where bit j of c is set }
///
/// Cell 0 carries nothing, the last cell everything. Only lists are walked: who carries none of the features is the
/// rest of those on the panels that hold all of them, less those listed as untested.
///
/// Shapes   carriers (n_features) lists; untested likewise, or empty: nobody is
/// Throws   ShapeError when sizes do not fit, or a carrier or an untested patient is on no panel that holds the
///          feature, or is both
/// Cost     2 ns a listed carrier, and n_patients bytes of memory in each call of fill()
/// Threads  serial and pure
/// Oracle   reference::set_table, patient by patient
class SetTables {
 public:
  /// Keeps the views.
  SetTables(PatientLists carriers, PatientLists untested, const PanelMask& panels, Index n_patients);

  /// Shapes   features (n_sets, order) the caller's; cell (n_sets, 2^order), overwritten
  /// Throws   ShapeError when order is not 1 to max_table_features, or sizes do not fit
  void fill(std::span<const std::int32_t> features, int order, std::span<std::int32_t> cell) const;

 private:
  PatientLists carriers_, untested_;
  PanelMask panels_;
  Index n_patients_;
  std::vector<std::int32_t>
      on_panel_;  ///< (n_panels) patients; one panel that holds everything without panels
};

namespace reference {

/// Asks each of the patients.
std::vector<std::int32_t> set_table(PatientLists carriers, PatientLists untested, const PanelMask& panels,
                                    std::span<const std::int32_t> patients,
                                    std::span<const std::int32_t> features);

}  // namespace reference
}  // namespace chorale::kernels
