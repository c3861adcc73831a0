// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "io/catalogue.hpp"
#include "jobs/simulate/spec.hpp"
#include "kernels/draw.hpp"
#include "kernels/types.hpp"

namespace chorale::jobs {

/// The clinical columns: the spec's fields and aberrations, and ENTITY, SUBTYPE and AGE_GROUP, which follow from the rest.
///
///   normal     x = mean + sd · z + Σ_carried by − Σ frequency · by               (redrawn until inside the bounds)
///   lognormal  log x = log median + spread · z + Σ_carried log by − Σ frequency · log by
///   levels     categorical by weights
///   effect     log hazard ratio · (x − mean), · log2(x / median), or that of the level
///
/// Threads  draw and hide are pure
class ClinicalFields {
 public:
  explicit ClinicalFields(const SimulateSpec& spec);

  /// Sorted by name; the order of `values` below.
  const std::vector<io::Field>& fields() const { return fields_; }

  /// Complete values of one patient; returns what they add to the log hazard.
  double draw(std::uint64_t seed, Index item, Index entity, std::span<const std::uint8_t> carried,
              std::span<double> values) const;

  /// Replaces what this patient's site did not record by NaN.
  void hide(std::uint64_t seed, Index item, double missing_factor, std::span<double> values) const;

 private:
  struct Shift {
    std::size_t alteration;
    double by;
  };
  /// One field in one entity.
  struct Law {
    bool assessed = false;
    double location = 0, scale = 0;  ///< of x, or of log x; location without the shifts of carriers
    double centre = 0;               ///< where the effect is 0: mean or median
    double log_hazard = 0;
    std::vector<Shift> shifts;
    std::vector<double> cumulative;  ///< levels, in the spec's order
    std::vector<double> level_log_hazards;
  };
  struct Column {
    FieldShape shape = FieldShape::normal;
    Index place = 0;  ///< into fields()
    double power_of_ten = 1;
    double at_least, at_most;
    double missing = 0;
    std::vector<double> level_codes;  ///< code of the spec's k-th level
    std::vector<Law> laws;            ///< per entity
  };
  /// Where an entity's alteration is recorded when it is no gene.
  struct Flag {
    Index place;
    double missing;
    std::vector<Index> alteration;  ///< per entity: its number there, or -1
  };

  static Law law_of(const FieldSpec& field, const EntitySpec& entity);
  static double draw_number(const Column& column, const Law& law, kernels::Draws& draws,
                            std::span<const std::uint8_t> carried);

  std::vector<io::Field> fields_;
  std::vector<Column> columns_;
  std::vector<Flag> flags_;
  Index entity_place_ = 0, subtype_place_ = 0, age_place_ = -1, age_group_place_ = -1;
  std::vector<double> entity_codes_, subtype_codes_;  ///< per entity
  std::vector<double> age_bounds_, age_group_codes_;
};

}  // namespace chorale::jobs
