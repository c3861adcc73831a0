// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "kernels/cox.hpp"

namespace chorale::kernels {

/// What became of a set. Coefficients come with `converged`, logarithms of likelihoods also with `separated`.
enum class SetVerdict : std::int8_t {
  converged,
  no_events,          ///< nobody analysed, or nobody dies
  empty_group,        ///< one of the 2^order groups has nobody: its term cannot be told from the others
  separated,          ///< terms go to infinity: see `infinite`; the likelihood ratio is that of the limit
  covariates_failed,  ///< the covariates alone could not be fitted
  singular,           ///< covariates and features determine each other
  not_converged       ///< the iterations ran out
};
std::string_view name_of(SetVerdict verdict);

/// hazard = base · exp(z'β + Σ_t coefficient_t · Π_{j ∈ t} x_j), t all non-empty parts of the set. NaN is "no
/// such number".
///
/// Group g and term t are numbered by bits: bit j stands for the set's j-th feature. Of a triple the terms
/// are 1 a, 2 b, 3 ab, 4 c, 5 ac, 6 bc, 7 abc; term t stands at t − 1.
struct SetCoxFit {
  SetVerdict verdict = SetVerdict::no_events;
  std::vector<Index> n;                ///< (2^order) analysed patients who carry just these
  std::vector<Index> deaths;           ///< (2^order) of these
  std::vector<double> coefficient;     ///< (2^order − 1) log hazard ratios, each on top of all its parts
  std::vector<double> se;              ///< (2^order − 1)
  std::vector<Index> infinite;         ///< terms that diverge, where separated
  double loglik_null = missing;        ///< at 0 for everything
  double loglik_covariates = missing;  ///< covariates alone
  double loglik_without = missing;     ///< all terms but the highest
  double loglik = missing;             ///< all terms
  double lrt_chi2 = missing;           ///< 2 (loglik − loglik_without), 1 degree of freedom
  double wald_chi2 = missing;          ///< of the highest term
  std::vector<double> beta;            ///< n_columns, the covariates' coefficients; NaN where aliased
  int iterations = 0;                  ///< of the fit with all terms
};

/// Cox fits of covariates and a set of features with all their interactions, for many sets over the same
/// tested patients; beside each the fit without the highest interaction, for its likelihood ratio.
///
/// Terms are dense columns behind the covariates, and both fits are those of cox_fit.
///
/// Shapes   carriers as two_group (patient indices of the cohort); sets (n_sets, order) positions in
///          carriers; fits one per set; covariates = cox_fit(design) with the same ties; the design holds the
///          patients tested for all features of the sets
/// Throws   ShapeError when the lengths differ, order is not 2 to 4, or an index is out of range
/// Cost     per set about 12 times cox_terms with p + 2^order − 1 columns: a triple in 100,000 patients takes
///          12 ms without covariates, 20 ms with four; a copy of the columns per thread
/// Threads  over sets, equal for any thread count
/// Source   Cox 1972; Efron 1977; weights as in R's coxph
/// Oracle   pair_cox_full for order 2; R survival 3.5.3, tests/oracle/set_cox.R
void set_cox(const CoxDesign& design, const CoxFit& covariates, CarrierLists carriers,
             std::span<const std::int32_t> sets, int order, Ties ties, std::span<SetCoxFit> fits);

}  // namespace chorale::kernels
