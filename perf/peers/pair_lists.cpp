// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
//
// Writes the cohort of the pair count benchmarks, 20,000 genes and 77 a patient, for pair_counts_vs_scipy.py, and prints
// sum and sum of squares of the double carriers of all pairs.
//
//   pair_lists LISTS
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "kernels/pair_counts.hpp"
#include "perf/kernels/gene_cohort.hpp"

int main(int argc, char** argv) {
  using namespace chorale::kernels;
  using chorale::Index;
  if (argc != 2) {
    std::fprintf(stderr, "usage: pair_lists LISTS\n");
    return 2;
  }
  const GeneCohort cohort(20'000, 77);
  std::vector<Index> head{GeneCohort::n_patients, static_cast<Index>(cohort.lists.size()), 0, 0};
  for (const auto& list : cohort.lists) head.push_back(head[2] += static_cast<Index>(list.size()));
  std::ofstream out(argv[1], std::ios::binary);
  const auto write = [&](const auto& values) {
    out.write(reinterpret_cast<const char*>(values.data()),
              static_cast<std::streamsize>(values.size() * sizeof(values[0])));
  };
  write(head);
  for (const auto& list : cohort.lists) write(list);

  const PairOrder order = pair_order(cohort.lists, GeneCohort::n_patients);
  const PairLists packed = make_pair_lists(order, cohort.lists, GeneCohort::n_patients);
  const PairCounter counter(packed);
  Index sum = 0, squares = 0;
  std::vector<std::int32_t> n11;
  for (const PairTile& tile : pair_tiles(order)) {
    n11.resize(static_cast<std::size_t>(tile.n_cells()));
    counter.count(tile, n11);
    for (const Index n : n11) sum += n, squares += n * n;
  }
  std::printf("%lld %lld\n", static_cast<long long>(sum), static_cast<long long>(squares));
  return out.flush() ? 0 : 1;
}
