// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/aligned.hpp"
#include "kernels/cox_bootstrap_body.hpp"
#include "kernels/cox_rows.hpp"

namespace chorale::kernels {

/// The rows of a design in the order in which bootstrap passes visit them, those who enter late twice.
class BootstrapVisits {
 public:
  /// With the given columns only; the factor holds the risks at `start`, their scaled coefficients.
  BootstrapVisits(const CoxRows& rows, std::span<const Index> columns, std::span<const double> start,
                  Ties ties);

  const BootstrapWalk& walk() const { return walk_; }
  BootstrapWalk null_walk() const;  ///< without columns, the factor at 0
  bool late_entries() const { return !rows_.enters.empty(); }

  /// A scaled coefficient over that of the visits' column k, whose values are differently centred and scaled.
  double unit(Index k) const { return unit_[static_cast<std::size_t>(k)]; }

  /// Case weight times offset.
  double weighted_offset(Index visit) const {
    const auto at = static_cast<std::size_t>(row_[static_cast<std::size_t>(visit)]);
    return rows_.offset.empty() ? 0 : rows_.offset[at] * (rows_.weight.empty() ? 1 : rows_.weight[at]);
  }

  /// Copies of one block of replicates in the order of the visits; lanes past the last replicate and what
  /// is read past the last visit hold zeros, the latter as they were.
  void gather(std::span<const std::uint8_t> copies, Index n_replicates, Index first,
              std::span<std::uint8_t> to) const;

 private:
  void order_visits();
  void copy_columns(std::span<const Index> columns, std::span<const double> start);

  const CoxRows& rows_;
  BootstrapWalk walk_{};
  std::vector<std::int32_t> row_;      ///< per visit
  std::vector<std::int32_t> patient_;  ///< per visit
  std::vector<std::int32_t> begin_;
  std::vector<std::uint8_t> fresh_;
  std::vector<double> unit_;
  AlignedDoubles columns_, factor_, null_factor_, case_weight_;
  std::vector<float, CacheLineAllocator<float>> columns_single_;
};

}  // namespace chorale::kernels
