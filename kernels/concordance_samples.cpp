// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <algorithm>
#include <array>
#include <cmath>

#include "kernels/concordance.hpp"
#include "kernels/concordance_body.hpp"
#include "kernels/error.hpp"

namespace chorale::kernels {
namespace {

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

/// 1 / G(t−)² until tau.
void set_time_weights(const RiskOrder& order, const SampleRows& sample, double tau, double* time_weight) {
  for (std::size_t t = 0; t < size(order.n_slots); ++t) {
    const double known = sample.censored.before[t];
    time_weight[t] = known > 0 && order.time[t] <= tau ? 1 / (known * known) : 0;
  }
}

const double* weights_of(const SampleRows& sample, const double*) {
  return sample.weight.data();
}
const std::uint32_t* weights_of(const SampleRows& sample, const std::uint32_t*) {
  return sample.whole.data();
}

/// `tree` grows to what the ranks need; it is empty of weights again for each stratum.
template <class Number, class Tree>
void walk_strata(const RiskOrder& order, const PredictionRows& prediction,
                 std::span<const SampleRows* const> samples, const double* time_weight, Tree& tree,
                 PairSums* sums) {
  constexpr Index fan = 16;
  ConcordanceWalk<Number> walk{};
  walk.row_begin = order.row_begin.data();
  walk.rank = prediction.rank.data();
  walk.n_samples = static_cast<Index>(samples.size());
  for (std::size_t s = 0; s < samples.size(); ++s) {
    walk.weight[s] = weights_of(*samples[s], static_cast<const Number*>(nullptr));
    if (time_weight != nullptr) walk.time_weight[s] = time_weight + s * size(order.n_slots);
  }
  Index n_numbers = 0;
  for (Index nodes = prediction.n_ranks / fan + 1;; nodes = (nodes - 1) / fan + 1) {
    walk.level_begin[walk.n_levels++] = n_numbers;
    n_numbers += nodes * fan * walk.n_samples;
    if (nodes == 1) break;
  }
  for (Index s = 0; s < order.n_strata; ++s) {
    walk.first_slot = order.slot_begin[size(s)];
    walk.past_slot = order.slot_begin[size(s + 1)];
    if (order.row_begin[size(2 * walk.first_slot)] == order.row_begin[size(2 * walk.past_slot)]) continue;
    tree.assign(size(n_numbers), Number{0});
    walk.tree = tree.data();
    CHORALE_AT_LEVEL(concordance_walk, walk, sums);
  }
}

}  // namespace

void SampleConcordances::count(const RiskOrder& order, const PredictionRows& prediction,
                               std::span<const SampleRows* const> samples, double tau,
                               std::span<SampleConcordance> found) {
  require_size("samples and their concordances differ in number", found.size(),
               static_cast<Index>(samples.size()));
  require_size("predictions and rows differ in number", prediction.rank.size(), order.n_rows);
  const bool uno = !std::isnan(tau);
  for (std::size_t begin = 0; begin < samples.size(); begin += most_samples) {
    const auto here = samples.subspan(begin, std::min<std::size_t>(most_samples, samples.size() - begin));
    bool whole = true;
    time_weight_.resize(uno ? here.size() * size(order.n_slots) : 0);
    for (std::size_t s = 0; s < here.size(); ++s) {
      require_size("weights and rows differ in number", here[s]->weight.size(), order.n_rows);
      whole &= !here[s]->whole.empty();
      if (uno) set_time_weights(order, *here[s], tau, time_weight_.data() + s * size(order.n_slots));
    }
    std::array<PairSums, most_samples> sums{};
    const double* time_weight = uno ? time_weight_.data() : nullptr;
    if (whole)
      walk_strata<std::uint32_t>(order, prediction, here, time_weight, whole_tree_, sums.data());
    else
      walk_strata<double>(order, prediction, here, time_weight, tree_, sums.data());
    for (std::size_t s = 0; s < here.size(); ++s) {
      const PairSums& of = sums[s];
      found[begin + s] = {};
      if (of.harrell_pairs > 0) found[begin + s].harrell = of.harrell / (2 * of.harrell_pairs);
      if (of.uno_pairs > 0) found[begin + s].uno = of.uno / (2 * of.uno_pairs);
    }
  }
}

}  // namespace chorale::kernels
