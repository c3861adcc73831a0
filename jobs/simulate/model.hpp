// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <string>
#include <vector>

#include "io/catalogue.hpp"
#include "jobs/simulate/alteration_block.hpp"
#include "jobs/simulate/background.hpp"
#include "jobs/simulate/clinical.hpp"
#include "jobs/simulate/outcome.hpp"
#include "jobs/simulate/patient.hpp"
#include "jobs/simulate/spec.hpp"
#include "kernels/types.hpp"

namespace chorale::jobs {

/// A spec made ready to draw patients from: patient i is a pure function of spec and i.
///
///   site → entity → panel → alterations → background hits → clinical values → outcome → variants → missing values
///
/// Construction draws 4096 patients per entity to place the baseline hazards (see OutcomeLaw): a published five-year
/// survival is met within about ½ percentage point.
///
/// Throws   ConfigError from the alteration blocks; the spec is taken as checked
/// Cost     2 to 4 µs a patient for 500 genes
/// Threads  draw is pure; one SimulatedPatient per thread
class CohortModel {
 public:
  explicit CohortModel(SimulateSpec spec);

  const SimulateSpec& spec() const { return spec_; }
  /// Dictionaries and fields of the cohort, without shards.
  const io::Catalogue& catalogue() const { return catalogue_; }
  const std::vector<std::string>& hotspots() const { return hotspots_; }
  const OutcomeLaw& outcome(Index entity) const { return outcomes_[static_cast<std::size_t>(entity)]; }
  const BackgroundGenes& background() const { return background_; }
  const std::string& background_gene(Index gene) const;
  bool is_tested(Index panel, Index gene) const;

  void draw(Index patient, SimulatedPatient& out) const;

 private:
  struct Site {
    std::vector<double> cumulative;          ///< of entities
    std::vector<std::vector<Index>> panels;  ///< per entity: those to choose from
    double unprofiled, missing_factor, log_hazard;
  };
  struct Interaction {
    std::size_t a, b;
    double log_hazard;
  };
  struct Entity {
    AlterationBlock block;
    std::vector<double> log_hazards;
    std::vector<Index> genes;  ///< per alteration: gene code, or -1 for an aberration
    std::vector<Interaction> interactions;
    std::vector<double> cumulative_sites;
  };
  struct Gene {
    double truncating = 0.2, second_hit = 0, vaf = 0.42;
    Index length = 600;
    Index first_hotspot = 0;
    std::vector<double> cumulative;  ///< shares of the hotspots, summed
  };

  void build_genes();
  void build_panels();
  void build_entities();
  void build_sites();
  void build_outcomes();

  void draw_person(Index item, SimulatedPatient& out) const;
  void draw_variants(SimulatedPatient& out) const;
  SimulatedVariant draw_variant(kernels::Draws& draws, Index gene, bool silent) const;

  SimulateSpec spec_;
  io::Catalogue catalogue_;
  BackgroundGenes background_;
  ClinicalFields clinical_;
  std::vector<Site> sites_;
  std::vector<double> cumulative_sites_;
  std::vector<Entity> entities_;
  std::vector<OutcomeLaw> outcomes_;
  std::vector<Gene> genes_;
  std::vector<Index> background_codes_;  ///< gene code of the g-th background gene
  std::vector<std::string> hotspots_;
  std::vector<VariantClass> hotspot_classes_;
  std::vector<std::vector<std::uint8_t>> on_panel_;  ///< per panel and gene
};

}  // namespace chorale::jobs
