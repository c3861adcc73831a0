// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "jobs/interaction_screen/design.hpp"
#include "jobs/interaction_screen/tested.hpp"
#include "jobs/interaction_screen/tiling.hpp"
#include "kernels/burden.hpp"
#include "kernels/pair_counts.hpp"
#include "kernels/pair_counts_tables.hpp"
#include "kernels/pair_cox.hpp"

namespace chorale::jobs::interaction {

/// Pairs of features (a before b in the job's order) and their cells over the patients tested for both.
struct CountedPairs {
  std::vector<kernels::FeaturePair> pairs;
  std::vector<kernels::TwoByTwo> cells;   ///< (n_pairs)
  std::vector<kernels::TwoByTwo> strata;  ///< (n_pairs, n_strata); empty without strata
  Index n_strata = 0;

  Index size() const { return static_cast<Index>(pairs.size()); }
  std::span<const kernels::TwoByTwo> strata_of(Index pair) const {
    return std::span(strata).subspan(static_cast<std::size_t>(pair * n_strata),
                                     static_cast<std::size_t>(n_strata));
  }
};

/// Nobody is tested for both, or one of the two is carried by nobody or by everyone who is: nothing can be tested.
bool says_nothing(const kernels::TwoByTwo& cells);

/// What all tests of association share: who is tested, in which stratum, and what burdens lead one to expect.
/// A function of the cohort and the config alone.
class Association {
 public:
  Association(const Design& design, const engine::Cohort& cohort, const TestedPatients& tested);

  Index n_strata() const { return static_cast<Index>(labels_.size()); }
  /// (n_patients) of the configured strata, -1 missing; empty without
  std::span<const std::int32_t> stratum() const { return stratum_; }
  /// (n_strata) "AML × site 3"
  const std::vector<std::string>& stratum_labels() const { return labels_; }
  const ExchangeGroups& groups() const { return groups_; }

  /// log10 p of every pair; NaN where says_nothing(). Threads over pairs, equal for any number.
  void test(Test test, const CountedPairs& counted, std::span<double> log10_p) const;
  /// The burden-aware test's own numbers.
  std::vector<kernels::BurdenTest> burden_tests(const CountedPairs& counted) const;

 private:
  Design design_;
  std::vector<std::string> labels_;
  std::vector<std::int32_t> stratum_;
  ExchangeGroups groups_;
  std::optional<kernels::BurdenBackground> background_;
};

/// Counts pairs tile by tile, pooled and by stratum.
class PairTiles {
 public:
  /// Refers to `tested`. n_units  of the stage of pairs, which shares the tiles out
  PairTiles(const Design& design, const engine::Cohort& cohort, const TestedPatients& tested,
            const Association& association, Index n_units);

  const kernels::PairOrder& order() const { return order_; }
  const Tiling& tiling() const { return *tiling_; }
  CountedPairs count(const kernels::PairTile& tile) const;

  /// All patients' lists, by the same order.
  const kernels::PairLists& carriers() const { return strata_.front()->carriers; }
  /// Carriers of every feature, in the job's order.
  kernels::PatientLists lists() const { return carriers_; }

 private:
  struct Stratum {
    kernels::PairLists carriers;
    std::optional<kernels::PairLists> untested;
    std::unique_ptr<kernels::PairCounter> counter;
    std::unique_ptr<kernels::PairTables> tables;
  };
  std::unique_ptr<Stratum> pack(const kernels::Groups& groups, std::int32_t group) const;

  const TestedPatients* tested_;
  std::vector<std::span<const std::int32_t>> carriers_;
  kernels::PairOrder order_;
  std::optional<Tiling> tiling_;
  std::vector<std::unique_ptr<Stratum>> strata_;  // all patients first, then each stratum
  // room for a tile, kept from one to the next; a rank counts one at a time
  mutable std::vector<std::int32_t> n11_;
  mutable std::vector<kernels::TwoByTwo> tables_;
};

/// Counts single pairs by walking their carriers: for the few that are reported.
class PairWalk {
 public:
  PairWalk(const engine::Cohort& cohort, const TestedPatients& tested, const Association& association);
  CountedPairs count(std::span<const kernels::FeaturePair> pairs);

 private:
  void add(kernels::FeaturePair pair, CountedPairs& counted);
  const std::vector<Index>& n_tested(Index set, Index other);

  const engine::Cohort& cohort_;
  const TestedPatients& tested_;
  const Association& association_;
  std::map<std::pair<Index, Index>, std::vector<Index>> n_tested_;  // all, then by stratum
};

}  // namespace chorale::jobs::interaction
