// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "jobs/common/grouping.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "engine/selection.hpp"

namespace chorale::jobs {
namespace {

std::vector<std::string> range_labels(const std::vector<double>& cuts) {
  std::vector<std::string> labels{fmt::format("<{}", cuts.front())};
  for (std::size_t i = 0; i + 1 < cuts.size(); ++i)
    labels.push_back(fmt::format("{} to <{}", cuts[i], cuts[i + 1]));
  labels.push_back(fmt::format("≥{}", cuts.back()));
  return labels;
}

void require_no_cuts(const std::string& field, const std::vector<double>& cuts, const std::string& key) {
  if (cuts.empty()) return;
  throw ConfigError({.what = "a category has no cut points",
                     .found = field,
                     .expected = "a number field",
                     .in = key,
                     .remedy = "leave the cut points out"});
}

}  // namespace

Grouping Grouping::by(const io::Catalogue& catalogue, const std::string& field,
                      const std::vector<double>& cuts, const std::string& key) {
  Grouping grouping;
  grouping.field = field;
  if (field == panel_field && catalogue.field_index(field) < 0) {
    require_no_cuts(field, cuts, key);
    for (const auto& panel : catalogue.panels) grouping.labels.push_back(panel.name);
    return grouping;
  }
  const Index f = engine::require_field(catalogue, field, key);
  if (f < 0 || catalogue.fields[static_cast<std::size_t>(f)].kind == io::FieldKind::category) {
    require_no_cuts(field, cuts, key);
    grouping.labels = f < 0 ? catalogue.sites : catalogue.fields[static_cast<std::size_t>(f)].levels;
    return grouping;
  }
  if (!std::is_sorted(cuts.begin(), cuts.end()) ||
      std::adjacent_find(cuts.begin(), cuts.end()) != cuts.end()) {
    throw ConfigError(
        {.what = "cut points do not ascend", .in = key, .remedy = "sort them and leave out repeats"});
  }
  grouping.number_ = true;
  grouping.cuts = cuts;
  grouping.labels = cuts.empty() ? std::vector<std::string>{"0", "1"} : range_labels(cuts);
  return grouping;
}

std::vector<std::int32_t> Grouping::codes(const engine::Cohort& cohort) const {
  if (!number_ && field == panel_field) {
    const auto panel = cohort.panel(io::Profile::mutation);
    return {panel.begin(), panel.end()};
  }
  if (!number_) {
    const auto codes = cohort.codes(field);
    return {codes.begin(), codes.end()};
  }
  std::vector<std::int32_t> codes;
  codes.reserve(static_cast<std::size_t>(cohort.n_patients()));
  for (const double value : cohort.numbers(field)) {
    std::int32_t code = -1;
    if (cuts.empty())
      code = value == 0 ? 0 : value == 1 ? 1 : -1;
    else if (!std::isnan(value))
      code = static_cast<std::int32_t>(std::upper_bound(cuts.begin(), cuts.end(), value) - cuts.begin());
    codes.push_back(code);
  }
  return codes;
}

std::vector<std::int32_t> crossed(const engine::Cohort& cohort, const std::vector<Grouping>& groupings,
                                  Index& n_codes) {
  std::vector<std::int32_t> all(static_cast<std::size_t>(cohort.n_patients()), 0);
  n_codes = 1;
  for (const Grouping& grouping : groupings) {
    const auto codes = grouping.codes(cohort);
    const auto n = static_cast<std::int32_t>(grouping.size());
    for (std::size_t i = 0; i < all.size(); ++i)
      all[i] = all[i] < 0 || codes[i] < 0 ? -1 : all[i] * n + codes[i];
    n_codes *= n;
  }
  return all;
}

std::vector<std::string> crossed_labels(const std::vector<Grouping>& groupings) {
  std::vector<std::string> all{""};
  for (const Grouping& grouping : groupings) {
    std::vector<std::string> longer;
    for (const auto& before : all)
      for (const auto& label : grouping.labels) {
        std::string level = grouping.field;
        level += "=" + label;
        longer.push_back(before.empty() ? level : before + ", " + level);
      }
    all = std::move(longer);
  }
  return all;
}

void require_columns(const std::vector<Grouping>& groupings, engine::Columns& columns) {
  for (const Grouping& grouping : groupings) {
    if (grouping.field == panel_field)
      columns.alterations = true;
    else if (std::find(columns.fields.begin(), columns.fields.end(), grouping.field) == columns.fields.end())
      columns.fields.push_back(grouping.field);
  }
}

}  // namespace chorale::jobs
