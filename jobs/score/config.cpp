// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "jobs/score/config.hpp"

#include <span>

#include "io/checksum.hpp"
#include "io/file.hpp"
#include "jobs/common/evaluation.hpp"
#include "kernels/error.hpp"

namespace chorale::jobs::score {

io::Schema<Config> config_schema() {
  io::Schema<Config> schema("score",
                            "How well a model of another cohort predicts here: discrimination, calibration, "
                            "risk groups.");
  schema.field("model", &Config::model).help("model.json of a prognosis job");
  schema.field("model_sha256", &Config::model_sha256)
      .help("SHA-256 that the model must have; empty: taken from the file");
  schema.field("by", &Config::by)
      .help("field whose levels are also measured one by one, such as SITE; empty: none");
  schema.field("measures", &Config::measures)
      .one_of(evaluation_words)
      .help("what is measured; empty: what was measured of the model at home");
  schema.field("horizons", &Config::horizons)
      .unit("days")
      .above(0)
      .help(
          "times of AUC, Brier score and calibration; the last one ends Uno's C and the integrated Brier "
          "score; empty: the model's");
  schema.field("integration_points", &Config::integration_points)
      .at_least(2)
      .at_most(1000)
      .help("of the integrated Brier score, evenly spaced up to the last horizon");
  schema.field("calibration_groups", &Config::calibration_groups)
      .at_least(2)
      .at_most(100)
      .help("groups of equal size by predicted survival");
  schema.field("confidence", &Config::confidence)
      .above(0)
      .below(1)
      .help("level of every confidence interval");
  schema.field("patients", &Config::patients)
      .help(
          "also keep every patient's linear predictor, risk group and predicted survival, in results.h5 "
          "alone; who knows a patient's values can find them there, so treat that file as patient data");
  return schema;
}

Config settled(Config config) {
  if (config.model.empty())
    throw ConfigError({.what = "no model is named",
                       .in = "score.model",
                       .remedy = "name the model.json of a finished prognosis job"});
  if (config.model_sha256.empty()) config.model_sha256 = io::sha256_of_file(config.model);
  return config;
}

io::ModelFile model_of(const Config& config) {
  const std::string text = io::read_text(config.model);
  const std::string found = io::sha256(std::as_bytes(std::span(text)));
  if (found != config.model_sha256)
    throw InputError({.what = "the model is another one: its SHA-256 differs",
                      .found = found,
                      .expected = config.model_sha256,
                      .in = config.model,
                      .remedy = "name the model that is meant, or leave score.model_sha256 out"});
  return io::parse_model(text, config.model);
}

}  // namespace chorale::jobs::score
