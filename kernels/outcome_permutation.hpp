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

/// Double carriers that the permutation's own variance counts for: n_0 of OutcomePermutation.
inline constexpr double outcome_prior_carriers = 10;

struct OutcomeRows;   // kernels/outcome_rows.hpp
struct OutcomeGroup;  // kernels/outcome_groups.hpp

/// Interaction statistics of pairs of features, when outcomes change places among the patients of a stratum.
///
///   U_g  = Σ_s Σ_{i in s, carries g} m_i,   m_i = M_i − mean of M in s;   g = a, b, both; s: strata tested for both
///   V_gh = Σ_s σ²_s (n_gh − n_g n_h / n),   σ²_s = Σ_{i in s} m_i² / (n − 1): the covariance of U under permutation
///   T    = U_both − V_both,(a,b) V_(a,b)⁻¹ U_(a,b) = Σ_i c_i m_i,   scaled to variance 1 under permutation
///   R    = Σ_i (c_i − mean of c, weighted by σ²)² m_i²
///   z    = T / √((n_both R + n_0) / (n_both + n_0)),   n_0 = outcome_prior_carriers
///
/// With martingale residuals of a Cox model as M (kernels/martingale.hpp), T is the double carriers' excess of deaths
/// once the excess of either feature is taken out. R is what T varies by if patients differ in how much their outcomes
/// vary, as those at high hazard do; with few double carriers the permutation's own variance, 1, steadies it.
///
/// What is permuted is what the model leaves unexplained, so the model must explain what features do by themselves:
/// give it, beside the covariates, those with effects of their own as columns. Without, hazards that multiply look like
/// interactions: with hazard ratio 2 or ½ for six of twelve features in 20,000 patients, most of whom die, and no
/// interaction, each of 100 cohorts had an adjusted p below 0.05; 5 had once the features were columns. In 5,000
/// patients, of whom one in five dies, 4.5 % had, and 24 % where T stood for z.
/// Strata should be made of the strata of the outcome, times the features a patient was tested for, times whatever
/// both outcome and features depend on and the model leaves out.
///
/// Permutation r is a pure function of seed, r, strata, residuals, and who carries none of the features: pairs may be
/// split over ranks, whose extremes are merged, and so may permutations.
///
///   const OutcomePermutation family(residuals, carriers, strata, tested, pairs, 5);
///   family.extremes(seed, 0, extremes);          // 1,000 permutations
///   max_t_p(extremes, z, Alternative::two_sided, p);      // z from family.observed()
///
/// Threads  over features, and over fixed blocks of permutations; equal for any thread count
/// Memory   4 bytes a double carrier and 120 a pair; per thread 192 bytes a carrier
/// Source   Westfall and Young 1993; Strasser and Weber 1999, Math Methods Statist 8:220, for T; Chung and Romano 2013,
///          Ann Stat 41:484, for R; Freedman and Lane 1983, J Bus Econ Stat 1:292, for residuals of the model
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
  /// Cost     per permutation 3 ns a carrier and, for 16 permutations together, 2 ns a carrier of each feature and 2 ns
  ///          a double carrier (v4; v3 1.2 times, v2 twice): all pairs of 500 features with 6.5 a patient in 100,000
  ///          patients take 0.8 ms, 1,000 permutations less than one pass of pair_cox_screen
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
