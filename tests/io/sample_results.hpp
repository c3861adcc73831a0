// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "io/results.hpp"
#include "tests/io/picture.hpp"

namespace chorale::io {

/// A result with the tables that the mutation landscape yields, small enough to read by eye.
inline Results sample_results() {
  ResultTable features{.name = "features", .caption = "A row is a feature in a group.", .columns = {}};
  features.add("feature", "", "gene or aberration", Texts{"NPM1", "TP53", "<b>&\"x\""});
  features.add("group", "", "patients compared", Texts{"all", "all", "all"});
  features.add("carriers", "patients", "carry it", Counts{300, 80, 2});
  features.add("tested", "patients", "tested for it", Counts{1000, 1000, 900});
  features.add("frequency", "", "carriers / tested", Reals{0.3, 0.08, 2.0 / 900});
  features.add("freq_lower", "", "Wilson 95 %", Reals{0.272, 0.065, 0.0006});
  features.add("freq_upper", "", "Wilson 95 %", Reals{0.329, 0.098, 0.008});
  features.add("n_analysed", "patients", "with outcome", Counts{950, 950, 860});
  features.add("events", "patients", "died", Counts{500, 500, 450});
  features.add("log_hazard", "log hazard", "carriers against others", Reals{-0.4, 0.9, std::nan("")});
  features.add("se", "log hazard", "standard error", Reals{0.1, 0.15, std::nan("")});
  features.add("z", "", "Wald", Reals{-4, 6, std::nan("")});
  features.add("log10_p", "log10", "of the p-value", Reals{-4.2, -8.7, std::nan("")});
  features.add("q", "", "Benjamini-Hochberg", Reals{6e-5, 4e-9, std::nan("")});

  ResultTable survival{.name = "survival", .caption = "Kaplan-Meier estimate per group.", .columns = {}};
  survival.add("group", "", "", Texts{"adult", "adult", "adult", "child", "child"});
  survival.add("time", "days", "", Reals{0, 100, 2000, 0, 400});
  survival.add("at_risk", "patients", "", Counts{800, 600, 20, 150, 90});
  survival.add("events", "patients", "", Counts{0, 100, 200, 0, 40});
  survival.add("survival", "", "", Reals{1, 0.8, 0.4, 1, 0.7});
  survival.add("lower", "", "", Reals{1, 0.77, 0.3, 1, 0.6});
  survival.add("upper", "", "", Reals{1, 0.83, 0.5, 1, 0.8});

  ResultTable attrition{.name = "attrition", .caption = "Who left, and why.", .columns = {}};
  attrition.add("step", "", "", Texts{"in the cohort", "outcome missing"});
  attrition.add("removed", "patients", "", Counts{0, 50});
  attrition.add("left", "patients", "", Counts{1000, 950});

  return {.title = "Mutation landscape",
          .summary = {"1,000 patients.", "NPM1 leads."},
          .tables = {attrition, features, survival},
          .settings = {{"class set", "nonsilent"}},
          .numbers = {}};
}

}  // namespace chorale::io
