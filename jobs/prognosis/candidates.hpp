// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/cohort.hpp"
#include "engine/ledger.hpp"
#include "engine/plan.hpp"
#include "jobs/prognosis/design.hpp"
#include "kernels/bootstrap_fills.hpp"
#include "kernels/timeline.hpp"
#include "kernels/two_group.hpp"

namespace chorale::jobs::prognosis {

/// What a model may be made of: a covariate or a feature.
struct Variable {
  enum class Kind { number, log10, category, feature };
  Kind kind = Kind::number;
  std::string name;
  bool penalised = true;
  Index n_missing = 0;              ///< values, among patients with an outcome
  std::vector<std::string> levels;  ///< categories: all, in the order of their codes
  std::int32_t reference = -1;      ///< categories: the level that the others are compared with
};

/// A column of the model.
struct Term {
  std::string name;  ///< "AGE", "log10(WBC)", "SEX=Male", "NPM1", "AGE missing"
  Index variable = 0;
  std::int32_t level = -1;         ///< categories: the level that it stands for
  bool indicates_missing = false;  ///< 1 for who misses the variable, or is not tested for it
  /// What stands for who misses the variable, learned from all patients; NaN: they leave.
  double when_missing = kernels::missing;
};

/// A value that is learned from a sample: that of `term` for who stands in `gap`.
struct Fill {
  Index term = 0;
  Index gap = 0;
};

/// Candidate columns of all patients: dense ones first (covariates), then sparse ones (features, indicators). Where gaps
/// are to be filled, who misses a value stands with 0 and in a gap; a sample's median or most frequent level is added.
class Candidates {
 public:
  Candidates(const Design& design, const engine::Setup& setup, const engine::Cohort& cohort,
             const kernels::Timeline& timeline);

  Index n_patients() const { return static_cast<Index>(included_.size()); }
  Index n_terms() const { return static_cast<Index>(terms_.size()); }
  Index n_dense() const { return n_terms() - static_cast<Index>(sparse_.size()); }
  const std::vector<Variable>& variables() const { return variables_; }
  const std::vector<Term>& terms() const { return terms_; }

  std::span<const double> dense() const { return dense_; }  ///< (n_dense, n_patients)
  kernels::CarrierLists sparse() const { return sparse_; }  ///< carriers of each of the other terms

  const std::vector<Fill>& fills() const { return fills_; }
  Index n_gaps() const { return static_cast<Index>(gaps_.size()); }
  std::span<const std::int32_t> gap(Index g) const { return gaps_[static_cast<std::size_t>(g)]; }

  /// 1 for who takes part: outcome known and, of complete cases, nothing missing.
  std::span<const std::uint8_t> included() const { return included_; }
  Index n_included() const { return n_included_; }
  /// Who left beyond those without an outcome, in order.
  const std::vector<engine::Ledger::Line>& attrition() const { return attrition_; }

  /// Every term, then every gap, as dense columns.
  std::vector<double> all_columns() const;
  /// The dense terms with their gaps filled.
  std::vector<double> filled_dense(std::span<const double> fill) const;

  /// Medians, and most frequent levels as 0 and 1, in samples that hold each patient `copies` times.
  ///
  /// Shapes   copies (n_patients, n_samples), a patient's samples side by side; returns (n_samples, n_fills)
  std::vector<double> learn_fills(std::span<const std::uint8_t> copies, Index n_samples) const;

  /// Standard deviation of a number over those who take part, gaps left out; 1 for columns of 0 and 1.
  double scale(Index term) const { return scale_[static_cast<std::size_t>(term)]; }

  /// Mean and standard deviation of every term over those who take part, gaps filled.
  struct Moments {
    std::vector<double> mean, sd;  ///< (n_terms)
  };
  Moments moments(std::span<const double> fill) const;

 private:
  struct Source;  // a variable's values while terms are made
  struct Learned {
    Index variable, gap;
    kernels::FillOrder known;         // numbers
    std::vector<std::int32_t> codes;  // categories
    Index sparse = -1;                // features
    std::vector<Index> fills;
  };

  std::vector<Source> read(const Design& design, const engine::Setup& setup, const engine::Cohort& cohort);
  void include(const Design& design, const engine::Cohort& cohort, const kernels::Timeline& timeline,
               const std::vector<Source>& sources);
  void add_covariate(Source& source, Missing missing);
  void add_number(Source& source, Missing missing);
  void add_category(Source& source, Missing missing);
  void add_features(const std::vector<Source>& sources, Missing untested, Index first_variable);
  void add_term(Term term, std::vector<double> column);
  double spread(const Source& source) const;
  Index add_gap(const std::vector<std::int32_t>& patients);

  std::vector<Variable> variables_;
  std::vector<Term> terms_;
  std::vector<double> scale_;  // (n_terms)
  std::vector<double> dense_;
  std::vector<std::vector<std::int32_t>> lists_;  // patients of indicator terms
  std::vector<std::span<const std::int32_t>> sparse_;
  std::vector<std::vector<std::int32_t>> gaps_;
  std::vector<Fill> fills_;
  std::vector<Learned> learned_;
  std::vector<std::uint8_t> included_;
  Index n_included_ = 0;
  std::vector<engine::Ledger::Line> attrition_;
};

}  // namespace chorale::jobs::prognosis
