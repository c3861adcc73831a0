// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/concordance_body.hpp"
#include "kernels/simd/vector.hpp"

namespace chorale::kernels::simd::CHORALE_LEVEL {
namespace {

constexpr Index fan = tree_fan;
constexpr std::uint32_t last = fan - 1;

template <class Number>
struct NodeOf;
template <>
struct NodeOf<std::uint32_t> {
  using Line = std::uint32_t __attribute__((vector_size(64)));
  using Mask = Line;
  using Word = std::uint32_t;
};
template <>
struct NodeOf<std::uint64_t> {
  using Line = std::uint64_t __attribute__((vector_size(128)));
  using Mask = Line;
  using Word = std::uint64_t;
};
template <>
struct NodeOf<double> {
  using Line = double __attribute__((vector_size(128)));
  using Mask = std::uint64_t __attribute__((vector_size(128)));
  using Word = std::uint64_t;
};

/// Row d holds ones behind place d: who is in part d of a node counts for all parts behind it.
template <class Word>
struct Behind {
  alignas(128) Word row[fan][fan];
  constexpr Behind() : row{} {
    for (Index d = 0; d < fan; ++d)
      for (Index k = d + 1; k < fan; ++k) row[d][k] = ~Word{0};
  }
};
template <class Word>
constexpr Behind<Word> behind{};

/// The tree of one walk; see ConcordanceWalk.
template <class Number, int n_packs, int n_levels>
class Tree {
 public:
  explicit Tree(const ConcordanceWalk<Number>& walk) {
    for (int level = 0; level < n_levels; ++level) level_[level] = walk.tree + walk.level_begin[level];
  }

  void add(std::uint32_t rank, const Number* weight) {
    for (int level = 0; level < n_levels; ++level) {
      const std::uint32_t digits = rank >> (4 * level);
      Mask mask;
      __builtin_memcpy(&mask, behind<typename NodeOf<Number>::Word>.row[digits & last], sizeof(mask));
      Number* node = level_[level] + (digits >> 4) * (fan * n_packs);
      for (int s = 0; s < n_packs; ++s) {
        Line sums;
        __builtin_memcpy(&sums, node + s * fan, sizeof(sums));
        const Line all = Line{} + weight[s];
        sums += __builtin_bit_cast(Line, __builtin_bit_cast(Mask, all) & mask);
        __builtin_memcpy(node + s * fan, &sums, sizeof(sums));
      }
    }
  }

  /// Adds the weight of the ranks below one to sum[pack].
  void below(std::uint32_t rank, Number* sum) const {
    for (int level = 0; level < n_levels; ++level) {
      const std::uint32_t digits = rank >> (4 * level);
      const Number* node = level_[level] + (digits >> 4) * (fan * n_packs) + (digits & last);
      for (int s = 0; s < n_packs; ++s) sum[s] += node[s * fan];
    }
  }

 private:
  using Line = typename NodeOf<Number>::Line;
  using Mask = typename NodeOf<Number>::Mask;

  Number* level_[n_levels];
};

/// One sample's part of a pack; sums of whole numbers stay whole.
template <int n_packed, class Number>
std::uint64_t part_of(Number pack, int sample, int bits) {
  if constexpr (n_packed == 1) return pack;
  return (pack >> (sample * bits)) & ((Number{1} << bits) - 1);
}
template <int>
double part_of(double pack, int, int) {
  return pack;
}

template <class Number, int n_packs, int n_packed, int n_levels>
void walk_back(const ConcordanceWalk<Number>& walk, PairSums* sums) {
  using Sum = decltype(part_of<n_packed>(Number{}, 0, 0));
  Tree<Number, n_packs, n_levels> tree(walk);
  Sum signs[n_packs][n_packed] = {};
  double uno[n_packs][n_packed] = {};
  const bool weighted = walk.time_weight[0][0] != nullptr, distinct = walk.distinct;
  const std::int32_t *row_begin = walk.row_begin, *rank = walk.rank;
  const Number* weight[n_packs];
  for (int p = 0; p < n_packs; ++p) weight[p] = walk.weight[p];
  const int bits = walk.bits;
  const auto add = [&](Index row) {
    Number own[n_packs];
    for (int p = 0; p < n_packs; ++p) own[p] = weight[p][row];
    tree.add(static_cast<std::uint32_t>(rank[row]), own);
  };
  // from the last time back: the tree holds who is at risk and does not die now
  for (Index t = walk.past_slot - 1; t >= walk.first_slot; --t) {
    const Index alive = row_begin[2 * t], dying = row_begin[2 * t + 1], next = row_begin[2 * t + 2];
    for (Index row = alive; row < dying; ++row) add(row);
    for (Index row = dying; row < next; ++row) {
      // twice those below and once those beside: those below this rank, and those below the next
      const auto own = static_cast<std::uint32_t>(rank[row]);
      Number both[n_packs] = {};
      tree.below(own, both);
      if (distinct) {
        for (int p = 0; p < n_packs; ++p) both[p] += both[p];
      } else {
        tree.below(own + 1, both);
      }
      for (int p = 0; p < n_packs; ++p) {
        for (int s = 0; s < n_packed; ++s) {
          const Sum pairs = part_of<n_packed>(weight[p][row], s, bits) * part_of<n_packed>(both[p], s, bits);
          signs[p][s] += pairs;
          if (weighted) uno[p][s] += static_cast<double>(pairs) * walk.time_weight[p][s][t];
        }
      }
    }
    for (Index row = dying; row < next; ++row) add(row);
  }
  for (int p = 0; p < n_packs; ++p) {
    for (int s = 0; s < n_packed; ++s) {
      sums[p * most_packed + s].harrell += static_cast<double>(signs[p][s]);
      sums[p * most_packed + s].uno += uno[p][s];
    }
  }
}

template <class Number, int n_packs, int n_packed>
void walk_levels(const ConcordanceWalk<Number>& walk, PairSums* sums) {
  switch (walk.n_levels) {
    case 1:
      return walk_back<Number, n_packs, n_packed, 1>(walk, sums);
    case 2:
      return walk_back<Number, n_packs, n_packed, 2>(walk, sums);
    case 3:
      return walk_back<Number, n_packs, n_packed, 3>(walk, sums);
    case 4:
      return walk_back<Number, n_packs, n_packed, 4>(walk, sums);
    case 5:
      return walk_back<Number, n_packs, n_packed, 5>(walk, sums);
    case 6:
      return walk_back<Number, n_packs, n_packed, 6>(walk, sums);
    default:
      return walk_back<Number, n_packs, n_packed, 8>(walk, sums);
  }
}

/// Packs of one sample each.
template <class Number>
void walk_single(const ConcordanceWalk<Number>& walk, PairSums* sums) {
  switch (walk.n_packs) {
    case 1:
      return walk_levels<Number, 1, 1>(walk, sums);
    case 2:
      return walk_levels<Number, 2, 1>(walk, sums);
    case 3:
      return walk_levels<Number, 3, 1>(walk, sums);
    default:
      return walk_levels<Number, 4, 1>(walk, sums);
  }
}

}  // namespace

void concordance_walk(const ConcordanceWalk<std::uint32_t>& walk, PairSums* sums) {
  if (walk.n_packed == 2) return walk_levels<std::uint32_t, 1, 2>(walk, sums);
  walk_single(walk, sums);
}

void concordance_walk(const ConcordanceWalk<std::uint64_t>& walk, PairSums* sums) {
  walk_levels<std::uint64_t, 1, 3>(walk, sums);
}

void concordance_walk(const ConcordanceWalk<double>& walk, PairSums* sums) {
  walk_single(walk, sums);
}

}  // namespace chorale::kernels::simd::CHORALE_LEVEL
