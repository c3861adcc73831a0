// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/pair_counts.hpp"

#include <fmt/format.h>
#include <omp.h>

#include <algorithm>
#include <limits>

#include "kernels/error.hpp"
#include "kernels/pair_counts_body.hpp"

namespace chorale::kernels {
namespace {

bool counts_whole_vectors() {
#ifdef CHORALE_X86
  return __builtin_cpu_supports("avx512vpopcntdq") != 0;
#else
  return false;
#endif
}

constexpr Index strip_rows = 64;      ///< rows of bits at a time where they are not kept
constexpr Index most_columns = 1024;  ///< of which bits are made

// measured on one core (kernels/README.md); what matters is their ratio
constexpr double ns_per_entry = 3;   ///< a patient of the row's list: a look-up and the end of a short loop
constexpr double ns_per_quad = 1.5;  ///< four increments
constexpr double ns_per_cell = 0.1;  ///< emptying the counters
constexpr double ns_per_bit = 1;     ///< setting a bit in a row that is not kept
constexpr double ns_per_word = 0.1;  ///< of such a row, emptied before
constexpr double ns_worth_threads = 1e5;

std::size_t at(Index i) {
  return static_cast<std::size_t>(i);
}

Index block_of(const PairOrder& order, Index rank) {
  return std::upper_bound(order.block_begin.begin(), order.block_begin.end(), rank) -
         order.block_begin.begin() - 1;
}

/// The kept bit rows of the head, or rows made for the occasion.
BitRows bit_rows(const PairLists& lists, Index rank_begin, Index rank_end, Words& made) {
  const bool kept = rank_end <= lists.order->n_head;
  if (!kept) made = lists.bits_of(rank_begin, rank_end);
  const std::uint64_t* word = kept ? lists.head_bits.data() + rank_begin * lists.n_words : made.data();
  return {word, lists.n_words, rank_end - rank_begin};
}

/// Adds to n11 what the patients of one list meet in a block, from its first_column on: all of it, or the words before
/// their own entry.
void add_sparse_row(std::span<const std::int32_t> list, const PairLists::Block& block,
                    const std::uint16_t* quads_before, std::span<std::uint16_t> counter, Index first_column,
                    std::span<std::int32_t> n11) {
  constexpr std::size_t reach = 8;      // patients fetched ahead
  constexpr std::size_t most = 65'535;  // patients until a counter could overflow
  if (block.quad.empty()) return;
  const std::uint32_t* begin = block.quad_begin.data();
  const std::uint64_t* quads = block.quad.data();
  std::uint16_t* n = counter.data();
  for (std::size_t first = 0; first < list.size(); first += most) {
    const std::size_t last = std::min(first + most, list.size());
    std::fill(counter.begin(), counter.end(), std::uint16_t{0});
    for (std::size_t k = first; k < last; ++k) {
      if (k + reach < last) {
        const std::uint64_t* ahead = quads + begin[list[k + reach]];
        __builtin_prefetch(ahead);
        __builtin_prefetch(ahead + 8);
      }
      const std::uint32_t from = begin[list[k]];
      const std::uint32_t to = quads_before == nullptr ? begin[list[k] + 1] : from + quads_before[k];
      for (std::uint32_t q = from; q < to; ++q) {
        const std::uint64_t four = quads[q];
        ++n[four & 0xffffU];
        ++n[(four >> 16) & 0xffffU];
        ++n[(four >> 32) & 0xffffU];
        ++n[four >> 48];
      }
    }
    for (std::size_t c = 0; c < n11.size(); ++c) n11[c] += n[at(first_column) + c];
  }
}

}  // namespace

double dense_words_per_ns() {
  switch (level()) {
    case Level::base:
    case Level::v2:
      return 3.7;
    case Level::v3:
      return 6.3;
    case Level::v4:
      break;
  }
  return counts_whole_vectors() ? 36 : 15;
}

void count_both(const BitRows& rows, const BitRows& columns, const CountBlock& out) {
  CHORALE_AT_LEVEL(add_and_counts, rows, columns, counts_whole_vectors(), out);
}

void check_tile(const PairOrder& order, const PairTile& tile) {
  const auto inside = [&](Index begin, Index end) {
    return begin >= 0 && begin < end && end <= order.n_features() &&
           block_of(order, begin) == block_of(order, end - 1);
  };
  if (inside(tile.row_begin, tile.row_end) && inside(tile.column_begin, tile.column_end) &&
      tile.column_end < tile.row_end)
    return;
  throw ShapeError({.what = "a tile does not fit the blocks of features",
                    .found = fmt::format("rows {} to {}, columns {} to {}", tile.row_begin, tile.row_end - 1,
                                         tile.column_begin, tile.column_end - 1),
                    .expected = "rows inside one block, columns inside one, not all beyond the rows",
                    .remedy = "take tiles from pair_tiles(), or parts of them"});
}

PairCounter::PairCounter(const PairLists& rows, const PairLists& columns) : rows_(&rows), columns_(&columns) {
  if (rows.order != columns.order || rows.patient != columns.patient) {
    throw ShapeError({.what = "rows and columns were packed for different patients or features",
                      .found = fmt::format("{} and {} patients", rows.n_patients(), columns.n_patients()),
                      .expected = "one order and one stratum"});
  }
  // who has many features of a block is met in many of its rows, so the mean is Σ q_row q_column / Σ q_row
  const Index n_blocks = rows.order->n_blocks();
  quads_per_entry_.resize(at(n_blocks * n_blocks));
  for (Index row_block = 0; row_block < n_blocks; ++row_block) {
    const std::vector<std::uint32_t>& of_rows = rows.block[at(row_block)].quad_begin;
    for (Index column_block = 0; column_block <= row_block; ++column_block) {
      const std::vector<std::uint32_t>& of_columns = columns.block[at(column_block)].quad_begin;
      std::uint64_t met = 0;
      for (std::size_t i = 0; i + 1 < of_rows.size(); ++i)
        met += std::uint64_t{of_rows[i + 1] - of_rows[i]} * (of_columns[i + 1] - of_columns[i]);
      const double half = row_block == column_block && rows_ == columns_ ? 0.5 : 1;
      quads_per_entry_[at(row_block * n_blocks + column_block)] =
          half * static_cast<double>(met) / std::max(1.0, static_cast<double>(of_rows.back()));
    }
  }
}

PairCost PairCounter::cost(const PairTile& tile) const {
  const PairOrder& order = *rows_->order;
  check_tile(order, tile);
  const Index row_block = block_of(order, tile.row_begin), column_block = block_of(order, tile.column_begin);
  const auto entries = static_cast<double>(rows_->n_listed(tile.row_begin, tile.row_end));
  const double quads = quads_per_entry_[at(row_block * order.n_blocks() + column_block)];
  const Index width = columns_->block[at(column_block)].width;
  PairCost cost{entries * (ns_per_entry + ns_per_quad * quads) +
                    static_cast<double>(tile.n_rows() * width) * ns_per_cell,
                static_cast<double>(tile.n_pairs() * rows_->n_words) / dense_words_per_ns()};
  const auto making = [&](const PairLists& lists, Index begin, Index end) {
    return static_cast<double>(lists.n_listed(begin, end)) * ns_per_bit +
           static_cast<double>((end - begin) * lists.n_words) * ns_per_word;
  };
  if (tile.row_end > order.n_head) cost.dense_ns += making(*rows_, tile.row_begin, tile.row_end);
  if (tile.column_end > order.n_head) cost.dense_ns += making(*columns_, tile.column_begin, tile.column_end);
  if (tile.column_end > order.n_head && tile.n_columns() > most_columns)
    cost.dense_ns = std::numeric_limits<double>::infinity();
  return cost;
}

void PairCounter::count(const PairTile& tile, std::span<std::int32_t> n11, PairMethod method) const {
  const PairCost expected = cost(tile);
  if (static_cast<Index>(n11.size()) != tile.n_cells()) {
    throw ShapeError({.what = "the counts do not fit the tile",
                      .found = fmt::format("{}", n11.size()),
                      .expected = fmt::format("{} x {}", tile.n_rows(), tile.n_columns())});
  }
  std::fill(n11.begin(), n11.end(), 0);
  const bool dense = method == PairMethod::dense ||
                     (method == PairMethod::cheapest && expected.dense_ns < expected.sparse_ns);
  const bool in_threads = (dense ? expected.dense_ns : expected.sparse_ns) > ns_worth_threads;
  if (dense) {
    count_dense(tile, in_threads, n11.data());
  } else {
    count_sparse(tile, in_threads, n11.data());
  }
  for (Index row = 0; row < tile.n_rows(); ++row) {
    const auto of_row = n11.subspan(at(row * tile.n_columns()), at(tile.n_columns()));
    std::fill(of_row.begin() + tile.n_pairs_of(row), of_row.end(), 0);
  }
}

void PairCounter::count_sparse(const PairTile& tile, bool in_threads, std::int32_t* n11) const {
  const PairOrder& order = *rows_->order;
  const Index column_block = block_of(order, tile.column_begin);
  const PairLists::Block& block = columns_->block[at(column_block)];
  const Index first_column = tile.column_begin - order.block_begin[at(column_block)];
  // on the diagonal the words before a patient's own entry hold every feature of smaller rank
  const bool own = rows_ == columns_ && block_of(order, tile.row_begin) == column_block;
  const Index n_counters = block.width + 1;  // the last takes the padding
  const Index stride = n_counters + 64;      // threads share no cache line
  std::vector<std::uint16_t> counters(at(stride * (in_threads ? omp_get_max_threads() : 1)));
#pragma omp parallel for schedule(dynamic, 4) if (in_threads)
  for (Index row = tile.row_begin; row < tile.row_end; ++row) {
    const std::uint16_t* before = rows_->quads_before.data() + rows_->list_begin[at(row)];
    add_sparse_row(rows_->of(row), block, own ? before : nullptr,
                   std::span(counters).subspan(at(stride * omp_get_thread_num()), at(n_counters)),
                   first_column, {n11 + (row - tile.row_begin) * tile.n_columns(), at(tile.n_columns())});
  }
}

void PairCounter::count_dense(const PairTile& tile, bool in_threads, std::int32_t* n11) const {
  Words made_columns;
  const BitRows columns = bit_rows(*columns_, tile.column_begin, tile.column_end, made_columns);
#pragma omp parallel for schedule(dynamic, 1) if (in_threads)
  for (Index begin = tile.row_begin; begin < tile.row_end; begin += strip_rows) {
    Words made_rows;
    const BitRows rows = bit_rows(*rows_, begin, std::min(begin + strip_rows, tile.row_end), made_rows);
    const CountBlock out{n11 + (begin - tile.row_begin) * tile.n_columns(), tile.n_columns(),
                         begin - tile.column_begin};
    count_both(rows, columns, out);
  }
}

}  // namespace chorale::kernels
