// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <Eigen/Dense>
#include <memory>
#include <mutex>
#include <vector>

#include "kernels/cox_rows.hpp"
#include "kernels/pair_cox.hpp"
#include "kernels/pair_cox_moments.hpp"
#include "kernels/pair_cox_slots.hpp"

namespace chorale::kernels {

/// What PairCoxFrame holds: the rows as slots, and everybody's sums over the risk sets at the covariates' own
/// coefficients.
struct PairFrame {
  PairFrame(const CoxDesign& design, const CoxFit& covariates, Ties ties);
  PairFrame(const PairFrame&) = delete;  // members refer to each other

  bool usable() const;                 ///< the covariates were fitted
  const PairMoments& moments() const;  ///< at beta; made when first asked for

  CoxDesign design;
  CoxFit covariates;
  const CoxRows& rows;
  const EventTimes& times;
  EventTable table;               ///< beside everybody's risks at beta
  Eigen::VectorXd beta;           ///< the covariates' own, scaled; 0 where aliased
  std::vector<Index> kept;        ///< covariates that are not aliased
  AlignedDoubles risk;            ///< per row, at beta
  AlignedDoubles at_risk, dying;  ///< n_slot_sums x n_padded, at beta
  AlignedDoubles expected;        ///< per row, deaths expected from the covariates' own fit
  PairSlots slots;

 private:
  mutable std::once_flag moments_asked_;
  mutable std::unique_ptr<const PairMoments> moments_;
};

}  // namespace chorale::kernels
