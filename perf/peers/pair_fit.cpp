// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
//
// Full Cox fits of pairs of a cohort: age, sex, two features, their interaction. For interactions_vs_r.sh, which has
// R fit the same pairs.
//
//   pair_fit COHORT TABLE [PAIRS]
//
// Writes the fits to TABLE and prints the processor seconds of one fit.
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "io/shard.hpp"
#include "kernels/pair_cox.hpp"

namespace {

using chorale::Index;
using chorale::kernels::FeaturePair;

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

struct Cohort {
  std::vector<double> age, sex, time;
  std::vector<std::int8_t> event;
  std::vector<std::vector<std::int32_t>> carriers;
};

/// Everyone is tested for everything in this cohort.
Cohort load(const chorale::io::Catalogue& catalogue) {
  Cohort cohort;
  cohort.carriers.resize(catalogue.features.size());
  const auto add = [](auto& to, const auto& from) { to.insert(to.end(), from.begin(), from.end()); };
  for (Index s = 0; s < static_cast<Index>(catalogue.shards.size()); ++s) {
    const chorale::io::ShardReader reader(catalogue, s);
    const auto first = static_cast<std::int32_t>(cohort.time.size());
    add(cohort.age, reader.read_clinical(catalogue.field_index("AGE")).number);
    add(cohort.sex, reader.read_clinical(catalogue.field_index("SEX")).code);
    const auto survival = reader.read_survival(catalogue.endpoint_index("OS"));
    add(cohort.time, survival.time);
    add(cohort.event, survival.event);
    const auto rows = reader.read_alteration();
    for (std::size_t i = 0; i + 1 < rows.offset.size(); ++i)
      for (auto k = rows.offset[i]; k < rows.offset[i + 1]; ++k)
        cohort.carriers[size(rows.value[size(k)])].push_back(first + static_cast<std::int32_t>(i));
  }
  return cohort;
}

/// Pairs that five patients or more carry, evenly from the rarest to the most frequent.
std::vector<FeaturePair> choose(const Cohort& cohort, Index n_wanted) {
  std::vector<std::pair<std::size_t, FeaturePair>> all;
  std::vector<std::int32_t> found;
  for (std::size_t b = 0; b < cohort.carriers.size(); ++b) {
    for (std::size_t a = 0; a < b; ++a) {
      found.clear();
      std::set_intersection(cohort.carriers[a].begin(), cohort.carriers[a].end(), cohort.carriers[b].begin(),
                            cohort.carriers[b].end(), std::back_inserter(found));
      if (found.size() >= 5)
        all.push_back({found.size(), {static_cast<std::int32_t>(a), static_cast<std::int32_t>(b)}});
    }
  }
  std::stable_sort(all.begin(), all.end(), [](const auto& x, const auto& y) { return x.first < y.first; });
  std::vector<FeaturePair> chosen;
  for (Index k = 0; k < n_wanted; ++k)
    chosen.push_back(all[size(k) * (all.size() - 1) / size(std::max<Index>(1, n_wanted - 1))].second);
  return chosen;
}

int measure(const char* folder, const char* table, Index n_pairs) {
  using namespace chorale::kernels;
  const auto catalogue = chorale::io::load_catalogue(folder);
  const Cohort cohort = load(catalogue);
  const auto timeline =
      make_timeline({.entry = {}, .time = cohort.time, .event = cohort.event, .weight = {}, .stratum = {}});
  std::vector<double> columns = cohort.age;
  columns.insert(columns.end(), cohort.sex.begin(), cohort.sex.end());
  const CoxDesign design = make_cox_design(timeline, {.values = columns, .n_columns = 2, .offset = {}});
  const PairCoxFrame frame(design, cox_fit(design), Ties::efron);
  const std::vector<std::span<const std::int32_t>> carriers(cohort.carriers.begin(), cohort.carriers.end());
  const auto pairs = choose(cohort, n_pairs);
  std::vector<PairCoxFit> fits(pairs.size());

  const auto fit = [&] { pair_cox_full(frame, carriers, pairs, fits, {.with_lrt = false}); };
  fit();
  constexpr int n_repetitions = 20;
  const std::clock_t start = std::clock();
  for (int r = 0; r < n_repetitions; ++r) fit();
  const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;

  std::ofstream out(table);
  out.precision(17);
  out << "feature_a\tfeature_b\tage\tsex\ta\tb\tab\tse_a\tse_b\tse_ab\tloglik\n";
  for (std::size_t k = 0; k < pairs.size(); ++k) {
    const PairCoxFit& f = fits[k];
    out << catalogue.features[size(pairs[k].a)].name << '\t' << catalogue.features[size(pairs[k].b)].name;
    for (const double value : {f.beta.at(0), f.beta.at(1), f.a, f.b, f.ab, f.se_a, f.se_b, f.se_ab, f.loglik})
      out << '\t' << value;
    out << '\n';
  }
  std::printf("%.9f\n", seconds / n_repetitions / static_cast<double>(pairs.size()));
  return out.flush() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: pair_fit COHORT TABLE [PAIRS]\n");
    return 2;
  }
  try {
    return measure(argv[1], argv[2], argc > 3 ? std::max(1, std::stoi(argv[3])) : 6);
  } catch (const chorale::Error& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return error.exit_code();
  }
}
