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

void check_size(const char* what, std::size_t found, Index expected) {
  if (static_cast<Index>(found) == expected) return;
  throw ShapeError({.what = what, .found = std::to_string(found), .expected = std::to_string(expected)});
}

/// Sums of copies over groups of patients, 64 replicates at a time.
class Groups {
 public:
  Groups(std::span<const std::uint8_t> copies, Index n_replicates, Index first)
      : copies_(copies.data() + first),
        stride_(n_replicates),
        n_lanes_(std::min(fill_lanes, n_replicates - first)) {}

  Index n_lanes() const { return n_lanes_; }
  std::uint8_t copies_of(std::int32_t patient, Index lane) const { return copies_[patient * stride_ + lane]; }

  /// of_groups[g · fill_lanes + lane], a group being the next fill_patients patients.
  void sum(std::span<const std::int32_t> patients, std::vector<std::uint16_t>& of_groups) const {
    const auto n = static_cast<Index>(patients.size());
    of_groups.resize(size((n + fill_patients - 1) / fill_patients * fill_lanes));
    std::uint16_t* to = of_groups.data();
    for (Index k = 0; k < n; k += fill_patients, to += fill_lanes) {
      CHORALE_AT_LEVEL(sum_copies, copies_, stride_, patients.data() + k, std::min(fill_patients, n - k),
                       n_lanes_, to);
    }
  }

 private:
  const std::uint8_t* copies_;
  Index stride_, n_lanes_;
};

/// Of one replicate, given what its copies in each group sum to.
double median(const FillOrder& order, const Groups& groups, std::span<const std::uint16_t> of_groups,
              Index lane) {
  std::int64_t total = 0, below = 0;
  for (std::size_t at = size(lane); at < of_groups.size(); at += size(fill_lanes)) total += of_groups[at];
  if (total == 0) return missing;
  std::size_t group = 0;
  const auto of_group = [&] { return of_groups[group * size(fill_lanes) + size(lane)]; };
  for (; 2 * (below + of_group()) < total; ++group) below += of_group();
  std::size_t k = group * size(fill_patients);
  const auto copies = [&] { return groups.copies_of(order.patient[k], lane); };
  for (; 2 * (below + copies()) < total; ++k) below += copies();
  const double value = order.value[k];
  if (2 * (below + copies()) > total) return value;
  // half of the copies are above, so there is a next one
  do ++k;
  while (copies() == 0);
  return (value + order.value[k]) / 2;
}

void check_sizes(Index n_patients, std::size_t n_copies, std::size_t n_replicates) {
  check_size("copies do not fit patients and replicates", n_copies,
             n_patients * static_cast<Index>(n_replicates));
}

}  // namespace

FillOrder fill_order(std::span<const double> values, std::span<const std::uint8_t> included) {
  const auto n = static_cast<Index>(values.size());
  if (!included.empty()) check_size("included does not have one value per patient", included.size(), n);
  FillOrder order{.n_patients = n, .patient = {}, .value = {}};
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!std::isnan(values[i]) && (included.empty() || included[i] != 0))
      order.patient.push_back(static_cast<std::int32_t>(i));
  }
  std::sort(order.patient.begin(), order.patient.end(), [&](auto a, auto b) {
    const double of_a = values[size(a)], of_b = values[size(b)];
    return of_a < of_b || (of_a == of_b && a < b);
  });
  for (const std::int32_t patient : order.patient) order.value.push_back(values[size(patient)]);
  return order;
}

void weighted_fills(const FillOrder& order, std::span<const std::uint8_t> copies, std::span<double> out) {
  check_sizes(order.n_patients, copies.size(), out.size());
  const auto n_replicates = static_cast<Index>(out.size());
#pragma omp parallel for schedule(dynamic) if (n_replicates > fill_lanes)
  for (Index first = 0; first < n_replicates; first += fill_lanes) {
    const Groups groups(copies, n_replicates, first);
    std::vector<std::uint16_t> of_groups;
    groups.sum(order.patient, of_groups);
    for (Index lane = 0; lane < groups.n_lanes(); ++lane)
      out[size(first + lane)] = median(order, groups, of_groups, lane);
  }
}

void weighted_fills(std::span<const double> values, std::span<const std::uint8_t> copies,
                    std::span<const std::uint8_t> included, std::span<double> out) {
  weighted_fills(fill_order(values, included), copies, out);
}

void weighted_fills(std::span<const std::int32_t> codes, std::span<const std::uint8_t> copies,
                    std::span<const std::uint8_t> included, std::span<std::int32_t> out) {
  const auto n = static_cast<Index>(codes.size());
  if (!included.empty()) check_size("included does not have one value per patient", included.size(), n);
  check_sizes(n, copies.size(), out.size());
  std::vector<std::vector<std::int32_t>> patients;  // by code
  for (std::size_t i = 0; i < codes.size(); ++i) {
    if (codes[i] < -1) {
      throw ShapeError({.what = "a category has a code below -1",
                        .found = std::to_string(codes[i]),
                        .expected = "-1 for missing, or 0 and more"});
    }
    if (codes[i] < 0 || (!included.empty() && included[i] == 0)) continue;
    if (size(codes[i]) >= patients.size()) patients.resize(size(codes[i]) + 1);
    patients[size(codes[i])].push_back(static_cast<std::int32_t>(i));
  }
  const auto n_replicates = static_cast<Index>(out.size());
#pragma omp parallel for schedule(dynamic) if (n_replicates > fill_lanes)
  for (Index first = 0; first < n_replicates; first += fill_lanes) {
    const Groups groups(copies, n_replicates, first);
    std::vector<std::uint16_t> of_groups;
    std::vector<std::int64_t> most(size(fill_lanes), 0);
    std::fill_n(out.begin() + first, groups.n_lanes(), -1);
    for (std::size_t code = 0; code < patients.size(); ++code) {
      groups.sum(patients[code], of_groups);
      for (Index lane = 0; lane < groups.n_lanes(); ++lane) {
        std::int64_t sum = 0;
        for (std::size_t at = size(lane); at < of_groups.size(); at += size(fill_lanes)) sum += of_groups[at];
        if (sum <= most[size(lane)]) continue;
        most[size(lane)] = sum;
        out[size(first + lane)] = static_cast<std::int32_t>(code);
      }
    }
  }
}

}  // namespace chorale::kernels
