// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/carrier_counts.hpp"

#include <algorithm>

namespace chorale::kernels::reference {
namespace {

std::span<const std::int32_t> row(const SparseRowsView& rows, std::size_t patient) {
  const auto begin = static_cast<std::size_t>(rows.offset[patient]);
  const auto end = static_cast<std::size_t>(rows.offset[patient + 1]);
  return rows.feature.subspan(begin, end - begin);
}

bool holds_feature(std::span<const std::int32_t> features, Index feature) {
  return std::find(features.begin(), features.end(), feature) != features.end();
}

}  // namespace

void carrier_counts(const SparseRowsView& rows, const Groups& groups, Index n_features,
                    std::span<std::int64_t> counts) {
  for (Index group = 0; group < groups.n_groups; ++group) {
    for (Index feature = 0; feature < n_features; ++feature) {
      std::int64_t n = 0;
      for (std::size_t i = 0; i < groups.code.size(); ++i) {
        n += groups.code[i] == group && holds_feature(row(rows, i), feature);
      }
      counts[static_cast<std::size_t>(group * n_features + feature)] = n;
    }
  }
}

void tested_counts(std::span<const std::uint8_t> holds, std::span<const std::int16_t> panel,
                   const SparseRowsView& untested, const Groups& groups, Index n_features,
                   std::span<std::int64_t> tested) {
  for (Index group = 0; group < groups.n_groups; ++group) {
    for (Index feature = 0; feature < n_features; ++feature) {
      std::int64_t n = 0;
      for (std::size_t i = 0; i < groups.code.size(); ++i) {
        const bool on_panel =
            panel[i] >= 0 && holds[static_cast<std::size_t>(panel[i] * n_features + feature)] != 0;
        n += groups.code[i] == group && on_panel && !holds_feature(row(untested, i), feature);
      }
      tested[static_cast<std::size_t>(group * n_features + feature)] = n;
    }
  }
}

}  // namespace chorale::kernels::reference
