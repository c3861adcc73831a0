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

/// Moments of one pair under permutation, and its sums as they are.
struct Moments {
  double aa = 0, bb = 0, ab = 0;  ///< covariance of U_a, U_b
  double both_a = 0, both_b = 0, both_both = 0;
  double u_a = 0, u_b = 0, u_both = 0;
};

/// U of a feature over the strata of a class, and its variance Σ_s σ² (n − n²/n_s).
struct Own {
  double sum = 0, variance = 0;
};

double observed_of(const OutcomeRows& rows, std::int32_t row) {
  const OutcomeRows::Stratum& stratum = rows.strata[at(rows.stratum_of_row[at(row)])];
  return rows.centred[at(stratum.begin + row - stratum.row_begin)];
}

/// (n_features, n_classes)
std::vector<Own> own_sums(const OutcomeRows& rows) {
  std::vector<Own> own(at(rows.n_features() * rows.n_classes));
  for (Index f = 0; f < rows.n_features(); ++f) {
    const OutcomeRows::Feature& feature = rows.features[at(f)];
    for (const OutcomeRows::Run& run : feature.runs) {
      const OutcomeRows::Stratum& stratum = rows.strata[at(run.stratum)];
      Own of_run{.variance = stratum.variance * run.n() - stratum.per_patient() * run.n() * run.n()};
      for (Index k = run.begin; k < run.end; ++k) of_run.sum += observed_of(rows, feature.rows[at(k)]);
      for (std::int32_t c = 0; c < rows.n_classes; ++c) {
        if (!rows.is_tested(c, run.stratum)) continue;
        own[at(f * rows.n_classes + c)].sum += of_run.sum;
        own[at(f * rows.n_classes + c)].variance += of_run.variance;
      }
    }
  }
  return own;
}

/// One thread's room.
class GroupMaker {
 public:
  GroupMaker(const OutcomeRows& rows, std::span<const Own> own)
      : rows_(rows),
        own_(own),
        n_a_(rows.strata.size(), 0),
        n_b_(rows.strata.size(), 0),
        slot_of_(at(rows.n_features()), -1) {}

  void make(std::span<const Asked> asked, Index min_both, OutcomeGroup& group,
            std::span<Interaction> observed);

 private:
  void list_members(std::span<const Asked> asked, OutcomeGroup& group);
  Moments moments(const OutcomeGroup& group, std::int32_t partner, std::span<const std::int32_t> members);

  const OutcomeRows& rows_;
  std::span<const Own> own_;
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
  const Own &own_a = own_[at(group.feature * rows_.n_classes + b.tested_class)],
            &own_b = own_[at(partner * rows_.n_classes + a.tested_class)];
  found.aa = own_a.variance;
  found.bb = own_b.variance;
  found.u_a = own_a.sum;
  found.u_b = own_b.sum;
  for (const OutcomeRows::Run& run : b.runs) {
    n_b_[at(run.stratum)] = run.n();
    found.ab -= rows_.strata[at(run.stratum)].per_patient() * n_a_[at(run.stratum)] * run.n();
  }
  for (std::size_t k = 0; k < members.size();) {
    // the members of one stratum follow each other
    const std::int32_t stratum = rows_.stratum_of_row[at(a.rows[at(members[k])])];
    double n = 0;
    for (; k < members.size() && rows_.stratum_of_row[at(a.rows[at(members[k])])] == stratum; ++k, ++n)
      found.u_both += observed_of(rows_, a.rows[at(members[k])]);
    const double variance = rows_.strata[at(stratum)].variance;
    const double per_patient = rows_.strata[at(stratum)].per_patient();
    found.ab += variance * n;
    found.both_a += variance * n - per_patient * n * n_a_[at(stratum)];
    found.both_b += variance * n - per_patient * n * n_b_[at(stratum)];
    found.both_both += variance * n - per_patient * n * n;
  }
  for (const OutcomeRows::Run& run : b.runs) n_b_[at(run.stratum)] = 0;
  return found;
}

void GroupMaker::make(std::span<const Asked> asked, Index min_both, OutcomeGroup& group,
                      std::span<Interaction> observed) {
  constexpr double nothing_left = 1e-9;
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
    const double determinant = found.aa * found.bb - found.ab * found.ab;
    if (!(determinant > nothing_left * found.aa * found.bb)) continue;
    const double on_a = (found.bb * found.both_a - found.ab * found.both_b) / determinant;
    const double on_b = (found.aa * found.both_b - found.ab * found.both_a) / determinant;
    const double variance = found.both_both - on_a * found.both_a - on_b * found.both_b;
    if (!(variance > nothing_left * found.both_both)) continue;
    const double weight = 1 / std::sqrt(variance);
    result.verdict = InteractionVerdict::tested;
    result.z = weight * (found.u_both - on_a * found.u_a - on_b * found.u_b);
    const OutcomeRows::Feature& b = rows_.features[at(asked[k].partner)];
    group.pairs.push_back({.slot = asked[k].slot,
                           .partner = asked[k].partner,
                           .members_begin = begin_[k],
                           .members_end = begin_[k + 1],
                           .sum_a = outcome_sum_of(rows_, group.feature, b.tested_class),
                           .sum_b = outcome_sum_of(rows_, asked[k].partner, a.tested_class),
                           .weight_both = weight,
                           .weight_a = -weight * on_a,
                           .weight_b = -weight * on_b});
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
  std::vector<OutcomeGroup> groups(asked.size());
#pragma omp parallel
  {
    GroupMaker maker(rows, own);
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
