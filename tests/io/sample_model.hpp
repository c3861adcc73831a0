// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include "io/model_file.hpp"

namespace chorale::io {

/// One variable of each kind, one value that may be missing of each sort, two strata.
inline ModelFile sample_model() {
  using Kind = ModelFile::Kind;
  ModelFile model;
  model.made_by = "Chorale test";
  model.cohort = "home";
  model.fingerprint = "00ff";
  model.n_patients = 400;
  model.n_events = 250;
  model.endpoint = "OS";
  model.class_set = "nonsilent";
  model.classes = {"Missense_Mutation"};
  model.strata = {"TRIAL"};
  model.procedure = "Cox model of all candidates";
  model.variables = {{.name = "AGE", .kind = Kind::number, .unit = "years", .levels = {}},
                     {.name = "WEIGHT", .kind = Kind::log10, .unit = "", .levels = {}},
                     {.name = "SITE", .kind = Kind::category, .unit = "", .levels = {"A", "B"}},
                     {.name = "NPM1", .kind = Kind::feature, .unit = "", .levels = {}}};
  model.terms = {{.name = "AGE", .variable = 0, .level = "", .coefficient = 0.1, .when_missing = 60.0},
                 {.name = "log10(WEIGHT)", .variable = 1, .level = "", .coefficient = -2, .when_missing = {}},
                 {.name = "SITE=B", .variable = 2, .level = "B", .coefficient = 1.0 / 3, .when_missing = 0.0},
                 {.name = "NPM1", .variable = 3, .level = "", .coefficient = -0.5, .when_missing = 0.0},
                 {.name = "NPM1 untested",
                  .variable = 3,
                  .level = "",
                  .indicates_missing = true,
                  .coefficient = 0.25,
                  .when_missing = 1.0}};
  model.centre = 6;
  model.baselines = {{.stratum = "TRIAL=X", .time = {50, 100}, .cumulative = {0.1, 0.3}},
                     {.stratum = "TRIAL=Y", .time = {80}, .cumulative = {0.2}}};
  model.group_cuts = {5, 6};
  model.horizons = {75, 150};
  model.performance = {{.measure = "harrell_c", .horizon = {}, .apparent = 0.7, .corrected = 0.68},
                       {.measure = "brier", .horizon = 75.0, .apparent = 0.2, .corrected = {}}};
  return model;
}

}  // namespace chorale::io
