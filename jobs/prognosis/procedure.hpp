// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "jobs/common/pool.hpp"
#include "jobs/prognosis/candidates.hpp"
#include "jobs/prognosis/design.hpp"
#include "kernels/cox.hpp"
#include "kernels/cox_cv.hpp"
#include "kernels/cox_path.hpp"
#include "kernels/cox_path_guide.hpp"

namespace chorale::jobs::prognosis {

/// What the procedure makes of a sample: gaps filled, terms chosen, coefficients.
struct Model {
  std::string trouble;  ///< why it cannot predict; empty when it can
  Index n_events = 0;   ///< each copy counts
  Index n_chosen = 0;
  double penalty = kernels::missing;  ///< λ of the elastic net
  std::vector<double>
      beta;  ///< (n_terms) log hazards; 0 where not chosen, NaN where aliased, infinite where monotone
  std::vector<double> fill;  ///< (n_fills)

  bool predicts() const { return trouble.empty(); }
  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& trouble& n_events& n_chosen& penalty& beta& fill;
  }
};

/// The coefficient that a term predicts with: its own, 0 where it is aliased, and ±15 in place of ± infinity, where the
/// likelihood is as good as flat; per standard deviation for numbers, which `scale` is, and for 0/1 columns (scale 1) as it is.
double predicting(double beta, double scale);

/// An elastic-net path and what was chosen on it.
struct Tuned {
  kernels::CoxPath path;
  std::vector<double> criterion;  ///< per penalty: BIC, AIC, or cross-validated deviance
  std::vector<double> error;  ///< per penalty: standard error of the deviance; empty without cross-validation
  Index chosen = -1;          ///< position on the path, -1 when there is none
};

/// From a sample to a model, as the config says: filling, choosing, tuning, fitting. Samples hold every patient some
/// number of times; patients stay where they are.
class Procedure {
 public:
  Procedure(const Design& design, const engine::Cohort& cohort, const kernels::Timeline& timeline,
            const Candidates& candidates);

  /// A model for each sample.
  ///
  /// Shapes   copies (n_patients, n_samples), a patient's samples side by side
  std::vector<Model> fit(std::span<const std::uint8_t> copies, Index n_samples) const;
  /// The same for one sample that holds nobody twice.
  Model fit(std::span<const std::uint8_t> taken) const;
  /// The same for all patients who take part, with the path that it was chosen on where there is an elastic net.
  Model fit_all(Tuned& tuned) const;

  /// Linear predictors of all patients, each model's gaps filled as it learned; NaN for models that do not predict.
  ///
  /// Shapes   returns (n_models, n_patients)
  std::vector<double> predict(std::span<const Model> models) const;

  /// Whether a sample's model, which predicts, is the maximum of the likelihood that measures on the sample know: then its
  /// calibration slope there is 1 by definition, as the score at the coefficients is 0 in every direction.
  bool is_maximum(const Model& model) const;

  /// The path of a half sample until `n_terms` have entered: which terms did.
  std::vector<std::uint8_t> entered(std::span<const std::uint8_t> taken, Index n_terms) const;

  /// Terms at hand as a design for cox_fit, gaps filled.
  ///
  /// Shapes   terms: positions, ascending; taken (n_patients)
  kernels::CoxDesign plain_design(std::span<const Index> terms, std::span<const double> fill,
                                  std::span<const std::uint8_t> taken) const;
  /// Without selection: the fit of all patients who take part.
  const kernels::CoxFit& full() const { return full_; }

 private:
  struct Sample;  // of an elastic net: its design and its weights

  kernels::CoxFit fit_filled(std::span<const double> fill, std::span<const std::uint8_t> taken) const;
  Model plain_model(const kernels::CoxFit& fit, std::vector<double> fill) const;
  std::vector<Model> fit_lanes(std::span<const std::uint8_t> copies, Index n_samples) const;
  Model fit_net(std::span<const std::uint8_t> copies, Tuned& tuned) const;
  Sample sample(std::span<const std::uint8_t> copies) const;
  Tuned tune(const Sample& sample) const;
  double per_term(Index n_events) const;
  kernels::CoxPathOptions options(Index n_events, std::span<const double> weight) const;
  kernels::CoxPathDesign net_design(std::span<const double> fill) const;

  const Design& design_;
  const kernels::Timeline& timeline_;
  const Candidates& candidates_;
  std::vector<std::int32_t> fold_;      // (n_patients), of cross-validation
  std::vector<double> penalty_factor_;  // (n_terms)
  // with an elastic net: penalties of every path; the design of all samples, and the path of all patients that guides
  // theirs, when no dense column has gaps to fill
  std::vector<double> penalties_;
  std::optional<kernels::CoxPathDesign> net_;
  std::optional<kernels::CoxPathGuide> guide_;
  mutable Pool<kernels::CoxPathRoom> rooms_;
  // without selection: all columns for replicates in lanes, and the fit of all patients
  kernels::CoxDesign lanes_;
  kernels::CoxFit full_;
  std::vector<Index> filled_column_, gap_column_;
  std::vector<double> full_fill_;
};

}  // namespace chorale::jobs::prognosis
