// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

#include "kernels/aligned.hpp"
#include "kernels/carrier_counts.hpp"
#include "kernels/max_t.hpp"
#include "kernels/pair_cox.hpp"
#include "kernels/types.hpp"

namespace chorale::kernels {

/// What became of a pair. Only `tested` comes with a statistic and takes part in the extremes.
enum class AssociationVerdict : std::int8_t {
  tested,
  no_variation,  ///< in every stratum one of the two is carried by nobody or by everybody
  few_expected   ///< fewer than min_expected patients
};
std::string_view name_of(AssociationVerdict verdict);

struct Association {
  AssociationVerdict verdict = AssociationVerdict::no_variation;
  double z = missing;
};

/// Statistics of all pairs of features when every feature's carriers are drawn anew: what two features do together
/// if neither knows of the other, given the strata.
///
///   z = Σ_s (n11 − n_a n_b / n) / √Σ_s n_a n_b (n − n_a)(n − n_b) / (n² (n − 1)),      s: strata tested for both
///
/// the signed root of the Cochran-Mantel-Haenszel chi-square without correction. In each permutation the carriers of
/// each feature in each stratum are a random subset of the stratum's patients, all subsets of their number equally
/// probable, independently of other features. Permutation r is a pure function of (seed, r): ranges of permutations may
/// run on any ranks, and their extremes stand side by side.
///
/// A pair that expects 0.001 double carriers reaches z = 30 with its first one, and such pairs would be the maximum of
/// every permutation; min_expected leaves them out by margins that all permutations share, so nothing is biased.
///
///   const AssociationPermutation family(carriers, strata, tested);
///   family.observed(pairs, found);
///   family.extremes(seed, 0, extremes);          // 1,000 permutations
///   max_t_p(extremes, z, Alternative::two_sided, p);
///
/// Features that more than half carry are drawn by who does not. Features come one after the other, the most frequent
/// first; a word holds 64 of them for each patient, and 64 counters of 8 bits in one register add up the words of the
/// patients just drawn.
///
/// Threads  over permutations; equal for any thread count
/// Memory   16 bytes a pair, 16 a feature and stratum; per thread and patient a bit a feature and 4 bytes
/// Source   Westfall and Young 1993; Mantel 1963, J Am Stat Assoc 58:690
/// Oracle   kernels/reference/association_permutation.cpp; enumeration of all subsets
class AssociationPermutation {
 public:
  /// Shapes   carriers (n_features) ascending patients; strata.code (n_patients), -1 = left out
  ///          tested (n_groups, n_features) 0 or 1; empty: everyone is tested for everything
  ///          min_expected patients in the smallest of the four cells
  /// Throws   ShapeError when sizes do not fit, a list does not rise within the cohort, a patient carries what the
  ///          stratum is not tested for, or there are more than 65,000 features
  /// Cost     n_groups multiplications a pair, one pass over the carriers
  AssociationPermutation(CarrierLists carriers, const Groups& strata,
                         std::span<const std::uint8_t> tested = {}, double min_expected = 1);

  /// Pairs that are tested.
  Index n_tested() const { return n_tested_; }

  /// The pairs as they are.
  ///
  /// Throws   ShapeError when lengths differ, or a pair is no pair of features
  /// Cost     one permutation, and a few ns a pair
  void observed(std::span<const FeaturePair> pairs, std::span<Association> found) const;

  /// Extremes over all tested pairs but those apart, in permutations first, first + 1, ….
  ///
  /// Shapes   extremes (P), overwritten; apart (K), each pair once, their z in permuted (P, K), NaN where not tested:
  ///          see max_t_step_down_p
  /// Throws   ShapeError when sizes do not fit, or there are 2^32 permutations
  /// Cost     2 ns a drawn carrier, and 1 ns (v4; v3 1.5, v2 4) for each 64 features that are more frequent;
  ///          500 features with 6.5 a patient in 100,000 patients: 2.2 ms a permutation
  void extremes(std::uint64_t seed, Index first, std::span<Extremes> extremes,
                std::span<const FeaturePair> apart = {}, std::span<double> permuted = {}) const;

 private:
  struct Cell {
    std::int32_t stratum;
    std::uint32_t begin, n, n_drawn;  ///< its places, and how many of them are drawn
  };
  struct Asked {
    std::int32_t column;
    std::size_t slot;  ///< in the caller's pairs
  };
  struct Moments {
    double expected, variance, least_expected;  ///< of who is drawn for both; of the smallest cell
  };
  class Walk;

  void place_patients(const Groups& strata);
  void count_carriers(CarrierLists carriers, std::span<const std::uint8_t> tested);
  Moments moments(Index rank, Index column) const;
  void fill_row(Index rank, double min_expected);
  double statistic(Index rank, Index column, const std::int32_t* n_both) const;  ///< NaN: not tested
  std::vector<std::vector<Asked>> by_row(std::span<const FeaturePair> pairs) const;
  std::span<const std::uint32_t> observed_of(Index rank) const;

  Index n_groups_ = 0, n_places_ = 0, n_tested_ = 0;
  Index n_met_ = 0;                           ///< ranks below it are tested with some rank behind them
  std::vector<std::uint32_t> stratum_begin_;  ///< n_groups + 1, in places
  std::vector<std::int32_t> place_of_;        ///< per patient, by stratum; -1 left out
  std::vector<std::int32_t> rank_of_;         ///< by feature; rank 0 is drawn most
  std::vector<std::int32_t> feature_of_;      ///< by rank
  std::vector<std::uint8_t> turned_;          ///< by rank: who does not carry it is drawn
  std::vector<std::vector<Cell>> cells_;      ///< by rank, where somebody is drawn
  std::vector<std::uint32_t> drawn_;          ///< observed places, rank by rank
  std::vector<std::size_t> drawn_begin_;      ///< n_features + 1
  std::vector<double> n_drawn_, n_rest_;      ///< (n_features, n_groups) by rank; both 0 where not tested
  std::vector<Index> n_columns_;              ///< by rank: no pair with this rank or one behind it is tested
  std::vector<std::size_t> row_begin_;        ///< by rank, in the two below
  AlignedDoubles expected_, per_deviation_;   ///< rows padded to vectors; NaN: not tested
};

namespace reference {

/// The statistic by its definition, patient by patient.
Association association(CarrierLists carriers, const Groups& strata, std::span<const std::uint8_t> tested,
                        const FeaturePair& pair, double min_expected);

}  // namespace reference
}  // namespace chorale::kernels
