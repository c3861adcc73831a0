// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <algorithm>
#include <cmath>
#include <string>

#include "kernels/cox_by_time.hpp"
#include "kernels/error.hpp"

namespace chorale::kernels {
namespace {

template <class Span>
void require_rows(const Span& span, std::size_t n, const char* name) {
  if (span.empty() || span.size() == n) return;
  throw ShapeError({.what = std::string(name) + " does not have one value per patient",
                    .found = std::to_string(span.size()),
                    .expected = std::to_string(n)});
}

void check(const SurvivalView& patients, const CoxColumns& columns) {
  const std::size_t n = patients.time.size();
  require_rows(patients.entry, n, "entry");
  require_rows(patients.weight, n, "weight");
  require_rows(patients.stratum, n, "stratum");
  require_size("event does not have one value per patient", patients.event.size(), static_cast<Index>(n));
  require_size("columns do not have one value per patient", columns.values.size(),
               static_cast<Index>(n) * columns.n_columns);
  if (!columns.offset.empty())
    throw ShapeError({.what = "a model by time has no offset", .found = "an offset"});
  if (std::any_of(columns.values.begin(), columns.values.end(), [](double x) { return std::isinf(x); }))
    throw ShapeError(
        {.what = "a covariate is infinite", .found = "an infinite value", .expected = "numbers or NaN"});
  if (std::any_of(patients.entry.begin(), patients.entry.end(), [](double entry) { return entry > 0; }))
    throw ShapeError({.what = "a patient enters late",
                      .found = "an entry above 0",
                      .expected = "all observed from the start"});
}

}  // namespace

CoxTimeBlock::CoxTimeBlock(const SurvivalView& patients, const CoxColumns& given)
    : n_patients(static_cast<Index>(patients.time.size())), n_columns(given.n_columns) {
  check(patients, given);
  const std::size_t n = patients.time.size();
  std::vector<std::int32_t> kept;
  for (std::size_t i = 0; i < n; ++i) {
    if (!std::isfinite(patients.time[i]) || patients.event[i] < 0 ||
        (!patients.entry.empty() && !std::isfinite(patients.entry[i]))) {
      ++attrition.missing_outcome;
      continue;
    }
    if (!patients.weight.empty() && !(patients.weight[i] > 0)) {
      ++attrition.missing_weight;
      continue;
    }
    if (!patients.stratum.empty() && patients.stratum[i] < 0) {
      ++attrition.missing_stratum;
      continue;
    }
    distinct.push_back(patients.time[i]);
    bool missing_value = false;
    for (std::size_t at = i; at < given.values.size(); at += n) missing_value |= std::isnan(given.values[at]);
    n_missing_covariate += missing_value;
    if (!missing_value) kept.push_back(static_cast<std::int32_t>(i));
  }
  std::sort(distinct.begin(), distinct.end());
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  distinct.shrink_to_fit();

  const auto pick = [&](const auto& from, auto& to) {
    to.reserve(kept.size());
    for (const std::int32_t i : kept)
      to.push_back(
          static_cast<typename std::decay_t<decltype(to)>::value_type>(from[static_cast<std::size_t>(i)]));
  };
  pick(patients.time, time);
  pick(patients.event, event);
  if (!patients.weight.empty()) pick(patients.weight, weight);
  stratum.assign(kept.size(), 0);
  if (!patients.stratum.empty()) {
    stratum.clear();
    pick(patients.stratum, stratum);
  }
  columns.reserve(kept.size() * static_cast<std::size_t>(n_columns));
  for (Index j = 0; j < n_columns; ++j) {
    const double* column = given.values.data() + static_cast<std::size_t>(j) * n;
    for (const std::int32_t i : kept) columns.push_back(column[i]);
  }
}

}  // namespace chorale::kernels
