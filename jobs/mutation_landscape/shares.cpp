// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "jobs/mutation_landscape/stages.hpp"
#include "kernels/parallel.hpp"
#include "kernels/quantile.hpp"

namespace chorale::jobs::landscape {
namespace {

/// Genes first, first + step, … of those that a part counts; likewise features.
struct Every {
  std::size_t first, step;

  /// Calls use(i) for those of n.
  void of(std::size_t n, auto use) const {
    for (std::size_t i = first; i < n; i += step) use(i);
  }
};

/// Where each gene's values stand in the lists of a shard: (n_genes + 1) each.
struct Places {
  std::vector<std::size_t> fraction{0}, change{0}, text{0};

  explicit Places(const Counts& counts) {
    for (const auto n : counts.fractions.n) fraction.push_back(fraction.back() + static_cast<std::size_t>(n));
    const ChangeLists& changes = counts.changes;
    for (const auto n : changes.n) {
      change.push_back(change.back() + static_cast<std::size_t>(n));
      std::size_t end = text.back();
      for (std::int32_t k = 0; k < n; ++k) end = changes.texts.find('\0', end) + 1;
      text.push_back(end);
    }
  }
};

/// Appends values begin[i] … begin[i + 1] - 1.
void append(auto& to, const auto& from, std::span<const std::size_t> begin, std::size_t i) {
  const auto at = [&](std::size_t place) { return from.begin() + static_cast<std::ptrdiff_t>(place); };
  to.insert(to.end(), at(begin[i]), at(begin[i + 1]));
}

/// The lists of every n-th gene, in no more room than they need: there are as many values as variants.
void take(auto& to, const auto& from, std::span<const std::size_t> begin, Every every) {
  std::size_t n = 0;
  every.of(begin.size() - 1, [&](std::size_t gene) { n += begin[gene + 1] - begin[gene]; });
  to.reserve(n);
  every.of(begin.size() - 1, [&](std::size_t gene) { append(to, from, begin, gene); });
}

template <class T>
std::vector<T> rows(const std::vector<T>& values, std::size_t n_columns, Every every) {
  std::vector<T> some;
  if (n_columns == 0) return some;
  every.of(values.size() / n_columns, [&](std::size_t row) {
    const auto at = values.begin() + static_cast<std::ptrdiff_t>(row * n_columns);
    some.insert(some.end(), at, at + static_cast<std::ptrdiff_t>(n_columns));
  });
  return some;
}

template <class T>
std::vector<T> columns(const std::vector<T>& values, std::size_t n_columns, Every every) {
  std::vector<T> some;
  if (n_columns == 0) return some;
  for (std::size_t row = 0; row < values.size(); row += n_columns)
    every.of(n_columns, [&](std::size_t column) { some.push_back(values[row + column]); });
  return some;
}

Counts share_of(const Counts& shard, const Places& places, std::size_t n_features, std::size_t n_classes,
                Every every) {
  Counts share;
  if (every.first == 0) {
    share.ledger = shard.ledger;
    share.patients = shard.patients;
    share.burden = shard.burden;
  }
  share.carriers = columns(shard.carriers, n_features, every);
  share.tested = columns(shard.tested, n_features, every);
  share.class_variants = rows(shard.class_variants, n_classes, every);
  share.class_patients = rows(shard.class_patients, n_classes, every);
  share.fractions.n = rows(shard.fractions.n, 1, every);
  take(share.fractions.values, shard.fractions.values, places.fraction, every);
  share.changes.n = rows(shard.changes.n, 1, every);
  take(share.changes.patients, shard.changes.patients, places.change, every);
  take(share.changes.texts, shard.changes.texts, places.text, every);
  return share;
}

template <class T>
void add(std::vector<std::int64_t>& total, const std::vector<T>& more) {
  if (total.size() < more.size()) total.resize(more.size(), 0);
  for (std::size_t i = 0; i < more.size(); ++i) total[i] += more[i];
}

/// A change in a shard: patients that carry it there.
struct Found {
  std::uint64_t first_bytes;  ///< of the text, in its order
  std::string_view text;
  std::int64_t n_patients;

  bool operator<(const Found& other) const {
    return first_bytes != other.first_bytes ? first_bytes < other.first_bytes : text < other.text;
  }
};

std::uint64_t first_bytes(std::string_view text) {
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < sizeof bytes; ++i)
    bytes = bytes << 8 | (i < text.size() ? static_cast<unsigned char>(text[i]) : 0U);
  return bytes;
}

/// All shards' lists, gene by gene. Texts stay in the shards.
class Lists {
 public:
  Lists(std::span<const Counts> shards) : shards_(shards) {
    for (const Counts& shard : shards) places_.emplace_back(shard);
  }

  std::vector<float> fractions(std::size_t gene) const {
    std::vector<float> all;
    for (std::size_t s = 0; s < shards_.size(); ++s)
      append(all, shards_[s].fractions.values, places_[s].fraction, gene);
    return all;
  }

  /// Each of the gene's changes once, in the order of texts.
  std::vector<Found> changes(std::size_t gene) const {
    std::vector<Found> all;
    for (std::size_t s = 0; s < shards_.size(); ++s) {
      const ChangeLists& lists = shards_[s].changes;
      const char* at = lists.texts.data() + places_[s].text[gene];
      for (std::size_t k = places_[s].change[gene]; k < places_[s].change[gene + 1]; ++k) {
        const std::string_view text(at);
        all.push_back({.first_bytes = first_bytes(text), .text = text, .n_patients = lists.patients[k]});
        at += text.size() + 1;
      }
    }
    std::sort(all.begin(), all.end());
    std::size_t n = 0;
    for (const Found& found : all) {
      if (n > 0 && !(all[n - 1] < found))
        all[n - 1].n_patients += found.n_patients;
      else
        all[n++] = found;
    }
    all.resize(n);
    return all;
  }

 private:
  std::span<const Counts> shards_;
  std::vector<Places> places_;
};

/// The n changes that most patients share, of any number that are shown to it.
class Top {
 public:
  explicit Top(std::size_t n) : n_(n) {}

  void see(std::int32_t gene, const Found& found) {
    if (found.n_patients < least_) return;
    kept_.push_back({.gene = gene, .text = found.text, .n_patients = found.n_patients});
    if (kept_.size() >= 2 * n_ + 100) shorten();
  }
  void see(const Top& other) { kept_.insert(kept_.end(), other.kept_.begin(), other.kept_.end()); }
  std::vector<Change> give() {
    shorten();
    std::sort(kept_.begin(), kept_.end());
    std::vector<Change> changes;
    for (const Kept& kept : kept_)
      changes.push_back(
          {.gene = kept.gene, .protein_change = std::string(kept.text), .n_patients = kept.n_patients});
    return changes;
  }

 private:
  struct Kept {
    std::int32_t gene;
    std::string_view text;
    std::int64_t n_patients;

    bool operator<(const Kept& other) const {
      if (n_patients != other.n_patients) return n_patients > other.n_patients;
      return gene != other.gene ? gene < other.gene : text < other.text;
    }
  };
  void shorten() {
    if (kept_.size() <= n_) return;
    const auto end = kept_.begin() + static_cast<std::ptrdiff_t>(n_);
    std::nth_element(kept_.begin(), end, kept_.end());
    least_ = end->n_patients;
    kept_.erase(end, kept_.end());
  }

  std::size_t n_;
  std::vector<Kept> kept_;
  std::int64_t least_ = 0;  // what must at least be had to be among the n
};

FractionRow describe(std::int32_t gene, std::span<const float> fractions) {
  constexpr std::array quartiles{0.25, 0.5, 0.75};
  const auto q = kernels::quantiles(fractions, quartiles);
  return {.gene = gene,
          .n = static_cast<std::int64_t>(fractions.size()),
          .lower = q[0],
          .median = q[1],
          .upper = q[2]};
}

void describe_genes(const Lists& lists, std::size_t n_genes, std::size_t n_top, Totals& totals) {
  std::vector<FractionRow> fractions(n_genes);
  // threads take every 32nd gene: frequent genes tend to stand together
  constexpr std::size_t n_tasks = 32;
  std::vector<Top> tops(n_tasks, Top(n_top));
  kernels::in_parallel(n_tasks, [&](std::size_t task) {
    for (std::size_t k = task; k < n_genes; k += n_tasks) {
      const auto gene = static_cast<std::int32_t>(totals.first + static_cast<Index>(k) * totals.step);
      fractions[k] = describe(gene, lists.fractions(k));
      if (n_top == 0) continue;
      for (const Found& change : lists.changes(k)) tops[task].see(gene, change);
    }
  });
  for (const FractionRow& row : fractions)
    if (row.n > 0) totals.fractions.push_back(row);
  for (std::size_t task = 1; task < n_tasks; ++task) tops[0].see(tops[task]);
  totals.changes = tops[0].give();
}

}  // namespace

std::vector<Part> share_out(const engine::Setup& setup, std::vector<Part> parts, Index n) {
  const auto n_features = static_cast<std::size_t>(setup.features.size());
  const std::size_t n_classes = setup.catalogue.variant_classes.size();
  std::vector<Part> shares(static_cast<std::size_t>(n));
  for (std::size_t i = 0; i < shares.size(); ++i) {
    shares[i].first = static_cast<Index>(i);
    shares[i].step = n;
  }
  for (Part& part : parts) {
    Counts shard = std::move(part.shards.front());
    if (n == 1) {
      shares.front().shards.push_back(std::move(shard));
      continue;
    }
    const Places places(shard);
    for (std::size_t i = 0; i < shares.size(); ++i)
      shares[i].shards.push_back(
          share_of(shard, places, n_features, n_classes, {.first = i, .step = shares.size()}));
  }
  return shares;
}

Part join(const Design& design, std::vector<Part> shares) {
  Part joined;
  Totals& totals = joined.totals;
  totals.first = shares.front().first;
  totals.step = shares.front().step;
  std::vector<Counts> shards;
  for (Part& share : shares)
    for (Counts& shard : share.shards) shards.push_back(std::move(shard));
  for (const Counts& shard : shards) {
    if (!shard.patients.empty()) totals.ledger.add(shard.ledger);
    add(totals.patients, shard.patients);
    add(totals.carriers, shard.carriers);
    add(totals.tested, shard.tested);
    add(totals.class_variants, shard.class_variants);
    add(totals.class_patients, shard.class_patients);
    totals.burden.resize(std::max(totals.burden.size(), shard.burden.size()));
    for (std::size_t g = 0; g < shard.burden.size(); ++g) add(totals.burden[g], shard.burden[g]);
  }
  describe_genes(Lists(shards), shards.front().fractions.n.size(),
                 static_cast<std::size_t>(design.config.top_changes), totals);
  return joined;
}

}  // namespace chorale::jobs::landscape
