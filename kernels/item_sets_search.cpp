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

}  // namespace

void ItemSetSearch::below(Index rank, ItemSetMethod method) {
  chosen_.assign(1, static_cast<std::int32_t>(rank));
  const auto partners = data_.pairs.partners_of(rank);
  if (static_cast<Index>(partners.size()) < data_.options.order - 1) return;
  if (data_.options.order == 2) {
    tables_.add(chosen_, partners, data_.pairs.counts_of(rank));
  } else if (method == ItemSetMethod::bits) {
    root_bits(rank);
    search_bits(0);
  } else {
    root_lists(rank);
    search_lists(0);
  }
}

bool ItemSetSearch::at_last(std::size_t depth) const {
  return static_cast<int>(depth) == data_.options.order - 3;
}

void ItemSetSearch::keep_frequent(const std::vector<std::int32_t>& rank, const std::int32_t* n,
                                  std::size_t item) {
  const auto least = static_cast<std::int32_t>(std::min<Index>(data_.options.min_carriers, INT32_MAX));
  last_.resize(item);
  n_last_.resize(item);
  kept_.resize(item);
  std::size_t n_kept = 0;
  for (std::size_t j = 0; j < item; ++j) {
    last_[n_kept] = rank[j];
    n_last_[n_kept] = n[j];
    kept_[n_kept] = static_cast<std::int32_t>(j);
    n_kept += n[j] >= least;
  }
  last_.resize(n_kept);
  n_last_.resize(n_kept);
  kept_.resize(n_kept);
}

void ItemSetSearch::root_lists(Index rank) {
  const PairLists& carriers = *data_.carriers;
  const Transactions& all = data_.transactions();
  position_of_.resize(at(data_.n_features()), -1);
  if (lists_.empty()) lists_.emplace_back();
  ListNode& node = lists_.front();
  const auto partners = data_.pairs.partners_of(rank);
  node.rank.assign(partners.begin(), partners.end());
  for (std::size_t k = 0; k < partners.size(); ++k)
    position_of_[at(partners[k])] = static_cast<std::int32_t>(k);
  node.item.clear();
  node.begin.assign(1, 0);
  for (Index k = carriers.list_begin[at(rank)]; k < carriers.list_begin[at(rank + 1)]; ++k) {
    const std::int32_t* from = all.rank.data() + all.begin[at(carriers.list[at(k)])];
    const std::int32_t n = all.ahead[at(k)];
    if (n < data_.options.order - 1) continue;
    const std::size_t before = node.item.size();
    node.item.resize(before + at(n));
    std::size_t next = before;
    for (const std::int32_t* each = from; each < from + n; ++each) {
      const std::int32_t position = position_of_[at(*each)];
      node.item[next] = position;
      next += position >= 0;
    }
    node.item.resize(next);
    node.begin.push_back(narrow(next));
  }
  for (const std::int32_t partner : partners) position_of_[at(partner)] = -1;
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
      tables_.add(chosen_, last_, n_last_);
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
  const auto partners = data_.pairs.partners_of(rank);
  if (bits_.empty()) bits_.emplace_back();
  BitNode& node = bits_.front();
  node.rank.assign(partners.begin(), partners.end());
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
      tables_.add(chosen_, last_, n_last_);
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
