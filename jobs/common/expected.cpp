// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "jobs/common/expected.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <string>

namespace chorale::jobs {

Index expected_terms(const engine::Setup& setup) {
  Index n = 0;
  for (const auto& name : setup.config.outcome.covariates) {
    const Index field = setup.catalogue.field_index(name);
    const auto n_levels =
        field < 0 ? static_cast<Index>(setup.catalogue.sites.size())
                  : static_cast<Index>(setup.catalogue.fields[static_cast<std::size_t>(field)].levels.size());
    n += std::max<Index>(1, n_levels - 1);
  }
  return n;
}

double expected_times(const engine::Setup& setup, double n_patients) {
  constexpr double share_of_events = 0.5, mean_days = 900, euler = 0.5772156649015329;
  double strata = 1;
  for (const auto& name : setup.config.outcome.strata) {
    const Index field = setup.catalogue.field_index(name);
    const auto n_levels = field < 0 ? setup.catalogue.sites.size()
                                    : setup.catalogue.fields[static_cast<std::size_t>(field)].levels.size();
    strata *= static_cast<double>(std::max<std::size_t>(1, n_levels));
  }
  const double a_day = share_of_events * n_patients / strata / mean_days;  // events on the first day
  if (!(a_day > 0)) return 0;
  return strata * mean_days * (std::log(a_day) + euler - std::expint(-a_day));
}

Index expected_tested_sets(const engine::Setup& setup) {
  std::set<std::string> sets;
  for (const engine::JobFeature& feature : setup.features.features) {
    if (feature.dictionary < 0) {  // a 0/1 field: whoever has a value
      sets.insert(feature.name);
      continue;
    }
    const io::Feature& entry = setup.catalogue.features[static_cast<std::size_t>(feature.dictionary)];
    std::string key(1, static_cast<char>('0' + static_cast<int>(entry.profile)));
    const Index genes[] = {setup.catalogue.gene_index(entry.gene), setup.catalogue.gene_index(entry.partner)};
    for (const io::Panel& panel : setup.catalogue.panels) {
      bool holds = panel.whole_exome;
      for (const Index gene : genes)
        holds = holds ||
                std::binary_search(panel.genes.begin(), panel.genes.end(), static_cast<std::int32_t>(gene));
      key += holds ? '+' : '-';
    }
    sets.insert(key);
  }
  return static_cast<Index>(sets.size());
}

}  // namespace chorale::jobs
