// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "io/catalogue.hpp"
#include "io/study/molecular.hpp"
#include "io/study/study.hpp"

namespace chorale::io::study {

/// Panel per patient, by study and profile: code into Catalogue::panels, -1 not profiled.
using PanelCodes = std::vector<std::array<std::vector<std::int16_t>, n_profiles>>;

/// From samples to patients: a patient whose samples were assayed with several panels gets their union "A+B"; whole
/// exome takes in every panel. Copy number is tested for genes of its table only, so its panels are cut to those.
/// Panels of one name that hold other genes in two studies are told apart as "NAME@SITE".
///
/// Fills Catalogue::panels, sorted by name, with genes as codes of the pool, to which panel genes are added.
/// Throws   InputError for more than 32767 panels and unions of panels
PanelCodes plan_panels(const std::vector<Study>& studies, Pool& pool, Catalogue& catalogue);

}  // namespace chorale::io::study
