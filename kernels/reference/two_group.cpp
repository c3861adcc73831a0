// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/reference/two_group.hpp"

#include <cmath>
#include <vector>

#include "kernels/log_rank.hpp"
#include "kernels/reference/cox.hpp"

namespace chorale::kernels::reference {
namespace {

/// Deaths at event times that found both carriers and others at risk.
struct ComparedDeaths {
  int of_carriers = 0, of_others = 0;
};

ComparedDeaths compared_deaths(const Timeline& timeline, std::span<const std::uint8_t> included,
                               std::span<const double> carries) {
  ComparedDeaths deaths;
  for (Index t = 0; t < timeline.n_times(); ++t) {
    int at_risk[2] = {0, 0}, dying[2] = {0, 0};
    for (std::size_t i = 0; i < carries.size(); ++i) {
      if (!included[i] || t < timeline.first[i] || t >= timeline.last[i]) continue;
      ++at_risk[carries[i] != 0];
      dying[carries[i] != 0] += timeline.event[i] && timeline.last[i] - 1 == t;
    }
    if (at_risk[0] == 0 || at_risk[1] == 0) continue;
    deaths.of_carriers += dying[1];
    deaths.of_others += dying[0];
  }
  return deaths;
}

}  // namespace

TwoGroupFit two_group(const Timeline& timeline, std::span<const std::uint8_t> tested,
                      std::span<const std::int32_t> carriers, Ties ties) {
  const auto n = static_cast<std::size_t>(timeline.n_patients);
  std::vector<std::uint8_t> included(n);
  std::vector<double> carries(n, 0);
  std::vector<std::int32_t> group(n, 0);
  for (std::size_t i = 0; i < n; ++i) included[i] = timeline.analysed[i] && (tested.empty() || tested[i]);
  for (const std::int32_t carrier : carriers) {
    carries[static_cast<std::size_t>(carrier)] = 1;
    group[static_cast<std::size_t>(carrier)] = 1;
  }

  TwoGroupFit fit;
  for (std::size_t i = 0; i < n; ++i) {
    fit.n_analysed += included[i];
    fit.n_events += included[i] && timeline.event[i];
    fit.n_carriers += included[i] && carries[i] != 0;
    fit.n_carrier_events += included[i] && carries[i] != 0 && timeline.event[i];
  }
  const LogRankResult test = log_rank(timeline, group, 2, included);
  fit.observed = test.observed[1];
  fit.expected = test.expected[1];
  fit.logrank_variance = test.variance[3];
  if (fit.logrank_variance > 0) fit.logrank_chi2 = test.chi2;

  const CoxColumns column{.values = carries, .n_columns = 1, .offset = {}};
  const auto terms = [&](double b) {
    return cox_terms(timeline, column, included, std::span<const double>(&b, 1), ties);
  };
  const CoxTerms null = terms(0);
  const ComparedDeaths deaths = compared_deaths(timeline, included, carries);
  if (fit.n_events == 0) return fit;
  fit.loglik_null = fit.loglik = null.loglik;
  if (fit.n_carriers == 0 || fit.n_carriers == fit.n_analysed) {
    fit.verdict = fit.n_carriers == 0 ? Verdict::no_carriers : Verdict::everyone_carries;
    return fit;
  }
  if (deaths.of_carriers + deaths.of_others == 0) {
    fit.verdict = Verdict::never_compared;
    return fit;
  }
  fit.score_chi2 = null.gradient[0] * null.gradient[0] / null.information[0];
  if (deaths.of_carriers == 0 || deaths.of_others == 0) {
    const bool falls = deaths.of_carriers == 0;
    fit.verdict = falls ? Verdict::no_events_among_carriers : Verdict::no_events_among_others;
    fit.loglik = terms(falls ? -40 : 40).loglik;
    return fit;
  }

  double b = 0;
  CoxTerms here = null;
  for (fit.iterations = 1; fit.iterations <= 200; ++fit.iterations) {
    double step = here.gradient[0] / here.information[0];
    CoxTerms there = terms(b + step);
    // the likelihood is concave: a halved step climbs in the end, up to rounding
    while (there.loglik < here.loglik - 1e-12 * std::abs(here.loglik)) {
      step /= 2;
      there = terms(b + step);
    }
    b += step;
    here = there;
    if (std::abs(step) * std::sqrt(here.information[0]) < 1e-10) break;
  }
  fit.verdict = Verdict::converged;
  fit.log_hazard = b;
  fit.se = 1 / std::sqrt(here.information[0]);
  fit.z = b / fit.se;
  fit.loglik = here.loglik;
  return fit;
}

}  // namespace chorale::kernels::reference
