// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/set_tables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "kernels/error.hpp"

namespace chorale::kernels {
namespace {

constexpr std::uint8_t is_untested = 1 << max_table_features;

std::size_t at(Index i) {
  return static_cast<std::size_t>(i);
}

[[noreturn]] void refuse(const char* what, std::int32_t patient, std::int32_t feature) {
  throw ShapeError(
      {.what = what, .found = fmt::format("patient {}", patient), .in = fmt::format("feature {}", feature)});
}

}  // namespace

SetTables::SetTables(PatientLists carriers, PatientLists untested, const PanelMask& panels, Index n_patients)
    : carriers_(carriers), untested_(untested), panels_(panels), n_patients_(n_patients) {
  if (!untested.empty())
    require_size("untested patients do not match the features", untested.size(),
                 static_cast<Index>(carriers.size()));
  if (panels.n_panels == 0) {
    on_panel_.assign(1, static_cast<std::int32_t>(n_patients));
    return;
  }
  require_size("panel × feature mask has the wrong size", panels.holds.size(),
               panels.n_panels * static_cast<Index>(carriers.size()));
  require_size("panel per patient has the wrong size", panels.of_patient.size(), n_patients);
  on_panel_.resize(at(panels.n_panels));
  for (std::size_t i = 0; i < panels.of_patient.size(); ++i) {
    const std::int16_t panel = panels.of_patient[i];
    if (panel < -1 || panel >= panels.n_panels) {
      throw ShapeError({.what = "a patient's panel is out of range",
                        .found = fmt::format("{}", panel),
                        .expected = fmt::format("-1 to {}", panels.n_panels - 1),
                        .in = fmt::format("patient {}", i)});
    }
    if (panel >= 0) ++on_panel_[at(panel)];
  }
}

void SetTables::fill(std::span<const std::int32_t> features, int order, std::span<std::int32_t> cell) const {
  if (order < 1 || order > max_table_features || features.size() % at(order) != 0 ||
      cell.size() != (features.size() / at(order)) << order) {
    throw ShapeError(
        {.what = "tables do not fit the sets",
         .found = fmt::format("{} cells for {} features in sets of {}", cell.size(), features.size(), order),
         .expected = fmt::format("2^order for each set, of 1 to {} features", max_table_features)});
  }
  const auto n_features = static_cast<Index>(carriers_.size());
  const auto panel_of = [&](std::int32_t patient) {
    return panels_.n_panels == 0 ? Index{0} : Index{panels_.of_patient[at(patient)]};
  };
  const auto holds = [&](Index panel, std::int32_t feature) {
    return panels_.n_panels == 0 || (panel >= 0 && panels_.holds[at(panel * n_features + feature)] != 0);
  };
  std::vector<std::uint8_t> mark(at(n_patients_)), holds_all(on_panel_.size());
  for (; !features.empty();
       features = features.subspan(at(order)), cell = cell.subspan(std::size_t{1} << order)) {
    const auto set = features.first(at(order));
    const auto own = cell.first(std::size_t{1} << order);
    std::fill(own.begin(), own.end(), 0);
    Index n_tested = 0;
    for (std::size_t p = 0; p < on_panel_.size(); ++p) {
      const auto held = [&](std::int32_t feature) { return holds(static_cast<Index>(p), feature); };
      holds_all[p] = std::ranges::all_of(set, held);
      if (holds_all[p] != 0) n_tested += on_panel_[p];
    }
    for (std::size_t j = 0; j < set.size(); ++j) {
      const std::int32_t feature = set[j];
      for (const std::int32_t i : carriers_[at(feature)]) {
        if (!holds(panel_of(i), feature))
          refuse("a patient is listed for a feature that their panel does not hold", i, feature);
        mark[at(i)] = static_cast<std::uint8_t>(mark[at(i)] | 1 << j);
      }
    }
    if (!untested_.empty()) {
      for (std::size_t j = 0; j < set.size(); ++j) {
        for (const std::int32_t i : untested_[at(set[j])]) {
          if ((mark[at(i)] >> j & 1) != 0)
            refuse("a patient carries a feature without being tested for it", i, set[j]);
          const Index panel = panel_of(i);
          if (!holds(panel, set[j]))
            refuse("a patient is listed for a feature that their panel does not hold", i, set[j]);
          if ((mark[at(i)] & is_untested) == 0 && holds_all[at(panel)] != 0) --n_tested;
          mark[at(i)] = static_cast<std::uint8_t>(mark[at(i)] | is_untested);
        }
      }
    }
    for (const std::int32_t feature : set) {
      for (const std::int32_t i : carriers_[at(feature)]) {
        const std::uint8_t carried = mark[at(i)];
        if (carried > 0 && carried < is_untested && holds_all[at(panel_of(i))] != 0) ++own[carried];
        mark[at(i)] = 0;  // each patient once
      }
    }
    if (!untested_.empty()) {
      for (const std::int32_t feature : set)
        for (const std::int32_t i : untested_[at(feature)]) mark[at(i)] = 0;
    }
    own[0] = static_cast<std::int32_t>(n_tested) - std::accumulate(own.begin(), own.end(), 0);
  }
}

}  // namespace chorale::kernels
