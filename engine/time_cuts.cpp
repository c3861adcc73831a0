// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>

#include "engine/time_slice.hpp"

namespace chorale::engine {
namespace {

constexpr std::size_t most_samples = 256;  // of a shard

/// Whole numbers that ascend with the number, so that the ranks can take the largest.
std::int64_t ascending(double value) {
  const auto bits = std::bit_cast<std::int64_t>(value + 0.0);
  return bits >= 0 ? bits : bits ^ std::numeric_limits<std::int64_t>::max();
}
double from_ascending(std::int64_t key) {
  return std::bit_cast<double>(key >= 0 ? key : key ^ std::numeric_limits<std::int64_t>::max());
}

std::vector<double> exits_of(const Slice& slice) {
  std::vector<double> exits;
  for (const double time : slice.survival.time)
    if (std::isfinite(time)) exits.push_back(time);
  std::sort(exits.begin(), exits.end());
  return exits;
}

/// Cuts at equal parts of the samples' weight. A sample is a time and for how many patients it stands.
std::vector<double> quantiles(std::vector<std::pair<double, double>> samples, Index n_blocks) {
  std::sort(samples.begin(), samples.end());
  double all = 0;
  for (const auto& [time, weight] : samples) all += weight;
  std::vector<double> cuts;
  double passed = 0;
  for (const auto& [time, weight] : samples) {
    const double goal = all * static_cast<double>(cuts.size() + 1) / static_cast<double>(n_blocks);
    if (passed >= goal && static_cast<Index>(cuts.size()) + 1 < n_blocks &&
        (cuts.empty() || cuts.back() < time))
      cuts.push_back(time);
    passed += weight;
  }
  return cuts;
}

/// Leaves out the cuts between times that could be tied.
void keep_ties(std::vector<double>& cuts, const std::vector<double>& exits, Comm& comm) {
  const std::size_t n = cuts.size();
  constexpr double none = std::numeric_limits<double>::lowest();
  std::vector<std::int64_t> ends(2 * n + 1,
                                 ascending(none));  // largest below, least from the cut on, negated
  if (!exits.empty()) ends.back() = ascending(std::max(std::abs(exits.front()), std::abs(exits.back())));
  for (std::size_t c = 0; c < n; ++c) {
    const auto at = std::lower_bound(exits.begin(), exits.end(), cuts[c]);
    if (at != exits.begin()) ends[c] = ascending(*(at - 1));
    if (at != exits.end()) ends[n + c] = ascending(-*at);
  }
  comm.largest(ends);
  const double tied = 1.5e-8 * std::max(1.0, from_ascending(ends.back()));
  std::vector<double> kept;
  for (std::size_t c = 0; c < n; ++c)
    if (-from_ascending(ends[n + c]) - from_ascending(ends[c]) > tied) kept.push_back(cuts[c]);
  cuts = std::move(kept);
}

}  // namespace

Index TimeCuts::block_of(double exit) const {
  return static_cast<Index>(std::upper_bound(at.begin(), at.end(), exit) - at.begin());
}

TimeCuts cut_times(const Reading& reading, Comm& comm, Index most_blocks) {
  const Columns narrow{
      .fields = {}, .endpoint = reading.columns.endpoint, .alterations = false, .variants = false};
  std::vector<double> mine, exits;  // pairs of a sampled time and its weight; all exits of the rank's shards
  for (Index s = comm.rank(); s < static_cast<Index>(reading.catalogue.shards.size()); s += comm.size()) {
    const auto of_shard =
        exits_of(read_slice({reading.catalogue, reading.selection, reading.features, narrow}, s));
    const std::size_t n = of_shard.size(), n_samples = std::min(n, most_samples);
    for (std::size_t k = 0; k < n_samples; ++k) {
      mine.push_back(of_shard[(2 * k + 1) * n / (2 * n_samples)]);
      mine.push_back(static_cast<double>(n) / static_cast<double>(n_samples));
    }
    exits.insert(exits.end(), of_shard.begin(), of_shard.end());
    std::inplace_merge(exits.begin(), exits.end() - static_cast<std::ptrdiff_t>(n), exits.end());
    exits.erase(std::unique(exits.begin(), exits.end()), exits.end());
  }
  const auto all = comm.in_rank_order(mine);
  std::vector<std::pair<double, double>> samples;
  for (std::size_t i = 0; i < all.size(); i += 2) samples.emplace_back(all[i], all[i + 1]);
  TimeCuts cuts{.at = quantiles(std::move(samples), most_blocks)};
  keep_ties(cuts.at, exits, comm);
  return cuts;
}

}  // namespace chorale::engine
