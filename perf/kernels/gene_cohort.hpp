// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/draw.hpp"

namespace chorale::kernels {

/// 100,000 patients of seven diseases; frequencies of genes fall evenly in their logarithm over a factor of
/// 1,500, each disease has its own (a factor e^0.7), each patient their own burden (gamma, shape 4), `burden`
/// genes on average.
struct GeneCohort {
  static constexpr Index n_patients = 100'000, n_diseases = 7;

  GeneCohort(Index n_genes, double burden) : carriers(static_cast<std::size_t>(n_genes)) {
    std::vector<std::vector<double>> cumulative(n_diseases,
                                                std::vector<double>(static_cast<std::size_t>(n_genes)));
    double mean = 0;
    for (std::size_t of = 0; of < n_diseases; ++of) {
      double sum = 0;
      for (Index gene = 0; gene < n_genes; ++gene) {
        const double frequency = std::pow(1500, -draw_uniform(1, 0, gene, 0));
        sum += frequency * std::exp(0.7 * Draws(1, 1, gene * n_diseases + static_cast<Index>(of)).normal());
        cumulative[of][static_cast<std::size_t>(gene)] = sum;
      }
      mean += sum / n_diseases;
    }
    for (std::int32_t patient = 0; patient < n_patients; ++patient) {
      Draws draws(1, 2, patient);
      disease.push_back(static_cast<std::int32_t>(draws.below(n_diseases)));
      const auto& of_disease = cumulative[static_cast<std::size_t>(disease.back())];
      const double rate = burden / mean * of_disease.back() * draws.gamma(4) / 4;
      for (Index left = draws.poisson(rate); left > 0; --left) {
        auto& list = carriers[static_cast<std::size_t>(draws.categorical(of_disease))];
        if (list.empty() || list.back() != patient) list.push_back(patient);
      }
    }
    lists.assign(carriers.begin(), carriers.end());
  }
  GeneCohort(const GeneCohort&) = delete;

  std::vector<std::vector<std::int32_t>> carriers;
  std::vector<std::span<const std::int32_t>> lists;  ///< of carriers
  std::vector<std::int32_t> disease;                 ///< by patient
};

}  // namespace chorale::kernels
