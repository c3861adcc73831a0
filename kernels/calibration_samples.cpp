// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <algorithm>
#include <string>

#include "kernels/calibration.hpp"
#include "kernels/error.hpp"

namespace chorale::kernels {
namespace {

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

}  // namespace

/// Groups are stretches of the sorted rows: each cut is found by halving.
void SampleCalibration::part(const PredictionRows& prediction, const SampleRows& sample,
                             std::span<const double> survival, std::span<CalibrationGroup> found) {
  const auto ascending = prediction.sorted();
  const std::size_t n = ascending.size();
  const auto row_at = [&](std::size_t place) { return size(ascending[n - 1 - place]); };  // the worst first
  below_.resize(n + 1);
  double below = 0;
  for (std::size_t k = 0; k < n; ++k) {
    below_[k] = below;
    below += sample.weight[row_at(k)];
  }
  below_[n] = below;
  group_.resize(n);
  const auto n_groups = static_cast<double>(found.size());
  std::size_t begin = 0;
  for (std::size_t g = 0; g < found.size(); ++g) {
    // the first place whose patients, with all who share their prediction, belong to a later group
    std::size_t low = begin, high = g + 1 == found.size() || below == 0 ? begin : n;
    while (low < high) {
      std::size_t first = (low + high) / 2, last = first + 1;
      const double value = survival[row_at(first)];
      while (first > begin && survival[row_at(first - 1)] == value) --first;
      while (last < n && survival[row_at(last)] == value) ++last;
      const double here = last == first + 1 ? sample.weight[row_at(first)] : below_[last] - below_[first];
      const double middle = (below_[first] + here / 2) / below;
      if (n_groups * middle >= static_cast<double>(g + 1))
        high = first;
      else
        low = last;
    }
    const std::size_t end = g + 1 == found.size() || below == 0 ? n : high;
    CalibrationGroup& group = found[g];
    group = {};
    double weight = 0, predicted = 0;
    for (std::size_t k = begin; k < end; ++k) {
      const std::size_t row = row_at(k);
      group.n += sample.weight[row] > 0;
      weight += sample.weight[row];
      predicted += sample.weight[row] * survival[row];
      group_[row] = static_cast<std::int32_t>(g);
    }
    group.weight = weight;
    if (group.n > 0) group.predicted = predicted / weight;
    begin = end;
  }
}

void SampleCalibration::groups(const RiskOrder& order, const PredictionRows& prediction,
                               const SampleRows& sample, std::span<const double> survival, double horizon,
                               std::span<CalibrationGroup> found) {
  if (order.n_strata > 1 || found.empty()) {
    throw ShapeError(
        {.what = "groups of predictions take one stratum and at least one group",
         .found = std::to_string(order.n_strata) + " strata, " + std::to_string(found.size()) + " groups",
         .expected = "1 stratum, 1 group or more"});
  }
  require_size("survival and rows differ in number", survival.size(), order.n_rows);
  require_size("predictions and rows differ in number", prediction.rank.size(), order.n_rows);
  require_size("weights and rows differ in number", sample.weight.size(), order.n_rows);
  part(prediction, sample, survival, found);

  at_risk_.assign(found.size(), 0.0);
  observed_.assign(found.size(), 1.0);
  std::vector<double>& at_risk = at_risk_;
  const auto live = [&](std::size_t row) { at_risk[size(group_[row])] += sample.weight[row]; };
  const Index place =
      std::upper_bound(order.time.begin(), order.time.end(), horizon) - order.time.begin() - 1;
  // rows from the last time back; nothing happens at a slot beyond the horizon
  const auto beyond = size(order.row_begin[size(2 * place + 2)]);
  for (std::size_t row = beyond; row < group_.size(); ++row) live(row);
  for (std::size_t g = 0; g < found.size(); ++g) found[g].observed = at_risk[g] > 0 ? 1 : missing;
  for (auto row = size(order.row_begin[size(2 * place)]); row < beyond; ++row)
    if (sample.weight[row] > 0 && order.exit[row] >= horizon) found[size(group_[row])].observed = 1;
  // several deaths of a group and day, one after the other, are as one: left/(left + d) is their product
  for (std::size_t k = group_.size() - beyond; k < order.back.size(); ++k) {
    const auto row = size(order.back[k]), g = size(group_[row]);
    const double left = at_risk[g], before = left + sample.weight[row];
    const bool falls = (order.dies[k] != 0) & (before > left);
    observed_[g] *= (falls ? left : 1) / (falls ? before : 1);
    at_risk[g] = before;
  }
  for (std::size_t g = 0; g < found.size(); ++g)
    if (found[g].observed == 1) found[g].observed = observed_[g];
}

}  // namespace chorale::kernels
