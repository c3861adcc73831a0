// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <cmath>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <fstream>
#include <string>

#include "kernels/cox_path_guide.hpp"
#include "kernels/draw.hpp"
#include "kernels/error.hpp"
#include "perf/kernels/survival_cohort.hpp"

/// The cohort that paths_vs_glmnet.R hands to glmnet, and Chorale's path of one bootstrap replicate of it.
///
///   path_fit dense|sparse FOLDER                   writes times, events, weights, columns and carriers
///   path_fit dense|sparse FOLDER REPETITIONS       prints processor seconds: guide, cox_path, a replicate by the
///                                                  guide, at the penalties in FOLDER/lambda; writes FOLDER/beta
namespace {

using namespace chorale::kernels;
using chorale::Index;

struct Study {
  SurvivalCohort cohort;
  std::vector<double> dense, weight;
  Index n_dense;

  Study(Index n_features, Index n_noise)
      : cohort(100000, n_features), dense(cohort.columns), n_dense(SurvivalCohort::n_columns + n_noise) {
    const auto n = static_cast<Index>(cohort.time.size());
    for (Index j = 0; j < n_noise; ++j) {
      for (Index i = 0; i < n; ++i) dense.push_back(Draws(5, static_cast<std::uint32_t>(j), i).normal());
    }
    weight.assign(cohort.time.size(), 0.0);
    for (Index i = 0; i < n; ++i) {
      Draws draws(6, 0, i);
      weight[static_cast<std::size_t>(std::floor(draws.uniform() * static_cast<double>(n)))] += 1;
    }
  }
  CoxPathColumns columns() const {
    return {.dense = dense, .n_dense = n_dense, .sparse = cohort.lists, .offset = {}};
  }
};

template <class Values>
void write(const std::string& path, const Values& values) {
  std::ofstream out(path, std::ios::binary);
  for (const auto value : values) {
    const auto number = static_cast<double>(value);
    out.write(reinterpret_cast<const char*>(&number), sizeof(number));
  }
}

std::vector<double> read(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::vector<double> values;
  for (double value; in.read(reinterpret_cast<char*>(&value), sizeof(value));) values.push_back(value);
  return values;
}

void write_study(const Study& study, const std::string& folder) {
  write(folder + "/time", study.cohort.time);
  write(folder + "/event", study.cohort.event);
  write(folder + "/weight", study.weight);
  write(folder + "/dense", study.dense);
  std::vector<std::int32_t> patient, column;
  for (std::size_t c = 0; c < study.cohort.lists.size(); ++c) {
    for (const std::int32_t i : study.cohort.lists[c]) {
      patient.push_back(i + 1);
      column.push_back(static_cast<std::int32_t>(c) + 1);
    }
  }
  write(folder + "/patient", patient);
  write(folder + "/column", column);
}

template <class Work>
double seconds(int repetitions, const Work& work) {
  const std::clock_t start = std::clock();
  for (int r = 0; r < repetitions; ++r) work();
  return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC / repetitions;
}

void measure(const Study& study, const std::string& folder, int repetitions) {
  const auto lambda = read(folder + "/lambda");
  const CoxPathDesign design = make_cox_path_design(study.cohort.timeline, study.columns());
  CoxPathGuide guide;
  CoxPathRoom room;
  const double making = seconds(1, [&] { guide = make_cox_path_guide(design, {.lambda = lambda}); });
  CoxPath path = cox_path(guide, study.weight, room);  // makes the room
  const double guided = seconds(repetitions, [&] { path = cox_path(guide, study.weight, room); });
  const double plain = seconds(1, [&] { cox_path(design, {.lambda = lambda, .weight = study.weight}); });
  write(folder + "/beta", path.beta);
  std::printf("%.4f %.5f %.5f\n", making, plain, guided);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: path_fit dense|sparse FOLDER [REPETITIONS]\n");
    return 2;
  }
  try {
    const bool sparse = std::strcmp(argv[1], "sparse") == 0;
    const Study study(sparse ? 500 : 0, sparse ? 10 : 196);
    if (argc > 3) {
      measure(study, argv[2], std::max(1, std::stoi(argv[3])));
    } else {
      write_study(study, argv[2]);
    }
    return 0;
  } catch (const chorale::Error& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return error.exit_code();
  }
}
