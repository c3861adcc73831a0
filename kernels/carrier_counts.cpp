// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/carrier_counts.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "kernels/error.hpp"

namespace chorale::kernels {
namespace {

template <typename Code>
void require_codes(const char* what, std::span<const Code> codes, Index lowest, Index n_codes) {
  if (codes.empty()) return;
  Code least = codes[0], most = codes[0];
  for (const Code code : codes) {
    least = std::min(least, code);
    most = std::max(most, code);
  }
  if (least >= lowest && most < n_codes) return;
  throw ShapeError({.what = fmt::format("{} code out of range", what),
                    .found = fmt::format("{} to {}", least, most),
                    .expected = fmt::format("{} to {}", lowest, n_codes - 1)});
}

void check_rows(const SparseRowsView& rows, const Groups& groups, Index n_features) {
  if (rows.offset.empty()) {
    throw ShapeError({.what = "sparse rows have no offsets", .expected = "one more than patients"});
  }
  require_size("group code per patient has the wrong size", groups.code.size(), rows.n_patients());
  if (rows.offset.front() != 0 || rows.offset.back() != static_cast<Index>(rows.feature.size()) ||
      !std::is_sorted(rows.offset.begin(), rows.offset.end())) {
    throw ShapeError({.what = "sparse rows do not cover their features",
                      .found = fmt::format("offsets from {} to {}", rows.offset.front(), rows.offset.back()),
                      .expected = fmt::format("rising from 0 to {}", rows.feature.size())});
  }
  require_codes("group", groups.code, -1, groups.n_groups);
  require_codes("feature", rows.feature, 0, n_features);
}

}  // namespace

void carrier_counts(const SparseRowsView& rows, const Groups& groups, Index n_features,
                    std::span<std::int64_t> counts) {
  check_rows(rows, groups, n_features);
  require_size("carrier counts have the wrong size", counts.size(), groups.n_groups * n_features);
  std::fill(counts.begin(), counts.end(), 0);
  const std::int64_t* offset = rows.offset.data();
  const std::int32_t* feature = rows.feature.data();
  for (std::size_t patient = 0; patient < groups.code.size(); ++patient) {
    const std::int32_t group = groups.code[patient];
    if (group < 0) continue;
    std::int64_t* of_group = counts.data() + group * n_features;
    for (std::int64_t k = offset[patient]; k < offset[patient + 1]; ++k) ++of_group[feature[k]];
  }
}

void group_counts(std::span<const std::int32_t> patients, const Groups& groups,
                  std::span<std::int64_t> counts) {
  require_size("group counts have the wrong size", counts.size(), groups.n_groups);
  std::fill(counts.begin(), counts.end(), 0);
  for (const std::int32_t patient : patients) {
    const std::int32_t group = groups.code[static_cast<std::size_t>(patient)];
    if (group >= 0) ++counts[static_cast<std::size_t>(group)];
  }
}

void panel_counts(std::span<const std::int16_t> panel, const Groups& groups, Index n_panels,
                  std::span<std::int64_t> counts) {
  require_size("panel per patient has the wrong size", panel.size(), static_cast<Index>(groups.code.size()));
  require_size("panel counts have the wrong size", counts.size(), n_panels * groups.n_groups);
  require_codes("panel", panel, -1, n_panels);
  require_codes("group", groups.code, -1, groups.n_groups);
  std::fill(counts.begin(), counts.end(), 0);
  for (std::size_t i = 0; i < panel.size(); ++i) {
    if (panel[i] < 0 || groups.code[i] < 0) continue;
    ++counts[static_cast<std::size_t>(panel[i] * groups.n_groups + groups.code[i])];
  }
}

void tested_counts(std::span<const std::uint8_t> holds, std::span<const std::int64_t> n_by_panel,
                   std::span<const std::int64_t> untested, Index n_panels, Index n_groups, Index n_features,
                   std::span<std::int64_t> tested) {
  require_size("panel × feature mask has the wrong size", holds.size(), n_panels * n_features);
  require_size("patients by panel and group have the wrong size", n_by_panel.size(), n_panels * n_groups);
  require_size("tested counts have the wrong size", tested.size(), n_groups * n_features);
  if (!untested.empty())
    require_size("untested counts have the wrong size", untested.size(), n_groups * n_features);
  std::fill(tested.begin(), tested.end(), 0);
  for (Index group = 0; group < n_groups; ++group) {
    std::int64_t* of_group = tested.data() + group * n_features;
    for (Index panel = 0; panel < n_panels; ++panel) {
      const std::int64_t n = n_by_panel[static_cast<std::size_t>(panel * n_groups + group)];
      const std::uint8_t* of_panel = holds.data() + panel * n_features;
      for (Index feature = 0; feature < n_features; ++feature) of_group[feature] += of_panel[feature] ? n : 0;
    }
  }
  for (std::size_t i = 0; i < untested.size(); ++i) {
    tested[i] -= untested[i];
    if (tested[i] < 0) {
      throw ShapeError({.what = "more patients miss a value than their panels tested",
                        .found = fmt::format("{} missing", untested[i]),
                        .expected = fmt::format("at most {}", tested[i] + untested[i])});
    }
  }
}

}  // namespace chorale::kernels
