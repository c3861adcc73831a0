// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/pair_cox_firth.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/cox_engine.hpp"
#include "kernels/pair_cox_feature.hpp"
#include "kernels/pair_cox_firth_engine.hpp"

namespace chorale::kernels {
namespace {

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

/// One thread's room for a pair.
class FirthFitter {
 public:
  FirthFitter(const PairFrame& frame, CarrierLists carriers)
      : frame_(frame), carriers_(carriers), engine_(frame) {}

  void fit(const FeaturePair& pair, PairCoxFit& fit);

 private:
  void report(const FirthPeak& full, const FirthPeak& without, PairCoxFit& fit) const;

  const PairFrame& frame_;
  CarrierLists carriers_;
  FirthEngine engine_;
  PairFeature a_, b_;
};

void FirthFitter::report(const FirthPeak& full, const FirthPeak& without, PairCoxFit& fit) const {
  // |I| on the scale of the columns
  double log_scales = 0;
  for (const Index j : frame_.kept) log_scales += std::log(frame_.rows.scale[size(j)]);
  const Index a = frame_.rows.n_columns;
  const std::vector<Index>& kept = engine_.kept();
  const Eigen::MatrixXd inverse = full.place.information(kept, kept).inverse();
  const Eigen::Matrix3d block = inverse.bottomRightCorner(3, 3);
  Eigen::Map<Eigen::Matrix3d>(fit.covariance.data()) = block;
  fit.verdict = PairVerdict::penalised;
  fit.a = full.place.beta(a);
  fit.b = full.place.beta(a + 1);
  fit.ab = full.place.beta(a + 2);
  fit.se_a = std::sqrt(block(0, 0));
  fit.se_b = std::sqrt(block(1, 1));
  fit.se_ab = std::sqrt(block(2, 2));
  fit.loglik = full.place.loglik + log_scales;
  fit.loglik_without = without.place.loglik + log_scales;
  fit.lrt_chi2 = std::max(0.0, 2 * (fit.loglik - fit.loglik_without));
  fit.wald_chi2 = fit.ab * fit.ab / block(2, 2);
  for (const Index j : frame_.kept) fit.beta[size(j)] = full.place.beta(j) / frame_.rows.scale[size(j)];
  fit.iterations = full.iterations;
}

void FirthFitter::fit(const FeaturePair& pair, PairCoxFit& fit) {
  fit = {};
  fit.beta.assign(size(frame_.rows.n_columns), missing);
  a_.set(frame_.rows, carriers_[size(pair.a)]);
  b_.set(frame_.rows, carriers_[size(pair.b)]);
  engine_.set_pair(a_.rows, b_.rows);
  fit.counts = engine_.counts();
  add_idle(a_, b_, frame_.design.n_analysed, fit.counts);
  if (frame_.design.n_events == 0) return;
  fit.loglik_null = frame_.covariates.loglik_null;
  fit.loglik_covariates = frame_.covariates.loglik;
  if (!frame_.usable()) {
    fit.verdict = PairVerdict::covariates_failed;
    return;
  }
  const auto& at_risk = engine_.counts().n;
  if (std::find(at_risk.begin(), at_risk.end(), 0) != at_risk.end()) {
    fit.verdict = PairVerdict::empty_group;
    return;
  }
  FirthPlace start = engine_.at(engine_.start());
  std::vector<Index> free = engine_.kept();
  if (!dependent_columns(Eigen::MatrixXd(start.information(free, free))).empty()) {
    fit.verdict = PairVerdict::singular;
    return;
  }
  const auto at = [this](const Eigen::VectorXd& beta) { return engine_.at(beta); };
  const FirthPeak full = firth_maximum(at, std::move(start), free);
  free.pop_back();
  const FirthPeak without = firth_maximum(at, engine_.at(engine_.start_without()), free);
  if (full.converged && without.converged) {
    report(full, without, fit);
  } else {
    fit.verdict = PairVerdict::not_converged;
  }
}

}  // namespace

void pair_cox_firth(const PairCoxFrame& shared, CarrierLists carriers, std::span<const FeaturePair> pairs,
                    std::span<PairCoxFit> fits) {
  const PairFrame& frame = *shared;
  check_pairs(frame.design, carriers, pairs, fits.size());
  const auto n_pairs = static_cast<Index>(pairs.size());
  if (n_pairs == 0) return;  // as mostly: a fitter is not made for nothing
#pragma omp parallel if (n_pairs > 1)
  {
    FirthFitter fitter(frame, carriers);
#pragma omp for schedule(dynamic)
    for (Index k = 0; k < n_pairs; ++k) fitter.fit(pairs[size(k)], fits[size(k)]);
  }
}

void pair_cox_firth(const CoxDesign& design, const CoxFit& covariates, CarrierLists carriers,
                    std::span<const FeaturePair> pairs, Ties ties, std::span<PairCoxFit> fits) {
  pair_cox_firth(PairCoxFrame(design, covariates, ties), carriers, pairs, fits);
}

}  // namespace chorale::kernels
