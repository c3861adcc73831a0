// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
//
// One round of survival_vs_r.R: prints "measure value milliseconds" lines, processor time on one thread. The first call
// with a file that is not there draws the cohort into it: 8-byte numbers, column by column (time, event, cause, site,
// feature, 20 covariates).
//   survival COHORT.bin N_PATIENTS
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <string>

#include "kernels/competing_risks.hpp"
#include "kernels/cox.hpp"
#include "kernels/cox_residuals.hpp"
#include "kernels/draw.hpp"
#include "kernels/fine_gray.hpp"
#include "kernels/two_group.hpp"

namespace chorale::kernels {
namespace {

constexpr Index n_columns = 20;

void draw_cohort(const std::string& path, Index n) {
  std::vector<double> table(static_cast<std::size_t>(n * (5 + n_columns)));
  const auto cell = [&](Index column, Index i) -> double& {
    return table[static_cast<std::size_t>(column * n + i)];
  };
  for (Index i = 0; i < n; ++i) {
    Draws draws(17, 1, i);
    double log_hazard = 0;
    for (Index j = 0; j < n_columns; ++j) {
      const double x = j % 2 == 0 ? draws.normal() : static_cast<double>(draws.bernoulli(0.2));
      log_hazard += 0.15 * static_cast<double>(j % 3 - 1) * x;
      cell(5 + j, i) = x;
    }
    const double death = 1400 * draws.exponential() * std::exp(-log_hazard);
    const double censoring = 200 + 3800 * draws.uniform();
    cell(0, i) = std::ceil(std::min(death, censoring));
    cell(1, i) = death <= censoring;
    cell(2, i) = death <= censoring ? 1 + static_cast<double>(draws.bernoulli(0.4)) : 0;
    cell(3, i) = std::floor(40 * draws.uniform());
    cell(4, i) = draws.bernoulli(0.05);
  }
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(table.data()),
             static_cast<std::streamsize>(table.size() * sizeof(double)));
}

/// The least of `times` calls, in milliseconds.
template <class Work>
void report(const char* measure, int times, const Work& work) {
  double best = INFINITY, value = 0;
  for (int k = 0; k < times; ++k) {
    const std::clock_t begin = std::clock();
    value = work();
    best = std::min(best, 1000.0 * static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC);
  }
  std::printf("%s %.15g %.4f\n", measure, value, best);
}

int measure(const std::string& path, Index n) {
  std::vector<double> table(static_cast<std::size_t>(n * (5 + n_columns)));
  std::ifstream(path, std::ios::binary)
      .read(reinterpret_cast<char*>(table.data()),
            static_cast<std::streamsize>(table.size() * sizeof(double)));
  const auto column = [&](Index j) {
    return std::span<const double>(table).subspan(static_cast<std::size_t>(j * n),
                                                  static_cast<std::size_t>(n));
  };
  const auto codes = [&]<class Code>(Index j, Code) {
    return std::vector<Code>(column(j).begin(), column(j).end());
  };
  const auto event = codes(1, std::int8_t{}), cause = codes(2, std::int8_t{});
  const auto site = codes(3, std::int32_t{});
  const auto columns = std::span<const double>(table).subspan(static_cast<std::size_t>(5 * n));
  std::vector<std::int32_t> carriers;
  for (Index i = 0; i < n; ++i)
    if (column(4)[static_cast<std::size_t>(i)] != 0) carriers.push_back(static_cast<std::int32_t>(i));
  const std::vector<std::span<const std::int32_t>> lists(100, carriers);

  const Timeline timeline =
      make_timeline({.entry = {}, .time = column(0), .event = event, .weight = {}, .stratum = {}});
  const RiskTotals totals = risk_totals(timeline);
  // a feature among a hundred
  std::vector<TwoGroupFit> fits(lists.size());
  report("cox_and_log_rank", 5, [&] {
    for (int k = 0; k < 10; ++k) two_group(timeline, totals, lists, Ties::efron, fits);
    return fits[0].score_chi2;
  });
  const CoxDesign design = make_cox_design(timeline, {columns, n_columns, {}});
  CoxFit fit;
  report("cox_fit", 3, [&] {
    fit = cox_fit(design);
    return fit.beta[0];
  });
  report("robust", 5, [&] { return robust_variance(design, fit, Ties::efron).covariance[0]; });
  report("cluster", 5, [&] { return robust_variance(design, fit, Ties::efron, site).covariance[0]; });
  const CauseTimeline causes =
      make_cause_timeline({.entry = {}, .time = column(0), .cause = cause, .weight = {}, .stratum = {}}, 2);
  report("aalen_johansen", 5, [&] {
    const CumulativeIncidence curve = cumulative_incidence(causes);
    return curve.se[static_cast<std::size_t>(curve.n_times() / 2)];
  });
  const FineGrayModel model{.columns = {columns, n_columns, {}}, .ties = CensoringTies::after_events};
  report("fine_gray", 3, [&] { return fine_gray_fit(make_fine_gray_design(causes, model)).beta[0]; });
  const FineGrayDesign ready = make_fine_gray_design(causes, model);
  report("fine_gray_fit", 5, [&] { return fine_gray_fit(ready, {.robust = false}).beta[0]; });
  report("fine_gray_sandwich", 5, [&] { return fine_gray_fit(ready).beta[0]; });
  return 0;
}

}  // namespace
}  // namespace chorale::kernels

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  omp_set_num_threads(1);
  const long n = std::stol(argv[2]);
  if (!std::ifstream(argv[1])) chorale::kernels::draw_cohort(argv[1], n);
  return chorale::kernels::measure(argv[1], n);
}
