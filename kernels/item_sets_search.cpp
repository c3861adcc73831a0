// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/item_sets_search.hpp"

#include <algorithm>

#include "kernels/pair_counts_body.hpp"

namespace chorale::kernels {
namespace {

std::size_t at(Index i) {
  return static_cast<std::size_t>(i);
}

std::uint32_t narrow(std::size_t i) {
  return static_cast<std::uint32_t>(i);
}

void fill_carriers(const PairLists& lists, Index rank, std::uint64_t* row) {
  if (rank < lists.order->n_head) {
    std::copy_n(lists.head_bits.data() + rank * lists.n_words, lists.n_words, row);
    return;
  }
  std::fill_n(row, lists.n_words, std::uint64_t{0});
  for (const std::int32_t i : lists.of(rank)) row[i / 64] |= std::uint64_t{1} << (i % 64);
}

}  // namespace

void ItemSetSearch::below(Index rank, ItemSetMethod method) {
  fill_row(data_, rank, root_);
  if (static_cast<Index>(root_.partner.size()) < data_.options.order - 1) return;
  chosen_.assign(1, static_cast<std::int32_t>(rank));
  if (method == ItemSetMethod::cheapest) {
    const ItemSetCost cost = cost_of(data_, rank, root_, dense_words_per_ns());
    method = cost.bits_ns < cost.lists_ns ? ItemSetMethod::bits : ItemSetMethod::lists;
  }
  if (data_.options.order == 2) {
    add(root_.partner, root_.n);
  } else if (method == ItemSetMethod::bits) {
    root_bits(rank);
    search_bits(0);
  } else {
    root_lists(rank);
    search_lists(0);
  }
}

void ItemSetSearch::add(std::span<const std::int32_t> last, std::span<const std::int32_t> n_all) {
  const std::vector<std::int32_t>& feature = data_.carriers->order->feature;
  for (const std::int32_t rank : last) {
    out_.feature.push_back(feature[at(rank)]);
    for (std::size_t k = chosen_.size(); k > 0; --k) out_.feature.push_back(feature[at(chosen_[k - 1])]);
  }
  out_.n_all.insert(out_.n_all.end(), n_all.begin(), n_all.end());
}

bool ItemSetSearch::at_last(std::size_t depth) const {
  return static_cast<int>(depth) == data_.options.order - 3;
}

void ItemSetSearch::keep_frequent(const std::vector<std::int32_t>& rank, const std::int32_t* n,
                                  std::size_t item) {
  const auto least = static_cast<std::int32_t>(std::min<Index>(data_.options.min_carriers, INT32_MAX));
  last_.clear();
  n_last_.clear();
  kept_.clear();
  for (std::size_t begin = 0; begin < item; begin += std::size_t{few_cells}) {
    const std::size_t end = std::min(item, begin + std::size_t{few_cells});
    std::int32_t most = 0;
    for (std::size_t j = begin; j < end; ++j) most = std::max(most, n[j]);
    if (most < least) continue;  // as nearly everywhere
    for (std::size_t j = begin; j < end; ++j) {
      if (n[j] < least) continue;
      last_.push_back(rank[j]);
      n_last_.push_back(n[j]);
      kept_.push_back(static_cast<std::int32_t>(j));
    }
  }
}

void ItemSetSearch::root_lists(Index rank) {
  const PairLists& carriers = *data_.carriers;
  const std::vector<Index>& block_begin = carriers.order->block_begin;
  position_of_.resize(at(data_.n_features() + carriers.order->n_blocks()), -1);
  if (lists_.empty()) lists_.emplace_back();
  ListNode& node = lists_.front();
  node.rank = root_.partner;
  const auto for_partners = [&](auto use) {
    std::size_t block = 0;
    for (std::size_t k = 0; k < node.rank.size(); ++k) {
      while (node.rank[k] >= block_begin[block + 1]) ++block;
      use(position_of_[at(node.rank[k]) + block], static_cast<std::int32_t>(k));
    }
  };
  for_partners([](std::int32_t& position, std::int32_t k) { position = k; });
  std::size_t own = 0;
  while (rank >= block_begin[own + 1]) ++own;
  node.item.clear();
  node.begin.assign(1, 0);
  for (Index k = carriers.list_begin[at(rank)]; k < carriers.list_begin[at(rank + 1)]; ++k) {
    const std::size_t patient = at(carriers.list[at(k)]), first = node.item.size();
    std::size_t next = first;
    for (std::size_t b = 0; b <= own; ++b) {
      const PairLists::Block& block = carriers.block[b];
      const std::uint32_t begin = block.quad_begin[patient];
      const std::uint32_t end =
          b == own ? begin + carriers.quads_before[at(k)] : block.quad_begin[patient + 1];
      const std::int32_t* position = position_of_.data() + block_begin[b] + static_cast<Index>(b);
      node.item.resize(next + std::size_t{4} * (end - begin));
      for (std::uint32_t q = begin; q < end; ++q) {
        for (std::uint64_t four = block.quad[q], n = 0; n < 4; ++n, four >>= 16) {
          node.item[next] = position[four & 0xffffU];
          next += node.item[next] >= 0;
        }
      }
    }
    // who has too few of them is in no set
    if (static_cast<int>(next - first) < data_.options.order - 1) next = first;
    node.item.resize(next);
    if (next > first) node.begin.push_back(narrow(next));
  }
  for_partners([](std::int32_t& position, std::int32_t) { position = -1; });
  index_lists(node);
}

/// For every feature where its patients are, as far as they have features before it.
void ItemSetSearch::index_lists(ListNode& node) {
  node.met_begin.assign(node.rank.size() + 1, 0);
  const std::size_t n_patients = node.begin.size() - 1;
  for (std::size_t i = 0; i < n_patients; ++i) {
    for (std::uint32_t k = node.begin[i] + 1; k < node.begin[i + 1]; ++k) ++node.met_begin[at(node.item[k])];
  }
  std::uint32_t sum = 0;
  for (std::uint32_t& begin : node.met_begin) sum += begin, begin = sum;
  node.met.resize(sum);
  // from behind, so that every count becomes the beginning that it is filled down to
  for (std::size_t i = n_patients; i > 0; --i) {
    const std::uint32_t begin = node.begin[i - 1];
    for (std::uint32_t k = begin + 1; k < node.begin[i]; ++k)
      node.met[--node.met_begin[at(node.item[k])]] = {begin, k};
  }
}

/// What is left when `item` of the parent is chosen too and only kept_ may follow.
void ItemSetSearch::child_of(const ListNode& parent, std::size_t item, ListNode& node) {
  std::vector<std::int32_t>& position = count_;  // its counts have been read
  std::fill_n(position.begin(), item, -1);
  node.rank.clear();
  for (const std::int32_t kept : kept_) {
    position[at(kept)] = static_cast<std::int32_t>(node.rank.size());
    node.rank.push_back(parent.rank[at(kept)]);
  }
  node.item.clear();
  node.begin.assign(1, 0);
  for (std::uint32_t m = parent.met_begin[item]; m < parent.met_begin[item + 1]; ++m) {
    for (std::uint32_t k = parent.met[m].begin; k < parent.met[m].end; ++k) {
      const std::int32_t at_node = position[at(parent.item[k])];
      if (at_node >= 0) node.item.push_back(at_node);
    }
    node.begin.push_back(narrow(node.item.size()));
  }
  index_lists(node);
}

void ItemSetSearch::search_lists(std::size_t depth) {
  const ListNode& node = lists_[depth];
  if (count_.size() < node.rank.size()) count_.resize(node.rank.size());
  const std::int32_t* items = node.item.data();
  for (std::size_t item = 1; item < node.rank.size(); ++item) {
    std::int32_t* count = count_.data();
    std::fill_n(count, item, 0);
    for (std::uint32_t m = node.met_begin[item]; m < node.met_begin[item + 1]; ++m) {
      for (std::uint32_t k = node.met[m].begin; k < node.met[m].end; ++k) ++count[items[k]];
    }
    keep_frequent(node.rank, count, item);
    if (last_.empty()) continue;
    chosen_.push_back(node.rank[item]);
    if (at_last(depth)) {
      add(last_, n_last_);
    } else {
      if (lists_.size() == depth + 1) lists_.emplace_back();
      child_of(node, item, lists_[depth + 1]);
      search_lists(depth + 1);
    }
    chosen_.pop_back();
  }
}

void ItemSetSearch::root_bits(Index rank) {
  const Index n_words = data_.carriers->n_words;
  const std::vector<std::int32_t>& partners = root_.partner;
  if (bits_.empty()) bits_.emplace_back();
  BitNode& node = bits_.front();
  node.rank = partners;
  node.row.resize((partners.size() + 1) * at(n_words));
  std::uint64_t* own = node.row.data() + static_cast<Index>(partners.size()) * n_words;
  fill_carriers(*data_.carriers, rank, own);
  for (std::size_t k = 0; k < partners.size(); ++k) {
    std::uint64_t* row = node.row.data() + static_cast<Index>(k) * n_words;
    fill_carriers(*data_.carriers, partners[k], row);
    for (Index w = 0; w < n_words; ++w) row[w] &= own[w];
  }
  count_bits(node);
}

void ItemSetSearch::count_bits(BitNode& node) {
  const auto n = static_cast<Index>(node.rank.size());
  const BitRows rows{node.row.data(), data_.carriers->n_words, n};
  node.n_both.assign(at(n * n), 0);
  count_both(rows, rows, {node.n_both.data(), n, 0});
}

void ItemSetSearch::search_bits(std::size_t depth) {
  const BitNode& node = bits_[depth];
  const Index n_words = data_.carriers->n_words;
  for (std::size_t item = 1; item < node.rank.size(); ++item) {
    keep_frequent(node.rank, node.n_both.data() + item * node.rank.size(), item);
    if (last_.empty()) continue;
    chosen_.push_back(node.rank[item]);
    if (at_last(depth)) {
      add(last_, n_last_);
    } else {
      if (bits_.size() == depth + 1) bits_.emplace_back();
      BitNode& child = bits_[depth + 1];
      child.rank = last_;
      child.row.resize(last_.size() * at(n_words));
      const std::uint64_t* own = node.row.data() + static_cast<Index>(item) * n_words;
      std::uint64_t* row = child.row.data();
      for (const std::int32_t kept : kept_) {
        const std::uint64_t* other = node.row.data() + kept * n_words;
        for (Index w = 0; w < n_words; ++w) *row++ = own[w] & other[w];
      }
      count_bits(child);
      search_bits(depth + 1);
    }
    chosen_.pop_back();
  }
}

}  // namespace chorale::kernels
