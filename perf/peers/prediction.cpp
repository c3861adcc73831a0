// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
//
// One round of prediction_vs_r.R: judges a risk score, prints "measure value milliseconds" lines. The first call with a
// file that is not there draws the cohort into it.
//   prediction COHORT.csv
#include <omp.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <string>

#include "kernels/brier.hpp"
#include "kernels/concordance.hpp"
#include "kernels/time_auc.hpp"
#include "perf/kernels/survival_cohort.hpp"

namespace chorale::kernels {
namespace {

void draw_cohort(const std::string& path) {
  const SurvivalCohort cohort(100'000, 1);
  std::FILE* file = std::fopen(path.c_str(), "w");
  if (file == nullptr) return;
  std::fprintf(file, "time,event,risk\n");
  for (std::size_t i = 0; i < cohort.time.size(); ++i)
    std::fprintf(file, "%.0f,%d,%.17g\n", cohort.time[i], cohort.event[i], cohort.columns[i]);
  std::fclose(file);
}

/// The least of five times, in milliseconds.
template <class Work>
void report(const char* measure, const Work& work) {
  double best = INFINITY, value = 0;
  for (int k = 0; k < 5; ++k) {
    const auto begin = std::chrono::steady_clock::now();
    value = work();
    best = std::min(
        best, std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count());
  }
  std::printf("%s %.15g %.4f\n", measure, value, best);
}

int judge(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  std::vector<double> time, risk;
  std::vector<std::int8_t> event;
  while (std::getline(file, line)) {
    const auto first = line.find(','), second = line.find(',', first + 1);
    time.push_back(std::stod(line));
    event.push_back(static_cast<std::int8_t>(std::stoi(line.substr(first + 1))));
    risk.push_back(std::stod(line.substr(second + 1)));
  }
  const Timeline timeline =
      make_timeline({.entry = {}, .time = time, .event = event, .weight = {}, .stratum = {}});
  const RiskOrder order = make_risk_order(timeline);
  ConcordanceCounter counter;
  const auto uno = PairWeight::inverse_censoring;
  report("harrell", [&] { return counter.count(order, risk, {}).c; });
  report("harrell_se", [&] { return counter.count(order, risk, {}, {.with_error = true}).se; });
  report("uno", [&] { return counter.count(order, risk, {}, {.pairs = uno}).c; });
  report("uno_se", [&] { return counter.count(order, risk, {}, {.pairs = uno, .with_error = true}).se; });
  std::vector<double> predictor = risk, survival(risk.size());
  for (double& value : predictor) value *= 0.2;
  BaselineHazard hazard;
  report("baseline", [&] {
    hazard = baseline_hazard(order, predictor, {}, Ties::efron);
    return cumulative_hazard(order, hazard, 0, 1000) * std::exp(-hazard.centre);
  });
  predicted_survival(order, hazard, predictor, 1000, survival);
  report("brier", [&] { return brier_score(order, survival, 1000, {}).score; });
  const double horizon = 1000;
  report("auc", [&] { return time_auc(order, risk, {&horizon, 1}, {})[0].auc; });
  return 0;
}

}  // namespace
}  // namespace chorale::kernels

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  omp_set_num_threads(1);
  if (!std::ifstream(argv[1])) chorale::kernels::draw_cohort(argv[1]);
  return chorale::kernels::judge(argv[1]);
}
