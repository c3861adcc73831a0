// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "kernels/competing_risks.hpp"
#include "kernels/cox.hpp"
#include "kernels/types.hpp"

namespace chorale::kernels {

/// Who was at risk of being censored on a day on which others have their event: all (as cmprsk's crr says),
/// or who had no event that day (as survival's finegray says).
enum class CensoringTies { with_events, after_events };

/// What is modelled, among whom.
struct FineGrayModel {
  Index cause = 1;     ///< the cause whose incidence is modelled
  CoxColumns columns;  ///< dense covariates; NaN = missing
  /// n, codes from 0, each with its own censoring; -1 = the patient leaves; empty: one group
  std::span<const std::int32_t> censoring_group = {};
  std::span<const std::uint8_t> tested = {};  ///< n, or empty
  CensoringTies ties = CensoringTies::with_events;
};

struct FineGrayRows;  // kernels/fine_gray_rows.hpp

/// The patients of one model with their censoring weights, in the order that fits walk them. Patients leave
/// who are not analysed by the timeline, not tested, without censoring group, or miss a covariate. Copies
/// share the rows; nothing of the arguments is referred to.
struct FineGrayDesign {
  Index n_columns = 0;
  Index n_analysed = 0;
  Index n_events = 0;             ///< of the cause
  Index n_competing = 0;          ///< events of other causes
  Index n_missing_group = 0;      ///< tested and outcome known, but no censoring group
  Index n_missing_covariate = 0;  ///< all else known, but a column or the offset is missing
  bool late_entries = false;      ///< left truncation: see fine_gray_fit on what the sandwich leaves out
  std::shared_ptr<const FineGrayRows> rows;
};

/// Throws   ShapeError when a length or code does not fit, or a value is infinite
/// Cost     a sort of the exit times, one pass over the patients per column
FineGrayDesign make_fine_gray_design(const CauseTimeline& causes, const FineGrayModel& model);

enum class FineGrayVerdict : std::int8_t {
  converged,
  no_events,
  monotone,      ///< the likelihood grows as some coefficients go to infinity: see `infinite`
  singular,      ///< some columns follow from those before them: see `aliased`; the others are fitted
  not_converged  ///< the iterations ran out
};
std::string_view name_of(FineGrayVerdict verdict);

struct FineGrayOptions {
  int max_iterations = 60;
  bool robust = true;  ///< false: leaves covariance empty, and saves the pass over the patients
  std::span<const double> start = {};  ///< n_columns; empty: zeros
};

struct FineGrayFit {
  FineGrayVerdict verdict = FineGrayVerdict::no_events;
  std::vector<double> beta;  ///< n_columns, log subdistribution hazard ratios; NaN where aliased, ± infinity
                             ///< where infinite
  std::vector<double> covariance;  ///< n_columns x n_columns, sandwich; 0 where aliased, NaN where infinite
  std::vector<double> naive_covariance;  ///< the same, inverse information, as if the weights were known
  std::vector<Index> aliased;            ///< columns that follow from those before them
  std::vector<Index> infinite;           ///< columns whose coefficient diverges
  double loglik_null = missing;          ///< at 0
  double loglik = missing;
  int iterations = 0;
};

/// Fine and Gray's proportional hazards regression of the subdistribution of one cause.
///
///   l(β) = Σ_{events of the cause} w η − Σ_t d_t log S0(t),   η = z'β + offset,   d_t = Σ w of those at t,
///   S0(t) = Σ_{time >= t} w e^η + Σ_{other cause, time < t} w e^η G(t-)/G(time-)
///
/// G is the chance of not being censored, by Kaplan and Meier in each censoring group and 0 beyond its
/// follow-up; who had another event stays at risk with what is left of it. Both sums grow as t moves, the
/// first from the end, the second from the start, so S0 and its derivatives take one walk each way. Ties
/// follow Breslow; strata of the timeline have their own baseline, and share G. Patients observed from a late
/// entry on are at risk after it, and G becomes G H with H(t) the chance of an entry up to t, estimated the
/// same way back in time (Geskus). Where everybody has left before the next enters, H is 0 up to then, and
/// nobody with another event stays beyond.
///
/// The sandwich is I⁻¹ Σ_i w_i² (η_i + ψ_i)(η_i + ψ_i)' I⁻¹, η_i the score residual and ψ_i what the
/// estimated G adds, for each censoring group its own; weights are read as sampling weights there, as by R's
/// coxph, and as copies in G and in the naive covariance. With late entries ψ_i is left out, as by survival's
/// coxph on finegray's rows: weights as if known.
///
/// Throws   ShapeError when start is neither empty nor n_columns long
/// Cost     per Newton step n (p²/2 + 2p + one exp) + T p² for T event times, about 4 steps; the sandwich
///          n p (p/2 + 6) once, and for few patients a step more
/// Threads  over fixed blocks of patients, summed in block order: equal for any thread count
/// Source   Fine and Gray 1999, J Am Stat Assoc 94:496; Geskus 2011, Biometrics 67:39; the two walks:
///          Kawaguchi et al. 2021, R Journal 12(2):43
/// Oracle   cmprsk 2.2.11 crr (coefficients; sandwich with one censoring group), survival 3.5.3 finegray and
///          coxph (strata, weights), tests/oracle/fine_gray.R
FineGrayFit fine_gray_fit(const FineGrayDesign& design, const FineGrayOptions& options = {});

}  // namespace chorale::kernels
