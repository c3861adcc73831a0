// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>

namespace chorale::jobs::Stream {

/// What a draw is for. A patient's draws of one purpose never shift those of another, so changing one part of a spec
/// leaves the rest of the patients as they were.
enum : std::uint32_t {
  site = 1,
  entity,
  panel,
  alterations,
  burden,
  hits,
  missing,
  outcome,
  variants,
  silent,
  fields = 1000,            ///< + number of the field
  entity_spread = 1000000,  ///< + number of the entity; the item is a gene
};

}  // namespace chorale::jobs::Stream
