// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/cox_path.hpp"
#include "kernels/cox_path_guide.hpp"

namespace chorale::kernels {

struct CoxCv {
  CoxPath path;  ///< of all patients: its penalties are those compared
  Index n_folds = 0;
  std::vector<double>
      fold_deviance;  ///< n_folds x lambdas; NaN where the fold has no event or its path ended before
  std::vector<double> fold_weight;    ///< n_folds, weighted events left out
  std::vector<double> mean_deviance;  ///< per lambda, glmnet's cvm; NaN where no fold has one
  std::vector<double> se;             ///< per lambda, glmnet's cvsd; NaN with fewer than two folds
  Index at_min = -1;                  ///< the largest penalty of least deviance; -1 where there is none
  Index at_1se = -1;                  ///< the largest penalty within a standard error of it
};

/// Cross-validated partial likelihood along an elastic-net Cox path, as cv.glmnet with grouped = TRUE.
///
///   D_fk  = 2 (l_sat − l(β_fk)) of all patients, less the same of those outside fold f, over E_f
///   β_fk  fitted at penalty k to the patients outside fold f;  E_f = Σ w over the events of fold f
///   mean_k = Σ_f E_f D_fk / Σ_f E_f,     se_k = √(Σ_f E_f (D_fk − mean_k)² / Σ_f E_f / (F − 1))
///
/// With case weights cv.glmnet scales those of each side to mean 1 first; here they stay as they are.
///
/// Folds may be drawn (cox_cv_folds) or codes of sites: leave-one-site-out. Fold -1 is in every training set and left
/// out of none. Sums run over folds that have a deviance at k; F is their number.
///
/// Shapes   fold (n_patients), codes from 0, -1 allowed
/// Throws   ShapeError as cox_path, and when fold is not n_patients long, a code is below -1, or fewer than two folds
///          are given
/// Cost     a path of all patients and one for each fold, and a walk over the patients for eight penalties of a fold
/// Threads  over folds, equal for any thread count
/// Source   Verweij, van Houwelingen 1993, Stat Med 12:2305; Simon et al. 2011
/// Oracle   R glmnet 4.1-6 cv.glmnet, tests/oracle/cox_path.R
CoxCv cox_cv(const CoxPathDesign& design, std::span<const std::int32_t> fold,
             const CoxPathOptions& options = {});

/// The same for a replicate whose paths, also those of the folds, follow a guide; `design` is the guide's.
///
/// weight   (n_patients), the replicate's own
/// Threads  none: run replicates side by side
CoxCv cox_cv(const CoxPathDesign& design, const CoxPathGuide& guide, Ties ties,
             std::span<const std::int32_t> fold, std::span<const double> weight, CoxPathRoom& room);

/// A fold for each patient, as even in size as can be, the same for a seed on any machine and rank.
std::vector<std::int32_t> cox_cv_folds(Index n_patients, Index n_folds, std::uint64_t seed);

}  // namespace chorale::kernels
