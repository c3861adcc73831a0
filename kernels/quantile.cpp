// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/quantile.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>

#include "kernels/error.hpp"

namespace chorale::kernels {
namespace {

// type 7: a place between two order statistics
struct Place {
  Index below;
  double weight;  // of the order statistic above
};

Place place_of(double probability, Index n) {
  if (!(probability >= 0 && probability <= 1)) {
    throw ShapeError({.what = "quantile needs a probability",
                      .found = fmt::format("{}", probability),
                      .expected = "a number in [0, 1]"});
  }
  const double h = static_cast<double>(n - 1) * probability;
  const double whole = std::floor(h);
  return {static_cast<Index>(whole), h - whole};
}

double between(double below, double above, double weight) {
  // at weight 0 `above` may not exist, and inf - inf must not appear
  return weight == 0 || below == above ? below : below + weight * (above - below);
}

template <typename Value>
std::vector<double> quantiles_of(std::span<const Value> values, std::span<const double> probabilities) {
  std::vector<Value> present;
  present.reserve(values.size());
  std::copy_if(values.begin(), values.end(), std::back_inserter(present),
               [](Value v) { return !std::isnan(v); });
  std::vector<double> result;
  result.reserve(probabilities.size());
  for (const double probability : probabilities) {
    const auto [below, weight] = place_of(probability, static_cast<Index>(present.size()));
    if (present.empty()) {
      result.push_back(std::nan(""));
      continue;
    }
    const auto at = present.begin() + below;
    std::nth_element(present.begin(), at, present.end());
    const auto above = weight == 0 ? at : std::min_element(at + 1, present.end());
    result.push_back(between(static_cast<double>(*at), static_cast<double>(*above), weight));
  }
  return result;
}

}  // namespace

std::vector<double> quantiles(std::span<const double> values, std::span<const double> probabilities) {
  return quantiles_of(values, probabilities);
}

std::vector<double> quantiles(std::span<const float> values, std::span<const double> probabilities) {
  return quantiles_of(values, probabilities);
}

void ValueCounts::add(std::span<const float> values) {
  std::vector<float> sorted;
  sorted.reserve(values.size());
  std::copy_if(values.begin(), values.end(), std::back_inserter(sorted),
               [](float v) { return !std::isnan(v); });
  std::sort(sorted.begin(), sorted.end());
  std::vector<float> distinct;
  std::vector<Index> counts;
  for (const float value : sorted) {
    if (distinct.empty() || distinct.back() != value) {
      distinct.push_back(value);
      counts.push_back(0);
    }
    ++counts.back();
  }
  merge(distinct, counts);
}

void ValueCounts::add(float value, Index n) {
  if (std::isnan(value) || n < 0) {
    throw ShapeError({.what = "cannot count a value",
                      .found = fmt::format("{} times {}", n, value),
                      .expected = "a number, 0 times or more"});
  }
  if (n > 0) merge({&value, 1}, {&n, 1});
}

void ValueCounts::merge(const ValueCounts& other) {
  merge(other.values_, other.counts_);
}

// both lists rise, so one walk along both makes the sum
void ValueCounts::merge(std::span<const float> values, std::span<const Index> counts) {
  std::vector<float> all_values;
  std::vector<Index> all_counts;
  all_values.reserve(values_.size() + values.size());
  all_counts.reserve(values_.size() + values.size());
  std::size_t i = 0, j = 0;
  while (i < values_.size() || j < values.size()) {
    const bool from_mine = j == values.size() || (i < values_.size() && values_[i] <= values[j]);
    const bool from_other = i == values_.size() || (j < values.size() && values[j] <= values_[i]);
    all_values.push_back(from_mine ? values_[i] : values[j]);
    all_counts.push_back((from_mine ? counts_[i] : 0) + (from_other ? counts[j] : 0));
    i += from_mine;
    j += from_other;
  }
  values_ = std::move(all_values);
  counts_ = std::move(all_counts);
}

Index ValueCounts::total() const {
  return std::accumulate(counts_.begin(), counts_.end(), Index{0});
}

std::vector<double> ValueCounts::quantiles(std::span<const double> probabilities) const {
  std::vector<Index> up_to(counts_.size());
  std::partial_sum(counts_.begin(), counts_.end(), up_to.begin());
  const Index n = up_to.empty() ? 0 : up_to.back();
  const auto order_statistic = [&](Index rank) {
    const auto at = std::upper_bound(up_to.begin(), up_to.end(), rank) - up_to.begin();
    return static_cast<double>(values_[static_cast<std::size_t>(at)]);
  };
  std::vector<double> result;
  result.reserve(probabilities.size());
  for (const double probability : probabilities) {
    const auto [below, weight] = place_of(probability, n);
    if (n == 0) {
      result.push_back(std::nan(""));
      continue;
    }
    const double low = order_statistic(below);
    result.push_back(between(low, weight == 0 ? low : order_statistic(below + 1), weight));
  }
  return result;
}

}  // namespace chorale::kernels
