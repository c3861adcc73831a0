// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <algorithm>
#include <cmath>
#include <numeric>

#include "jobs/prognosis/tables.hpp"

namespace chorale::jobs::prognosis {
namespace {

/// One measure of every replicate, sample by sample.
std::vector<double> column(const std::vector<Replicate>& replicates, std::vector<double> Replicate::*sample,
                           std::size_t m) {
  std::vector<double> values;
  for (const Replicate& r : replicates)
    if (!(r.*sample).empty()) values.push_back((r.*sample)[m]);
  return values;
}

std::vector<kernels::Corrected> correct(const Design& design, const Findings& findings) {
  std::vector<kernels::Corrected> all;
  for (std::size_t m = 0; m < findings.full.scores.size(); ++m) {
    const auto boot = column(findings.replicates, &Replicate::boot, m);
    const auto original = column(findings.replicates, &Replicate::original, m);
    const auto oob = column(findings.replicates, &Replicate::oob, m);
    all.push_back(kernels::correct_optimism({.apparent = findings.full.scores[m].value,
                                             .no_information = findings.full.no_information[m],
                                             .boot = boot,
                                             .original = original,
                                             .oob = oob},
                                            design.config.confidence));
    // a fit's own slope is 1 in every sample, so only those on all patients vary
    if (findings.measures[m].kind == Measure::Kind::calibration_slope)
      all.back().interval = kernels::interval_about(all.back().corrected, original, design.config.confidence);
  }
  return all;
}

/// Ranks of importance, |coefficient| in standard deviations of the column: 1 is the strongest, equal ones share theirs.
std::vector<double> ranks(std::span<const double> beta, const std::vector<TermNote>& terms) {
  const std::size_t n = beta.size();
  std::vector<double> strength(n);
  for (std::size_t t = 0; t < n; ++t)
    strength[t] = std::isnan(beta[t]) || terms[t].sd == 0 ? 0 : std::abs(beta[t]) * terms[t].sd;
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return strength[a] > strength[b]; });
  std::vector<double> rank(n);
  for (std::size_t first = 0, last = 0; first < n; first = last) {
    while (last < n && strength[order[last]] == strength[order[first]]) ++last;
    for (std::size_t k = first; k < last; ++k)
      rank[order[k]] = (static_cast<double>(first + last) + 1) / 2;  // mean of first + 1 … last
  }
  return rank;
}

}  // namespace

Findings Findings::of(const Design& design, std::span<const Part> parts) {
  Findings all;
  for (const Part& part : parts) {
    for (const auto& full : part.full) all.full = full;
    all.replicates.insert(all.replicates.end(), part.replicates.begin(), part.replicates.end());
    all.left_out.insert(all.left_out.end(), part.left_out.begin(), part.left_out.end());
    all.entered.insert(all.entered.end(), part.entered.begin(), part.entered.end());
  }
  all.measures = measures_of(design.evaluation());
  all.corrected = correct(design, all);
  return all;
}

Index Findings::n_predicting() const {
  return std::count_if(replicates.begin(), replicates.end(),
                       [](const Replicate& r) { return r.model.predicts(); });
}

std::vector<BootstrapOf> bootstrap_of(const Design& design, const Findings& findings) {
  const std::size_t n_terms = findings.full.terms.size();
  std::vector<BootstrapOf> all(n_terms);
  std::vector<std::vector<double>> rank(n_terms);
  for (const Replicate& replicate : findings.replicates) {
    if (replicate.model.beta.size() != n_terms || !replicate.model.predicts()) continue;
    const auto own = ranks(replicate.model.beta, findings.full.terms);
    for (std::size_t t = 0; t < n_terms; ++t) rank[t].push_back(own[t]);
  }
  const double level = design.config.confidence;
  for (std::size_t t = 0; t < n_terms; ++t) {
    BootstrapOf& of = all[t];
    std::vector<double> beta;
    double sum = 0, squares = 0;
    for (const Replicate& replicate : findings.replicates) {
      if (replicate.model.beta.size() != n_terms || std::isnan(replicate.model.beta[t])) continue;
      const double b = replicate.model.beta[t];
      if (!replicate.model.predicts() && !std::isinf(b)) continue;
      beta.push_back(b);
      of.n_chosen += b != 0;
      if (!std::isfinite(b)) continue;
      ++of.n;
      sum += b;
    }
    if (of.n > 0) of.mean = sum / static_cast<double>(of.n);
    for (const double b : beta)
      if (std::isfinite(b)) squares += (b - of.mean) * (b - of.mean);
    if (of.n > 1) of.se = std::sqrt(squares / static_cast<double>(of.n - 1));
    of.percentile = kernels::percentile_interval(beta, level);
    of.bca =
        kernels::bca_interval(beta, findings.full.model.beta[t], findings.full.fit.acceleration[t], level);
    if (rank[t].empty()) continue;
    of.mean_rank = std::accumulate(rank[t].begin(), rank[t].end(), 0.0) / static_cast<double>(rank[t].size());
    of.rank = kernels::percentile_interval(rank[t], level);
  }
  return all;
}

}  // namespace chorale::jobs::prognosis
