// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "kernels/aligned.hpp"
#include "kernels/cox.hpp"

namespace chorale::kernels {

/// The patients of one block of time, those whose follow-up ends in it, as a Cox model needs them: copied, those who are
/// not analysed left out.
struct CoxTimeBlock {
  /// Shapes   patients as SurvivalView, strata coded alike in all blocks; columns one value per patient each; no offset
  /// Throws   ShapeError when lengths differ, a covariate is infinite, or a patient enters late: sums over later times
  ///          would hold who is not yet at risk
  CoxTimeBlock(const SurvivalView& patients, const CoxColumns& columns);

  Index n_patients = 0;
  Index n_columns = 0;
  TimelineAttrition attrition;  ///< who lacks weight and stratum counts for the weight
  Index n_missing_covariate = 0;
  std::vector<double> distinct;  ///< exits of who is analysed but for covariates, ascending
  // who is analysed, in the order given
  std::vector<double> time;
  std::vector<std::uint8_t> event;
  std::vector<std::int32_t> stratum;
  std::vector<double> weight;  ///< empty: all 1
  AlignedDoubles columns;      ///< n_columns x the number of rows

  Index n_rows() const { return static_cast<Index>(time.size()); }
};

/// Numbers of all blocks, ascending in time, from those of the caller's blocks; every block gives equally many.
using OfAllBlocks = std::function<std::vector<double>(std::span<const double>)>;

/// The model of cox_fit over patients who lie apart by time: S0 and S1 of an event time are sums over its own block and
/// over all later blocks, so that blocks need of each other
///
///   Σ risk, Σ risk · x of every block and stratum     to sum over later blocks
///   Σ_t first_t of every block and stratum            to sum over earlier blocks: the hazard gathered before (cox_engine)
///   the likelihood and its derivatives of every block to add up
///
/// three exchanges of a few numbers each evaluation, whatever the patients. A caller holds some neighbouring blocks; all
/// callers call together and get the same fit. Sums over blocks are made in block order, so the fit has the same bytes
/// whoever holds which block; blocks cut elsewhere change it by rounding.
///
/// Tied times must lie in one block: blocks are at least 1.5e-8 times the largest time apart. Columns are scaled and
/// ordered in place: a block can be used once.
///
/// Shapes   first_block the place of blocks[0] among all; n_strata more than any code; start and ridge of the options empty
/// Throws   ShapeError when blocks differ in columns, or start or ridge is given
/// Cost     as cox_fit; memory p + 4 doubles a patient
/// Threads  over the caller's blocks
/// Source   as cox.hpp
/// Oracle   cox_fit
CoxFit cox_fit_by_time(std::span<CoxTimeBlock> blocks, Index n_columns, Index n_strata, Index first_block,
                       const OfAllBlocks& of_all, const CoxOptions& options = {});

}  // namespace chorale::kernels
