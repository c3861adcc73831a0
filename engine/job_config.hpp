// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "io/config/schema.hpp"
#include "kernels/timeline.hpp"

namespace chorale::engine {

/// One line of [select]: patients that fail it leave, and are counted.
struct Filter {
  std::string field;
  std::vector<std::string> is;
  std::vector<std::string> is_not;
  std::optional<double> at_least, at_most, above, below;
  bool keep_missing = false;
};

/// [select]: which patients.
struct SelectConfig {
  std::vector<Filter> where;
};

/// [features]: what a patient may carry.
struct FeaturesConfig {
  std::string classes = "cohort";
  std::vector<std::string> fields;
  std::vector<std::string> include;
  Index min_carriers = 0;
};

/// [outcome]: time to event, and what it is adjusted for.
struct OutcomeConfig {
  std::string endpoint;
  std::vector<std::string> covariates;
  std::string weight;
  std::vector<std::string> strata;
  kernels::Ties ties = kernels::Ties::efron;
};

/// [run]: how the work is done; never changes an answer.
struct RunConfig {
  Index threads = 0;
  double checkpoint_seconds = 30;
  bool refuse_by_memory = true;
};

/// Everything that all jobs share: the head of a job file and its shared tables.
struct JobConfig {
  std::string job;
  std::string cohort;
  std::string output;
  Index seed = 1;
  SelectConfig select;
  FeaturesConfig features;
  OutcomeConfig outcome;
  RunConfig run;
};

struct Head {
  std::string job, cohort, output;
  Index seed = 1;
};

io::Schema<Head> head_schema();
io::Schema<SelectConfig> select_schema();
io::Schema<FeaturesConfig> features_schema();
io::Schema<OutcomeConfig> outcome_schema();
io::Schema<RunConfig> run_schema();

/// Reads the head and the shared tables; the job's own table is the job's to read.
/// Throws   ConfigError for keys and tables that are neither shared nor the job's own, and for missing job, cohort,
///          output
JobConfig parse_job_config(const io::Node& root);

/// Keys of the shared tables that decide the answer ("select.where", …), with their values: what a checkpoint must
/// agree on. Paths and [run] are left out.
std::vector<std::pair<std::string, std::string>> deciding_keys(const JobConfig& config);

/// Every shared key with its value, for the run record.
std::vector<std::pair<std::string, std::string>> all_keys(const JobConfig& config);

}  // namespace chorale::engine

template <>
struct chorale::io::ConfigWords<chorale::kernels::Ties> {
  static constexpr std::array words{std::pair{"efron", kernels::Ties::efron},
                                    std::pair{"breslow", kernels::Ties::breslow}};
};
