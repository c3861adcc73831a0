// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <array>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/config/schema.hpp"
#include "kernels/types.hpp"

namespace chorale::jobs {

/// What patients of one entity may carry: a gene, or a cytogenetic aberration that SimulateSpec declares.
struct AlterationSpec {
  std::string name;
  double frequency = 0;     ///< share of the entity's patients who carry it, whatever else they carry
  double hazard_ratio = 1;  ///< of carriers, on every endpoint
};

/// Two alterations that are found together more (odds ratio > 1) or less often than chance has it.
struct PairSpec {
  std::string a, b;
  double odds_ratio = 1;
};

/// A hazard ratio on top of the product of both main effects, for those who carry both.
struct InteractionSpec {
  std::string a, b;
  double hazard_ratio = 1;
};

/// Carriers of an alteration have other values of a number: `by` is added (normal) or multiplied (lognormal).
struct ShiftSpec {
  std::string alteration, field;
  double by = 0;
};

struct EntitySpec {
  std::string name;   ///< level of SUBTYPE: "DLBCL"
  std::string group;  ///< level of ENTITY: "NHL"; empty: the name
  double share = 1;   ///< relative number of patients
  double os_at_5_years = 0.5;
  std::optional<double> efs_at_5_years;  ///< absent: this entity has no EFS
  double shape = 1;                      ///< Weibull: below 1 the hazard falls with time
  std::vector<AlterationSpec> alterations;
  std::vector<PairSpec> pairs;
  std::vector<InteractionSpec> interactions;
  std::vector<ShiftSpec> shifts;
};

/// A cytogenetic or other 0/1 finding: a clinical column rather than a gene.
struct AberrationSpec {
  std::string name;
  std::string description;
  double missing = 0;
};

enum class FieldShape { normal, lognormal, levels };

/// The values that a clinical field takes in some entities.
struct FieldValuesSpec {
  std::vector<std::string> entities;  ///< names; empty: all that no earlier item names
  double mean = 0, sd = 1;            ///< normal
  double median = 1, spread = 0.5;  ///< lognormal: spread is the standard deviation of the natural logarithm
  double hazard_ratio = 1;          ///< normal: per unit; lognormal: per doubling
  std::vector<double> weights;      ///< levels: relative frequencies, in the order of the field's levels
  std::vector<double> hazard_ratios;  ///< levels: one each; empty: all 1
};

struct FieldSpec {
  std::string name;
  FieldShape shape = FieldShape::normal;
  std::string unit, description;
  Index digits = 0;  ///< decimals that are recorded; the recorded value is what acts on survival
  std::optional<double> at_least, at_most;
  std::vector<std::string> levels;
  double missing = 0;
  std::vector<FieldValuesSpec> values;  ///< an entity that none of them covers has no value
};

struct PanelSpec {
  std::string name;
  bool whole_exome = false;
  std::vector<std::string> genes;
  double background = 0;              ///< share of the background genes on the panel, the frequent ones first
  std::vector<std::string> entities;  ///< who is tested with it; empty: everyone
};

struct SiteSpec {
  std::string name;
  Index count = 1;                    ///< so many sites: NAME-01, NAME-02, …; the k-th has weight / k
  double weight = 1;                  ///< relative number of patients
  std::vector<std::string> entities;  ///< whom the site treats; empty: everyone
  std::vector<std::string>
      panels;                 ///< of those that suit a patient's entity one is drawn; none: not profiled
  double unprofiled = 0;      ///< share of patients without sequencing all the same
  double missing_factor = 1;  ///< multiplies the missing shares of all fields
  double hazard_ratio = 1;
};

/// How variants of a gene look.
struct GeneSpec {
  std::string name;
  Index length = 600;                 ///< amino acids
  double truncating = 0.2;            ///< share of truncating among the variants that hit no hotspot
  double second_hit = 0;              ///< share of carriers with a second variant
  double vaf = 0.42;                  ///< typical allele fraction of the main clone
  std::vector<std::string> hotspots;  ///< protein changes
  std::vector<double> shares;         ///< of all the gene's variants, one per hotspot
};

/// An in-silico cohort. docs: `chorale describe simulate`; a worked example: jobs/simulate/default.toml.
struct SimulateSpec {
  std::string name = "in-silico";
  Index seed = 1;
  Index patients = 10000;
  Index genes = 500;
  Index patients_per_shard = 8192;

  double background_highest = 0.02;
  double background_lowest = 0.0002;
  double background_entity_spread = 0;
  double burden_shape = 0;
  double silent_variants = 0;

  double accrual_years = 10;
  double follow_up_years = 2;
  double dropout_per_year = 0;
  double survival_missing = 0;
  std::vector<double> age_groups;

  std::vector<SiteSpec> sites;
  std::vector<PanelSpec> panels;
  std::vector<EntitySpec> entities;
  std::vector<AberrationSpec> aberrations;
  std::vector<FieldSpec> fields;
  std::vector<GeneSpec> gene_details;
};

/// Every key with its default, range and help.
const io::Schema<SimulateSpec>& simulate_schema();

/// Reads a spec, lays `key=value` overrides over it and checks that its parts fit together.
/// Throws   ConfigError with file, line, found, expected and remedy; StoreError when the file cannot be read
SimulateSpec load_simulate_spec(const std::filesystem::path& path,
                                std::span<const std::string> overrides = {});

/// The same from text; `name` stands for the file in messages.
SimulateSpec parse_simulate_spec(std::string_view text, const std::string& name,
                                 std::span<const std::string> overrides = {});

/// Checks that the names in a spec refer to each other. `root` (may be null) is where it was read from: messages
/// then carry the line.
/// Throws   ConfigError
void check_simulate_spec(const SimulateSpec& spec, const io::Node* root);

/// The spec as TOML that load_simulate_spec reads back equal.
std::string simulate_spec_text(const SimulateSpec& spec);

}  // namespace chorale::jobs

namespace chorale::io {

template <>
struct ConfigWords<jobs::FieldShape> {
  static constexpr std::array words{std::pair{"normal", jobs::FieldShape::normal},
                                    std::pair{"lognormal", jobs::FieldShape::lognormal},
                                    std::pair{"levels", jobs::FieldShape::levels}};
};

}  // namespace chorale::io
