// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "jobs/interaction_screen/counts.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>
#include <utility>

#include "jobs/interaction_screen/family.hpp"
#include "jobs/interaction_screen/stages.hpp"

namespace chorale::jobs::interaction {
namespace {

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

/// How many p lie in a bin of the tail or below it.
Index number_from(std::span<const std::int64_t> tail, Index bin) {
  return std::accumulate(tail.begin() + bin, tail.end(), std::int64_t{0});
}

void count(const PTally& tally, std::span<std::int64_t> numbers) {
  numbers[0] += tally.n_tested;
  for (std::size_t i = 0; i < tally.bins.size(); ++i) numbers[1 + i] += tally.bins[i];
  const auto tail = numbers.subspan(size(1 + PTally::n_bins));
  for (const KeptP& p : tally.kept) ++tail[size(Tail::bin(p.log10_p))];
}

void join(PTally& all, PTally& more, Index first) {
  std::erase_if(more.kept, [&](const KeptP& p) { return Tail::bin(p.log10_p) < first; });
  all.kept.insert(all.kept.end(), more.kept.begin(), more.kept.end());
  all.smallest = std::fmin(all.smallest, more.smallest);
}

template <class T>
void move_to(std::vector<T>& all, std::vector<T>& more) {
  all.insert(all.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

}  // namespace

Index Tail::bin(double log10_p) {
  const double place = -log10_p / width;
  return place < static_cast<double>(n_bins - 1) ? static_cast<Index>(std::max(0.0, place)) : n_bins - 1;
}

std::vector<std::int64_t> count_pairs(const Design& design, std::span<const Part> parts) {
  const std::size_t n_families = design.tests.size() + 1;
  std::vector<std::int64_t> counts(n_families * FamilyCounts::n_numbers + 1);
  const auto family = [&](std::size_t f) {
    return std::span(counts).subspan(f * FamilyCounts::n_numbers, FamilyCounts::n_numbers);
  };
  for (const Part& part : parts) {
    for (std::size_t t = 0; t < part.pairs.tests.size(); ++t) count(part.pairs.tests[t], family(t));
    count(part.pairs.interaction, family(n_families - 1));
    counts.back() += static_cast<std::int64_t>(part.pairs.checked.size());
  }
  return counts;
}

FamilyCounts family_counts(std::span<const std::int64_t> counts, std::size_t family) {
  const auto numbers = counts.subspan(family * FamilyCounts::n_numbers, FamilyCounts::n_numbers);
  return {.n_tested = numbers[0],
          .bins = numbers.subspan(1, PTally::n_bins),
          .tail = numbers.subspan(size(1 + PTally::n_bins))};
}

Index first_needed(const Design& design, std::int64_t n_tested, std::span<const std::int64_t> tail,
                   Index extra) {
  const Config& config = design.config;
  constexpr double rounding = 1e-9;
  const double log10_m = std::log10(static_cast<double>(std::max<std::int64_t>(n_tested, 1)));
  Index number = extra, first = Tail::n_bins - 1;
  for (Index bin = Tail::n_bins - 1; bin >= 0; --bin) {
    number += tail[size(bin)];
    const double q = -static_cast<double>(bin + 1) * Tail::width + log10_m -
                     std::log10(static_cast<double>(std::max<Index>(number, 1)));
    if (q <= std::log10(config.report_q) + rounding) first = bin;
  }
  if (config.report == Report::p) first = std::min(first, Tail::bin(std::log10(config.report_p)));
  if (config.report == Report::top) {
    Index top = Tail::n_bins - 1;
    for (Index n = tail[size(top)]; top > 0 && n < config.report_top; n += tail[size(top)]) --top;
    first = std::min(first, top);
  }
  return first;
}

std::vector<Index> first_needed(const Design& design, std::span<const std::int64_t> counts) {
  const std::size_t n_tests = design.tests.size();
  if (design.keeps_every_p()) return std::vector<Index>(n_tests + 1);
  std::vector<Index> first;
  for (std::size_t t = 0; t < n_tests; ++t) {
    const FamilyCounts family = family_counts(counts, t);
    first.push_back(first_needed(design, family.n_tested, family.tail, 0));
  }
  // every pair that may get a full fit may bring a p of its own into the family
  const FamilyCounts family = family_counts(counts, n_tests);
  const Index screened = Tail::bin(std::log10(design.config.screen_p));
  const Index chosen = std::min(screened, first_needed(design, family.n_tested, family.tail, 0));
  const Index extra = number_from(family_counts(counts, 0).tail, first.front()) +
                      number_from(family.tail, chosen) + counts.back() +
                      design.config.matrix_features * design.config.matrix_features;
  first.push_back(std::min(screened, first_needed(design, family.n_tested, family.tail, extra)));
  return first;
}

std::vector<std::int64_t> count_details(const Design& design, std::span<const Part> parts) {
  std::vector<std::int64_t> tail(size(Tail::n_bins));
  if (design.keeps_every_p()) return tail;
  for (const Part& part : parts)
    for (const PairRow& row : part.rows)
      if (const double p = row.asked ? lrt_log10_p(row) : kernels::missing; !std::isnan(p))
        ++tail[size(Tail::bin(p))];
  return tail;
}

void condense_pairs(const Design& design, std::span<const std::int64_t> counts, std::vector<Part>& parts) {
  if (parts.empty()) return;
  const std::vector<Index> first = first_needed(design, counts);
  Part all;
  all.pairs.tests.resize(design.tests.size());
  for (Part& part : parts) {
    if (!part.carriers.empty()) {
      all.carriers = std::move(part.carriers);
      all.tested = std::move(part.tested);
      all.most_frequent = std::move(part.most_frequent);
      all.strata_labels = std::move(part.strata_labels);
      all.ledger = std::move(part.ledger);
    }
    PairsPart& to = all.pairs;
    PairsPart& from = part.pairs;
    for (std::size_t t = 0; t < to.tests.size(); ++t) join(to.tests[t], from.tests[t], first[t]);
    join(to.interaction, from.interaction, first.back());
    to.n_pairs += from.n_pairs;
    to.n_untested += from.n_untested;
    to.n_uninformative += from.n_uninformative;
    to.n_rare += from.n_rare;
    to.n_not_fitted += from.n_not_fitted;
    to.n_proven += from.n_proven;
    to.checked.insert(to.checked.end(), from.checked.begin(), from.checked.end());
  }
  parts.clear();
  parts.push_back(std::move(all));
}

void condense_details(const Design& design, std::span<const std::int64_t> pair_counts,
                      std::span<const std::int64_t> counts, std::vector<Part>& parts) {
  if (parts.empty()) return;
  Index first = 0;
  if (!design.keeps_every_p() && design.config.permutations == 0) {
    // pairs without a full fit lie above screen_p; those of the screen's tail that do are all counted as such
    const FamilyCounts screen = family_counts(pair_counts, design.tests.size());
    std::vector<std::int64_t> tail(counts.begin(), counts.end());
    const Index screened = Tail::bin(std::log10(design.config.screen_p));
    for (Index bin = 0; bin <= screened; ++bin) tail[size(bin)] += screen.tail[size(bin)];
    first = first_needed(design, screen.n_tested, tail, 0);
  }
  Part all;
  for (Part& part : parts) {
    for (PairRow& row : part.rows) {
      const LightRow light = light_of(row);
      all.light.push_back(light);
      const bool shown = (row.pair.flags & (by_association | by_matrix)) != 0;
      if (first == 0 || shown || (!std::isnan(light.lrt_log10_p) && Tail::bin(light.lrt_log10_p) >= first))
        all.rows.push_back(std::move(row));
    }
  }
  parts.clear();
  parts.push_back(std::move(all));
}

void condense_sets(const Design& design, std::vector<Part>& parts) {
  if (parts.empty()) return;
  Part all;
  for (Part& part : parts) {
    for (std::size_t order = 0; order < all.n_sets.size(); ++order) all.n_sets[order] += part.n_sets[order];
    move_to(all.set_rows, part.set_rows);
  }
  all.sets = choose_sets(design, parts);
  parts.clear();
  parts.push_back(std::move(all));
}

}  // namespace chorale::jobs::interaction
