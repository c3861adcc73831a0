// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/analysis.hpp"
#include "jobs/common/kernel_archives.hpp"
#include "jobs/cox_model/config.hpp"

namespace chorale::jobs {

namespace cox_model {

/// The one unit's result.
struct Part {
  std::vector<std::string> terms;
  kernels::CoxFit fit;
  engine::Ledger ledger;

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& terms& ledger& fit.verdict& fit.n_analysed& fit.n_events& fit.beta& fit.covariance& fit
        .aliased& fit.infinite& fit.loglik_null& fit.loglik& fit.df& fit.score_chi2& fit.iterations;
  }
};

/// On all patients of a node.
Part fit_replicated(const engine::Setup& setup, const engine::Cohort& cohort);

/// On patients who lie apart by time; by all ranks at once.
Part fit_by_time(const engine::Setup& setup, const engine::TimeSlice& slice);

io::Results tabulate(const Config& config, const engine::Setup& setup, const Part& part);

}  // namespace cox_model

/// One Cox model of an outcome's covariates, also of more patients than a node holds.
///
/// Stages   fit  by_time or replicated, one unit
class CoxModel {
 public:
  static constexpr std::string_view name = "cox_model";
  using Config = cox_model::Config;
  using Part = cox_model::Part;

  static io::Schema<Config> schema() { return cox_model::config_schema(); }
  explicit CoxModel(Config config) : config_(config) {}

  std::vector<engine::Stage> stages(const engine::Setup& setup) const;
  Part run(const engine::Setup& setup, const engine::Cohort& cohort, engine::Unit unit) const;
  Part run_together(const engine::Setup& setup, const engine::TimeSlice& slice, engine::Unit unit) const;
  io::Results finish(const engine::Setup& setup, std::span<const Part> parts) const;

 private:
  Config config_;
};

}  // namespace chorale::jobs
