// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "jobs/interaction_screen/outcome.hpp"

#include <algorithm>
#include <map>

#include "kernels/martingale.hpp"
#include "kernels/pair_cox_firth.hpp"
#include "kernels/tail.hpp"

namespace chorale::jobs::interaction {
namespace {

/// Features enter the model of the residuals below this p, at most so many.
constexpr double own_effect_log10_p = -2;
constexpr std::size_t most_own_effects = 50;

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

}  // namespace

OutcomeModel::OutcomeModel(const Design& design, const engine::Setup& setup, const engine::Cohort& cohort,
                           const TestedPatients& tested)
    : design_(design), cohort_(cohort), tested_(tested), follow_up_(design.outcome, setup, cohort) {
  for (Index f = 0; f < cohort.n_features(); ++f) carriers_.push_back(cohort.carriers(f));
}

OutcomeModel::Model& OutcomeModel::model(const TestedSets& sets) const {
  const auto at =
      std::find_if(models_.begin(), models_.end(), [&](const Model& model) { return model.sets == sets; });
  if (at != models_.end()) {
    models_.splice(models_.begin(), models_, at);
    return models_.front();
  }
  const auto mask = tested_.mask(sets);
  const Covariates& covariates = follow_up_.covariates;
  kernels::CoxDesign design = kernels::make_cox_design(
      follow_up_.model(), {.values = covariates.values, .n_columns = covariates.n_terms(), .offset = {}},
      mask);
  kernels::CoxFit alone = kernels::cox_fit(design, {.ties = design_.ties});
  kernels::PairCoxFrame frame(design, alone, design_.ties);
  models_.push_front({.sets = sets,
                      .design = std::move(design),
                      .covariates = std::move(alone),
                      .frame = frame,
                      .screener = kernels::PairCoxScreener(frame, carriers_),
                      .totals = kernels::risk_totals(follow_up_.crude, mask)});
  if (models_.size() > size(most_models)) models_.pop_back();
  return models_.front();
}

std::vector<kernels::FeaturePair> OutcomeModel::Batch::pairs() const {
  std::vector<kernels::FeaturePair> pairs;
  for (std::size_t k = 0; k < positions.size(); k += 2)
    pairs.push_back({.a = positions[k], .b = positions[k + 1]});
  return pairs;
}

std::vector<kernels::FeaturePair> OutcomeModel::Batch::feature_pairs() const {
  std::vector<kernels::FeaturePair> pairs;
  for (std::size_t k = 0; k < features.size(); k += 2)
    pairs.push_back({.a = features[k], .b = features[k + 1]});
  return pairs;
}

void OutcomeModel::for_batches(std::span<const std::int32_t> features, int order,
                               const std::function<void(Model&, const Batch&)>& use) const {
  std::map<TestedSets, Batch> batches;
  std::map<TestedSets, std::map<std::int32_t, std::int32_t>> positions;
  for (std::size_t k = 0; k < features.size() / size(order); ++k) {
    const auto members = features.subspan(k * size(order), size(order));
    TestedSets sets;
    for (const std::int32_t feature : members) sets.push_back(tested_.set_of(feature));
    std::sort(sets.begin(), sets.end());
    sets.erase(std::unique(sets.begin(), sets.end()), sets.end());
    Batch& batch = batches[sets];
    batch.place.push_back(k);
    for (const std::int32_t feature : members) {
      const auto next = static_cast<std::int32_t>(batch.carriers.size());
      const auto [at, is_new] = positions[sets].try_emplace(feature, next);
      if (is_new) batch.carriers.push_back(cohort_.carriers(feature));
      batch.positions.push_back(at->second);
      batch.features.push_back(feature);
    }
  }
  for (const auto& [sets, batch] : batches) use(model(sets), batch);
}

void OutcomeModel::for_batches(std::span<const kernels::FeaturePair> pairs,
                               const std::function<void(Model&, const Batch&)>& use) const {
  std::vector<std::int32_t> features;
  for (const auto& pair : pairs) {
    features.push_back(pair.a);
    features.push_back(pair.b);
  }
  for_batches(features, 2, use);
}

void OutcomeModel::fit_sets(std::span<const std::int32_t> features, int order,
                            std::span<kernels::SetCoxFit> fits) const {
  for_batches(features, order, [&](Model& model, const Batch& batch) {
    std::vector<kernels::SetCoxFit> own(batch.place.size());
    kernels::set_cox(model.design, model.covariates, batch.carriers, batch.positions, order, design_.ties,
                     own);
    for (std::size_t k = 0; k < own.size(); ++k) fits[batch.place[k]] = std::move(own[k]);
  });
}

void OutcomeModel::screen(std::span<const kernels::FeaturePair> pairs, std::span<kernels::PairScreen> screens,
                          const kernels::ScreenPlan& plan) const {
  for_batches(pairs, [&](Model& model, const Batch& batch) {
    std::vector<kernels::PairScreen> own(batch.place.size());
    model.screener.screen(batch.feature_pairs(), own, plan);
    for (std::size_t k = 0; k < own.size(); ++k) screens[batch.place[k]] = own[k];
  });
}

void OutcomeModel::fit(std::span<const kernels::FeaturePair> pairs,
                       std::span<kernels::PairCoxFit> fits) const {
  for_batches(pairs, [&](Model& model, const Batch& batch) {
    const auto own_pairs = batch.pairs();
    std::vector<kernels::PairCoxFit> own(own_pairs.size());
    kernels::pair_cox_full(model.frame, batch.carriers, own_pairs, own);
    std::vector<kernels::FeaturePair> separated;
    std::vector<std::size_t> place;
    for (std::size_t k = 0; k < own.size(); ++k) {
      if (own[k].verdict != kernels::PairVerdict::separated) continue;
      separated.push_back(own_pairs[k]);
      place.push_back(k);
    }
    std::vector<kernels::PairCoxFit> penalised(separated.size());
    kernels::pair_cox_firth(model.frame, batch.carriers, separated, penalised);
    for (std::size_t k = 0; k < place.size(); ++k) own[place[k]] = std::move(penalised[k]);
    for (std::size_t k = 0; k < own.size(); ++k) fits[batch.place[k]] = std::move(own[k]);
  });
}

void OutcomeModel::curves(std::span<const kernels::FeaturePair> pairs, std::span<PairCurves> curves) const {
  using List = std::vector<std::int32_t>;
  for_batches(pairs, [&](Model& model, const Batch& batch) {
    std::vector<List> groups;  // per pair: only a, only b, both, either
    for (const auto& pair : batch.pairs()) {
      const auto a = batch.carriers[size(pair.a)], b = batch.carriers[size(pair.b)];
      List only_a, only_b, both, either;
      std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(only_a));
      std::set_difference(b.begin(), b.end(), a.begin(), a.end(), std::back_inserter(only_b));
      std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
      std::set_union(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(either));
      for (List* list : {&only_a, &only_b, &both, &either}) groups.push_back(std::move(*list));
    }
    const std::vector<std::span<const std::int32_t>> lists(groups.begin(), groups.end());
    std::vector<kernels::TwoGroupCurves> own(lists.size());
    kernels::two_group_curves(follow_up_.crude, model.totals, lists, design_.config.landmarks,
                              {.type = kernels::ConfType::log_log, .level = design_.config.confidence}, own);
    for (std::size_t k = 0; k < batch.place.size(); ++k) {
      PairCurves& four = curves[batch.place[k]];
      four[kernels::only_a] = std::move(own[4 * k].carriers);
      four[kernels::only_b] = std::move(own[4 * k + 1].carriers);
      four[kernels::both] = std::move(own[4 * k + 2].carriers);
      four[kernels::neither] = std::move(own[4 * k + 3].others);
    }
  });
}

Residuals OutcomeModel::residuals() const {
  struct Effect {
    double log10_p;
    std::int32_t feature;
  };
  std::vector<Effect> effects;
  std::map<Index, std::vector<std::int32_t>> features_of_set;
  for (std::int32_t f = 0; f < design_.n_features; ++f) features_of_set[tested_.set_of(f)].push_back(f);
  for (const auto& [set, features] : features_of_set) {
    const Model& alone = model({set});
    std::vector<std::span<const std::int32_t>> carriers;
    for (const std::int32_t f : features) carriers.push_back(cohort_.carriers(f));
    std::vector<kernels::AdjustedFit> fits(features.size());
    kernels::adjusted_fits(alone.design, alone.covariates, carriers, design_.ties, fits);
    for (std::size_t k = 0; k < fits.size(); ++k) {
      if (fits[k].verdict != kernels::Verdict::converged) continue;
      const double log10_p =
          kernels::chi_square_log10_upper(2 * (fits[k].loglik - fits[k].loglik_covariates), 1);
      if (log10_p <= own_effect_log10_p) effects.push_back({log10_p, features[k]});
    }
  }
  std::stable_sort(effects.begin(), effects.end(),
                   [](const Effect& x, const Effect& y) { return x.log10_p < y.log10_p; });
  effects.resize(std::min(effects.size(), most_own_effects));

  Residuals residuals;
  std::vector<double> columns = follow_up_.covariates.values;
  const auto n = size(cohort_.n_patients());
  for (const Effect& effect : effects) {
    residuals.features.push_back(effect.feature);
    const std::size_t first = columns.size();
    columns.resize(first + n, 0.0);
    for (const std::int32_t patient : cohort_.carriers(effect.feature)) columns[first + size(patient)] = 1;
  }
  const auto n_columns = follow_up_.covariates.n_terms() + static_cast<Index>(effects.size());
  const kernels::CoxDesign design =
      kernels::make_cox_design(follow_up_.model(), {.values = columns, .n_columns = n_columns, .offset = {}});
  residuals.value.resize(n);
  kernels::martingale_residuals(design, kernels::cox_fit(design, {.ties = design_.ties}), design_.ties,
                                residuals.value);
  return residuals;
}

}  // namespace chorale::jobs::interaction
