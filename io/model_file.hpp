// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kernels/types.hpp"

namespace chorale::io {

/// A prognostic model as it travels: model.json.
///
///   linear predictor = Σ coefficient · value of the term,   S(t) = exp(−Λ(t) e^(linear predictor − centre))
///
/// Whole and alone: applying it needs neither the cohort nor the config that it came from.
struct ModelFile {
  enum class Kind { number, log10, category, feature };
  struct Variable {
    std::string name;
    Kind kind = Kind::number;
    std::string unit;                 ///< of a number, as the cohort had it
    std::vector<std::string> levels;  ///< of a category: those that the model knows, the reference first
  };
  struct Term {
    std::string name;
    Index variable = 0;
    std::string level;               ///< of a category: 1 for that level
    bool indicates_missing = false;  ///< 1 for who misses the variable
    double coefficient = 0;          ///< log hazard per unit
    /// The term's value for who misses the variable; none: such a patient cannot be scored.
    std::optional<double> when_missing;
  };
  struct Baseline {
    std::string stratum;             ///< "TRIAL=AMLHD98A"; empty without strata
    std::vector<double> time;        ///< days
    std::vector<double> cumulative;  ///< hazard gathered up to each time
  };
  struct Performance {
    std::string measure;
    std::optional<double> horizon;  ///< days
    std::optional<double> apparent, corrected;
  };

  std::string made_by;              ///< program and version
  std::string cohort, fingerprint;  ///< that it was made from
  Index n_patients = 0, n_events = 0;
  std::string endpoint;
  std::string class_set;  ///< variant classes that make a gene altered
  std::vector<std::string> classes;
  std::vector<std::string> strata;  ///< fields
  std::string procedure;            ///< one sentence: selection, tuning, missing values
  std::vector<Variable> variables;
  std::vector<Term> terms;
  double centre = 0;
  std::vector<Baseline> baselines;
  std::vector<double> group_cuts;  ///< linear predictors that part the risk groups, ascending
  std::vector<double> horizons;    ///< days
  std::vector<Performance> performance;
};
std::string_view name_of(ModelFile::Kind kind);

/// The file's text; equal models give equal texts, and numbers come back as they were.
std::string to_text(const ModelFile& model);

/// The model in a file's text; `name` stands for the file in messages.
/// Throws   InputError when it is no model of a version that this program reads, or a key is missing or does not fit
///          the others
ModelFile parse_model(std::string_view text, const std::string& name);

/// Throws   as parse_model; StoreError when the file cannot be read
ModelFile read_model(const std::filesystem::path& path);

}  // namespace chorale::io
