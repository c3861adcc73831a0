// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "jobs/interaction_screen/tested.hpp"

#include <array>
#include <limits>
#include <map>
#include <string>
#include <tuple>

#include "kernels/error.hpp"

namespace chorale::jobs::interaction {
namespace {

using Combination = std::array<std::int16_t, io::n_profiles>;

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

Combination combination_of(const engine::Cohort& cohort, std::size_t patient) {
  Combination combination;
  for (int profile = 0; profile < io::n_profiles; ++profile) {
    const auto panel = cohort.panel(static_cast<io::Profile>(profile));
    combination[size(profile)] = panel.empty() ? std::int16_t{-1} : panel[patient];
  }
  return combination;
}

bool holds_feature(const engine::Cohort& cohort, const Combination& combination, Index feature) {
  const int profile = cohort.profile_of(feature);
  if (profile < 0) return true;
  const std::int16_t panel = combination[size(profile)];
  return panel >= 0 && cohort.panels_testing(feature)[size(panel)] != 0;
}

}  // namespace

TestedPatients::TestedPatients(const engine::Cohort& cohort) {
  const Index n_features = cohort.n_features();
  std::map<Combination, std::int16_t> codes;
  for (Index i = 0; i < cohort.n_patients(); ++i) {
    const auto [at, is_new] =
        codes.try_emplace(combination_of(cohort, size(i)), static_cast<std::int16_t>(codes.size()));
    if (is_new && codes.size() > std::numeric_limits<std::int16_t>::max()) {
      throw InputError({.what = "too many combinations of panels",
                        .found = "more than 32767",
                        .in = "the cohort's panels",
                        .remedy = "select patients of fewer panels"});
    }
    panel_.push_back(at->second);
  }
  n_panels_ = static_cast<Index>(codes.size());
  holds_.resize(size(n_panels_ * n_features));
  for (const auto& [combination, code] : codes)
    for (Index f = 0; f < n_features; ++f)
      holds_[size(code * n_features + f)] = holds_feature(cohort, combination, f) ? 1 : 0;

  std::map<std::string, Index> sets;
  for (Index f = 0; f < n_features; ++f) {
    auto& list = untested_lists_.emplace_back();
    for (const std::int32_t patient : cohort.untested(f))
      if (holds_[size(panel_[size(patient)] * n_features + f)] != 0) list.push_back(patient);
    anyone_untested_ = anyone_untested_ || !list.empty();
    const auto [at, is_new] = sets.try_emplace(cohort.tested_key(f), static_cast<Index>(sets.size()));
    set_of_.push_back(at->second);
    if (!is_new) continue;
    auto& mask = mask_.emplace_back(size(cohort.n_patients()));
    cohort.tested(f, mask);
  }
  untested_.assign(untested_lists_.begin(), untested_lists_.end());
}

std::vector<std::uint8_t> TestedPatients::mask(std::span<const Index> sets) const {
  std::vector<std::uint8_t> all(panel_.size(), 1);
  for (const Index set : sets) {
    const auto own = mask(set);
    for (std::size_t i = 0; i < all.size(); ++i) all[i] &= own[i];
  }
  return all;
}

ExchangeGroups::ExchangeGroups(const engine::Cohort& cohort, const TestedPatients& tested_patients,
                               std::span<const std::int32_t> stratum) {
  const Index n_features = cohort.n_features();
  std::vector<std::vector<std::int32_t>> gaps(size(cohort.n_patients()));
  for (Index f = 0; f < n_features; ++f)
    for (const std::int32_t patient : tested_patients.untested()[size(f)])
      gaps[size(patient)].push_back(static_cast<std::int32_t>(f));

  const kernels::PanelMask panels = tested_patients.panels();
  std::map<std::tuple<std::int32_t, std::int16_t, std::vector<std::int32_t>>, std::int32_t> codes;
  for (std::size_t i = 0; i < gaps.size(); ++i) {
    const std::int32_t own = stratum.empty() ? 0 : stratum[i];
    if (own < 0) {
      code.push_back(-1);
      continue;
    }
    const std::int16_t panel = panels.of_patient[i];
    const auto [at, is_new] =
        codes.try_emplace({own, panel, gaps[i]}, static_cast<std::int32_t>(codes.size()));
    code.push_back(at->second);
    if (!is_new) continue;
    const auto row = panels.holds.subspan(size(panel * n_features), size(n_features));
    tested.insert(tested.end(), row.begin(), row.end());
    for (const std::int32_t f : gaps[i]) tested[size(n_groups * n_features + f)] = 0;
    ++n_groups;
  }
}

}  // namespace chorale::jobs::interaction
