// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "kernels/carrier_counts.hpp"
#include "kernels/max_t.hpp"
#include "kernels/pair_cox.hpp"
#include "kernels/types.hpp"

namespace chorale::kernels {

/// What became of a pair. Only `tested` comes with a statistic and takes part in the extremes.
enum class InteractionVerdict : std::int8_t {
  tested,
  few_both,       ///< fewer than min_both patients carry both
  not_identified  ///< given the strata, carrying both follows from carrying one or the other
};
std::string_view name_of(InteractionVerdict verdict);

struct Interaction {
  InteractionVerdict verdict = InteractionVerdict::few_both;
  Index n_both = 0;  ///< carriers of both, in the strata
  double z = missing;
};

struct OutcomeRows;   // kernels/outcome_rows.hpp
struct OutcomeGroup;  // kernels/outcome_groups.hpp

/// Interaction statistics of pairs of features, when outcomes change places among the patients of a stratum.
///
///   U_g  = Σ_s Σ_{i in s, carries g} (M_i − mean of M in s),        g = a, b, both; s: strata tested for both
///   V_gh = Σ_s σ²_s (n_gh − n_g n_h / n),  σ²_s = Σ_{i in s} (M_i − mean)² / (n − 1)
///   z    = (U_both − V_both,(a,b) V_(a,b)⁻¹ U_(a,b)) / √(V_both,both − V_both,(a,b) V_(a,b)⁻¹ V_(a,b),both)
///
/// V is the covariance of U under permutation, so z has mean 0 and variance 1 exactly. With martingale residuals of the
/// covariates' own Cox model as M (kernels/martingale.hpp), z is linear in them: what is left of the double carriers'
/// excess of deaths once the excess of either feature is taken out, to first order. Permutation breaks every bond
/// between outcome and features, so maxT tests that no pair interacts and that no feature matters by itself; features
/// with large effects of their own make z a little too wide or too narrow for what they leave, as in a score test.
/// Strata should be made of the strata of the outcome, times the features a patient was tested for, times whatever
/// both outcome and features depend on.
///
/// Permutation r is a pure function of seed, r, strata, residuals, and who carries none of the features: pairs may be
/// split over ranks, whose extremes are merged, and so may permutations.
///
///   const OutcomePermutation family(residuals, carriers, strata, tested, pairs, 5);
///   family.extremes(seed, 0, extremes);          // 1,000 permutations
///   max_t_p(extremes, z, Alternative::two_sided, p);      // z from family.observed()
///
/// Threads  over pairs, and over fixed blocks of permutations; equal for any thread count
/// Memory   4 bytes a double carrier and 40 a pair; per thread 192 bytes a carrier
/// Source   Westfall and Young 1993; Strasser and Weber 1999, Math Methods Statist 8:220
/// Oracle   kernels/reference/outcome_permutation.cpp; enumeration of all permutations
class OutcomePermutation {
 public:
  /// Shapes   residuals (n_patients), NaN = left out; carriers (n_features) ascending patients
  ///          strata.code (n_patients), -1 = left out
  ///          tested (n_groups, n_features) 0 or 1; empty: everyone is tested for everything
  ///          pairs (n), each once
  /// Throws   ShapeError when sizes do not fit, a list does not rise within the cohort, a residual is infinite, a pair
  ///          is no pair of features or stands twice, or a patient carries what the stratum is not tested for
  /// Cost     10 ns a double carrier, and what a pair's strata take: 10 ns each
  OutcomePermutation(std::span<const double> residuals, CarrierLists carriers, const Groups& strata,
                     std::span<const std::uint8_t> tested, std::span<const FeaturePair> pairs,
                     Index min_both);

  /// The pairs as they are, in the order given.
  std::span<const Interaction> observed() const { return observed_; }

  /// Extremes over all tested pairs but those apart, in permutations first, first + 1, ….
  ///
  /// Shapes   extremes (P), overwritten; apart (K) positions among the pairs, each once, their z in permuted (P, K),
  ///          NaN where not tested: see max_t_step_down_p
  /// Throws   ShapeError when sizes do not fit, a position is out of range or stands twice, or there are 2^32
  ///          permutations
  /// Cost     per permutation 3 ns a carrier and, for 16 permutations together, 2 ns a carrier of each feature and 1.5 ns a
  ///          double carrier (v4; v3 1.2 times, v2 twice): all pairs of 500 features with 6.5 a patient in 100,000
  ///          patients take 0.5 ms, 1,000 permutations less than one pass of pair_cox_screen
  void extremes(std::uint64_t seed, Index first, std::span<Extremes> extremes,
                std::span<const Index> apart = {}, std::span<double> permuted = {}) const;

 private:
  std::shared_ptr<const OutcomeRows> rows_;
  std::shared_ptr<const std::vector<OutcomeGroup>> groups_;
  std::vector<Interaction> observed_;
};

namespace reference {

/// The statistic by its definition, patient by patient.
Interaction interaction(std::span<const double> residuals, CarrierLists carriers, const Groups& strata,
                        std::span<const std::uint8_t> tested, const FeaturePair& pair, Index min_both);

}  // namespace reference
}  // namespace chorale::kernels
