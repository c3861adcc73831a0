// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <span>
#include <vector>

#include "kernels/pair_counts.hpp"
#include "kernels/two_by_two.hpp"

namespace chorale::kernels {

/// Which patients were examined with which panel, and what each panel holds. Where features come from several
/// profiles (mutations, copy numbers, clinical fields), a panel is one combination of them. Without panels
/// (n_panels = 0) everyone is tested for everything but what is listed as untested.
struct PanelMask {
  std::span<const std::int16_t> of_patient;  ///< (n_patients) in the cohort's order; -1: tested for nothing
  std::span<const std::uint8_t> holds;  ///< (n_panels, n_features) 0 or 1, in the caller's order of features
  Index n_panels = 0;
};

/// The four cells of every pair over the patients tested for both features, without a pass over patients.
///
/// Carriers are always tested. With P(r) the panels that hold r, C(r) its carriers, U(r) those untested for
/// it although their panel holds it:
///
///   carriers of r among those tested for both  n_r = Σ_{p ∈ P(c)} |C(r) on p| − |C(r) ∩ U(c)|
///   tested for both                            n = Σ_{p ∈ P(r) ∩ P(c)} n_p − Σ_{p ∈ P(c)} |U(r) on p|
///                                                  − Σ_{p ∈ P(r)} |U(c) on p| + |U(r) ∩ U(c)|
///   n10 = n_r − n11, n01 = n_c − n11, n00 = n − n_r − n_c + n11
///
/// Sums over panels are taken once for each distinct set P, so a pair costs a few additions however many
/// panels there are. The three intersections are counted like n11, and only where somebody is untested.
///
/// Shapes   n11 (tile.n_rows(), tile.n_columns()) as from PairCounter on `carriers`; tables the same: the
///          row's feature is the first question, the column's the second; cells that are no pair become zeros
/// Throws   ShapeError when sizes or the tile do not fit, a carrier or an untested patient is on no panel
///          that holds the feature, or a patient is both
/// Cost     0.7 ns a pair with one set of panels, 1.4 ns with several; with untested patients three more
///          counts of the tile; 4 bytes per feature and distinct set, twice with untested patients
/// Threads  over rows, integers only
/// Oracle   reference::pair_table, patient by patient
class PairTables {
 public:
  /// Keeps references to the lists, packed by one order for one stratum; no `untested` means that nobody is.
  /// `panels` is read here only.
  PairTables(const PairLists& carriers, const PanelMask& panels, const PairLists* untested = nullptr);

  void fill(const PairTile& tile, std::span<const std::int32_t> n11, std::span<TwoByTwo> tables) const;

 private:
  /// Patients of each list on each set's panels, (n_sets, n_features).
  std::vector<std::int32_t> on_panel_sets(const PairLists& lists, const PanelMask& panels) const;
  void find_panel_sets(const PanelMask& panels);

  const PairLists* carriers_;
  Index n_sets_ = 0;                        ///< distinct sets of panels that features are held by
  std::vector<std::int32_t> set_of_;        ///< (n_features) by rank
  std::vector<std::vector<Index>> panels_;  ///< (n_sets) codes, ascending
  std::vector<std::int32_t> tested_;        ///< (n_sets, n_sets) patients on panels of both
  std::vector<std::int32_t> n_carriers_;    ///< (n_sets, n_features) by rank, on the set's panels
  std::vector<std::int32_t> n_untested_;    ///< likewise; empty when nobody is
  std::vector<PairCounter> overlaps_;       ///< C ∩ U, U ∩ C, U ∩ U; empty when nobody is untested
};

namespace reference {

/// Asks every patient. `a` and `b` are the caller's features.
TwoByTwo pair_table(PatientLists carriers, PatientLists untested, const PanelMask& panels,
                    std::span<const std::int32_t> patients, Index a, Index b);

}  // namespace reference
}  // namespace chorale::kernels
