// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <array>
#include <functional>
#include <list>
#include <span>
#include <vector>

#include "jobs/interaction_screen/design.hpp"
#include "jobs/interaction_screen/tested.hpp"
#include "kernels/cox.hpp"
#include "kernels/pair_cox.hpp"
#include "kernels/pair_cox_screen.hpp"
#include "kernels/set_cox.hpp"
#include "kernels/two_group.hpp"

namespace chorale::jobs::interaction {

/// Survival of a pair's four groups, in the order of kernels::PairGroup.
using PairCurves = std::array<kernels::ArmCurve, kernels::n_pair_groups>;

/// Martingale residuals of a model of all patients.
struct Residuals {
  std::vector<double> value;  ///< (n_patients), NaN for who is not in the model
  std::vector<std::int32_t>
      features;  ///< that are columns of the model; who is not tested counts as no carrier
};

/// Outcome of pairs of features. Pairs are taken together whose patients tested for both are the same: they share risk
/// sets and the covariates' own fit. A function of the cohort and the config alone.
class OutcomeModel {
 public:
  static constexpr Index most_models = 8;  ///< kept at a time, each of about 200 bytes a patient

  /// Refers to `cohort` and `tested`.
  OutcomeModel(const Design& design, const engine::Setup& setup, const engine::Cohort& cohort,
               const TestedPatients& tested);

  const FollowUp& follow_up() const { return follow_up_; }

  void screen(std::span<const kernels::FeaturePair> pairs, std::span<kernels::PairScreen> screens,
              const kernels::ScreenPlan& plan) const;
  /// The full fit; Firth's where a pair is separated.
  void fit(std::span<const kernels::FeaturePair> pairs, std::span<kernels::PairCoxFit> fits) const;
  /// Kaplan-Meier medians and landmarks, strata pooled.
  void curves(std::span<const kernels::FeaturePair> pairs, std::span<PairCurves> curves) const;
  /// Sets of `order` features, all features of a set side by side.
  void fit_sets(std::span<const std::int32_t> features, int order, std::span<kernels::SetCoxFit> fits) const;
  /// What permutations of outcomes permute: what the covariates, and features with effects of their own, leave.
  Residuals residuals() const;

 private:
  using TestedSets = std::vector<Index>;  // each once, ascending; none: all patients
  struct Model {
    TestedSets sets;
    kernels::CoxDesign design;
    kernels::CoxFit covariates;
    kernels::PairCoxFrame frame;
    kernels::PairCoxScreener screener;  // of all features
    kernels::RiskTotals totals;         // of the crude timeline
  };
  /// Pairs (or larger sets) over the same tested patients, and the carriers they point into.
  struct Batch {
    std::vector<std::size_t> place;       // among the caller's
    std::vector<std::int32_t> positions;  // order of them for each
    std::vector<std::int32_t> features;   // the job's own, likewise
    std::vector<std::span<const std::int32_t>> carriers;

    std::vector<kernels::FeaturePair> pairs() const;          // of positions
    std::vector<kernels::FeaturePair> feature_pairs() const;  // of features
  };
  Model& model(const TestedSets& sets) const;
  void for_batches(std::span<const std::int32_t> features, int order,
                   const std::function<void(Model&, const Batch&)>& use) const;
  void for_batches(std::span<const kernels::FeaturePair> pairs,
                   const std::function<void(Model&, const Batch&)>& use) const;

  Design design_;
  const engine::Cohort& cohort_;
  const TestedPatients& tested_;
  FollowUp follow_up_;
  std::vector<std::span<const std::int32_t>> carriers_;
  mutable std::list<Model> models_;  // the last used first; a rank asks one at a time
};

}  // namespace chorale::jobs::interaction
