// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/outcome_permutation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "kernels/aligned.hpp"
#include "kernels/error.hpp"
#include "kernels/outcome_groups.hpp"

namespace chorale::kernels {
namespace {

std::size_t at(Index i) {
  return static_cast<std::size_t>(i);
}

[[noreturn]] void refuse(const char* what, std::string found, std::string expected) {
  throw ShapeError({.what = what, .found = std::move(found), .expected = std::move(expected)});
}

/// Per pair, its place among those apart, or -1.
std::vector<std::int32_t> places_apart(std::span<const Index> apart, std::size_t n_pairs) {
  std::vector<std::int32_t> place(n_pairs, -1);
  for (std::size_t k = 0; k < apart.size(); ++k) {
    if (apart[k] < 0 || at(apart[k]) >= n_pairs)
      refuse("no such pair", fmt::format("{}", apart[k]), fmt::format("0 to {}", n_pairs - 1));
    if (place[at(apart[k])] >= 0) refuse("a pair apart stands twice", fmt::format("{}", apart[k]), "once");
    place[at(apart[k])] = static_cast<std::int32_t>(k);
  }
  return place;
}

/// One thread's room: outcome_lanes permutations side by side.
class OutcomeBlock {
 public:
  OutcomeBlock(const OutcomeRows& rows, std::span<const OutcomeGroup> groups,
               std::span<const std::int32_t> apart, std::size_t n_apart)
      : rows_(rows),
        groups_(groups),
        apart_(apart),
        asked_(at(rows.n_features()), 0),
        columns_(at(8 * rows.n_rows())),
        table_(at(outcome_lanes * rows.n_rows())),
        sums_(at(outcome_sum_of(rows, static_cast<std::int32_t>(rows.n_features()), 0))),
        least_(outcome_lanes),
        greatest_(outcome_lanes),
        z_(n_apart * outcome_lanes, missing) {
    std::size_t most = 0;
    for (const OutcomeGroup& group : groups) {
      asked_[at(group.feature)] = 1;
      for (const OutcomePair& pair : group.pairs) asked_[at(pair.partner)] = 1;
      most = std::max(most, rows.features[at(group.feature)].rows.size());
    }
    gathered_.resize(most * outcome_lanes);
  }

  void run(std::uint64_t seed, Index first, Index n) {
    permute(seed, first, n);
    sum_features();
    std::fill(least_.begin(), least_.end(), Extremes{}.least);
    std::fill(greatest_.begin(), greatest_.end(), Extremes{}.greatest);
    for (const OutcomeGroup& group : groups_) {
      const std::vector<std::int32_t>& rows = rows_.features[at(group.feature)].rows;
      CHORALE_AT_LEVEL(outcome_gather, table_.data(), rows.data(), static_cast<Index>(rows.size()),
                       gathered_.data());
      CHORALE_AT_LEVEL(outcome_statistics, group.pairs.data(), static_cast<Index>(group.pairs.size()),
                       gathered_.data(), group.members.data(), sums_.data(),
                       apart_.empty() ? nullptr : apart_.data(), z_.data(), least_.data(), greatest_.data());
    }
  }

  Extremes extremes(Index lane) const { return {least_[at(lane)], greatest_[at(lane)]}; }
  double apart(std::size_t place, Index lane) const { return z_[place * outcome_lanes + at(lane)]; }

 private:
  void permute(std::uint64_t seed, Index first, Index n) {
    for (Index eight = 0; eight < outcome_lanes; eight += 8) {
      for (Index k = eight; k < std::min(n, eight + 8); ++k) {
        rows_.permute(seed, static_cast<std::uint32_t>(first + k), shuffled_,
                      columns_.data() + (k - eight) * rows_.n_rows());
      }
      CHORALE_AT_LEVEL(outcome_interleave, columns_.data(), rows_.n_rows(), table_.data() + eight);
    }
  }

  void sum_features() {
    std::fill(sums_.begin(), sums_.end(), 0.0);
    for (Index f = 0; f < rows_.n_features(); ++f) {
      if (!asked_[at(f)]) continue;
      const OutcomeRows::Feature& feature = rows_.features[at(f)];
      double* sums = sums_.data() + outcome_sum_of(rows_, static_cast<std::int32_t>(f), 0);
      for (const OutcomeRows::Run& run : feature.runs) {
        alignas(64) std::array<double, 2 * outcome_lanes> of_run{};
        CHORALE_AT_LEVEL(outcome_sum, table_.data(), feature.rows.data() + run.begin, run.end - run.begin,
                         of_run.data());
        for (std::int32_t c = 0; c < rows_.n_classes; ++c) {
          if (!rows_.is_tested(c, run.stratum)) continue;
          double* to = sums + 2 * c * outcome_lanes;
          for (std::size_t k = 0; k < of_run.size(); ++k) to[k] += of_run[k];
        }
      }
    }
  }

  const OutcomeRows& rows_;
  std::span<const OutcomeGroup> groups_;
  std::span<const std::int32_t> apart_;
  std::vector<std::uint8_t> asked_;  ///< by feature
  std::vector<double> shuffled_;
  AlignedDoubles columns_;   ///< (8, n_rows)
  AlignedDoubles table_;     ///< (n_rows, lanes)
  AlignedDoubles sums_;      ///< (n_features, n_classes, 2, lanes): of outcomes and of their squares
  AlignedDoubles gathered_;  ///< (rows of one feature, lanes)
  AlignedDoubles least_, greatest_;
  AlignedDoubles z_;  ///< (n_apart, lanes)
};

}  // namespace

std::string_view name_of(InteractionVerdict verdict) {
  switch (verdict) {
    case InteractionVerdict::tested:
      return "tested";
    case InteractionVerdict::few_both:
      return "few_both";
    case InteractionVerdict::not_identified:
      return "not_identified";
  }
  refuse("verdict out of range", fmt::format("{}", static_cast<int>(verdict)), "an InteractionVerdict");
}

OutcomePermutation::OutcomePermutation(std::span<const double> residuals, CarrierLists carriers,
                                       const Groups& strata, std::span<const std::uint8_t> tested,
                                       std::span<const FeaturePair> pairs, Index min_both)
    : rows_(std::make_shared<OutcomeRows>(residuals, carriers, strata, tested)), observed_(pairs.size()) {
  groups_ =
      std::make_shared<std::vector<OutcomeGroup>>(make_outcome_groups(*rows_, pairs, min_both, observed_));
}

void OutcomePermutation::extremes(std::uint64_t seed, Index first, std::span<Extremes> extremes,
                                  std::span<const Index> apart, std::span<double> permuted) const {
  const auto n_permutations = static_cast<Index>(extremes.size());
  if (permuted.size() != extremes.size() * apart.size()) {
    refuse("statistics of pairs apart do not fill every permutation", fmt::format("{}", permuted.size()),
           fmt::format("{} x {}", extremes.size(), apart.size()));
  }
  if (first < 0 || first + n_permutations > Index{1} << 32)
    refuse("no such permutations", fmt::format("{} from {} on", n_permutations, first), "0 to 2^32 - 1");
  std::vector<std::int32_t> places;
  if (!apart.empty()) places = places_apart(apart, observed_.size());
#pragma omp parallel
  {
    OutcomeBlock block(*rows_, *groups_, places, apart.size());
#pragma omp for schedule(dynamic)
    for (Index begin = 0; begin < n_permutations; begin += outcome_lanes) {
      const Index n = std::min(outcome_lanes, n_permutations - begin);
      block.run(seed, first + begin, n);
      for (Index lane = 0; lane < n; ++lane) {
        const auto r = at(begin + lane);
        extremes[r] = block.extremes(lane);
        for (std::size_t k = 0; k < apart.size(); ++k) permuted[r * apart.size() + k] = block.apart(k, lane);
      }
    }
  }
}

}  // namespace chorale::kernels
