// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/concordance_body.hpp"
#include "kernels/simd/vector.hpp"

namespace chorale::kernels::simd::CHORALE_LEVEL {
namespace {

constexpr Index fan = 16;
constexpr std::uint32_t last = fan - 1;

template <class Number>
struct NodeOf;
template <>
struct NodeOf<std::uint32_t> {
  using Line = std::uint32_t __attribute__((vector_size(64)));
  using Mask = Line;
};
template <>
struct NodeOf<double> {
  using Line = double __attribute__((vector_size(128)));
  using Mask = std::uint64_t __attribute__((vector_size(128)));
};

/// The tree of one walk; see ConcordanceWalk.
template <class Number, int n_samples>
class Tree {
 public:
  explicit Tree(const ConcordanceWalk<Number>& walk) : walk_(walk) {
    for (Index d = 0; d < fan; ++d)
      for (Index k = 0; k < fan; ++k) behind_[d][k] = k > d ? ~Word{0} : Word{0};
  }

  void add(Index row) {
    const auto rank = static_cast<std::uint32_t>(walk_.rank[row]);
    for (Index level = 0; level < walk_.n_levels; ++level) {
      const std::uint32_t digits = rank >> (4 * level);
      Mask mask;
      __builtin_memcpy(&mask, behind_[digits & last], sizeof(mask));
      Number* node = walk_.tree + walk_.level_begin[level] + (digits >> 4) * fan * n_samples;
      for (int s = 0; s < n_samples; ++s) {
        // who is in part d counts for all parts behind it
        Line sums;
        __builtin_memcpy(&sums, node + s * fan, sizeof(sums));
        const Line weight = Line{} + walk_.weight[s][row];
        sums += __builtin_bit_cast(Line, __builtin_bit_cast(Mask, weight) & mask);
        __builtin_memcpy(node + s * fan, &sums, sizeof(sums));
      }
    }
    for (int s = 0; s < n_samples; ++s) total[s] += walk_.weight[s][row];
  }

  /// Adds the weight of the ranks below one to sum[sample].
  template <class Sum>
  void below(std::uint32_t rank, Sum* sum) const {
    for (Index level = 0; level < walk_.n_levels; ++level) {
      const std::uint32_t digits = rank >> (4 * level);
      const Number* node =
          walk_.tree + walk_.level_begin[level] + (digits >> 4) * fan * n_samples + (digits & last);
      for (int s = 0; s < n_samples; ++s) sum[s] += static_cast<Sum>(node[s * fan]);
    }
  }

  Number total[n_samples] = {};

 private:
  using Line = typename NodeOf<Number>::Line;
  using Mask = typename NodeOf<Number>::Mask;
  using Word = __typeof__(Mask{}[0] + 0);

  const ConcordanceWalk<Number>& walk_;
  alignas(128) Word behind_[fan][fan];
};

/// Sums of whole numbers stay whole.
template <class Number>
struct SumOf {
  using Type = std::uint64_t;
};
template <>
struct SumOf<double> {
  using Type = double;
};

template <class Number, int n_samples>
void walk_back(const ConcordanceWalk<Number>& walk, PairSums* sums) {
  using Sum = typename SumOf<Number>::Type;
  Tree<Number, n_samples> tree(walk);
  Sum signs[n_samples] = {}, pairs[n_samples] = {};
  double uno[n_samples] = {}, uno_pairs[n_samples] = {};
  const bool weighted = walk.time_weight[0] != nullptr;
  // from the last time back: the tree holds who is at risk and does not die now
  for (Index t = walk.past_slot - 1; t >= walk.first_slot; --t) {
    const Index alive = walk.row_begin[2 * t], dying = walk.row_begin[2 * t + 1],
                next = walk.row_begin[2 * t + 2];
    for (Index row = alive; row < dying; ++row) tree.add(row);
    for (Index row = dying; row < next; ++row) {
      const auto rank = static_cast<std::uint32_t>(walk.rank[row]);
      // twice those below and once those beside: those below this rank, and those below the next
      Sum both[n_samples] = {};
      tree.below(rank, both);
      tree.below(rank + 1, both);
      for (int s = 0; s < n_samples; ++s) {
        const Sum w = walk.weight[s][row];
        signs[s] += w * both[s];
        pairs[s] += w * tree.total[s];
        if (!weighted) continue;
        const double counts = static_cast<double>(w) * walk.time_weight[s][t];
        uno[s] += counts * static_cast<double>(both[s]);
        uno_pairs[s] += counts * static_cast<double>(tree.total[s]);
      }
    }
    for (Index row = dying; row < next; ++row) tree.add(row);
  }
  for (int s = 0; s < n_samples; ++s) {
    sums[s].harrell += static_cast<double>(signs[s]);
    sums[s].harrell_pairs += static_cast<double>(pairs[s]);
    sums[s].uno += uno[s];
    sums[s].uno_pairs += uno_pairs[s];
  }
}

template <class Number>
void walk_samples(const ConcordanceWalk<Number>& walk, PairSums* sums) {
  switch (walk.n_samples) {
    case 1:
      return walk_back<Number, 1>(walk, sums);
    case 2:
      return walk_back<Number, 2>(walk, sums);
    case 3:
      return walk_back<Number, 3>(walk, sums);
    default:
      return walk_back<Number, 4>(walk, sums);
  }
}

}  // namespace

void concordance_walk(const ConcordanceWalk<std::uint32_t>& walk, PairSums* sums) {
  walk_samples(walk, sums);
}

void concordance_walk(const ConcordanceWalk<double>& walk, PairSums* sums) {
  walk_samples(walk, sums);
}

}  // namespace chorale::kernels::simd::CHORALE_LEVEL
