// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "io/catalogue.hpp"
#include "io/study/molecular.hpp"

namespace chorale::io::study {

/// From the pool's codes to the catalogue's, and which feature stands for what; -1 where there is none.
struct FeaturePlan {
  std::vector<std::int32_t> gene;                   ///< pool's gene code → catalogue's
  std::vector<std::int8_t> variant_class;           ///< pool's class code → catalogue's
  std::vector<std::uint8_t> class_counts;           ///< per pool class: does it make a carrier?
  std::vector<std::int32_t> mutated;                ///< per pool gene: feature "GENE"
  std::vector<std::array<std::int32_t, 5>> copies;  ///< per pool gene and copy number -2 … 2: "GENE:HOMDEL" …
  std::vector<std::int32_t> rearranged;             ///< per pool gene: feature "GENE:SV"
  std::map<std::pair<std::int32_t, std::int32_t>, std::int32_t> fused;  ///< pool genes, smaller first: "A::B"
  std::vector<std::vector<std::uint8_t>> on_panel;                      ///< [panel][pool gene]
};

/// Fills Catalogue::genes, variant_classes, classes and features, and turns panel genes into catalogue codes.
/// Features are: every gene of a mutation panel, and, where whole exomes are among the assays, every gene with a
/// variant that counts; GENE:AMP (+2) and GENE:HOMDEL (-2), and by the recipe GENE:GAIN (+1) and GENE:HETLOSS (-1),
/// that a sample carries; GENE:SV and fusions A::B that a sample carries.
/// Shapes   is_mutation_panel (Catalogue::panels): is the panel some patient's mutation assay?
/// Throws   InputError when a gene symbol equals the name of another feature
FeaturePlan plan_features(const Pool& pool, const std::vector<std::uint8_t>& is_mutation_panel,
                          bool gains_and_losses, Catalogue& catalogue);

}  // namespace chorale::io::study
