// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>

#include "jobs/interaction_screen/family.hpp"
#include "jobs/interaction_screen/stages.hpp"

namespace chorale::jobs::interaction {
namespace {

/// Pairs by first and second feature, with the reasons why they are chosen.
class Choice {
 public:
  void add(std::int32_t a, std::int32_t b, PairFlag flag) { all_.push_back({.a = a, .b = b, .flags = flag}); }
  std::vector<ChosenPair> pairs() && {
    std::sort(all_.begin(), all_.end(), [](const ChosenPair& x, const ChosenPair& y) {
      return std::tie(x.a, x.b) < std::tie(y.a, y.b);
    });
    std::vector<ChosenPair> pairs;
    for (const ChosenPair& next : all_) {
      if (!pairs.empty() && pairs.back().a == next.a && pairs.back().b == next.b)
        pairs.back().flags |= next.flags;
      else
        pairs.push_back(next);
    }
    return pairs;
  }

 private:
  std::vector<ChosenPair> all_;
};

void add_hits(const Config& config, const Family& family, PairFlag flag, Choice& choice) {
  for (const Index k : family.hits(config)) {
    const KeptP& hit = family.kept[static_cast<std::size_t>(k)];
    choice.add(hit.a, hit.b, flag);
  }
}

void choose_by_association(const Design& design, const Family& family, Choice& choice) {
  const Config& config = design.config;
  if (config.report == Report::all) {
    for (std::int32_t a = 0; a < design.n_features; ++a)
      for (std::int32_t b = a + 1; b < design.n_features; ++b) choice.add(a, b, by_association);
    return;
  }
  add_hits(config, family, by_association, choice);
}

}  // namespace

std::vector<ChosenPair> choose_pairs(const Design& design, std::span<const std::int64_t> counts,
                                     std::span<const Part> parts) {
  Choice choice;
  choose_by_association(design, Family::of_test(design, counts, parts, 0), choice);
  if (design.config.report != Report::all)
    add_hits(design.config, Family::of_interaction(design, counts, parts, {}), by_screen, choice);
  const double bound = std::log10(design.config.screen_p);
  for (const Part& part : parts) {
    for (const KeptP& kept : part.pairs.interaction.kept)
      if (kept.log10_p <= bound) choice.add(kept.a, kept.b, by_screen);
    for (const auto& pair : part.pairs.checked) choice.add(pair.a, pair.b, by_check);
    for (const std::int32_t a : part.most_frequent)
      for (const std::int32_t b : part.most_frequent)
        if (a < b) choice.add(a, b, by_matrix);
  }
  return std::move(choice).pairs();
}

}  // namespace chorale::jobs::interaction
