// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "jobs/prognosis/stages.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "kernels/error.hpp"
#include "kernels/parallel.hpp"

namespace chorale::jobs::prognosis {
namespace {

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

std::vector<std::int32_t> codes_of(const std::optional<Grouping>& grouping, const engine::Cohort& cohort) {
  return grouping ? grouping->codes(cohort) : std::vector<std::int32_t>{};
}

/// Everyone who takes part is drawn from; the others stay at home.
kernels::BootstrapPlan plan_of(const Design& design, const engine::Cohort& cohort,
                               std::span<const std::uint8_t> included, std::vector<std::int32_t> cluster) {
  Index n_strata = 1;
  std::vector<std::int32_t> stratum = crossed(cohort, design.bootstrap_strata, n_strata);
  std::vector<std::int32_t> home(design.cluster ? size(design.cluster->size()) : 0, -1);
  for (std::size_t i = 0; i < stratum.size(); ++i) {
    if (included[i] == 0) stratum[i] = -1;
    if (cluster.empty()) continue;
    if (included[i] == 0) cluster[i] = -1;
    if (cluster[i] < 0) continue;
    std::int32_t& known = home[size(cluster[i])];
    if (known >= 0 && known != stratum[i])
      throw ConfigError({.what = "a cluster lies in two strata of the bootstrap",
                         .found = design.cluster->field + " " + design.cluster->labels[size(cluster[i])],
                         .expected = "strata that hold whole clusters",
                         .in = "prognosis.bootstrap_strata",
                         .remedy = "leave the strata or the cluster out"});
    known = stratum[i];
  }
  return kernels::make_bootstrap_plan(
      {.n_patients = cohort.n_patients(), .stratum = stratum, .cluster = cluster});
}

/// Copies of replicates begin … begin + n_here - 1, replicate by replicate, of those that stand side by side.
std::vector<std::uint8_t> copies_of(std::span<const std::uint8_t> copies, std::size_t n_replicates,
                                    std::size_t begin, std::size_t n_here) {
  const std::size_t n = copies.size() / n_replicates;
  std::vector<std::uint8_t> of(n * n_here);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t k = 0; k < n_here; ++k) of[k * n + i] = copies[i * n_replicates + begin + k];
  return of;
}

}  // namespace

Frame::Frame(const Design& own, const engine::Setup& setup, const engine::Cohort& cohort)
    : design(own),
      timelines(design.outcome, setup, cohort),
      candidates(design, setup, cohort, timelines.model()),
      procedure(design, cohort, timelines.model(), candidates),
      evaluation(design.evaluation(), timelines.model(), timelines.crude, candidates.included()),
      weight(timelines.model().weight),
      cluster(codes_of(design.cluster, cohort)),
      left_out(codes_of(design.left_out, cohort)),
      plan(plan_of(design, cohort, candidates.included(), cluster)),
      stratum_labels(crossed_labels(design.outcome.strata)) {
  if (weight.empty()) weight.assign(size(cohort.n_patients()), 1);
  const auto included = candidates.included();
  Index n_events = 0;
  for (std::size_t i = 0; i < included.size(); ++i) {
    n_events += included[i] != 0 && timeline().event[i] != 0;
    if (included[i] == 0) weight[i] = 0;
  }
  everyone.weight = weight;
  evaluation.prepare(everyone);
  if (n_events == 0)
    refuse_without_events(ledger(), candidates.n_included(), setup.config.outcome.endpoint,
                          "see [select] and outcome.endpoint, or keep incomplete patients: "
                          "prognosis.missing and prognosis.untested");
}

std::vector<double> Frame::weighted(std::span<const std::uint8_t> copies) const {
  std::vector<double> all(weight.size());
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = weight[i] * copies[i];
  return all;
}

engine::Ledger Frame::ledger() const {
  engine::Ledger lines = timelines.ledger();
  for (const auto& line : candidates.attrition()) lines.lines.push_back(line);
  return lines;
}

std::vector<Replicate> replicate(const Frame& frame, Index first, Index last) {
  const auto n = frame.weight.size();
  const auto n_replicates = size(last - first);
  std::vector<std::uint8_t> copies(n * n_replicates);
  kernels::bootstrap_weights(frame.plan, frame.design.seed, first, last - first, copies);
  std::vector<Model> models = frame.procedure.fit(copies, last - first);

  std::vector<Replicate> replicates(n_replicates);
  constexpr std::size_t together = 8;  // whose linear predictors stand in memory at once
  for (std::size_t begin = 0; begin < n_replicates; begin += together) {
    const std::size_t n_here = std::min(together, n_replicates - begin);
    const auto eta = frame.procedure.predict(std::span(models).subspan(begin, n_here));
    const auto times = copies_of(copies, n_replicates, begin, n_here);
    kernels::in_parallel(n_here, [&](std::size_t k) {
      const std::size_t r = begin + k;
      Replicate& own = replicates[r];
      own.number = first + static_cast<Index>(r);
      own.model = std::move(models[r]);
      if (!own.model.predicts()) {
        const std::vector<double> none(frame.evaluation.measures().size(), kernels::missing);
        own.boot = own.original = none;
        if (frame.design.config.out_of_bag) own.oob = none;
        return;
      }
      const auto scratch = frame.scratches.borrow();
      std::vector<double>&drawn = scratch->drawn.weight, &left = scratch->left.weight;
      drawn.resize(n);
      for (std::size_t i = 0; i < n; ++i) drawn[i] = frame.weight[i] * times[k * n + i];
      std::vector<Evaluation::Request> requests{
          {.sample = &scratch->drawn, .groups = true, .maximum = frame.procedure.is_maximum(own.model)},
          {.sample = &frame.everyone, .groups = true}};
      frame.evaluation.prepare(scratch->drawn);
      if (frame.design.config.out_of_bag) {
        left.resize(n);
        for (std::size_t i = 0; i < n; ++i) left[i] = times[k * n + i] == 0 ? frame.weight[i] : 0;
        frame.evaluation.prepare(scratch->left);
        requests.push_back({.sample = &scratch->left});
      }
      auto values = frame.evaluation.values(*scratch, std::span(eta).subspan(k * n, n), requests);
      own.boot = std::move(values[0].scores);
      own.boot_error = std::move(values[0].errors);
      own.original = std::move(values[1].scores);
      own.original_error = std::move(values[1].errors);
      if (frame.design.config.out_of_bag) own.oob = std::move(values[2].scores);
    });
  }
  return replicates;
}

LevelScores leave_out(const Frame& frame, Index level) {
  const auto n = frame.weight.size();
  LevelScores result;
  result.level = level;
  std::vector<std::uint8_t> others(n), own(n);
  for (std::size_t i = 0; i < n; ++i) {
    own[i] = frame.candidates.included()[i] != 0 && frame.left_out[i] == static_cast<std::int32_t>(level);
    others[i] = frame.candidates.included()[i] != 0 && own[i] == 0;
    result.n += own[i];
    result.n_events += own[i] != 0 && frame.timeline().event[i] != 0;
  }
  if (result.n == 0) {
    result.trouble = "nobody of this level takes part";
    return result;
  }
  const Model model = frame.procedure.fit(others);
  if (!model.predicts()) {
    result.trouble = "the model of the others: " + model.trouble;
    return result;
  }
  const auto eta = frame.procedure.predict(std::span(&model, 1));
  Evaluation::Scratch scratch;
  const auto hazard = frame.evaluation.at_times(frame.evaluation.hazard(eta, frame.weighted(others)));
  const auto weight = frame.weighted(own);
  result.scores = frame.evaluation.score(scratch, eta, hazard, weight, true);
  result.overall = frame.evaluation.overall(scratch, eta, hazard, weight);
  return result;
}

Index stability_terms(const Design& design, Index n_terms) {
  if (design.config.stability_terms > 0) return std::min(design.config.stability_terms, n_terms);
  const double bound = (2 * design.config.stability_cutoff - 1) * static_cast<double>(n_terms);
  return std::max<Index>(1, static_cast<Index>(std::floor(std::sqrt(bound))));
}

std::vector<std::vector<std::uint8_t>> halve(const Frame& frame, Index first, Index last) {
  const auto n = frame.weight.size();
  const auto n_samples = 2 * size(last - first);
  std::vector<std::uint8_t> taken(n * n_samples);
  kernels::half_samples(frame.plan, frame.design.seed, first, last - first, taken);
  const Index n_terms = stability_terms(frame.design, frame.candidates.n_terms());
  std::vector<std::vector<std::uint8_t>> entered(n_samples);
  kernels::in_parallel(n_samples, [&](std::size_t s) {
    std::vector<std::uint8_t> own(n);
    for (std::size_t i = 0; i < n; ++i) own[i] = taken[i * n_samples + s];
    entered[s] = frame.procedure.entered(own, n_terms);
  });
  return entered;
}

}  // namespace chorale::jobs::prognosis
