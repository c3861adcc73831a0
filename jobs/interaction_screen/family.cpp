// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "jobs/interaction_screen/family.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>
#include <tuple>

#include "kernels/multiplicity.hpp"
#include "kernels/tail.hpp"

namespace chorale::jobs::interaction {
namespace {

bool before(const KeptP& x, const KeptP& y) {
  return std::tie(x.a, x.b) < std::tie(y.a, y.b);
}

}  // namespace

double lrt_log10_p(const PairRow& row) {
  return kernels::chi_square_log10_upper(row.fit.lrt_chi2, 1);
}

LightRow light_of(const PairRow& row) {
  return {.a = row.pair.a,
          .b = row.pair.b,
          .asked = row.asked,
          .together = row.odds_ratio.estimate > 1,
          .log10_p = row.log10_p.front(),
          .screen_log10_p = row.screen_log10_p,
          .lrt_log10_p = lrt_log10_p(row)};
}

void Family::take(const FamilyCounts& counts) {
  n_tested = counts.n_tested;
  bins.assign(counts.bins.begin(), counts.bins.end());
}

void Family::finish(const Design& design) {
  std::vector<double> log10_p;
  for (const KeptP& p : kept) log10_p.push_back(p.log10_p);
  log10_q.resize(log10_p.size());
  kernels::benjamini_hochberg(log10_p, n_tested, log10_q);
  if (design.keeps_every_p()) return;
  const double bound = std::log10(design.config.report_q);
  for (double& q : log10_q)
    if (q > bound) q = kernels::missing;
}

Family Family::of_test(const Design& design, std::span<const std::int64_t> counts,
                       std::span<const Part> parts, std::size_t test) {
  Family family;
  family.take(family_counts(counts, test));
  for (const Part& part : parts) {
    if (test >= part.pairs.tests.size()) continue;
    const PTally& tally = part.pairs.tests[test];
    family.kept.insert(family.kept.end(), tally.kept.begin(), tally.kept.end());
    family.smallest = std::fmin(family.smallest, tally.smallest);
  }
  std::sort(family.kept.begin(), family.kept.end(), before);
  family.finish(design);
  return family;
}

Family Family::of_interaction(const Design& design, std::span<const std::int64_t> counts,
                              std::span<const Part> parts, std::span<const LightRow> rows) {
  Family family;
  family.take(family_counts(counts, design.tests.size()));
  std::vector<KeptP> screened;
  double smallest = kernels::missing;
  for (const Part& part : parts) {
    const PTally& tally = part.pairs.interaction;
    screened.insert(screened.end(), tally.kept.begin(), tally.kept.end());
    smallest = std::fmin(smallest, tally.smallest);
  }
  std::sort(screened.begin(), screened.end(), before);
  std::vector<KeptP> fitted;
  for (const LightRow& row : rows)
    if (row.asked && !std::isnan(row.lrt_log10_p))
      fitted.push_back({.a = row.a, .b = row.b, .log10_p = row.lrt_log10_p});
  // both in order: of a pair in both the full fit's p counts
  std::set_union(fitted.begin(), fitted.end(), screened.begin(), screened.end(),
                 std::back_inserter(family.kept), before);
  family.n_tested = std::max(family.n_tested, static_cast<Index>(family.kept.size()));
  for (const KeptP& p : family.kept) family.smallest = std::fmin(family.smallest, p.log10_p);
  // screened p up to screen_p are among the kept, replaced by the full fit's
  if (smallest > std::log10(design.config.screen_p)) family.smallest = std::fmin(family.smallest, smallest);
  family.finish(design);
  return family;
}

std::vector<Index> Family::hits(const Config& config) const {
  std::vector<Index> order(kept.size());
  std::iota(order.begin(), order.end(), Index{0});
  const auto p = [&](Index k) { return kept[static_cast<std::size_t>(k)].log10_p; };
  if (config.report == Report::top) {
    const auto n = std::min(order.size(), static_cast<std::size_t>(config.report_top));
    const auto stronger = [&](Index x, Index y) {
      return p(x) != p(y) ? p(x) < p(y)
                          : before(kept[static_cast<std::size_t>(x)], kept[static_cast<std::size_t>(y)]);
    };
    std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(n), order.end(), stronger);
    order.resize(n);
    return order;
  }
  const bool by_q = config.report == Report::q;
  const double bound = std::log10(by_q ? config.report_q : config.report_p);
  std::erase_if(order,
                [&](Index k) { return !((by_q ? log10_q[static_cast<std::size_t>(k)] : p(k)) <= bound); });
  return order;
}

Index Family::find(std::int32_t a, std::int32_t b) const {
  const KeptP wanted{.a = a, .b = b, .log10_p = 0};
  const auto at = std::lower_bound(kept.begin(), kept.end(), wanted, before);
  return at != kept.end() && at->a == a && at->b == b ? at - kept.begin() : -1;
}

double Family::median_p() const {
  const auto n = std::accumulate(bins.begin(), bins.end(), std::int64_t{0});
  double below = 0;
  for (std::size_t i = 0; i < bins.size(); ++i) {
    const auto here = static_cast<double>(bins[i]);
    if (here > 0 && below + here >= static_cast<double>(n) / 2)
      return (static_cast<double>(i) + (static_cast<double>(n) / 2 - below) / here) /
             static_cast<double>(bins.size());
    below += here;
  }
  return kernels::missing;
}

double Family::inflation() const {
  const double median = median_p();
  if (std::isnan(median)) return kernels::missing;
  const double z = kernels::normal_quantile(median / 2), z_uniform = kernels::normal_quantile(0.25);
  return z * z / (z_uniform * z_uniform);
}

}  // namespace chorale::jobs::interaction
