// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/outcome_groups.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "kernels/error.hpp"

namespace chorale::kernels {
namespace {

std::size_t at(Index i) {
  return static_cast<std::size_t>(i);
}

struct Asked {
  std::int32_t partner;
  Index slot;
};

/// What a set of patients adds to a pair's numbers, as they are.
struct Own {
  double sum = 0, squares = 0;  ///< U and Q
  double variance = 0;          ///< Σ_s σ² (n − n²/n_s)
  double share = 0;             ///< Σ_s (n/n_s) Σ_{i in s} (M_i − mean)²
};

/// Moments of one pair under permutation, and its sums as they are.
struct Moments {
  Own a, b, both;
  double ab = 0, both_a = 0, both_b = 0;  ///< covariances
  double squares = 0;                     ///< of everybody tested for both
};

double observed_of(const OutcomeRows& rows, std::int32_t row) {
  const OutcomeRows::Stratum& stratum = rows.strata[at(rows.stratum_of_row[at(row)])];
  return rows.centred[at(stratum.begin + row - stratum.row_begin)];
}

void add_patient(double value, Own& sums) {
  sums.sum += value;
  sums.squares += value * value;
}

void add_count(const OutcomeRows::Stratum& stratum, double n, Own& sums) {
  sums.variance += stratum.variance * n - stratum.per_patient() * n * n;
  sums.share += stratum.per_patient() * static_cast<double>(stratum.n - 1) * n;
}

/// (n_features, n_classes)
std::vector<Own> own_sums(const OutcomeRows& rows) {
  std::vector<Own> own(at(rows.n_features() * rows.n_classes));
  for (Index f = 0; f < rows.n_features(); ++f) {
    const OutcomeRows::Feature& feature = rows.features[at(f)];
    for (const OutcomeRows::Run& run : feature.runs) {
      const OutcomeRows::Stratum& stratum = rows.strata[at(run.stratum)];
      Own of_run;
      for (Index k = run.begin; k < run.end; ++k) add_patient(observed_of(rows, feature.rows[at(k)]), of_run);
      add_count(stratum, run.n(), of_run);
      for (std::int32_t c = 0; c < rows.n_classes; ++c) {
        if (!rows.is_tested(c, run.stratum)) continue;
        Own& sums = own[at(f * rows.n_classes + c)];
        sums.sum += of_run.sum;
        sums.squares += of_run.squares;
        sums.variance += of_run.variance;
        sums.share += of_run.share;
      }
    }
  }
  return own;
}

/// Sums of squares over the strata that both classes are tested in, (n_classes, n_classes).
std::vector<double> class_squares(const OutcomeRows& rows) {
  std::vector<double> squares;
  for (std::int32_t c = 0; c < rows.n_classes; ++c) {
    for (std::int32_t d = 0; d < rows.n_classes; ++d) {
      double sum = 0;
      for (std::size_t s = 0; s < rows.strata.size(); ++s) {
        const auto code = static_cast<std::int32_t>(s);
        if (rows.is_tested(c, code) && rows.is_tested(d, code))
          sum += rows.strata[s].variance * static_cast<double>(std::max<Index>(0, rows.strata[s].n - 1));
      }
      squares.push_back(sum);
    }
  }
  return squares;
}

/// The weights and squares of a pair; false where it is not identified.
bool contrast(const Moments& found, double n_both, OutcomePair& pair) {
  constexpr double nothing_left = 1e-9;
  const double aa = found.a.variance, bb = found.b.variance;
  const double determinant = aa * bb - found.ab * found.ab;
  if (!(determinant > nothing_left * aa * bb)) return false;
  const double on_a = (bb * found.both_a - found.ab * found.both_b) / determinant;
  const double on_b = (aa * found.both_b - found.ab * found.both_a) / determinant;
  const double variance = found.both.variance - on_a * found.both_a - on_b * found.both_b;
  if (!(variance > nothing_left * found.both.variance)) return false;
  const double both = 1 / std::sqrt(variance), a = -both * on_a, b = -both * on_b;
  pair.weight_both = both;
  pair.weight_a = a;
  pair.weight_b = b;
  // Σ (c − mean c)² M² from Σ c² M² and Σ c M², c = a, b or a + b + both by what a patient carries
  const double mean = (both * found.both.share + a * found.a.share + b * found.b.share) / found.squares;
  const double kept = n_both / (n_both + outcome_prior_carriers);
  pair.square_both = kept * ((a + b + both) * (a + b + both) - a * a - b * b - 2 * mean * both);
  pair.square_a = kept * (a * a - 2 * mean * a);
  pair.square_b = kept * (b * b - 2 * mean * b);
  pair.square_all = kept * mean * mean * found.squares + (1 - kept);
  return true;
}

double statistic(const Moments& found, const OutcomePair& pair) {
  const double contrast =
      pair.weight_both * found.both.sum + pair.weight_a * found.a.sum + pair.weight_b * found.b.sum;
  const double variance = pair.square_both * found.both.squares + pair.square_a * found.a.squares +
                          pair.square_b * found.b.squares + pair.square_all;
  return contrast / std::sqrt(variance);
}

/// One thread's room.
class GroupMaker {
 public:
  GroupMaker(const OutcomeRows& rows, std::span<const Own> own, std::span<const double> squares)
      : rows_(rows),
        own_(own),
        squares_(squares),
        n_a_(rows.strata.size(), 0),
        n_b_(rows.strata.size(), 0),
        slot_of_(at(rows.n_features()), -1) {}

  void make(std::span<const Asked> asked, Index min_both, OutcomeGroup& group,
            std::span<Interaction> observed);

 private:
  void list_members(std::span<const Asked> asked, OutcomeGroup& group);
  Moments moments(const OutcomeGroup& group, std::int32_t partner, std::span<const std::int32_t> members);

  const OutcomeRows& rows_;
  std::span<const Own> own_;           ///< (n_features, n_classes)
  std::span<const double> squares_;    ///< (n_classes, n_classes)
  std::vector<double> n_a_, n_b_;      ///< carriers by stratum; zeros between uses
  std::vector<std::int32_t> slot_of_;  ///< by feature, place among those asked; -1 between uses
  std::vector<std::int64_t> begin_;    ///< members of each pair asked
};

void GroupMaker::list_members(std::span<const Asked> asked, OutcomeGroup& group) {
  for (std::size_t k = 0; k < asked.size(); ++k)
    slot_of_[at(asked[k].partner)] = static_cast<std::int32_t>(k);
  begin_.assign(asked.size() + 1, 0);
  const std::vector<std::int32_t>& rows = rows_.features[at(group.feature)].rows;
  const auto for_each = [&](const auto& meet) {
    for (std::size_t j = 0; j < rows.size(); ++j) {
      const auto row = at(rows[j]);
      for (std::size_t k = rows_.features_begin[row]; k < rows_.features_begin[row + 1]; ++k) {
        const std::int32_t slot = slot_of_[at(rows_.features_of[k])];
        if (slot >= 0) meet(at(slot), static_cast<std::int32_t>(j));
      }
    }
  };
  for_each([&](std::size_t slot, std::int32_t) { ++begin_[slot + 1]; });
  for (std::size_t k = 1; k < begin_.size(); ++k) begin_[k] += begin_[k - 1];
  group.members.resize(at(begin_.back()));
  std::vector<std::int64_t> next(begin_);
  for_each([&](std::size_t slot, std::int32_t j) { group.members[at(next[slot]++)] = j; });
  for (const Asked& one : asked) slot_of_[at(one.partner)] = -1;
}

Moments GroupMaker::moments(const OutcomeGroup& group, std::int32_t partner,
                            std::span<const std::int32_t> members) {
  const OutcomeRows::Feature &a = rows_.features[at(group.feature)], &b = rows_.features[at(partner)];
  Moments found;
  found.a = own_[at(group.feature * rows_.n_classes + b.tested_class)];
  found.b = own_[at(partner * rows_.n_classes + a.tested_class)];
  found.squares = squares_[at(a.tested_class * rows_.n_classes + b.tested_class)];
  for (const OutcomeRows::Run& run : b.runs) {
    n_b_[at(run.stratum)] = run.n();
    found.ab -= rows_.strata[at(run.stratum)].per_patient() * n_a_[at(run.stratum)] * run.n();
  }
  for (std::size_t k = 0; k < members.size();) {
    // the members of one stratum follow each other
    const std::int32_t code = rows_.stratum_of_row[at(a.rows[at(members[k])])];
    double n = 0;
    for (; k < members.size() && rows_.stratum_of_row[at(a.rows[at(members[k])])] == code; ++k, ++n)
      add_patient(observed_of(rows_, a.rows[at(members[k])]), found.both);
    const OutcomeRows::Stratum& stratum = rows_.strata[at(code)];
    add_count(stratum, n, found.both);
    found.ab += stratum.variance * n;
    found.both_a += stratum.variance * n - stratum.per_patient() * n * n_a_[at(code)];
    found.both_b += stratum.variance * n - stratum.per_patient() * n * n_b_[at(code)];
  }
  for (const OutcomeRows::Run& run : b.runs) n_b_[at(run.stratum)] = 0;
  return found;
}

void GroupMaker::make(std::span<const Asked> asked, Index min_both, OutcomeGroup& group,
                      std::span<Interaction> observed) {
  const OutcomeRows::Feature& a = rows_.features[at(group.feature)];
  for (const OutcomeRows::Run& run : a.runs) n_a_[at(run.stratum)] = run.n();
  list_members(asked, group);
  for (std::size_t k = 0; k < asked.size(); ++k) {
    Interaction& result = observed[at(asked[k].slot)];
    result = {.n_both = begin_[k + 1] - begin_[k]};
    if (result.n_both < min_both) continue;
    result.verdict = InteractionVerdict::not_identified;
    const auto members = std::span(group.members).subspan(at(begin_[k]), at(result.n_both));
    const Moments found = moments(group, asked[k].partner, members);
    OutcomePair pair;
    if (!contrast(found, static_cast<double>(result.n_both), pair)) continue;
    const OutcomeRows::Feature& b = rows_.features[at(asked[k].partner)];
    pair.slot = asked[k].slot;
    pair.partner = asked[k].partner;
    pair.members_begin = begin_[k];
    pair.members_end = begin_[k + 1];
    pair.sum_a = outcome_sum_of(rows_, group.feature, b.tested_class);
    pair.sum_b = outcome_sum_of(rows_, asked[k].partner, a.tested_class);
    group.pairs.push_back(pair);
    result.verdict = InteractionVerdict::tested;
    result.z = statistic(found, pair);
  }
  for (const OutcomeRows::Run& run : a.runs) n_a_[at(run.stratum)] = 0;
}

std::vector<std::vector<Asked>> by_rarer_feature(const OutcomeRows& rows,
                                                 std::span<const FeaturePair> pairs) {
  std::vector<std::vector<Asked>> asked(at(rows.n_features()));
  for (std::size_t slot = 0; slot < pairs.size(); ++slot) {
    auto [a, b] = pairs[slot];
    if (a < 0 || b < 0 || a >= rows.n_features() || b >= rows.n_features() || a == b) {
      throw ShapeError({.what = "no pair of features",
                        .found = fmt::format("{} and {}", a, b),
                        .expected = fmt::format("two of {}", rows.n_features())});
    }
    const auto order = [&](std::int32_t f) { return std::pair(rows.features[at(f)].rows.size(), f); };
    if (order(b) < order(a)) std::swap(a, b);
    asked[at(a)].push_back({b, static_cast<Index>(slot)});
  }
  std::vector<std::int32_t> last(asked.size(), -1);
  for (std::size_t a = 0; a < asked.size(); ++a) {
    for (const Asked& one : asked[a]) {
      if (last[at(one.partner)] == static_cast<std::int32_t>(a)) {
        throw ShapeError({.what = "a pair stands twice",
                          .found = fmt::format("{} and {}", a, one.partner),
                          .expected = "each pair once"});
      }
      last[at(one.partner)] = static_cast<std::int32_t>(a);
    }
  }
  return asked;
}

}  // namespace

std::vector<OutcomeGroup> make_outcome_groups(const OutcomeRows& rows, std::span<const FeaturePair> pairs,
                                              Index min_both, std::span<Interaction> observed) {
  const auto asked = by_rarer_feature(rows, pairs);
  const Index n_features = rows.n_features();
  const std::vector<Own> own = own_sums(rows);
  const std::vector<double> squares = class_squares(rows);
  std::vector<OutcomeGroup> groups(asked.size());
#pragma omp parallel
  {
    GroupMaker maker(rows, own, squares);
#pragma omp for schedule(dynamic)
    for (Index a = 0; a < n_features; ++a) {
      groups[at(a)].feature = static_cast<std::int32_t>(a);
      if (!asked[at(a)].empty()) maker.make(asked[at(a)], min_both, groups[at(a)], observed);
    }
  }
  std::erase_if(groups, [](const OutcomeGroup& group) { return group.pairs.empty(); });
  return groups;
}

}  // namespace chorale::kernels
