// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <vector>

#include "engine/analysis.hpp"

namespace chorale::jobs {

/// Every analysis this program has, in the order in which 'chorale list' shows them.
const std::vector<engine::AnalysisEntry>& registry();

}  // namespace chorale::jobs
