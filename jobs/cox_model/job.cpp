// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "jobs/cox_model/job.hpp"

#include "jobs/common/expected.hpp"
#include "jobs/common/follow_up.hpp"

namespace chorale::jobs {

namespace cox_model {

io::Schema<Config> config_schema() {
  io::Schema<Config> schema("cox_model",
                            "One Cox model of the outcome's covariates, of any number of patients.");
  schema.field("patients", &Config::patients)
      .help(
          "by_time: each rank holds the patients whose follow-up ends in its range of times, for cohorts "
          "that do not "
          "fit one node; replicated: each node holds them all");
  schema.field("confidence", &Config::confidence)
      .above(0)
      .below(1)
      .help("level of every confidence interval");
  return schema;
}

}  // namespace cox_model

static_assert(engine::Analysis<CoxModel>);

std::vector<engine::Stage> CoxModel::stages(const engine::Setup& setup) const {
  const OutcomeDesign outcome = OutcomeDesign::of(setup);
  if (setup.config.outcome.endpoint.empty() || setup.config.outcome.covariates.empty()) {
    throw ConfigError(
        {.what = "a Cox model needs an outcome and covariates",
         .found = setup.config.outcome.endpoint.empty() ? "no endpoint" : "no covariates",
         .in = setup.config.outcome.endpoint.empty() ? "outcome.endpoint" : "outcome.covariates",
         .remedy = "name them"});
  }
  engine::Columns columns{
      .fields = {}, .endpoint = setup.config.outcome.endpoint, .alterations = false, .variants = false};
  outcome.require_columns(setup, columns);
  const double n = setup.expected_patients();
  const auto p = static_cast<double>(expected_terms(setup));
  const bool by_time = config_.patients == engine::Layout::by_time;
  constexpr double number = sizeof(double), code = sizeof(std::int32_t);
  // rows of the model: covariates, risk and its factor, when the fit runs. Blocks are copied before that, with time, event
  // and stratum, and let go one by one; about half of that room is used again
  const double rows = number * (p + 2) + (number + 1 + code) / 2;
  // on one node: timelines without and with strata (two places, event, analysed, stratum, exit), covariates as they are
  // read, who is included, where rows stand, in the order of either way with ties, and the rows
  const double on_one_node = 2 * (3 * code + 2 + number) + number * p + 1 + 4 * code + number * (p + 2);
  return {{.name = "fit",
           .layout = config_.patients,
           .columns = columns,
           .n_units = 1,
           .seconds_per_unit = 1e-6 * n + 6e-9 * n * (p * p / 2 + 2 * p + 10),
           .bytes_per_rank = by_time ? 0 : n * on_one_node,
           .bytes_per_thread = 2e6,
           .bytes_spread = by_time ? n * rows : 0}};
}

cox_model::Part CoxModel::run(const engine::Setup& setup, const engine::Cohort& cohort, engine::Unit) const {
  return cox_model::fit_replicated(setup, cohort);
}

cox_model::Part CoxModel::run_together(const engine::Setup& setup, const engine::TimeSlice& slice,
                                       engine::Unit) const {
  return cox_model::fit_by_time(setup, slice);
}

io::Results CoxModel::finish(const engine::Setup& setup, std::span<const Part> parts) const {
  return cox_model::tabulate(config_, setup, parts.front());
}

}  // namespace chorale::jobs
