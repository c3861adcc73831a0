// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
//
// One round of bootstrap_vs_r.sh: 512 replicates of a Cox model, weights as R's coxph takes them. Writes into FOLDER
// cohort.bin (time, event, columns), copies.bin (of the first replicates, replicate by replicate) and fits.bin (the
// coefficients of the full data and of those replicates); prints processor seconds a replicate of cox_bootstrap and of
// bootstrap_weights.
//   bootstrap_fits FOLDER N_REPLICATES_FOR_R
#include <omp.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <span>
#include <string>

#include "kernels/bootstrap_weights.hpp"
#include "kernels/cox_bootstrap.hpp"
#include "perf/kernels/covariate_cohort.hpp"

namespace chorale::kernels {
namespace {

constexpr Index n_patients = 100'000, n_columns = 20, n_replicates = 512;

void write(const std::string& path, std::span<const double> numbers) {
  std::FILE* file = std::fopen(path.c_str(), "wb");
  if (file == nullptr || std::fwrite(numbers.data(), 8, numbers.size(), file) != numbers.size()) {
    std::fprintf(stderr, "cannot write %s\n", path.c_str());
    std::exit(1);
  }
  std::fclose(file);
}

template <class Work>
double seconds(const Work& work) {
  const std::clock_t begin = std::clock();
  work();
  return static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
}

void measure(const std::string& folder, std::size_t n_for_r) {
  const CovariateCohort cohort(n_patients, n_columns);
  const CoxDesign design = make_cox_design(cohort.timeline, {cohort.columns, n_columns, {}});
  const CoxFit full = cox_fit(design);
  const BootstrapPlan plan = make_bootstrap_plan({.n_patients = n_patients, .stratum = {}, .cluster = {}});
  std::vector<std::uint8_t> copies(static_cast<std::size_t>(n_patients * n_replicates));
  const double drawing = seconds([&] { bootstrap_weights(plan, 1, 0, n_replicates, copies); });

  std::vector<CoxReplicate> fits(n_replicates);
  std::vector<double> beta(n_replicates * n_columns);
  const CoxBootstrapOptions options{.resample = Resample::weights};
  const double fitting = seconds([&] { cox_bootstrap(design, full, copies, options, fits, beta); });
  std::printf("%.8f %.8f\n", fitting / n_replicates, drawing / n_replicates);

  std::vector<double> numbers(cohort.time);
  numbers.insert(numbers.end(), cohort.event.begin(), cohort.event.end());
  numbers.insert(numbers.end(), cohort.columns.begin(), cohort.columns.end());
  write(folder + "/cohort.bin", numbers);
  numbers.clear();
  for (std::size_t r = 0; r < n_for_r; ++r) {
    for (std::size_t i = 0; i < n_patients; ++i) numbers.push_back(copies[i * n_replicates + r]);
  }
  write(folder + "/copies.bin", numbers);
  numbers = full.beta;
  numbers.insert(numbers.end(), beta.begin(),
                 beta.begin() + static_cast<std::ptrdiff_t>(n_for_r * n_columns));
  write(folder + "/fits.bin", numbers);
}

}  // namespace
}  // namespace chorale::kernels

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  omp_set_num_threads(1);
  chorale::kernels::measure(argv[1], static_cast<std::size_t>(std::atoi(argv[2])));
}
