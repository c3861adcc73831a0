// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <algorithm>
#include <numeric>
#include <random>

#include "kernels/competing_risks.hpp"
#include "kernels/cox.hpp"
#include "tests/kernels/survival_data.hpp"

namespace chorale::kernels::small_cohorts {

/// 5 to 40 patients with whatever makes trouble: ties, time 0, weight 0, late entries, strata of a few, missing
/// outcomes; columns that are continuous, 0/1, small numbers, constant, copies of others, or carried by no one who dies.
struct SmallCohort {
  survival_data::Cohort cohort;  ///< its covariate holds the columns
  Index n_columns = 0;
  std::vector<Index> constant, copies;  ///< columns
  std::vector<std::int8_t> cause;       ///< 1 and 2 where the event is 1

  std::size_t size() const { return cohort.time.size(); }
  CoxColumns columns() const { return {cohort.covariate, n_columns, {}}; }
  CoxDesign design() const { return make_cox_design(cohort.timeline(), columns()); }
  CauseTimeline causes() const {
    return make_cause_timeline({.entry = cohort.entry,
                                .time = cohort.time,
                                .cause = cause,
                                .weight = cohort.weight,
                                .stratum = cohort.stratum},
                               2);
  }

  /// The patients at these places, in this order; a place may come twice.
  SmallCohort at(const std::vector<std::size_t>& places) const {
    SmallCohort other = *this;
    const auto take = [&](auto& to, const auto& from) {
      if (from.empty()) return;
      to.clear();
      for (const std::size_t i : places) to.push_back(from[i]);
    };
    take(other.cohort.entry, cohort.entry);
    take(other.cohort.time, cohort.time);
    take(other.cohort.event, cohort.event);
    take(other.cohort.weight, cohort.weight);
    take(other.cohort.stratum, cohort.stratum);
    take(other.cause, cause);
    other.cohort.covariate.clear();
    for (std::size_t j = 0; j < static_cast<std::size_t>(n_columns); ++j) {
      for (const std::size_t i : places) other.cohort.covariate.push_back(cohort.covariate[j * size() + i]);
    }
    return other;
  }
};

/// What a test needs to keep out.
struct Without {
  bool weights = false, entries = false, strata = false,
       trouble = false;  ///< trouble: constants, copies, separation
};

inline SmallCohort small_cohort(unsigned seed, Without without = {}) {
  std::mt19937_64 engine(seed);
  std::uniform_real_distribution<double> uniform(0, 1);
  const auto upto = [&](int n) { return static_cast<int>(uniform(engine) * n); };
  const auto chance = [&](double p) { return uniform(engine) < p; };
  SmallCohort small;
  survival_data::Cohort& c = small.cohort;
  const int n = 5 + upto(36), days = chance(0.3) ? 3 : chance(0.5) ? 12 : 1000;
  const int n_strata = chance(0.5) ? 1 : 1 + upto(4);
  const double share_of_events = chance(0.05) ? 0 : 0.3 + 0.7 * uniform(engine);
  for (int i = 0; i < n; ++i) {
    c.time.push_back(upto(days + 1));
    c.event.push_back(chance(0.03) ? std::int8_t{-1} : std::int8_t{chance(share_of_events)});
    c.entry.push_back(chance(0.5) ? 0 : upto(static_cast<int>(c.time.back()) + 1));
    c.weight.push_back(chance(0.1) ? 0 : (1 + upto(6)) / 2.0);
    c.stratum.push_back(chance(0.03) ? -1 : upto(n_strata));
    small.cause.push_back(c.event.back() == 1 ? static_cast<std::int8_t>(1 + upto(2)) : c.event.back());
  }
  if (without.weights || chance(0.5)) c.weight.clear();
  if (without.entries || chance(0.5)) c.entry.clear();
  if (without.strata || n_strata == 1) c.stratum.clear();
  if (!c.entry.empty()) {
    // somebody stays who enters late: a cohort without them has no entries, and patients of time 0 count
    c.entry[0] = 1;
    c.time[0] = 2 + upto(days);
    c.event[0] = small.cause[0] = 0;
    if (!c.weight.empty()) c.weight[0] = 0.5;
    if (!c.stratum.empty()) c.stratum[0] = 0;
  }
  small.n_columns = 1 + upto(4);
  std::normal_distribution<double> normal;
  for (Index j = 0; j < small.n_columns; ++j) {
    int kind = upto(without.trouble ? 4 : 7);
    if (kind == 5 && j == 0) kind = 0;
    const double share = uniform(engine);
    const auto of = static_cast<std::size_t>(upto(static_cast<int>(j)));
    for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i) {
      double x = 0;
      if (kind <= 1) x = normal(engine);
      if (kind == 2) x = chance(share);
      if (kind == 3) x = upto(4);
      if (kind == 4) x = 3.7;
      if (kind == 5) x = 2 - 0.5 * c.covariate[of * static_cast<std::size_t>(n) + i];
      if (kind == 6) x = c.event[i] != 1 && chance(0.5);
      c.covariate.push_back(x);
    }
    if (kind == 4) small.constant.push_back(j);
    if (kind == 5) small.copies.push_back(j);
  }
  return small;
}

inline std::vector<std::size_t> places(std::size_t n) {
  std::vector<std::size_t> all(n);
  std::iota(all.begin(), all.end(), 0);
  return all;
}

inline std::vector<std::size_t> shuffled(std::size_t n, unsigned seed) {
  std::vector<std::size_t> order = places(n);
  std::mt19937_64 engine(seed + 5000);
  std::shuffle(order.begin(), order.end(), engine);
  return order;
}

/// Coefficients of about one standard deviation of their column's inverse.
inline std::vector<double> some_beta(const SmallCohort& small, unsigned seed) {
  std::mt19937_64 engine(seed + 9000);
  std::normal_distribution<double> normal(0, 0.7);
  std::vector<double> beta;
  for (Index j = 0; j < small.n_columns; ++j) beta.push_back(normal(engine));
  return beta;
}

}  // namespace chorale::kernels::small_cohorts
