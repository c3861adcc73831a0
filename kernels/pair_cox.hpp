// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "kernels/cox.hpp"

namespace chorale::kernels {

/// Two features by their positions among carrier lists.
struct FeaturePair {
  std::int32_t a = 0, b = 0;
};

/// The four groups that two 0/1 features make, and the order of everything counted by group.
enum PairGroup : std::uint8_t { neither, only_a, only_b, both };
inline constexpr int n_pair_groups = 4;

/// What became of a pair. Coefficients come with `converged` and `penalised`, logarithms of likelihoods also with
/// `separated`.
enum class PairVerdict : std::int8_t {
  converged,
  penalised,          ///< Firth's estimate, asked for where the likelihood has no maximum
  no_events,          ///< nobody analysed, or nobody dies
  empty_group,        ///< one of the four groups has nobody: there is no interaction to estimate
  separated,          ///< a coefficient goes to infinity; the likelihood ratio is that of the limit
  covariates_failed,  ///< the covariates alone could not be fitted
  singular,           ///< covariates and features determine each other
  not_converged,      ///< the iterations ran out
  below_bound         ///< proven to stay below the screen's bound: nothing was fitted
};
std::string_view name_of(PairVerdict verdict);

/// Patients of the four groups, all tested for both features.
struct PairCounts {
  std::array<Index, n_pair_groups> n{};       ///< analysed patients
  std::array<Index, n_pair_groups> deaths{};  ///< of these
};

/// hazard = base · exp(z'β + a·A + b·B + ab·A·B); NaN is "no such number".
struct PairCoxFit {
  PairCounts counts;
  PairVerdict verdict = PairVerdict::no_events;
  double a = missing, b = missing, ab = missing;  ///< log hazard ratios; ab: on top of a + b
  double se_a = missing, se_b = missing, se_ab = missing;
  std::array<double, 9> covariance;    ///< of (a, b, ab), 3 x 3
  double loglik_null = missing;        ///< at 0 for everything
  double loglik_covariates = missing;  ///< covariates alone
  double loglik_without = missing;     ///< covariates, a, b
  double loglik = missing;             ///< with ab
  double lrt_chi2 = missing;           ///< 2 (loglik − loglik_without), 1 degree of freedom
  double wald_chi2 = missing;          ///< (ab / se_ab)²
  double score_chi2 = missing;         ///< score test of ab at the fit without it
  std::vector<double> beta;            ///< n_columns, the covariates' coefficients; NaN where aliased
  int iterations = 0;                  ///< of the fit with ab

  PairCoxFit() { covariance.fill(missing); }
};

struct PairFrame;  // kernels/pair_cox_frame.hpp

/// What all pairs over the same tested patients share: made once, used by any number of calls of pair_cox_full,
/// pair_cox_firth and pair_cox_screen and by any thread. Copies share it; nothing of the arguments is referred to.
///
/// covariates = cox_fit(design) with the same ties
/// Throws   ShapeError when the covariates' fit belongs to another design
/// Cost     a sort of the patients and one walk over them: 1.4 ms for 100,000 patients and two covariates on a Zen 5
///          core; the first full or penalised fit adds the moments, 3 ms
class PairCoxFrame {
 public:
  PairCoxFrame(const CoxDesign& design, const CoxFit& covariates, Ties ties);
  const PairFrame& operator*() const { return *frame_; }

 private:
  std::shared_ptr<const PairFrame> frame_;
};

struct FullPlan {
  bool with_lrt = true;  ///< false: leaves out the fit without ab, and with it lrt_chi2 and score_chi2
};

/// Cox fits of covariates, two features and their interaction, for many pairs over the same tested patients;
/// beside each the fit without the interaction, for the likelihood ratio and the score test.
///
/// Newton on all coefficients together; the last step is below 1e-6 standard errors, the error about its square.
/// Everybody's sums over the risk sets are series in the distance from the covariates' own coefficients, whose
/// moments by event time all pairs share (kernels/pair_cox_moments.hpp); for more than three columns, and far away,
/// they are summed over the patients. Carriers are added on top:
///
///   S_k(t) = Σ_{at risk} w e^η z^k + Σ_g (e^θ_g − 1) Σ_{at risk, g} w e^η z^k,     g = only a, only b, both
///   θ = (a, b, a + b + ab)
///
/// so that a pair's own terms touch its carriers only. The fit starts at the covariates' own coefficients, with
/// (a, b, ab) fitted beside them over event times alone; the fit without ab where the full fit's parabola has its
/// maximum at ab = 0. Double carriers of whom none dies (ab → −∞) leave every risk set, the limit.
///
/// Shapes   carriers as two_group (patient indices of the cohort); pairs point into carriers; fits one per pair
/// Throws   ShapeError when the lengths differ or an index is out of range
/// Cost     per pair 4 to 5 walks over event times, each up to 45 moments for two covariates, and over carriers, each
///          p² and one exp: 0.25 to 0.3 ms on a Zen 5 core for 100,000 patients, 5,400 carriers, 3,398 event times,
///          0.15 to 0.2 ms without the likelihood ratio (R 4.2, coxph.fit on a ready matrix: 60 ms and 33 ms);
///          beyond three covariates the walks are over the patients, each n (p²/2 + 2p + one exp)
/// Threads  over pairs, equal for any thread count
/// Source   Cox 1972; Efron 1977; weights as in R's coxph
/// Oracle   kernels/reference/pair_cox.cpp; R survival 3.5.3, tests/oracle/pair_cox.R
void pair_cox_full(const PairCoxFrame& frame, CarrierLists carriers, std::span<const FeaturePair> pairs,
                   std::span<PairCoxFit> fits, const FullPlan& plan = {});

/// The same for one call; covariates = cox_fit(design) with the same ties.
void pair_cox_full(const CoxDesign& design, const CoxFit& covariates, CarrierLists carriers,
                   std::span<const FeaturePair> pairs, Ties ties, std::span<PairCoxFit> fits);

}  // namespace chorale::kernels
