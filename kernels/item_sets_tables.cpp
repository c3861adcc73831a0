// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/item_sets_tables.hpp"

#include <algorithm>

#include "kernels/pair_counts_body.hpp"

namespace chorale::kernels {
namespace {

constexpr Index batch = 8;  ///< last features at a time: their 16 rows stay in L2 for 100,000 patients

std::size_t at(Index i) {
  return static_cast<std::size_t>(i);
}

/// From the carriers of the features in c, whatever the others are, to who carries just those.
///
///   cell(A) = Σ_{B ⊇ A} (−1)^|B \ A| n(B)
void cells_from_parts(int order, std::int32_t* cell) {
  const Index n_cells = Index{1} << order;
  for (Index one = 1; one < n_cells; one *= 2) {
    for (Index c = 0; c < n_cells; ++c) {
      if ((c & one) == 0) cell[c] -= cell[c | one];
    }
  }
}

/// Carriers of a feature and its partners, asked for in ascending order; all of them are frequent pairs.
class PairReader {
 public:
  PairReader(const ItemSetData& data, Index rank)
      : partner_(data.pairs.partners_of(rank).data()),
        n_(data.parts.n_pair.data() + data.pairs.begin[at(rank)] * data.parts.n_sets),
        n_sets_(data.parts.n_sets) {}
  std::int32_t with(std::int32_t partner, Index set) {
    while (*partner_ != partner) ++partner_, n_ += n_sets_;
    return n_[set];
  }

 private:
  const std::int32_t* partner_;
  const std::int32_t* n_;
  Index n_sets_;
};

void and_rows(const std::uint64_t* a, const std::uint64_t* b, Index n_words, std::uint64_t* out) {
  for (Index w = 0; w < n_words; ++w) out[w] = a[w] & b[w];
}

}  // namespace

ItemSetTables::ItemSetTables(const ItemSetData& data, ItemSets& out) : data_(data), out_(out) {
  out_.order = data.options.order;
  if (data_.parts.n_sets > 0) return;
  const int n_chosen = data.options.order - 1;
  const Index n_words = data.carriers->n_words;
  at_level_.assign(at(n_chosen), -1);
  levels_.resize(at(((Index{2} << n_chosen) - 2) * n_words));
  columns_.resize(at(2 * batch * n_words));
  counts_.resize(at((Index{1} << n_chosen) * 2 * batch));
}

void ItemSetTables::add(std::span<const std::int32_t> chosen, std::span<const std::int32_t> last,
                        std::span<const std::int32_t> n_all) {
  const std::vector<std::int32_t>& feature = data_.carriers->order->feature;
  std::size_t next = out_.feature.size();
  out_.feature.resize(next + last.size() * at(out_.order));
  for (const std::int32_t rank : last) {
    out_.feature[next++] = feature[at(rank)];
    for (std::size_t k = chosen.size(); k > 0; --k) out_.feature[next++] = feature[at(chosen[k - 1])];
  }
  const std::size_t first = out_.cell.size();
  out_.cell.resize(first + last.size() * at(out_.n_cells()));
  if (data_.parts.n_sets > 0) {
    add_by_parts(chosen, last, n_all, out_.cell.data() + first);
  } else {
    add_by_rows(chosen, last, out_.cell.data() + first);
  }
}

/// Carriers are tested, so those of a part need only be on the panels of the features that are not in it.
void ItemSetTables::add_by_parts(std::span<const std::int32_t> chosen, std::span<const std::int32_t> last,
                                 std::span<const std::int32_t> n_all, std::int32_t* cells) {
  const ItemSetParts& parts = data_.parts;
  const auto set_of = [&](std::int32_t rank) { return data_.tested.set_of[at(rank)]; };
  const auto n_one = [&](std::int32_t rank, Index meet) {
    return parts.n_one[at(rank * parts.n_meets + meet)];
  };
  const std::int32_t rare = chosen[0], z = set_of(rare);
  if (chosen.size() == 1) {
    for (std::size_t k = 0; k < last.size(); ++k, cells += 4) {
      const std::int32_t x = set_of(last[k]);
      cells[0] = parts.tested[at(parts.meet_of(x, x) * parts.n_sets + z)];
      cells[1] = n_one(last[k], parts.meet_of(z, z));
      cells[2] = n_one(rare, parts.meet_of(x, x));
      cells[3] = n_all[k];
      cells_from_parts(2, cells);
    }
    return;
  }
  const std::int32_t middle = chosen[1], y = set_of(middle), yz = parts.meet_of(y, z);
  PairReader of_both(data_, rare), of_rare(data_, rare), of_middle(data_, middle);
  for (std::size_t k = 0; k < last.size(); ++k, cells += 8) {
    const std::int32_t x = set_of(last[k]);
    cells[0] = parts.tested[at(yz * parts.n_sets + x)];
    cells[1] = n_one(last[k], yz);
    cells[2] = n_one(middle, parts.meet_of(x, z));
    cells[3] = of_middle.with(last[k], z);
    cells[4] = n_one(rare, parts.meet_of(x, y));
    cells[5] = of_rare.with(last[k], y);
    cells[6] = of_both.with(middle, x);
    cells[7] = n_all[k];
    cells_from_parts(3, cells);
  }
}

std::uint64_t* ItemSetTables::level_row(std::size_t level, Index row) {
  return levels_.data() + ((Index{2} << level) - 2 + row) * data_.carriers->n_words;
}

/// Row a of level l: the patients tested for chosen[0 … l] who carry chosen[j] wherever bit j of a is set.
void ItemSetTables::choose(std::span<const std::int32_t> chosen) {
  const Index n_words = data_.carriers->n_words;
  std::size_t level = 0;
  while (level < chosen.size() && at_level_[level] == chosen[level]) ++level;
  for (; level < chosen.size(); ++level) {
    at_level_[level] = chosen[level];
    std::fill(at_level_.begin() + static_cast<Index>(level) + 1, at_level_.end(), -1);
    const Index n_before = Index{1} << level;
    // the last two rows are where the feature's own rows are made, and then overwritten
    std::uint64_t* tested = level_row(level, n_before - 1);
    std::uint64_t* carries = level_row(level, 2 * n_before - 1);
    data_.tested.fill(chosen[level], tested);
    fill_carriers(*data_.carriers, chosen[level], carries);
    if (level == 0) continue;
    for (Index a = 0; a < n_before; ++a) {
      const std::uint64_t* before = level_row(level - 1, a);
      and_rows(before, carries, n_words, level_row(level, n_before + a));
      and_rows(before, tested, n_words, level_row(level, a));
    }
  }
}

void ItemSetTables::add_by_rows(std::span<const std::int32_t> chosen, std::span<const std::int32_t> last,
                                std::int32_t* cells) {
  choose(chosen);
  const Index n_words = data_.carriers->n_words, n_rows = Index{1} << chosen.size(), pitch = 2 * batch;
  const int order = out_.order;
  for (std::size_t begin = 0; begin < last.size(); begin += at(batch)) {
    const Index n = std::min<Index>(batch, static_cast<Index>(last.size() - begin));
    for (Index k = 0; k < n; ++k) {
      const std::int32_t rank = last[begin + at(k)];
      data_.tested.fill(rank, columns_.data() + 2 * k * n_words);
      fill_carriers(*data_.carriers, rank, columns_.data() + (2 * k + 1) * n_words);
    }
    std::fill(counts_.begin(), counts_.end(), 0);
    count_both({level_row(chosen.size() - 1, 0), n_words, n_rows}, {columns_.data(), n_words, 2 * n},
               {counts_.data(), pitch, pitch});
    for (Index k = 0; k < n; ++k, cells += n_rows * 2) {
      for (Index a = 0; a < n_rows; ++a) {
        // bit j of a is chosen[j], of which the first is the set's last feature
        Index reversed = 0;
        for (int j = 0; j < order - 1; ++j) reversed |= (a >> j & 1) << (order - 1 - j);
        cells[reversed] = counts_[at(a * pitch + 2 * k)];
        cells[reversed + 1] = counts_[at(a * pitch + 2 * k + 1)];
      }
      cells_from_parts(order, cells);
    }
  }
}

}  // namespace chorale::kernels
