// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "jobs/prognosis/procedure.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "jobs/common/evaluation.hpp"
#include "kernels/cox_bootstrap.hpp"
#include "kernels/linear_predictors.hpp"
#include "kernels/parallel.hpp"

namespace chorale::jobs::prognosis {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

Index n_not_zero(std::span<const double> beta) {
  return std::count_if(beta.begin(), beta.end(), [](double b) { return b != 0 && !std::isnan(b); });
}

std::string trouble_of(kernels::CoxVerdict verdict) {
  if (verdict == kernels::CoxVerdict::no_events) return "no events";
  return verdict == kernels::CoxVerdict::not_converged ? "the fit did not converge" : "";
}

}  // namespace

double predicting(double beta, double scale) {
  constexpr double beyond = 15;
  if (std::isnan(beta)) return 0;
  return std::isinf(beta) ? std::copysign(beyond, beta) / (scale > 0 ? scale : 1) : beta;
}

struct Procedure::Sample {
  std::vector<double> weight;
  std::vector<double> fill;
  kernels::CoxPathDesign design;
  bool shared = false;  // the design is that of all samples
  Index n_events = 0;
};

Procedure::Procedure(const Design& design, const engine::Cohort& cohort, const kernels::Timeline& timeline,
                     const Candidates& candidates)
    : design_(design), timeline_(timeline), candidates_(candidates) {
  if (!design.selects()) {
    const std::vector<double> columns = candidates.all_columns();
    lanes_ = kernels::make_cox_design(
        timeline_,
        {.values = columns, .n_columns = candidates_.n_terms() + candidates_.n_gaps(), .offset = {}},
        candidates_.included());
    for (const Fill& fill : candidates_.fills()) {
      filled_column_.push_back(fill.term);
      gap_column_.push_back(candidates_.n_terms() + fill.gap);
    }
    full_fill_ = candidates_.learn_fills(candidates_.included(), 1);
    full_ = fit_filled(full_fill_, candidates_.included());
    return;
  }
  for (const Term& term : candidates_.terms())
    penalty_factor_.push_back(candidates_.variables()[size(term.variable)].penalised ? 1 : 0);
  if (design.cross_validates())
    fold_ = design.fold_by
                ? design.fold_by->codes(cohort)
                : kernels::cox_cv_folds(candidates_.n_patients(), design.config.folds, design.seed);
  const auto& fills = candidates_.fills();
  const bool dense_gaps = std::any_of(fills.begin(), fills.end(),
                                      [&](const Fill& fill) { return fill.term < candidates_.n_dense(); });
  if (!dense_gaps) net_ = net_design(std::vector<double>(fills.size(), 0));
  const Sample everyone = sample(candidates_.included());
  if (everyone.n_events == 0) return;
  if (everyone.shared) {
    guide_ = kernels::make_cox_path_guide(*net_, options(everyone.n_events, {}));
    penalties_ = guide_->full.lambda;
  } else {
    kernels::CoxPathOptions whole = options(everyone.n_events, everyone.weight);
    whole.stop_after_worse = 0;
    penalties_ = kernels::cox_path(everyone.design, whole).lambda;
  }
}

kernels::CoxPathDesign Procedure::net_design(std::span<const double> fill) const {
  const auto dense = candidates_.filled_dense(fill);
  std::vector<std::span<const std::int32_t>> sparse(candidates_.sparse().begin(), candidates_.sparse().end());
  std::vector<std::vector<std::int32_t>> filled;
  filled.reserve(candidates_.fills().size());
  for (std::size_t k = 0; k < candidates_.fills().size(); ++k) {
    const Fill& of = candidates_.fills()[k];
    if (of.term < candidates_.n_dense() || fill[k] == 0) continue;
    auto& carriers = sparse[size(of.term - candidates_.n_dense())];
    const auto gap = candidates_.gap(of.gap);
    auto& both = filled.emplace_back(carriers.size() + gap.size());
    std::merge(carriers.begin(), carriers.end(), gap.begin(), gap.end(), both.begin());
    carriers = both;
  }
  return kernels::make_cox_path_design(
      timeline_, {.dense = dense, .n_dense = candidates_.n_dense(), .sparse = sparse, .offset = {}},
      candidates_.included());
}

kernels::CoxDesign Procedure::plain_design(std::span<const Index> terms, std::span<const double> fill,
                                           std::span<const std::uint8_t> taken) const {
  const auto n = size(candidates_.n_patients());
  const auto dense = candidates_.dense();
  std::vector<double> columns;
  columns.reserve(terms.size() * n);
  for (const Index term : terms) {
    const std::size_t start = columns.size();
    if (term < candidates_.n_dense()) {
      const auto column = dense.subspan(size(term) * n, n);
      columns.insert(columns.end(), column.begin(), column.end());
    } else {
      columns.resize(start + n, 0);
      for (const std::int32_t i : candidates_.sparse()[size(term - candidates_.n_dense())])
        columns[start + size(i)] = 1;
    }
    for (std::size_t k = 0; k < candidates_.fills().size(); ++k)
      if (candidates_.fills()[k].term == term)
        for (const std::int32_t i : candidates_.gap(candidates_.fills()[k].gap))
          columns[start + size(i)] = fill[k];
  }
  std::vector<std::uint8_t> mask(taken.begin(), taken.end());
  for (std::size_t i = 0; i < n; ++i) mask[i] = taken[i] != 0 && candidates_.included()[i] != 0;
  return kernels::make_cox_design(
      timeline_, {.values = columns, .n_columns = static_cast<Index>(terms.size()), .offset = {}}, mask);
}

kernels::CoxFit Procedure::fit_filled(std::span<const double> fill,
                                      std::span<const std::uint8_t> taken) const {
  std::vector<Index> all(size(candidates_.n_terms()));
  std::iota(all.begin(), all.end(), Index{0});
  return kernels::cox_fit(plain_design(all, fill, taken), {.ties = design_.ties});
}

Model Procedure::plain_model(const kernels::CoxFit& fit, std::vector<double> fill) const {
  Model model;
  model.fill = std::move(fill);
  model.trouble = trouble_of(fit.verdict);
  model.n_events = fit.n_events;
  model.beta = fit.beta;
  model.beta.resize(size(candidates_.n_terms()), kernels::missing);
  model.n_chosen = n_not_zero(model.beta);
  return model;
}

std::vector<Model> Procedure::fit_lanes(std::span<const std::uint8_t> copies, Index n_samples) const {
  const auto n_columns = size(lanes_.n_columns);
  std::vector<kernels::CoxReplicate> fits(size(n_samples));
  std::vector<double> beta(size(n_samples) * n_columns);
  const auto fill = candidates_.learn_fills(copies, n_samples);
  kernels::cox_bootstrap(
      lanes_, full_, copies,
      {.ties = design_.ties,
       .resample = design_.config.copies,
       .fills = {.column = filled_column_, .gap = gap_column_, .value = fill, .full_fill = full_fill_}},
      fits, beta);
  const std::size_t n_fills = candidates_.fills().size();
  std::vector<Model> models(size(n_samples));
  for (std::size_t s = 0; s < models.size(); ++s) {
    Model& model = models[s];
    model.trouble = trouble_of(fits[s].verdict);
    model.n_events = fits[s].n_events;
    const auto own = std::span(beta).subspan(s * n_columns, size(candidates_.n_terms()));
    model.beta.assign(own.begin(), own.end());
    model.n_chosen = n_not_zero(model.beta);
    const auto filled = std::span(fill).subspan(s * n_fills, n_fills);
    model.fill.assign(filled.begin(), filled.end());
  }
  return models;
}

Procedure::Sample Procedure::sample(std::span<const std::uint8_t> copies) const {
  Sample sample;
  sample.fill = candidates_.learn_fills(copies, 1);
  sample.weight.assign(copies.begin(), copies.end());
  sample.shared =
      net_ && std::all_of(sample.fill.begin(), sample.fill.end(), [](double value) { return value == 0; });
  sample.design = sample.shared ? *net_ : net_design(sample.fill);
  for (std::size_t i = 0; i < copies.size(); ++i)
    if (candidates_.included()[i] != 0 && timeline_.event[i] != 0) sample.n_events += copies[i];
  return sample;
}

double Procedure::per_term(Index n_events) const {
  return design_.config.tuning == Tuning::bic ? std::log(static_cast<double>(n_events)) : 2;
}

kernels::CoxPathOptions Procedure::options(Index n_events, std::span<const double> weight) const {
  kernels::CoxPathOptions options{.ties = design_.ties,
                                  .alpha = design_.config.alpha,
                                  .lambda = penalties_,
                                  .penalty_factor = penalty_factor_,
                                  .weight = weight,
                                  .stop_early = !penalties_.empty()};
  if (design_.cross_validates()) return options;
  // the criterion falls, and then rises: what lies this far beyond its least is not looked at
  options.stop_after_worse = 15;
  options.criterion_per_nonzero = per_term(n_events);
  return options;
}

Tuned Procedure::tune(const Sample& sample) const {
  Tuned tuned;
  if (sample.n_events == 0) return tuned;
  const bool guided = guide_ && sample.shared;
  auto room = guided ? rooms_.borrow() : nullptr;
  if (design_.cross_validates()) {
    kernels::CoxCv cv =
        guided ? kernels::cox_cv(sample.design, *guide_, design_.ties, fold_, sample.weight, *room)
               : kernels::cox_cv(sample.design, fold_, options(sample.n_events, sample.weight));
    tuned.path = std::move(cv.path);
    tuned.criterion = std::move(cv.mean_deviance);
    tuned.error = std::move(cv.se);
    tuned.chosen = design_.config.tuning == Tuning::cv ? cv.at_min : cv.at_1se;
    return tuned;
  }
  tuned.path = guided ? kernels::cox_path(*guide_, sample.weight, *room)
                      : kernels::cox_path(sample.design, options(sample.n_events, sample.weight));
  double least = infinity;
  for (Index k = 0; k < tuned.path.n_lambda(); ++k) {
    const double criterion = -2 * tuned.path.loglik[size(k)] +
                             per_term(sample.n_events) * static_cast<double>(tuned.path.n_nonzero[size(k)]);
    tuned.criterion.push_back(criterion);
    if (criterion < least) {
      least = criterion;
      tuned.chosen = k;
    }
  }
  return tuned;
}

Model Procedure::fit_net(std::span<const std::uint8_t> copies, Tuned& tuned) const {
  const Sample own = sample(copies);
  Model model;
  model.n_events = own.n_events;
  model.fill = own.fill;
  model.beta.assign(size(candidates_.n_terms()), 0);
  tuned = tune(own);
  if (tuned.chosen < 0) {
    model.trouble = own.n_events == 0           ? "no events"
                    : tuned.path.n_lambda() > 0 ? "no fold could be validated"
                                                : std::string(kernels::name_of(tuned.path.verdict));
    return model;
  }
  model.penalty = tuned.path.lambda[size(tuned.chosen)];
  const auto beta = tuned.path.beta_at(tuned.chosen);
  model.beta.assign(beta.begin(), beta.end());
  model.n_chosen = n_not_zero(model.beta);
  if (!design_.config.refit || model.n_chosen == 0) return model;

  std::vector<double> factor(penalty_factor_.size(), infinity);
  for (std::size_t t = 0; t < factor.size(); ++t)
    if (model.beta[t] != 0) factor[t] = 1;
  constexpr double free[] = {0};
  kernels::CoxPathOptions without_penalty = options(own.n_events, own.weight);
  without_penalty.lambda = free;
  without_penalty.stop_early = false;
  without_penalty.stop_after_worse = 0;
  without_penalty.penalty_factor = factor;
  const kernels::CoxPath refitted = kernels::cox_path(own.design, without_penalty);
  if (refitted.n_lambda() == 0)
    model.trouble = "fit without penalty: " + std::string(kernels::name_of(refitted.verdict));
  else
    model.beta.assign(refitted.beta.begin(), refitted.beta.end());
  return model;
}

std::vector<std::uint8_t> Procedure::entered(std::span<const std::uint8_t> taken, Index n_terms) const {
  const Sample own = sample(taken);
  std::vector<std::uint8_t> chosen(size(candidates_.n_terms()), 0);
  if (own.n_events == 0) return chosen;
  kernels::CoxPathOptions limited = options(own.n_events, own.weight);
  limited.lambda = {};  // of the half's own; it ends by the terms that have entered alone
  limited.stop_early = false;
  limited.stop_after_worse = 0;
  const Index n_free = std::count(penalty_factor_.begin(), penalty_factor_.end(), 0.0);
  limited.max_ever_nonzero = n_terms + n_free;
  const kernels::CoxPath path = kernels::cox_path(own.design, limited);
  for (Index k = 0; k < path.n_lambda(); ++k)
    for (std::size_t t = 0; t < chosen.size(); ++t)
      if (path.beta_at(k)[t] != 0) chosen[t] = 1;
  return chosen;
}

std::vector<Model> Procedure::fit(std::span<const std::uint8_t> copies, Index n_samples) const {
  if (!design_.selects()) return fit_lanes(copies, n_samples);
  const auto n = size(candidates_.n_patients());
  std::vector<Model> models(size(n_samples));
  kernels::in_parallel(models.size(), [&](std::size_t s) {
    std::vector<std::uint8_t> own(n);
    for (std::size_t i = 0; i < n; ++i) own[i] = copies[i * models.size() + s];
    Tuned tuned;
    models[s] = fit_net(own, tuned);
  });
  return models;
}

Model Procedure::fit(std::span<const std::uint8_t> taken) const {
  if (!design_.selects()) {
    std::vector<double> fill = candidates_.learn_fills(taken, 1);
    return plain_model(fit_filled(fill, taken), fill);
  }
  Tuned tuned;
  return fit_net(taken, tuned);
}

Model Procedure::fit_all(Tuned& tuned) const {
  if (design_.selects()) return fit_net(candidates_.included(), tuned);
  return plain_model(full_, full_fill_);
}

bool Procedure::is_maximum(const Model& model) const {
  // rows written out share Efron's ties among copies of a patient, measures among patients
  const bool same_ties =
      design_.config.copies == kernels::Resample::weights || design_.ties == kernels::Ties::breslow;
  return !design_.selects() && same_ties &&
         std::none_of(model.beta.begin(), model.beta.end(), [](double b) { return std::isinf(b); });
}

std::vector<double> Procedure::predict(std::span<const Model> models) const {
  const auto n = size(candidates_.n_patients());
  const std::size_t n_models = models.size();
  const auto n_dense = size(candidates_.n_dense());
  std::vector<double> beta;  // (n_models, n_dense)
  for (const Model& model : models)
    for (std::size_t t = 0; t < n_dense; ++t)
      beta.push_back(model.predicts() ? predicting(model.beta[t], candidates_.scale(static_cast<Index>(t)))
                                      : 0);
  std::vector<double> side_by_side(n * n_models, 0);
  if (n_dense > 0)
    kernels::linear_predictors(
        {.values = candidates_.dense(), .n_columns = candidates_.n_dense(), .offset = {}},
        candidates_.n_patients(), beta, side_by_side);

  std::vector<double> step(n_models);
  const auto add = [&](std::span<const std::int32_t> patients) {
    if (std::all_of(step.begin(), step.end(), [](double x) { return x == 0; })) return;
    for (const std::int32_t i : patients)
      for (std::size_t m = 0; m < n_models; ++m) side_by_side[size(i) * n_models + m] += step[m];
  };
  const auto coefficient = [&](std::size_t m, std::size_t term) {
    return models[m].predicts()
               ? predicting(models[m].beta[term], candidates_.scale(static_cast<Index>(term)))
               : 0;
  };
  for (std::size_t j = 0; j < candidates_.sparse().size(); ++j) {
    for (std::size_t m = 0; m < n_models; ++m) step[m] = coefficient(m, n_dense + j);
    add(candidates_.sparse()[j]);
  }
  for (Index g = 0; g < candidates_.n_gaps(); ++g) {
    std::fill(step.begin(), step.end(), 0);
    for (std::size_t k = 0; k < candidates_.fills().size(); ++k)
      if (candidates_.fills()[k].gap == g)
        for (std::size_t m = 0; m < n_models; ++m)
          if (models[m].predicts())
            step[m] += coefficient(m, size(candidates_.fills()[k].term)) * models[m].fill[k];
    add(candidates_.gap(g));
  }
  std::vector<double> eta(n * n_models);
  for (std::size_t m = 0; m < n_models; ++m)
    for (std::size_t i = 0; i < n; ++i)
      eta[m * n + i] =
          models[m].predicts() ? without_rounding(side_by_side[i * n_models + m]) : kernels::missing;
  return eta;
}

}  // namespace chorale::jobs::prognosis
