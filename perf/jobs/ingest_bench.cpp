// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
//
// Ingests a study once and prints the seconds: text to shards on disk, checksums and report included.
// usage: ingest_bench STUDY OUT THREADS
#include <chrono>
#include <cstdlib>
#include <exception>

#include <fmt/core.h>

#include "io/study/ingest.hpp"

int main(int n_arguments, char** arguments) try {
  if (n_arguments != 4) {
    fmt::print(stderr, "usage: ingest_bench STUDY OUT THREADS\n");
    return 2;
  }
  chorale::io::IngestRecipe recipe = chorale::io::recipe_for(arguments[1]);
  recipe.overwrite = true;
  recipe.n_threads = std::atoi(arguments[3]);
  const auto start = std::chrono::steady_clock::now();
  chorale::io::ingest(recipe, arguments[2]);
  fmt::print("{:.4f}\n", std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  return 0;
} catch (const std::exception& error) {
  fmt::print(stderr, "error: {}\n", error.what());
  return 1;
}
