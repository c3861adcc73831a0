// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "kernels/error.hpp"
#include "kernels/pair_counts.hpp"
#include "kernels/pair_counts_body.hpp"

namespace chorale::kernels {
namespace {

constexpr Index head_share = 64;  ///< from 1 in 64 on the bits take no more room than the list
constexpr Index head_width = 1024;
constexpr Index tail_width = 8192;
static_assert(tail_width < std::numeric_limits<std::uint16_t>::max());

std::size_t at(Index i) {
  return static_cast<std::size_t>(i);
}

void add_blocks(Index begin, Index end, Index width, std::vector<Index>& block_begin) {
  for (Index rank = begin; rank < end; rank += width) block_begin.push_back(rank);
}

/// Place of each patient among those of the stratum, -1 for the others.
std::vector<std::int32_t> places(Index n_patients, const Groups& groups, std::int32_t group,
                                 std::vector<std::int32_t>& patient) {
  if (!groups.code.empty() && static_cast<Index>(groups.code.size()) != n_patients) {
    throw ShapeError({.what = "group code per patient has the wrong size",
                      .found = fmt::format("{}", groups.code.size()),
                      .expected = fmt::format("{}", n_patients)});
  }
  std::vector<std::int32_t> place(at(n_patients), -1);
  for (std::size_t i = 0; i < place.size(); ++i) {
    if (!groups.code.empty() && groups.code[i] != group) continue;
    place[i] = static_cast<std::int32_t>(patient.size());
    patient.push_back(static_cast<std::int32_t>(i));
  }
  return place;
}

void check_list(std::span<const std::int32_t> list, Index n_patients, std::int32_t feature) {
  const bool rises = std::adjacent_find(list.begin(), list.end(), std::greater_equal<>()) == list.end();
  if (list.empty() || (rises && list.front() >= 0 && list.back() < n_patients)) return;
  throw ShapeError(
      {.what = "the patients of a feature do not rise within the cohort",
       .found = fmt::format("{} patients, first {}, last {}", list.size(), list.front(), list.back()),
       .expected = fmt::format("each once, ascending, 0 to {}", n_patients - 1),
       .in = fmt::format("feature {}", feature)});
}

/// Each patient's features of one block, ascending, four to a word, and for each entry the words before it.
void pack_block(PairLists& lists, Index begin, Index end) {
  const std::size_t n = at(lists.n_patients());
  PairLists::Block block;
  block.width = end - begin;
  std::vector<std::uint32_t> n_features(n);  // first of each patient, then filled so far
  for (Index k = lists.list_begin[at(begin)]; k < lists.list_begin[at(end)]; ++k)
    ++n_features[at(lists.list[at(k)])];
  block.quad_begin.resize(n + 1);
  std::uint64_t n_quads = 0;
  for (std::size_t i = 0; i < n; ++i) {
    block.quad_begin[i] = static_cast<std::uint32_t>(n_quads);
    n_quads += (n_features[i] + 3) / 4;
    n_features[i] = 0;
  }
  if (n_quads > std::numeric_limits<std::uint32_t>::max()) {
    throw ShapeError({.what = "too many entries in one block of features",
                      .found = fmt::format("{} words of four", n_quads),
                      .expected = "fewer than 2^32"});
  }
  block.quad_begin[n] = static_cast<std::uint32_t>(n_quads);
  const auto padding = static_cast<std::uint64_t>(block.width) * 0x0001000100010001U;
  block.quad.assign(n_quads, padding);
  for (Index rank = begin; rank < end; ++rank) {
    const auto feature = static_cast<std::uint64_t>(rank - begin);
    for (Index k = lists.list_begin[at(rank)]; k < lists.list_begin[at(rank + 1)]; ++k) {
      const std::size_t i = at(lists.list[at(k)]);
      const std::uint32_t before = n_features[i]++;
      lists.quads_before[at(k)] = static_cast<std::uint16_t>((before + 3) / 4);
      // takes the padding out of its 16 bits and puts the feature in
      const std::uint64_t change = feature ^ static_cast<std::uint64_t>(block.width);
      block.quad[block.quad_begin[i] + before / 4] ^= change << (16 * (before % 4));
    }
  }
  lists.block.push_back(std::move(block));
}

}  // namespace

PairOrder pair_order(PatientLists carriers, Index n_patients) {
  if (n_patients < 0 || n_patients > std::numeric_limits<std::int32_t>::max()) {
    throw ShapeError({.what = "number of patients is out of range",
                      .found = fmt::format("{}", n_patients),
                      .expected = "0 to 2^31 - 1"});
  }
  PairOrder order;
  order.feature.resize(carriers.size());
  std::iota(order.feature.begin(), order.feature.end(), 0);
  const auto n_carriers = [&](std::int32_t feature) { return carriers[at(feature)].size(); };
  std::stable_sort(order.feature.begin(), order.feature.end(),
                   [&](std::int32_t a, std::int32_t b) { return n_carriers(a) > n_carriers(b); });
  const auto in_head = [&](std::int32_t feature) {
    return n_carriers(feature) > 0 && static_cast<Index>(n_carriers(feature)) * head_share >= n_patients;
  };
  order.n_head =
      std::partition_point(order.feature.begin(), order.feature.end(), in_head) - order.feature.begin();
  add_blocks(0, order.n_head, head_width, order.block_begin);
  add_blocks(order.n_head, order.n_features(), tail_width, order.block_begin);
  order.block_begin.push_back(order.n_features());
  return order;
}

Index PairTile::n_pairs_of(Index row) const {
  return std::clamp<Index>(row_begin + row - column_begin, 0, n_columns());
}

Index PairTile::n_pairs() const {
  if (row_begin >= column_end) return n_cells();  // off the diagonal
  Index n = 0;
  for (Index row = 0; row < n_rows(); ++row) n += n_pairs_of(row);
  return n;
}

std::vector<PairTile> pair_tiles(const PairOrder& order, Index max_cells) {
  std::vector<PairTile> tiles;
  const auto& begin = order.block_begin;
  for (std::size_t row_block = 0; row_block + 1 < begin.size(); ++row_block) {
    for (std::size_t column_block = 0; column_block <= row_block; ++column_block) {
      const Index width = begin[column_block + 1] - begin[column_block];
      const Index n_rows = std::max<Index>(4, max_cells / width / 4 * 4);
      for (Index row = begin[row_block]; row < begin[row_block + 1]; row += n_rows) {
        const Index row_end = std::min(row + n_rows, begin[row_block + 1]);
        // on the diagonal no row needs the columns from its own rank on
        const Index column_end = std::min(begin[column_block + 1], row_end - 1);
        if (column_end > begin[column_block])
          tiles.push_back({row, row_end, begin[column_block], column_end});
      }
    }
  }
  return tiles;
}

Index PairLists::n_listed(Index rank_begin, Index rank_end) const {
  return list_begin[at(rank_end)] - list_begin[at(rank_begin)];
}

std::span<const std::int32_t> PairLists::of(Index rank) const {
  return std::span(list).subspan(at(list_begin[at(rank)]), at(n_listed(rank, rank + 1)));
}

Words PairLists::bits_of(Index rank_begin, Index rank_end) const {
  Words bits(at((rank_end - rank_begin) * n_words));
  for (Index rank = rank_begin; rank < rank_end; ++rank) {
    std::uint64_t* row = bits.data() + (rank - rank_begin) * n_words;
    for (const std::int32_t i : of(rank)) row[i / 64] |= std::uint64_t{1} << (i % 64);
  }
  return bits;
}

PairLists make_pair_lists(const PairOrder& order, PatientLists lists, Index n_patients, const Groups& groups,
                          std::int32_t group) {
  if (static_cast<Index>(lists.size()) != order.n_features()) {
    throw ShapeError({.what = "lists do not match the order of features",
                      .found = fmt::format("{} lists", lists.size()),
                      .expected = fmt::format("{}", order.n_features())});
  }
  PairLists packed;
  packed.order = &order;
  const std::vector<std::int32_t> place = places(n_patients, groups, group, packed.patient);
  packed.list_begin.push_back(0);
  std::size_t n_listed = 0;
  for (const auto& list : lists) n_listed += list.size();
  packed.list.reserve(groups.code.empty() ? n_listed : 0);
  for (const std::int32_t feature : order.feature) {
    const auto list = lists[at(feature)];
    check_list(list, n_patients, feature);
    if (groups.code.empty()) {  // each patient's place is their number
      packed.list.insert(packed.list.end(), list.begin(), list.end());
    } else {
      for (const std::int32_t patient : list) {
        if (place[at(patient)] >= 0) packed.list.push_back(place[at(patient)]);
      }
    }
    packed.list_begin.push_back(static_cast<Index>(packed.list.size()));
  }
  packed.quads_before.resize(packed.list.size());
  for (Index b = 0; b < order.n_blocks(); ++b)
    pack_block(packed, order.block_begin[at(b)], order.block_begin[at(b + 1)]);

  packed.n_words = (packed.n_patients() + 64 * word_step - 1) / (64 * word_step) * word_step;
  packed.head_bits = packed.bits_of(0, order.n_head);
  return packed;
}

}  // namespace chorale::kernels
