// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "engine/cohort.hpp"

#include <algorithm>

namespace chorale::engine {

const Cohort::NamedSection& Cohort::find(std::string_view field, bool number) const {
  for (const auto& named : fields_)
    if (named.name == field && named.number == number) return named;
  throw ShapeError({.what = "a job read a field that it did not ask for, or as the wrong kind",
                    .found = std::string(field),
                    .remedy = "report this as a bug"});
}

std::span<const double> Cohort::numbers(std::string_view field) const {
  return view<double>(find(field, true).section);
}

std::span<const std::int32_t> Cohort::codes(std::string_view field) const {
  return view<std::int32_t>(find(field, false).section);
}

kernels::SurvivalView Cohort::survival() const {
  return {.entry = view<double>(entry_),
          .time = view<double>(time_),
          .event = view<std::int8_t>(event_),
          .weight = {},
          .stratum = {}};
}

std::span<const std::int16_t> Cohort::panel(io::Profile profile) const {
  return view<std::int16_t>(panel_[static_cast<std::size_t>(profile)]);
}

namespace {

std::span<const std::int32_t> row(std::span<const std::int64_t> offset, std::span<const std::int32_t> values,
                                  Index i) {
  const auto from = static_cast<std::size_t>(offset[static_cast<std::size_t>(i)]);
  const auto to = static_cast<std::size_t>(offset[static_cast<std::size_t>(i) + 1]);
  return values.subspan(from, to - from);
}

}  // namespace

std::span<const std::int32_t> Cohort::carriers(Index feature) const {
  return row(view<std::int64_t>(column_offset_), view<std::int32_t>(column_patient_), feature);
}

std::span<const std::int32_t> Cohort::untested(Index feature) const {
  return row(view<std::int64_t>(gap_offset_), view<std::int32_t>(gap_patient_), feature);
}

std::span<const std::int32_t> Cohort::features_of(Index patient) const {
  return row(view<std::int64_t>(row_offset_), view<std::int32_t>(row_feature_), patient);
}

kernels::SparseRowsView Cohort::rows() const {
  return {.offset = view<std::int64_t>(row_offset_), .feature = view<std::int32_t>(row_feature_)};
}

void Cohort::tested(Index feature, std::span<std::uint8_t> mask) const {
  if (const int profile = profile_[static_cast<std::size_t>(feature)]; profile >= 0) {
    const auto& holds = panel_holds_[static_cast<std::size_t>(feature)];
    const auto panels = panel(static_cast<io::Profile>(profile));
    for (std::size_t i = 0; i < mask.size(); ++i)
      mask[i] = panels[i] >= 0 && holds[static_cast<std::size_t>(panels[i])] != 0;
  } else {
    std::fill(mask.begin(), mask.end(), std::uint8_t{1});
  }
  for (const std::int32_t patient : untested(feature)) mask[static_cast<std::size_t>(patient)] = 0;
}

std::string Cohort::tested_key(Index feature) const {
  const auto f = static_cast<std::size_t>(feature);
  std::string key = std::to_string(profile_[f]) + ":";
  for (const auto holds : panel_holds_[f]) key += holds != 0 ? '1' : '0';
  if (!untested(feature).empty()) key += ":" + std::to_string(feature);
  return key;
}

}  // namespace chorale::engine
