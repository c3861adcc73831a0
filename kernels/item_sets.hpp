// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "kernels/pair_counts.hpp"
#include "kernels/pair_counts_tables.hpp"
#include "kernels/types.hpp"

/// Sets of three (two, four) features that enough patients carry together, each with its contingency table:
///
///   const PairOrder order = pair_order(carriers, n_patients);
///   const PairLists lists = make_pair_lists(order, carriers, n_patients);
///   const ItemSetFinder finder(lists, panels, nullptr, {.order = 3, .min_carriers = 20});
///   const std::vector<Index> units = finder.split(100);
///   for (std::size_t u = 0; u + 1 < units.size(); ++u) sets = finder.find(units[u], units[u + 1]);
namespace chorale::kernels {

inline constexpr int max_item_set_order = 4;

struct ItemSetOptions {
  int order = 3;  ///< features in a set, 2 to 4
  /// Patients who carry the whole set, at least; 1: every set that somebody carries; 0: every set there is.
  Index min_carriers = 20;
};

/// Sets one after another. Within a set the feature with most carriers stands first. Cell c of a table counts
/// the patients tested for all features who carry the j-th exactly when bit j of c is set: cell 0 carries
/// nothing, the last cell everything.
struct ItemSets {
  int order = 0;
  std::vector<std::int32_t> feature = {};  ///< (n_sets, order) the caller's features
  std::vector<std::int32_t> cell = {};     ///< (n_sets, 2^order) patients

  Index n_sets() const { return order == 0 ? 0 : static_cast<Index>(feature.size()) / order; }
  Index n_cells() const { return Index{1} << order; }
  std::span<const std::int32_t> features_of(Index set) const;
  std::span<const std::int32_t> cells_of(Index set) const;
};

/// How sets are looked for. What is found is the same.
enum class ItemSetMethod { cheapest, lists, bits };

struct ItemSetData;  // kernels/item_sets_data.hpp

/// Frequent item sets, from the rarest feature of a set to its most frequent one:
///
///   n(S) = #{ i : i carries every feature of S } >= min_carriers,   |S| = order
///
/// Every part of a frequent set is frequent, so beneath each feature only those stand that form a frequent
/// pair with it, beneath each pair only those that form a frequent triple with both features, …; nothing else
/// is looked at. Lists: the carriers of what was chosen so far, each with their remaining features; one
/// increment per feature met. Bits: their rows, AND and popcount, four by four. The cheaper one is taken for
/// each rarest feature, by a forecast.
///
/// Tables: carriers are always tested, so those of a part A of S who are tested for all of S are its carriers
/// on the panels that hold S \ A, and the cells follow by inclusion and exclusion from carriers of features
/// and pairs by panel (orders 2 and 3, nobody untested, not too many sets of panels). Otherwise, with C_f the
/// carriers and T_f the tested of feature f as rows of bits, |∩_{f∈A} C_f ∩_{f∉A} T_f| is counted for all A.
///
/// A unit of work is a range of ranks: the sets whose rarest feature's rank lies in it. Sets come by the rank
/// of their rarest feature, then of the next rarest, …, all ascending, whatever the units and threads.
///
/// Throws   ShapeError when order is not 2 to 4, min_carriers is negative, sizes do not fit, a carrier or an
///          untested patient is on no panel that holds the feature, or a patient is both
/// Cost     every triple of 250 features in 100,000 patients with its eight cells, on one Zen 5 core: 5e7 a
///          second where features are as rare as mutated genes, 1.6e7 where half of the patients carry each;
///          panels change little. Of order 4, or with untested patients, 1 µs a set that is found. 20,000
///          features, 77 a patient: triples of at least 20 carriers in 7 s. Memory: 12 bytes an entry of the
///          lists, 8 bytes per frequent pair and 4 more for each distinct set of panels; a found triple takes
///          44 bytes, one of four 80
/// Threads  over ranks, integers only
/// Source   Zaki 2000, IEEE Trans Knowl Data Eng 12:372 (depth first over lists of carriers);
///          Uno, Kiyomi, Arimura 2004, LCM (counting by delivery)
/// Oracle   kernels/reference/item_sets.cpp, set by set and patient by patient
class ItemSetFinder {
 public:
  /// Keeps references to the lists, packed by one order for one stratum; no `untested` means that nobody is.
  /// `panels` is read here only.
  ItemSetFinder(const PairLists& carriers, const PanelMask& panels, const PairLists* untested,
                const ItemSetOptions& options);

  ItemSets find(Index rank_begin, Index rank_end, ItemSetMethod method = ItemSetMethod::cheapest) const;

  /// Where n_units ranges of ranks of about the same forecast cost begin, and n_features at the end. Does not
  /// depend on the machine.
  ///
  /// Throws   ShapeError when n_units is below 1
  std::vector<Index> split(Index n_units) const;

 private:
  std::shared_ptr<const ItemSetData> data_;
};

namespace reference {

/// Asks every patient about every set. `patients` are those of the stratum.
ItemSets item_sets(const PairOrder& order, PatientLists carriers, PatientLists untested,
                   const PanelMask& panels, std::span<const std::int32_t> patients,
                   const ItemSetOptions& options);

}  // namespace reference
}  // namespace chorale::kernels
