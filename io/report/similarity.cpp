// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <algorithm>
#include <numeric>

#include "io/report/charts.hpp"

namespace chorale::io::report {
namespace {

using Group = std::vector<std::size_t>;

/// Turns the groups so that the end of `first` and the start of `second` are as similar as they can be.
void turn(Group& first, Group& second, const std::vector<double>& similarity, std::size_t n) {
  const auto touching = [&](std::size_t x, std::size_t y) { return similarity[x * n + y]; };
  const double ends[] = {touching(first.back(), second.front()), touching(first.back(), second.back()),
                         touching(first.front(), second.front()), touching(first.front(), second.back())};
  const auto best = std::max_element(std::begin(ends), std::end(ends)) - std::begin(ends);
  if (best >= 2) std::reverse(first.begin(), first.end());
  if (best % 2 == 1) std::reverse(second.begin(), second.end());
}

}  // namespace

std::vector<std::size_t> order_by_similarity(const std::vector<double>& similarity, std::size_t n) {
  if (n == 0) return {};
  std::vector<Group> groups;
  for (std::size_t i = 0; i < n; ++i) groups.push_back({i});
  std::vector<double> average = similarity;  // between groups; a group has the place of its first member
  std::vector<std::size_t> alive(n);
  std::iota(alive.begin(), alive.end(), std::size_t{0});
  while (alive.size() > 1) {
    std::size_t a = alive[0], b = alive[1];
    for (std::size_t i = 0; i < alive.size(); ++i)
      for (std::size_t j = i + 1; j < alive.size(); ++j)
        if (average[alive[i] * n + alive[j]] > average[a * n + b]) a = alive[i], b = alive[j];
    const auto n_a = static_cast<double>(groups[a].size()), n_b = static_cast<double>(groups[b].size());
    for (const std::size_t other : alive) {
      // mean over all members: (n_a s(a, o) + n_b s(b, o)) / (n_a + n_b)
      const double mean = (n_a * average[a * n + other] + n_b * average[b * n + other]) / (n_a + n_b);
      average[a * n + other] = average[other * n + a] = mean;
    }
    turn(groups[a], groups[b], similarity, n);
    groups[a].insert(groups[a].end(), groups[b].begin(), groups[b].end());
    std::erase(alive, b);
  }
  return groups[alive.front()];
}

}  // namespace chorale::io::report
