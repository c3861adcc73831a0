// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <span>

#include "kernels/bootstrap_interval.hpp"
#include "kernels/two_group.hpp"
#include "kernels/types.hpp"

namespace chorale::kernels {

/// One measure of a model's performance, of the model itself and of each replicate's; NaN where it could not be had.
struct Measured {
  double apparent = missing;         ///< the model on the patients that it was made from
  double no_information = missing;   ///< γ: what predictions would show that know nothing of the outcome
  std::span<const double> boot;      ///< n_replicates, a replicate's model on its own sample
  std::span<const double> original;  ///< n_replicates, the same model on all patients
  std::span<const double> oob;       ///< n_replicates, or empty: on the patients that are not in its sample
};

struct Corrected {
  Index n_replicates = 0;      ///< with both boot and original
  double optimism = missing;   ///< mean of boot − original
  double corrected = missing;  ///< apparent − optimism
  Interval interval;           ///< see below
  Index n_oob = 0;
  double oob = missing;     ///< mean
  double est632 = missing;  ///< 0.368 apparent + 0.632 oob
  double est632plus = missing;
};

/// What a measure would be on patients that the model has not seen.
///
///   corrected   apparent − mean(boot − original)
///   interval    percentiles of corrected + boot − mean(boot): the spread of the apparent measure about the corrected one.
///               A sample overfits twice, to patients and to who was drawn, so boot lies beyond apparent; moved by the
///               optimism alone, its percentiles can miss the corrected estimate, and the truth
///   .632+       (1 − w) apparent + w oob',   w = 0.632 / (1 − 0.368 R),   R = (oob' − apparent) / (γ − apparent)
///               within 0 … 1, oob' no further from apparent than γ; R = 0 where oob is better than apparent
///
/// For measures of error and of success alike. Without γ the .632+ estimate is NaN.
///
/// Shapes   boot and original equally long, oob too or empty
/// Throws   ShapeError when they are not, or level lies outside (0, 1)
/// Source   Harrell, Lee, Mark 1996, Stat Med 15:361; Efron and Tibshirani 1997, J Am Stat Assoc 92:548; interval: after Noma
///          et al. 2021, Stat Med 40:5691, who move by the optimism
/// Oracle   the formulas in R, tests/oracle/bootstrap_interval.R
Corrected correct_optimism(const Measured& measured, double level);

/// Bound on the expected number of terms chosen without reason by stability selection.
///
///   E(V) <= q² / ((2π − 1) p)     for π > ½, q chosen per half sample on average, p candidates
///
/// Holds where terms without reason are exchangeable and no worse than chance is at work. NaN for π <= ½ or p = 0.
///
/// Source   Meinshausen and Bühlmann 2010, J R Stat Soc B 72:417, theorem 1
double stability_error_bound(double n_chosen, double cutoff, Index n_candidates);

}  // namespace chorale::kernels
