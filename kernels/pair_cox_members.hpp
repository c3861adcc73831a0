// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <Eigen/Dense>
#include <array>
#include <span>
#include <vector>

#include "kernels/pair_cox.hpp"
#include "kernels/pair_cox_frame.hpp"

namespace chorale::kernels {

/// Carriers of one group and fate, by row.
struct PairSegment {
  PairGroup group = only_a;
  bool dies = false;
  Index begin = 0, end = 0;  ///< of the members
};

/// The members of a pair, who carry at least one of its features; one pair after the other.
struct PairMembers {
  explicit PairMembers(const PairFrame& frame);

  /// Carriers of a and of b, a bit per row.
  void set_pair(std::span<const std::uint64_t> a, std::span<const std::uint64_t> b);

  Index n() const { return static_cast<Index>(row.size()); }
  const double* column(Index j) const { return columns.data() + (1 + j) * n(); }

  /// risk = base · exp(shift'z)
  void move_risks(const Eigen::VectorXd& shift);

  /// by · values, per member of the segment, goes to where these are last at risk, less where they enter.
  void scatter(const PairSegment& segment, const double* values, double by, double* at_risk,
               double* dying) const;

  /// this->factor = risk · (hazard while at risk) of the segment, from the hazard gathered up to each event time and
  /// what is spared to who dies there (see CoxEngine).
  void gather(const PairSegment& segment, const double* hazard, const double* spared);

  std::array<PairSegment, 6> segments;
  PairCounts counts;                            ///< over rows; `neither` too
  std::array<double, n_pair_groups> deaths{};   ///< weights of the dying members by group; 0 for `neither`
  std::vector<std::int32_t> row, time, enters;  ///< per member; enters is empty without left truncation
  AlignedDoubles base, risk;                    ///< per member; base at the covariates' own coefficients
  AlignedDoubles factor;                        ///< per member
  AlignedDoubles columns;                       ///< (1 + n_columns) x n members, the first all 1

 private:
  void list_rows(std::span<const std::uint64_t> a, std::span<const std::uint64_t> b);

  const PairFrame& frame_;
  std::vector<std::uint64_t> died_;  ///< a bit per row
  std::array<std::vector<std::int32_t>, 6> segment_rows_;
};

}  // namespace chorale::kernels
