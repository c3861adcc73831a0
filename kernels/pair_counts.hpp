// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/aligned.hpp"
#include "kernels/carrier_counts.hpp"
#include "kernels/types.hpp"

/// Carriers of both features of every pair: order the features once, pack the lists once (or once per
/// stratum), then count tile after tile, in any order and on any rank.
///
///   const PairOrder order = pair_order(carriers, n_patients);
///   const PairLists lists = make_pair_lists(order, carriers, n_patients);
///   const PairCounter counter(lists);
///   for (const PairTile& tile : pair_tiles(order)) {
///     n11.resize(tile.n_cells());
///     counter.count(tile, n11);
///   }
///
/// Features go by rank inside: rank 0 has most carriers, order.feature[rank] is the caller's feature. The
/// counts of a pair stand in the row of its rarer feature.
namespace chorale::kernels {

/// Ascending patients of every feature: its carriers, or those not tested for it.
using PatientLists = std::span<const std::span<const std::int32_t>>;

/// Bits, 64 to a word, where no load crosses a cache line.
using Words = std::vector<std::uint64_t, CacheLineAllocator<std::uint64_t>>;

/// Features by falling number of carriers, cut into blocks. It must outlive what is packed by it.
struct PairOrder {
  std::vector<std::int32_t> feature;  ///< of each rank; equal numbers keep the caller's order
  std::vector<Index> block_begin;     ///< first rank of each block, and n_features at the end
  Index n_head = 0;                   ///< ranks whose bit rows are kept; ends with a block

  Index n_features() const { return static_cast<Index>(feature.size()); }
  Index n_blocks() const { return static_cast<Index>(block_begin.size()) - 1; }
};

/// The order of a cohort, to be shared by its strata, so that their tiles can be laid side by side.
///
/// The head holds the features that at least 1 patient in 64 carries, of which a bit row is no longer than
/// the list; its blocks have up to 1,024 features, those behind it up to 8,192. Nothing here depends on the
/// machine.
///
/// Shapes   carriers (n_features) lists
/// Throws   ShapeError when n_patients is not below 2^31
PairOrder pair_order(PatientLists carriers, Index n_patients);

/// The pairs of a range of rows with a range of columns, both of ranks; every pair of features lies in one
/// tile, at column < row.
struct PairTile {
  Index row_begin = 0, row_end = 0;        ///< inside one block
  Index column_begin = 0, column_end = 0;  ///< inside one block

  Index n_rows() const { return row_end - row_begin; }
  Index n_columns() const { return column_end - column_begin; }
  Index n_cells() const { return n_rows() * n_columns(); }
  /// Columns of a row, counted from row_begin, that are pairs: fewer than n_columns() on the diagonal.
  Index n_pairs_of(Index row) const;
  Index n_pairs() const;
  bool operator==(const PairTile&) const = default;
};

/// All tiles of the triangle, each as wide as a block: as many rows as fit into max_cells, a multiple of four and at
/// least four where the block has them. Small tiles stay in the cache until they are used: 2^16 cells are 0.1 ms of work
/// in sparse corners and 3 ms in dense ones.
std::vector<PairTile> pair_tiles(const PairOrder& order, Index max_cells = 1 << 16);

/// Throws ShapeError when the tile's rows or its columns lie in no single block, or all its columns lie beyond its rows.
void check_tile(const PairOrder& order, const PairTile& tile);

/// Patient lists packed for counting: each list as it is, and each patient's features by block in 16 bits,
/// four to a word. Takes 8 to 10 bytes an entry (the more, the shorter the rows), as much again for the
/// head's bit rows, and 4 bytes per patient and block.
struct PairLists {
  struct Block {
    std::vector<std::uint32_t> quad_begin;  ///< (n_patients + 1) where each patient's words begin
    std::vector<std::uint64_t> quad;  ///< four features, counted from the block's first; padded by width
    Index width = 0;                  ///< features
  };

  const PairOrder* order = nullptr;
  std::vector<std::int32_t> patient;        ///< the caller's numbers of all patients, or of one stratum's
  std::vector<Index> list_begin;            ///< (n_features + 1) by rank
  std::vector<std::int32_t> list;           ///< places in `patient`, ascending
  std::vector<std::uint16_t> quads_before;  ///< per entry: words of its block that hold what stands before it
  std::vector<Block> block;
  Words head_bits;    ///< (n_head, n_words)
  Index n_words = 0;  ///< of a bit row, a multiple of 8

  Index n_patients() const { return static_cast<Index>(patient.size()); }
  Index n_listed(Index rank_begin, Index rank_end) const;
  std::span<const std::int32_t> of(Index rank) const;
  /// Bit rows of a range of ranks, (rank_end - rank_begin, n_words).
  Words bits_of(Index rank_begin, Index rank_end) const;
};

/// Packs the lists of all patients, or of those of one stratum: the patients i with groups.code[i] = group.
///
/// Shapes   lists (n_features), in the caller's order of features and of patients
///          groups.code (n_patients) or empty
/// Throws   ShapeError when sizes do not fit, or a list does not rise from 0 to below n_patients
/// Cost     15 ns an entry
/// Threads  serial and pure
PairLists make_pair_lists(const PairOrder& order, PatientLists lists, Index n_patients,
                          const Groups& groups = {}, std::int32_t group = 0);

/// How a tile is counted. The counts are the same.
enum class PairMethod { cheapest, sparse, dense };

/// What a tile is expected to take on one core.
struct PairCost {
  double sparse_ns;
  double dense_ns;
};

/// For each pair of ranks, the patients in both lists:
///
///   n11[r, c] = #{ i : i in rows' list of r and in columns' list of c }
///
/// Sparse: for each patient in the list of r, one increment per feature that the patient has in the columns'
/// block, however few of its columns are asked for, into 16-bit counters that stay in L1 and are emptied every
/// 65,535 patients, so that none overflows; patients are fetched ahead. The rarer feature's list is walked,
/// because it is the row's. Dense: AND and popcount of bit rows, four rows by four columns at a time; rows that
/// are not kept are made for each tile. The cheaper one by cost() is taken, whose
/// constants were measured (perf/kernels/pair_counts_bench.cpp); it misses by less than half, and only close
/// calls go the wrong way.
///
/// Rows and columns may be different lists packed for the same patients, as carriers and untested.
///
/// Shapes   n11 (tile.n_rows(), tile.n_columns()), overwritten; cells that are no pair become 0
/// Throws   ShapeError when the lists differ in patients or order, or tile or n11 do not fit
/// Cost     sparse: 0.4 ns per patient and feature met, 3 ns per patient and block: 20,000 features in
///          100,000 patients with 77 each take 0.25 s
///          dense: n_patients / 64 words a pair; words a second and core 3.9e10 (AVX512_VPOPCNTDQ),
///          1.6e10 (v4), 6.5e9 (v3), 3.7e9 (v2)
/// Threads  over rows, with counters of their own; equal for any thread count and either method
/// Oracle   kernels/reference/pair_counts.cpp
class PairCounter {
 public:
  /// Keeps references: both must outlive the counter. Takes n_patients · n_blocks² / 2 additions.
  PairCounter(const PairLists& rows, const PairLists& columns);
  explicit PairCounter(const PairLists& lists) : PairCounter(lists, lists) {}

  void count(const PairTile& tile, std::span<std::int32_t> n11,
             PairMethod method = PairMethod::cheapest) const;
  PairCost cost(const PairTile& tile) const;

 private:
  void count_sparse(const PairTile& tile, bool in_threads, std::int32_t* n11) const;
  void count_dense(const PairTile& tile, bool in_threads, std::int32_t* n11) const;

  const PairLists* rows_;
  const PairLists* columns_;
  std::vector<double> quads_per_entry_;  ///< (row block, column block): words met per patient of a row's list
};

namespace reference {

/// The definition: intersects two sorted lists for every pair.
void pair_counts(const PairLists& rows, const PairLists& columns, const PairTile& tile,
                 std::span<std::int32_t> n11);

}  // namespace reference
}  // namespace chorale::kernels
