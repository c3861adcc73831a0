// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "jobs/simulate/protein_change.hpp"
#include "kernels/types.hpp"

namespace chorale::jobs {

struct SimulatedVariant {
  std::int32_t gene = 0;  ///< code into Catalogue::genes
  VariantClass variant_class = VariantClass::missense;
  ProteinChange change = {};
  std::int32_t n_alt = 0, n_reads = 1;  ///< reads with the variant, reads in all
};

/// Follow-up in whole days; event -1 and days 0 when the patient has none.
struct SimulatedOutcome {
  Index days = 0;
  std::int8_t event = -1;
};

struct SimulatedPatient {
  Index index = 0;
  Index site = 0, entity = 0;
  Index panel = -1;                        ///< code into Catalogue::panels; -1: not profiled
  double log_hazard = 0;                   ///< sum of all planted effects
  std::vector<std::uint8_t> carried;       ///< the entity's named alterations, tested or not
  std::vector<double> values;              ///< per Catalogue::fields: number or code, NaN missing
  std::vector<SimulatedVariant> variants;  ///< of tested genes, sorted by gene
  SimulatedOutcome os, efs;
};

/// "SIM000000042"
std::string patient_id(Index index);

}  // namespace chorale::jobs
