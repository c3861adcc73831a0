// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/outcome_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "kernels/error.hpp"
#include "kernels/event_table.hpp"

namespace chorale::kernels {
namespace {

constexpr Index items_of = Index{2} << 40;  // draws of outcome permutations: items from here on

std::size_t at(Index i) {
  return static_cast<std::size_t>(i);
}

[[noreturn]] void refuse(const char* what, std::string found, std::string expected) {
  throw ShapeError({.what = what, .found = std::move(found), .expected = std::move(expected)});
}

}  // namespace

OutcomeRows::OutcomeRows(std::span<const double> residuals, CarrierLists carriers, const Groups& groups,
                         std::span<const std::uint8_t> tested)
    : strata(at(groups.n_groups)), features(carriers.size()) {
  if (residuals.size() != groups.code.size()) {
    refuse("residuals and stratum codes differ in number", fmt::format("{}", residuals.size()),
           fmt::format("{}", groups.code.size()));
  }
  if (!tested.empty() && tested.size() != strata.size() * carriers.size()) {
    refuse("stratum × feature mask has the wrong size", fmt::format("{}", tested.size()),
           fmt::format("{}", strata.size() * carriers.size()));
  }
  check_carriers(static_cast<Index>(residuals.size()), carriers, carriers.size());
  place(residuals, carriers, groups);
  list_features(carriers);
  classify(tested);
}

void OutcomeRows::place(std::span<const double> residuals, CarrierLists carriers, const Groups& groups) {
  std::vector<std::uint8_t> carries(residuals.size(), 0);
  for (const auto& list : carriers) {
    for (const std::int32_t patient : list) carries[at(patient)] = 1;
  }
  const auto taken = [&](std::size_t i) { return groups.code[i] >= 0 && !std::isnan(residuals[i]); };
  for (std::size_t i = 0; i < residuals.size(); ++i) {
    const std::int32_t code = groups.code[i];
    if (code < -1 || code >= groups.n_groups)
      refuse("stratum code out of range", fmt::format("{}", code),
             fmt::format("-1 to {}", groups.n_groups - 1));
    if (std::isinf(residuals[i]))
      refuse("a residual is infinite", fmt::format("{}", residuals[i]), "a number or NaN");
    if (!taken(i)) continue;
    ++strata[at(code)].n;
    strata[at(code)].n_rows += carries[i];
  }
  Index n_places = 0, n_rows = 0;
  for (Stratum& stratum : strata) {
    stratum.begin = std::exchange(n_places, n_places + stratum.n);
    stratum.row_begin = std::exchange(n_rows, n_rows + stratum.n_rows);
  }
  centred.resize(at(n_places));
  stratum_of_row.resize(at(n_rows));
  row_of_.assign(residuals.size(), -1);
  std::vector<Index> next_row(strata.size(), 0), next_other(strata.size(), 0);
  for (std::size_t i = 0; i < residuals.size(); ++i) {
    if (!taken(i)) continue;
    const auto s = at(groups.code[i]);
    const Index inside = carries[i] ? next_row[s]++ : strata[s].n_rows + next_other[s]++;
    centred[at(strata[s].begin + inside)] = residuals[i];
    if (!carries[i]) continue;
    row_of_[i] = static_cast<std::int32_t>(strata[s].row_begin + inside);
    stratum_of_row[at(row_of_[i])] = groups.code[i];
  }
  for (Stratum& stratum : strata) {
    const std::span<double> values = std::span(centred).subspan(at(stratum.begin), at(stratum.n));
    double sum = 0, squares = 0;
    for (const double value : values) sum += value;
    const double mean = values.empty() ? 0 : sum / static_cast<double>(stratum.n);
    for (double& value : values) {
      value -= mean;
      squares += value * value;
    }
    if (stratum.n > 1) stratum.variance = squares / static_cast<double>(stratum.n - 1);
  }
}

void OutcomeRows::list_features(CarrierLists carriers) {
  features_begin.assign(stratum_of_row.size() + 1, 0);
  for (std::size_t f = 0; f < carriers.size(); ++f) {
    Feature& feature = features[f];
    for (const std::int32_t patient : carriers[f]) {
      if (row_of_[at(patient)] >= 0) feature.rows.push_back(row_of_[at(patient)]);
    }
    std::sort(feature.rows.begin(), feature.rows.end());
    for (std::size_t k = 0; k < feature.rows.size(); ++k) {
      ++features_begin[at(feature.rows[k]) + 1];
      const std::int32_t stratum = stratum_of_row[at(feature.rows[k])];
      const auto position = static_cast<Index>(k);
      if (feature.runs.empty() || feature.runs.back().stratum != stratum)
        feature.runs.push_back({stratum, position, position});
      feature.runs.back().end = position + 1;
    }
  }
  for (std::size_t row = 1; row < features_begin.size(); ++row)
    features_begin[row] += features_begin[row - 1];
  features_of.resize(features_begin.back());
  std::vector<std::size_t> next(features_begin);
  for (std::size_t f = 0; f < features.size(); ++f) {
    for (const std::int32_t row : features[f].rows)
      features_of[next[at(row)]++] = static_cast<std::int32_t>(f);
  }
}

void OutcomeRows::classify(std::span<const std::uint8_t> tested) {
  class_tested.assign(strata.size(), 1);
  if (tested.empty()) return;
  std::map<std::vector<bool>, std::int32_t> class_of;
  class_tested.clear();
  for (std::size_t f = 0; f < features.size(); ++f) {
    std::vector<bool> holds;
    for (std::size_t s = 0; s < strata.size(); ++s) holds.push_back(tested[s * features.size() + f] != 0);
    for (const Run& run : features[f].runs) {
      if (holds[at(run.stratum)]) continue;
      refuse("a patient carries what the stratum is not tested for",
             fmt::format("{} carriers of feature {} in stratum {}", run.end - run.begin, f, run.stratum),
             "none");
    }
    const auto [found, is_new] = class_of.try_emplace(holds, static_cast<std::int32_t>(class_of.size()));
    features[f].tested_class = found->second;
    if (is_new) class_tested.insert(class_tested.end(), holds.begin(), holds.end());
  }
  n_classes = static_cast<Index>(class_of.size());
}

void OutcomeRows::permute(std::uint64_t seed, std::uint32_t permutation, std::vector<double>& shuffled,
                          double* outcome) const {
  shuffled = centred;
  for (std::size_t s = 0; s < strata.size(); ++s) {
    const Stratum& stratum = strata[s];
    IndexDraws draws(seed, permutation, items_of + static_cast<Index>(s));
    double* values = shuffled.data() + stratum.begin;
    double* to = outcome + stratum.row_begin;
    const auto n = static_cast<std::uint32_t>(stratum.n), n_rows = static_cast<std::uint32_t>(stratum.n_rows);
    for (std::uint32_t k = 0; k < n_rows; ++k) {
      const std::uint32_t other = k + draws.below(n - k);
      to[k] = std::exchange(values[other], values[k]);
    }
  }
}

}  // namespace chorale::kernels
