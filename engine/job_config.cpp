// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "engine/job_config.hpp"

#include <algorithm>

namespace chorale::engine {
namespace {

using Keys = std::vector<std::pair<std::string, std::string>>;

io::Schema<Filter> filter_schema() {
  io::Schema<Filter> schema("where", "A condition on one field; all given bounds must hold.");
  schema.field("field", &Filter::field).help("clinical field, or SITE");
  schema.field("is", &Filter::is).help("values that stay");
  schema.field("is_not", &Filter::is_not).help("values that leave");
  schema.field("at_least", &Filter::at_least).help("smallest value that stays");
  schema.field("at_most", &Filter::at_most).help("largest value that stays");
  schema.field("above", &Filter::above).help("values above this stay");
  schema.field("below", &Filter::below).help("values below this stay");
  schema.field("keep_missing", &Filter::keep_missing).help("patients without a value stay");
  return schema;
}

template <class Config>
void append(Keys& all, const io::Schema<Config>& schema, const Config& config) {
  for (auto& [key, value] : schema.dump(config))
    all.emplace_back(schema.name() + "." + key, std::move(value));
}

void require_named(const io::Node& root, const std::string& key, const std::string& value,
                   const char* remedy) {
  if (!value.empty()) return;
  const io::Node* node = root.find(key);
  io::refuse_value(node != nullptr ? *node : root, key + " is not given", "nothing", "text", remedy);
}

}  // namespace

io::Schema<Head> head_schema() {
  io::Schema<Head> schema("", "");
  schema.field("job", &Head::job).help("which analysis; 'chorale list' names them");
  schema.field("cohort", &Head::cohort).help("cohort folder, made by 'chorale ingest' or 'chorale simulate'");
  schema.field("output", &Head::output)
      .help("output folder; a finished one is not overwritten without --fresh");
  schema.field("seed", &Head::seed).at_least(0).help("key of all random draws");
  return schema;
}

io::Schema<SelectConfig> select_schema() {
  io::Schema<SelectConfig> schema(
      "select", "Which patients; each condition that removes someone shows in attrition.tsv.");
  schema.tables("where", &SelectConfig::where, filter_schema(), "conditions, all of which must hold");
  return schema;
}

io::Schema<FeaturesConfig> features_schema() {
  io::Schema<FeaturesConfig> schema("features", "What a patient may carry.");
  schema.field("classes", &FeaturesConfig::classes)
      .help(
          "variant-class set that makes a gene altered: cohort (the set chosen at ingest), nonsilent, "
          "truncating, all");
  schema.field("fields", &FeaturesConfig::fields).help("0/1 clinical fields that count as features too");
  schema.field("include", &FeaturesConfig::include).help("only these features; empty: all");
  schema.field("min_carriers", &FeaturesConfig::min_carriers)
      .unit("patients")
      .at_least(0)
      .help("features carried by fewer selected patients are left out");
  return schema;
}

io::Schema<OutcomeConfig> outcome_schema() {
  io::Schema<OutcomeConfig> schema("outcome", "Time to event, and what it is adjusted for.");
  schema.field("endpoint", &OutcomeConfig::endpoint)
      .help("endpoint of the cohort, such as OS; empty: no outcome");
  schema.field("covariates", &OutcomeConfig::covariates)
      .help("fields of the adjusted model; categories become indicators against their first level");
  schema.field("weight", &OutcomeConfig::weight)
      .help("number field with a weight for every patient, as R's coxph(weights=); empty: all count once");
  schema.field("strata", &OutcomeConfig::strata)
      .help("fields whose levels each have their own baseline hazard");
  schema.field("ties", &OutcomeConfig::ties).help("how tied event times enter the partial likelihood");
  return schema;
}

io::Schema<RunConfig> run_schema() {
  io::Schema<RunConfig> schema("run", "How the work is done; never changes an answer.");
  schema.field("threads", &RunConfig::threads)
      .unit("threads per rank")
      .at_least(0)
      .help("0: the cores of the node divided by its ranks");
  schema.field("checkpoint_seconds", &RunConfig::checkpoint_seconds)
      .unit("seconds")
      .at_least(0)
      .help("finished parts reach the disk at least this often");
  schema.field("refuse_by_memory", &RunConfig::refuse_by_memory)
      .help("do not start when the forecast is larger than the memory that a node offers");
  return schema;
}

JobConfig parse_job_config(const io::Node& root) {
  io::Node head_node = root;
  auto& entries = std::get<io::Node::Table>(head_node.value);
  std::erase_if(entries, [](const auto& entry) { return entry.second.is_table(); });
  const Head head = head_schema().parse(&head_node);
  require_named(root, "job", head.job, "add  job = \"mutation_landscape\"; 'chorale list' names the jobs");
  require_named(root, "cohort", head.cohort, "add  cohort = \"FOLDER\"  or  --set cohort=FOLDER");
  require_named(root, "output", head.output, "add  output = \"FOLDER\"  or  --set output=FOLDER");

  const std::vector<std::string> tables{"select", "features", "outcome", "run", head.job};
  for (const auto& [name, node] : root.table())
    if (node.is_table() && std::find(tables.begin(), tables.end(), name) == tables.end())
      io::refuse_key(node, name, "", tables);

  return {.job = head.job,
          .cohort = head.cohort,
          .output = head.output,
          .seed = head.seed,
          .select = select_schema().parse(root.find("select")),
          .features = features_schema().parse(root.find("features")),
          .outcome = outcome_schema().parse(root.find("outcome")),
          .run = run_schema().parse(root.find("run"))};
}

Keys deciding_keys(const JobConfig& config) {
  Keys all{{"job", config.job}, {"seed", std::to_string(config.seed)}};
  append(all, select_schema(), config.select);
  append(all, features_schema(), config.features);
  append(all, outcome_schema(), config.outcome);
  return all;
}

Keys all_keys(const JobConfig& config) {
  Keys all = deciding_keys(config);
  all.emplace_back("cohort", config.cohort);
  all.emplace_back("output", config.output);
  append(all, run_schema(), config.run);
  return all;
}

}  // namespace chorale::engine
