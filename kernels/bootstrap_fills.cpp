// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/bootstrap_fills.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "kernels/bootstrap_fills_body.hpp"
#include "kernels/error.hpp"
#include "kernels/two_group.hpp"

namespace chorale::kernels {
namespace {

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

/// Patients whose copies are summed one by one.
constexpr Index per_group = 256;

/// Sums of copies over groups of patients, 64 replicates at a time; patients in the order of memory.
class Groups {
 public:
  Groups(std::span<const std::uint8_t> copies, Index n_replicates, Index first)
      : copies_(copies.data() + first),
        stride_(n_replicates),
        n_lanes_(std::min(fill_lanes, n_replicates - first)) {}

  void sum(std::span<const std::int32_t> patient, std::span<const std::int32_t> group, Index n_groups) {
    sums_.assign(size(n_groups * fill_lanes), 0);
    CHORALE_AT_LEVEL(sum_copies, copies_, stride_, patient.data(), group.data(),
                     static_cast<Index>(patient.size()), n_lanes_, sums_.data());
  }

  Index n_lanes() const { return n_lanes_; }
  std::size_t n_groups() const { return sums_.size() / size(fill_lanes); }
  std::int64_t of_group(std::size_t group, Index lane) const {
    return sums_[group * size(fill_lanes) + size(lane)];
  }
  std::int64_t of_patient(std::int32_t patient, Index lane) const {
    return copies_[patient * stride_ + lane];
  }

 private:
  const std::uint8_t* copies_;
  Index stride_, n_lanes_;
  std::vector<std::uint32_t> sums_;
};

/// Of one replicate.
double median(const FillOrder& order, const Groups& groups, Index lane) {
  std::int64_t total = 0, below = 0;
  for (std::size_t g = 0; g < groups.n_groups(); ++g) total += groups.of_group(g, lane);
  if (total == 0) return missing;
  std::size_t group = 0;
  for (; 2 * (below + groups.of_group(group, lane)) < total; ++group) below += groups.of_group(group, lane);
  std::size_t k = group * size(per_group);
  const auto copies = [&] { return groups.of_patient(order.patient[k], lane); };
  for (; 2 * (below + copies()) < total; ++k) below += copies();
  const double value = order.value[k];
  if (2 * (below + copies()) > total) return value;
  // half of the copies are above, so there is a next one
  do ++k;
  while (copies() == 0);
  return (value + order.value[k]) / 2;
}

void check_sizes(Index n_patients, std::size_t n_copies, std::size_t n_replicates) {
  require_size("copies do not fit patients and replicates", n_copies,
               n_patients * static_cast<Index>(n_replicates));
}

}  // namespace

FillOrder fill_order(std::span<const double> values, std::span<const std::uint8_t> included) {
  const auto n = static_cast<Index>(values.size());
  if (!included.empty()) require_size("included does not have one value per patient", included.size(), n);
  FillOrder order{.n_patients = n, .patient = {}, .value = {}, .by_index = {}, .group = {}};
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!std::isnan(values[i]) && (included.empty() || included[i] != 0))
      order.patient.push_back(static_cast<std::int32_t>(i));
  }
  order.by_index = order.patient;
  std::sort(order.patient.begin(), order.patient.end(), [&](auto a, auto b) {
    const double of_a = values[size(a)], of_b = values[size(b)];
    return of_a < of_b || (of_a == of_b && a < b);
  });
  std::vector<std::int32_t> group(values.size());
  for (const std::int32_t patient : order.patient) {
    group[size(patient)] = static_cast<std::int32_t>(static_cast<Index>(order.value.size()) / per_group);
    order.value.push_back(values[size(patient)]);
  }
  for (const std::int32_t patient : order.by_index) order.group.push_back(group[size(patient)]);
  return order;
}

void weighted_fills(const FillOrder& order, std::span<const std::uint8_t> copies, std::span<double> out) {
  check_sizes(order.n_patients, copies.size(), out.size());
  const auto n_replicates = static_cast<Index>(out.size());
#pragma omp parallel for schedule(dynamic) if (n_replicates > fill_lanes)
  for (Index first = 0; first < n_replicates; first += fill_lanes) {
    Groups groups(copies, n_replicates, first);
    groups.sum(order.by_index, order.group,
               (static_cast<Index>(order.patient.size()) + per_group - 1) / per_group);
    for (Index lane = 0; lane < groups.n_lanes(); ++lane)
      out[size(first + lane)] = median(order, groups, lane);
  }
}

void weighted_fills(std::span<const double> values, std::span<const std::uint8_t> copies,
                    std::span<const std::uint8_t> included, std::span<double> out) {
  weighted_fills(fill_order(values, included), copies, out);
}

void weighted_fills(std::span<const std::int32_t> codes, std::span<const std::uint8_t> copies,
                    std::span<const std::uint8_t> included, std::span<std::int32_t> out) {
  const auto n = static_cast<Index>(codes.size());
  if (!included.empty()) require_size("included does not have one value per patient", included.size(), n);
  check_sizes(n, copies.size(), out.size());
  std::vector<std::int32_t> patient, group;
  std::int32_t n_codes = 0;
  for (std::size_t i = 0; i < codes.size(); ++i) {
    if (codes[i] < -1) {
      throw ShapeError({.what = "a category has a code below -1",
                        .found = std::to_string(codes[i]),
                        .expected = "-1 for missing, or 0 and more"});
    }
    if (codes[i] < 0 || (!included.empty() && included[i] == 0)) continue;
    patient.push_back(static_cast<std::int32_t>(i));
    group.push_back(codes[i]);
    n_codes = std::max(n_codes, codes[i] + 1);
  }
  const auto n_replicates = static_cast<Index>(out.size());
#pragma omp parallel for schedule(dynamic) if (n_replicates > fill_lanes)
  for (Index first = 0; first < n_replicates; first += fill_lanes) {
    Groups groups(copies, n_replicates, first);
    groups.sum(patient, group, n_codes);
    for (Index lane = 0; lane < groups.n_lanes(); ++lane) {
      std::int64_t most = 0;
      out[size(first + lane)] = -1;
      for (std::int32_t code = 0; code < n_codes; ++code) {
        const std::int64_t sum = groups.of_group(size(code), lane);
        if (sum <= most) continue;
        most = sum;
        out[size(first + lane)] = code;
      }
    }
  }
}

}  // namespace chorale::kernels
