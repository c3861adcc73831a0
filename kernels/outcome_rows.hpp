// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/carrier_counts.hpp"
#include "kernels/draw_many.hpp"
#include "kernels/two_group.hpp"
#include "kernels/types.hpp"

namespace chorale::kernels {

/// Patients who carry anything, as rows: stratum by stratum, in the order of patients.
struct OutcomeRows {
  /// Patients of one stratum: places in `centred`, those with a row first.
  struct Stratum {
    Index begin = 0, n = 0;
    Index row_begin = 0, n_rows = 0;
    double variance = 0;  ///< of the outcome, σ²; 0 for a patient alone
    double per_patient() const { return n > 0 ? variance / static_cast<double>(n) : 0; }
  };
  /// A feature's rows in one stratum: begin … end - 1 among its own.
  struct Run {
    std::int32_t stratum;
    Index begin, end;
    double n() const { return static_cast<double>(end - begin); }
  };
  struct Feature {
    std::vector<std::int32_t> rows;  ///< ascending
    std::vector<Run> runs;
    std::int32_t tested_class = 0;  ///< features of one class are tested in the same strata
  };

  OutcomeRows(std::span<const double> residuals, CarrierLists carriers, const Groups& groups,
              std::span<const std::uint8_t> tested);

  Index n_features() const { return static_cast<Index>(features.size()); }
  Index n_rows() const { return static_cast<Index>(stratum_of_row.size()); }
  bool is_tested(std::int32_t tested_class, std::int32_t stratum) const {
    return class_tested[static_cast<std::size_t>(tested_class) * strata.size() +
                        static_cast<std::size_t>(stratum)] != 0;
  }

  /// The outcomes of the rows in one permutation: each stratum's first n_rows of a random order of its outcomes.
  /// `shuffled` is room for all places.
  void permute(std::uint64_t seed, std::uint32_t permutation, std::vector<double>& shuffled,
               double* outcome) const;

  std::vector<Stratum> strata;
  std::vector<double> centred;  ///< by place, less the stratum's mean
  std::vector<std::int32_t> stratum_of_row;
  std::vector<Feature> features;
  std::vector<std::size_t> features_begin;  ///< n_rows + 1, in the next
  std::vector<std::int32_t> features_of;    ///< features of each row
  Index n_classes = 1;
  std::vector<std::uint8_t> class_tested;  ///< (n_classes, n_strata)

 private:
  void place(std::span<const double> residuals, CarrierLists carriers, const Groups& groups);
  void list_features(CarrierLists carriers);
  void classify(std::span<const std::uint8_t> tested);

  std::vector<std::int32_t> row_of_;  ///< per patient; -1
};

}  // namespace chorale::kernels
