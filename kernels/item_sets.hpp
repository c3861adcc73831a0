// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "kernels/pair_counts.hpp"
#include "kernels/types.hpp"

/// Sets of three (two, four) features that enough patients carry together:
///
///   const PairOrder order = pair_order(carriers, n_patients);
///   const PairLists lists = make_pair_lists(order, carriers, n_patients);
///   const ItemSetFinder finder(lists, {.order = 3, .min_carriers = 20});
///   for (Index unit = 0; unit < n_units; ++unit) sets = finder.find(unit, n_units);
///
/// The tables of those that matter: kernels/set_tables.hpp.
namespace chorale::kernels {

inline constexpr int max_item_set_order = 4;

struct ItemSetOptions {
  int order = 3;  ///< features in a set, 2 to 4
  /// Patients who carry the whole set, at least; 1: every set that somebody carries; 0: every set there is.
  Index min_carriers = 20;
};

/// Sets one after another. Within a set the feature with most carriers stands first.
struct ItemSets {
  int order = 0;
  std::vector<std::int32_t> feature = {};  ///< (n_sets, order) the caller's features
  std::vector<std::int32_t> n_all = {};    ///< (n_sets) patients who carry the whole set

  Index n_sets() const { return static_cast<Index>(n_all.size()); }
  std::span<const std::int32_t> features_of(Index set) const;
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
/// What a rarest feature needs is counted when its turn comes, its pairs among it, so that units share nothing
/// but the lists. A unit of work is every step-th rank, whatever it takes: neighbouring ranks are alike. Sets come by
/// the rank of their rarest feature, then of the next rarest, …, all ascending, whatever the threads.
///
/// Throws   ShapeError when order is not 2 to 4, or min_carriers is negative
/// Cost     every triple of 250 features in 100,000 patients, on one Zen 5 core: 5e7 a second where features are
///          as rare as mutated genes, 1.6e7 where half of the patients carry each. 20,000 features, 77 a patient:
///          triples of at least 10 carriers in 6 s. A found triple takes 16 bytes
/// Threads  over ranks, integers only
/// Source   Zaki 2000, IEEE Trans Knowl Data Eng 12:372 (depth first over lists of carriers);
///          Uno, Kiyomi, Arimura 2004, LCM (counting by delivery)
/// Oracle   kernels/reference/item_sets.cpp, set by set and patient by patient
class ItemSetFinder {
 public:
  /// Keeps a reference to the lists: all patients, or those of one stratum.
  ItemSetFinder(const PairLists& carriers, const ItemSetOptions& options);

  /// The sets whose rarest feature has rank first, first + step, first + 2 step, …
  ///
  /// Throws   ShapeError when first is negative or step below 1
  ItemSets find(Index first = 0, Index step = 1, ItemSetMethod method = ItemSetMethod::cheapest) const;

 private:
  std::shared_ptr<const ItemSetData> data_;
};

namespace reference {

/// Asks every patient about every set. `patients` are those of the stratum.
ItemSets item_sets(const PairOrder& order, PatientLists carriers, std::span<const std::int32_t> patients,
                   const ItemSetOptions& options);

}  // namespace reference
}  // namespace chorale::kernels
