// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/cox_cv.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "kernels/cox_path_rows.hpp"
#include "kernels/draw.hpp"
#include "kernels/error.hpp"

namespace chorale::kernels {
namespace {

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

Index check(const CoxPathDesign& design, std::span<const std::int32_t> fold) {
  if (fold.size() != size(design.n_patients)) {
    throw ShapeError({.what = "folds and patients differ in number",
                      .found = std::to_string(fold.size()),
                      .expected = std::to_string(design.n_patients)});
  }
  const auto [least, most] = std::minmax_element(fold.begin(), fold.end());
  if (fold.empty() || *least < -1 || *most < 1) {
    throw ShapeError(
        {.what = "folds out of range",
         .found = fold.empty() ? "none" : std::to_string(*least) + " to " + std::to_string(*most),
         .expected = "-1 or more, two folds at least"});
  }
  return Index{*most} + 1;
}

/// Weighted events of every fold.
std::vector<double> events_of(const CoxPathDesign& design, std::span<const std::int32_t> fold, Index n_folds,
                              std::span<const double> weight) {
  std::vector<double> events(size(n_folds), 0.0);
  const CoxPathData& data = *design.data;
  for (std::size_t row = 0; row < data.patient.size(); ++row) {
    const auto patient = static_cast<std::size_t>(data.patient[row]);
    if (fold[patient] < 0 || !data.died[row]) continue;
    events[static_cast<std::size_t>(fold[patient])] +=
        data.weight[row] * (weight.empty() ? 1 : weight[patient]);
  }
  return events;
}

/// Deviances of one fold left out, one per penalty; follow(weight) is the path of those in the other folds.
template <class Follow>
std::vector<double> deviance_of(const CoxPathDesign& design, std::span<const std::int32_t> fold,
                                std::int32_t out, const CoxPath& all, Ties ties,
                                std::span<const double> weight, double events, const Follow& follow) {
  std::vector<double> deviance(size(all.n_lambda()), missing);
  if (!(events > 0)) return deviance;
  std::vector<double> training(fold.size(), 1.0);
  for (std::size_t i = 0; i < fold.size(); ++i) {
    if (!weight.empty()) training[i] = weight[i];
    if (fold[i] == out) training[i] = 0;
  }
  const CoxPath path = follow(training);
  const std::vector<double> loglik = cox_path_loglik(design, path.beta, ties, weight);
  for (std::size_t k = 0; k < std::min(loglik.size(), deviance.size()); ++k) {
    const double without = path.loglik_saturated - path.loglik[k];
    deviance[k] = 2 * (all.loglik_saturated - loglik[k] - without) / events;
  }
  return deviance;
}

void summarise(CoxCv& cv) {
  const std::size_t n_lambda = size(cv.path.n_lambda());
  cv.mean_deviance.assign(n_lambda, missing);
  cv.se.assign(n_lambda, missing);
  for (std::size_t k = 0; k < n_lambda; ++k) {
    double total = 0, sum = 0, squares = 0;
    Index n = 0;
    const auto each = [&](auto add) {
      for (std::size_t f = 0; f < size(cv.n_folds); ++f) {
        const double deviance = cv.fold_deviance[f * n_lambda + k];
        if (!std::isnan(deviance)) add(deviance, cv.fold_weight[f]);
      }
    };
    each([&](double deviance, double weight) {
      total += weight;
      sum += weight * deviance;
      ++n;
    });
    if (n == 0) continue;
    const double mean = cv.mean_deviance[k] = sum / total;
    each([&](double deviance, double weight) { squares += weight * (deviance - mean) * (deviance - mean); });
    if (n > 1) cv.se[k] = std::sqrt(squares / total / static_cast<double>(n - 1));
  }
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t k = 0; k < n_lambda; ++k) {
    if (!(cv.mean_deviance[k] < least)) continue;
    least = cv.mean_deviance[k];
    cv.at_min = static_cast<Index>(k);
  }
  if (cv.at_min < 0) return;
  const double se = cv.se[size(cv.at_min)], within = least + (std::isnan(se) ? 0 : se);
  while (!(cv.mean_deviance[size(++cv.at_1se)] <= within)) {
  }
}

}  // namespace

CoxCv cox_cv(const CoxPathDesign& design, std::span<const std::int32_t> fold, const CoxPathOptions& options) {
  CoxCv cv;
  cv.n_folds = check(design, fold);
  cv.path = cox_path(design, options);
  cv.fold_weight = events_of(design, fold, cv.n_folds, options.weight);
  std::vector<std::vector<double>> deviance(size(cv.n_folds));
#pragma omp parallel for schedule(dynamic)
  for (Index f = 0; f < cv.n_folds; ++f) {
    deviance[size(f)] =
        deviance_of(design, fold, static_cast<std::int32_t>(f), cv.path, options.ties, options.weight,
                    cv.fold_weight[size(f)], [&](std::span<const double> weight) {
                      CoxPathOptions training = options;
                      training.lambda = cv.path.lambda;
                      training.weight = weight;
                      return cox_path(design, training);
                    });
  }
  for (const auto& of_fold : deviance)
    cv.fold_deviance.insert(cv.fold_deviance.end(), of_fold.begin(), of_fold.end());
  summarise(cv);
  return cv;
}

CoxCv cox_cv(const CoxPathDesign& design, const CoxPathGuide& guide, Ties ties,
             std::span<const std::int32_t> fold, std::span<const double> weight, CoxPathRoom& room) {
  CoxCv cv;
  cv.n_folds = check(design, fold);
  cv.path = cox_path(guide, weight, room);
  cv.fold_weight = events_of(design, fold, cv.n_folds, weight);
  for (Index f = 0; f < cv.n_folds; ++f) {
    const auto deviance = deviance_of(
        design, fold, static_cast<std::int32_t>(f), cv.path, ties, weight, cv.fold_weight[size(f)],
        [&](std::span<const double> training) { return cox_path(guide, training, room); });
    cv.fold_deviance.insert(cv.fold_deviance.end(), deviance.begin(), deviance.end());
  }
  summarise(cv);
  return cv;
}

std::vector<std::int32_t> cox_cv_folds(Index n_patients, Index n_folds, std::uint64_t seed) {
  std::vector<std::uint64_t> key;
  for (Index i = 0; i < n_patients; ++i) key.push_back(Draws(seed, 0, i).bits());
  std::vector<Index> order(size(n_patients));
  std::iota(order.begin(), order.end(), Index{0});
  std::sort(order.begin(), order.end(),
            [&](Index a, Index b) { return std::pair(key[size(a)], a) < std::pair(key[size(b)], b); });
  std::vector<std::int32_t> fold(size(n_patients));
  for (Index rank = 0; rank < n_patients; ++rank)
    fold[size(order[size(rank)])] = static_cast<std::int32_t>(rank % n_folds);
  return fold;
}

}  // namespace chorale::kernels
