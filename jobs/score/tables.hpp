// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <span>

#include "engine/plan.hpp"
#include "io/results.hpp"
#include "jobs/score/design.hpp"
#include "jobs/score/part.hpp"

namespace chorale::jobs::score {

/// What was measured here beside what the model says of itself.
io::ResultTable performance_table(const Design& design, const Whole& whole);
/// Everyone as one group: survival and deaths, observed and expected, at each horizon.
io::ResultTable overall_table(const Design& design, const Whole& whole);
/// The model as it was applied.
io::ResultTable term_table(const Design& design, const Whole& whole);
/// Every patient's predictions; in results.h5 alone.
io::ResultTable patient_table(const Design& design, const Rows& rows);

io::Results tabulate(const Design& design, const engine::Setup& setup, std::span<const Part> parts);

}  // namespace chorale::jobs::score
