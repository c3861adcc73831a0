// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "jobs/prognosis/config.hpp"

#include "jobs/common/evaluation.hpp"

namespace chorale::jobs::prognosis {
namespace {

void candidates(io::Schema<Config>& schema) {
  schema.field("features", &Config::features)
      .help("features of [features] are candidates beside outcome.covariates; false: covariates alone");
  schema.field("log10", &Config::log10)
      .help("covariates that enter as their logarithm to base 10; values of 0 or less then count as missing");
  schema.field("missing", &Config::missing)
      .help(
          "missing covariates: complete_case (the patient leaves), indicator (a term of its own), fill "
          "(median, or "
          "most frequent level, learned anew in every replicate)");
  schema.field("untested", &Config::untested)
      .help("patients not tested for a candidate feature: the same choices");
}

void procedure(io::Schema<Config>& schema) {
  schema.field("selection", &Config::selection).help("how terms are chosen, in every replicate anew");
  schema.field("alpha", &Config::alpha).at_least(0).at_most(1).help("elastic net: 1 lasso, 0 ridge");
  schema.field("tuning", &Config::tuning)
      .help(
          "penalty of the elastic net: bic (with the number of events), aic, cv (least cross-validated "
          "deviance), "
          "cv_1se (within a standard error of it)");
  schema.field("folds", &Config::folds).at_least(2).help("of cross-validation, drawn by seed");
  schema.field("fold_by", &Config::fold_by)
      .help("field whose levels are the folds, such as SITE; empty: drawn");
  schema.field("always", &Config::always)
      .help("covariates and features that are not penalised and so always in the model");
  schema.field("refit", &Config::refit)
      .help("fit the chosen terms again without penalty; false: keep the penalised coefficients");
}

void bootstrap(io::Schema<Config>& schema) {
  schema.field("replicates", &Config::replicates)
      .at_least(0)
      .at_most(1e6)
      .help("of the bootstrap, each with the whole procedure; 0: none");
  schema.field("copies", &Config::copies)
      .help(
          "what a patient drawn twice is to tied times: weights (one row of weight 2, as R's "
          "coxph(weights=)) or rows "
          "(two rows that tie); differs with Efron only, elastic nets use weights");
  schema.field("bootstrap_strata", &Config::bootstrap_strata)
      .help("fields within whose levels patients are drawn");
  schema.field("cluster", &Config::cluster)
      .help("field whose levels are drawn as a whole, such as SITE; standard errors are then clustered too");
}

void validation(io::Schema<Config>& schema) {
  schema.field("measures", &Config::measures)
      .one_of(evaluation_words)
      .help("what is measured of the model and of every replicate");
  schema.field("horizons", &Config::horizons)
      .unit("days")
      .above(0)
      .help(
          "times of AUC, Brier score and calibration; the last one ends Uno's C and the integrated Brier "
          "score");
  schema.field("integration_points", &Config::integration_points)
      .at_least(2)
      .at_most(1000)
      .help("of the integrated Brier score, evenly spaced up to the last horizon");
  schema.field("calibration_groups", &Config::calibration_groups)
      .at_least(2)
      .at_most(100)
      .help("groups of equal size by predicted survival");
  schema.field("out_of_bag", &Config::out_of_bag)
      .help("also measure replicates on the patients that they did not draw, for .632 and .632+");
  schema.field("leave_out", &Config::leave_out)
      .help(
          "field whose levels are left out in turn, the procedure repeated on the others and measured on "
          "them, such "
          "as SITE; empty: no");
  schema.field("stability_pairs", &Config::stability_pairs)
      .at_least(0)
      .at_most(100'000)
      .help("pairs of half samples for stability selection; 0: none");
  schema.field("stability_terms", &Config::stability_terms)
      .at_least(0)
      .help(
          "terms that enter the path of a half sample before it ends; 0: as many as keep the error bound at "
          "1");
  schema.field("stability_cutoff", &Config::stability_cutoff)
      .above(0.5)
      .at_most(1)
      .help("share of half samples in which a stable term is chosen");
}

void risk_groups(io::Schema<Config>& schema) {
  schema.field("group_quantiles", &Config::group_quantiles)
      .above(0)
      .below(1)
      .help("quantiles of the linear predictor that part the risk groups");
  schema.field("group_cuts", &Config::group_cuts)
      .help("linear predictors that part the risk groups, in place of quantiles");
  schema.field("schemes", &Config::schemes)
      .help("fields that hold another prognostic scheme, such as ELN_2011, to compare the model with");
  schema.field("confidence", &Config::confidence)
      .above(0)
      .below(1)
      .help("level of every confidence interval");
}

}  // namespace

io::Schema<Config> config_schema() {
  io::Schema<Config> schema(
      "prognosis",
      "What predicts survival, how surely, how well a model of it holds on others, and which risk groups it "
      "makes.");
  candidates(schema);
  procedure(schema);
  bootstrap(schema);
  validation(schema);
  risk_groups(schema);
  return schema;
}

}  // namespace chorale::jobs::prognosis
