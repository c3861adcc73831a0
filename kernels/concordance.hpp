// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

#include "kernels/aligned.hpp"
#include "kernels/dense_rank.hpp"
#include "kernels/risk_order.hpp"
#include "kernels/sample_rows.hpp"
#include "kernels/two_group.hpp"

namespace chorale::kernels {

/// How much a comparison counts that is decided by a death at time t.
enum class PairWeight {
  equal,             ///< Harrell: each the same
  inverse_censoring  ///< Uno: 1 / G(t−)², so that C does not depend on who was censored when
};

struct ConcordanceOptions {
  PairWeight pairs = PairWeight::equal;
  double tau = std::numeric_limits<double>::infinity();  ///< days; deaths after it decide nothing
  bool with_error = false;
};

enum class ConcordanceVerdict : std::int8_t {
  computed,
  no_pairs  ///< nobody dies while others, whose prediction is known, are at risk
};
std::string_view name_of(ConcordanceVerdict verdict);

/// Sums of weights over pairs of patients.
struct Concordance {
  ConcordanceVerdict verdict = ConcordanceVerdict::no_pairs;
  double c = missing;   ///< (concordant + tied_risk / 2) / (concordant + discordant + tied_risk)
  double se = missing;  ///< NaN unless asked for
  double concordant = 0, discordant = 0;
  double tied_risk = 0;  ///< times differ, risks do not
  double tied_time = 0;  ///< both die on the same day, risks differ
  double tied_both = 0;
  Index n_analysed = 0;      ///< with a weight above 0 and a known risk
  Index n_missing_risk = 0;  ///< left out because their risk is NaN
};

/// Concordance of a risk score with survival: of two patients of whom one is known to die first, does that one have the
/// higher risk?
///
///   pairs (i, j) of a stratum: i dies at t_i <= tau, j is at risk at t_i and does not die then; weight w_i w_j ω(t_i)
///   ω = 1 (Harrell) or 1/G(t−)² (Uno), G as in censoring.hpp
///   se² = Σ_i (w_i ∂C/∂w_i)², the infinitesimal jackknife, with G held fixed
///
/// Keeps its arrays between calls: one object per thread, any number of orders.
///
/// Shapes   risk (n_patients), higher = dies earlier; NaN leaves the patient out
///          weight (n_patients) or empty, see row_weights; whole weights give the C of repeated rows, as copies of a
///          patient are tied in time or without a death
///          influence (n_patients) or empty: w_i ∂C/∂w_i, 0 for who takes no part; the error of a difference of two C is
///          the root of the sum of the squared differences
/// Throws   ShapeError when lengths differ, a weight is negative, or inverse_censoring meets late entries
/// Cost     n log n: ranks by counting sort, then one or two walks over a tree of partial sums
/// Threads  none
/// Source   Harrell 1982, J Am Med Assoc 247:2543; Uno 2011, Stat Med 30:1105; Therneau and Watson 2017
/// Oracle   R survival 3.5.3 concordance(reverse = TRUE, timewt = "n" or "n/G2", ymax = tau), tests/oracle/concordance.R
class ConcordanceCounter {
 public:
  Concordance count(const RiskOrder& order, std::span<const double> risk, std::span<const double> weight,
                    const ConcordanceOptions& options = {}, std::span<double> influence = {});

 private:
  void count_stratum(const RiskOrder& order, Index stratum, bool with_error, Concordance& total);
  void gather_signs(const RiskOrder& order, Index stratum, Index n_ranks);

  /// Sums of weights by rank, and of all ranks below one. Ranks of one cache line share a leaf of a Fenwick tree, so that
  /// the tree stays in the near caches.
  class RankTree {
   public:
    void clear(Index n_ranks);
    void add(std::int32_t rank, double weight);
    double below(std::int32_t rank) const;
    double at(std::int32_t rank) const { return at_[static_cast<std::size_t>(rank)]; }
    double total() const { return total_; }

   private:
    static constexpr std::size_t leaf = 8;
    std::vector<double> sums_;
    AlignedDoubles at_;
    double total_ = 0;
  };

  DenseRank ranks_;
  RankTree tree_;
  std::vector<double> weight_, risk_, time_weight_;
  std::vector<std::int32_t> rank_;
  std::vector<double> equal_;          ///< per row, weight at the same risk when the row's death was compared
  std::vector<double> signs_, pairs_;  ///< per row, Σ over its pairs of ±w_j ω and of w_j ω
};

struct PairSums;

/// C of one prediction on several samples, Harrell's and, where tau is given, Uno's, without errors.
struct SampleConcordance {
  double harrell = missing, uno = missing;  ///< NaN without pairs; Uno's also where it is not asked for
};

/// The same sums as ConcordanceCounter's, for samples side by side: one walk over time counts both for all of them.
///
///   a node of the tree holds prefix sums over 16 parts of its ranks, so that adding a patient is one masked addition a
///   level, asking for all below a rank one load a level, and neither has a branch; whole weights are counted as
///   whole numbers, those of two or three samples in parts of one number where their sums leave room
///
/// Shapes   samples, found equally long; tau in days or NaN: Uno's C is not asked for
/// Cost     n log16(n) additions of a cache line: 27 µs for two samples of 5,000 patients on one core (v4)
/// Threads  none; a sample's numbers do not depend on those beside it
/// Oracle   ConcordanceCounter
class SampleConcordances {
 public:
  void count(const RiskOrder& order, const PredictionRows& prediction,
             std::span<const SampleRows* const> samples, double tau, std::span<SampleConcordance> found);

 private:
  void count_together(const RiskOrder& order, const PredictionRows& prediction,
                      std::span<const SampleRows* const> samples, double tau,
                      std::span<SampleConcordance> found);
  template <class Number, class Tree>
  void walk_strata(const RiskOrder& order, const PredictionRows& prediction,
                   std::span<const Number* const> weight, int n_packed, int bits, bool uno, Tree& tree,
                   PairSums* sums);

  std::vector<std::uint32_t> halves_;  // per row, the weights of two samples in one number
  std::vector<std::uint64_t> thirds_;  // of three
  std::vector<std::uint32_t, CacheLineAllocator<std::uint32_t>> whole_tree_;
  std::vector<std::uint64_t, CacheLineAllocator<std::uint64_t>> packed_tree_;
  AlignedDoubles tree_;
  std::vector<double> time_weight_;
};

}  // namespace chorale::kernels
