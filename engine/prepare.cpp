// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "engine/load.hpp"
#include "engine/runner.hpp"

namespace chorale::engine {
namespace {

const AnalysisEntry& find_job(const io::Node& root, const std::string& name,
                              const std::vector<AnalysisEntry>& registry) {
  std::vector<std::string> names;
  for (const AnalysisEntry& entry : registry) {
    if (entry.name == name) return entry;
    names.push_back(entry.name);
  }
  std::string list;
  for (const auto& known : names) list += (list.empty() ? "one of " : ", ") + known;
  const io::Node* node = root.find("job");
  io::require_word(name, names, list, "job", node != nullptr ? *node : root);
  return registry.front();
}

void require_endpoint(const OutcomeConfig& outcome, const io::Catalogue& catalogue) {
  if (outcome.endpoint.empty() || catalogue.endpoint_index(outcome.endpoint) >= 0) return;
  std::vector<std::string> names;
  std::string list;
  for (const auto& endpoint : catalogue.endpoints) {
    names.push_back(endpoint.name);
    list += (list.empty() ? "one of " : ", ") + endpoint.name;
  }
  const std::string near = io::nearest(outcome.endpoint, names);
  throw ConfigError(
      {.what = "the cohort has no such endpoint",
       .found = outcome.endpoint,
       .expected = list.empty() ? "nothing: the cohort has no endpoints" : list,
       .in = "outcome.endpoint",
       .remedy = near.empty() ? "choose one of these, or leave it out" : "did you mean " + near + "?"});
}

FeatureSet often_enough(const FeatureSet& all, const std::vector<std::int64_t>& carriers,
                        Index min_carriers) {
  std::vector<Index> kept;
  std::int64_t most = 0;
  for (std::size_t f = 0; f < carriers.size(); ++f) {
    most = std::max(most, carriers[f]);
    if (carriers[f] >= min_carriers) kept.push_back(static_cast<Index>(f));
  }
  if (kept.empty()) {
    throw ConfigError({.what = "no feature has enough carriers",
                       .found = "at most " + std::to_string(most) + " carriers",
                       .expected = "at least " + std::to_string(min_carriers),
                       .in = "features.min_carriers",
                       .remedy = "lower min_carriers, or select more patients"});
  }
  return all.keep(kept);
}

}  // namespace

PreparedJob prepare(const io::Node& root, const std::vector<AnalysisEntry>& registry, Comm* comm) {
  PreparedJob job;
  job.config = parse_job_config(root);
  job.analysis = find_job(root, job.config.job, registry).make(root.find(job.config.job));
  job.catalogue = io::load_catalogue(job.config.cohort);
  require_endpoint(job.config.outcome, job.catalogue);
  job.selection = std::make_unique<Selection>(job.config.select, job.catalogue);
  job.features = FeatureSet::resolve(job.config.features, job.catalogue);
  job.plan = Plan(job.analysis->stages(job.setup()), job.catalogue);
  if (comm != nullptr) count_patients(job, *comm);
  return job;
}

void count_patients(PreparedJob& job, Comm& comm) {
  const Index min_carriers = job.config.features.min_carriers;
  const bool everyone = job.selection->keeps_everyone();
  if (everyone && min_carriers <= 0) return;
  const Columns none;
  const Reading reading{job.catalogue, *job.selection, job.features, none};
  if (min_carriers > 0)
    job.features = often_enough(job.features, count_carriers(reading, comm), min_carriers);
  if (!everyone) job.selected = count_selected(reading, comm);
  job.plan = Plan(job.analysis->stages(job.setup()), job.catalogue);
}

}  // namespace chorale::engine
