// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "jobs/simulate/clinical.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "jobs/simulate/streams.hpp"

namespace chorale::jobs {
namespace {

constexpr double missing_value = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

std::size_t at(Index i) {
  return static_cast<std::size_t>(i);
}

std::vector<std::string> sorted_unique(std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

std::vector<double> codes_of(const std::vector<std::string>& names, const std::vector<std::string>& levels) {
  std::vector<double> codes;
  for (const auto& name : names)
    codes.push_back(
        static_cast<double>(std::lower_bound(levels.begin(), levels.end(), name) - levels.begin()));
  return codes;
}

io::Field category(std::string name, std::string description, const std::vector<std::string>& names) {
  return {.name = std::move(name),
          .kind = io::FieldKind::category,
          .unit = {},
          .description = std::move(description),
          .levels = sorted_unique(names),
          .source = "simulated"};
}

io::Field number(const std::string& name, const std::string& unit, const std::string& description) {
  return {.name = name,
          .kind = io::FieldKind::number,
          .unit = unit,
          .description = description,
          .levels = {},
          .source = "simulated"};
}

/// "0-17", "18-39", "40+" for the bounds 18 and 40.
std::vector<std::string> age_group_names(const std::vector<double>& bounds) {
  std::vector<std::string> names;
  double from = 0;
  for (const double bound : bounds) {
    names.push_back(fmt::format("{}-{}", from, bound - 1));
    from = bound;
  }
  names.push_back(fmt::format("{}+", from));
  return names;
}

}  // namespace

ClinicalFields::ClinicalFields(const SimulateSpec& spec) {
  std::vector<std::string> groups;
  std::vector<std::string> subtypes;
  for (const EntitySpec& entity : spec.entities) {
    groups.push_back(entity.group.empty() ? entity.name : entity.group);
    subtypes.push_back(entity.name);
  }
  fields_.push_back(category("ENTITY", "disease group", groups));
  fields_.push_back(category("SUBTYPE", "disease", subtypes));
  entity_codes_ = codes_of(groups, fields_[0].levels);
  subtype_codes_ = codes_of(subtypes, fields_[1].levels);
  const std::vector<std::string> age_groups = age_group_names(spec.age_groups);
  if (!spec.age_groups.empty()) fields_.push_back(category("AGE_GROUP", "age group in years", age_groups));
  for (const FieldSpec& field : spec.fields)
    fields_.push_back(field.shape == FieldShape::levels
                          ? category(field.name, field.description, field.levels)
                          : number(field.name, field.unit, field.description));
  for (const AberrationSpec& aberration : spec.aberrations)
    fields_.push_back(number(aberration.name, "", aberration.description));
  std::sort(fields_.begin(), fields_.end(), [](const auto& a, const auto& b) { return a.name < b.name; });

  const auto place_of = [&](const std::string& name) -> Index {
    const auto found =
        std::find_if(fields_.begin(), fields_.end(), [&](const auto& f) { return f.name == name; });
    return found == fields_.end() ? -1 : found - fields_.begin();
  };
  entity_place_ = place_of("ENTITY");
  subtype_place_ = place_of("SUBTYPE");
  age_place_ = place_of("AGE");
  if (!spec.age_groups.empty()) {
    age_group_place_ = place_of("AGE_GROUP");
    age_bounds_ = spec.age_groups;
    age_group_codes_ = codes_of(age_groups, fields_[at(age_group_place_)].levels);
  }
  for (const FieldSpec& field : spec.fields) {
    Column& column = columns_.emplace_back();
    column.shape = field.shape;
    column.place = place_of(field.name);
    column.power_of_ten = std::pow(10.0, static_cast<double>(field.digits));
    column.at_least = field.at_least.value_or(-infinity);
    column.at_most = field.at_most.value_or(infinity);
    column.missing = field.missing;
    column.level_codes = codes_of(field.levels, fields_[at(column.place)].levels);
    for (const EntitySpec& entity : spec.entities) column.laws.push_back(law_of(field, entity));
  }
  for (const AberrationSpec& aberration : spec.aberrations) {
    Flag& flag = flags_.emplace_back(Flag{place_of(aberration.name), aberration.missing, {}});
    for (const EntitySpec& entity : spec.entities) {
      const auto found =
          std::find_if(entity.alterations.begin(), entity.alterations.end(),
                       [&](const auto& alteration) { return alteration.name == aberration.name; });
      flag.alteration.push_back(found == entity.alterations.end() ? -1 : found - entity.alterations.begin());
    }
  }
}

ClinicalFields::Law ClinicalFields::law_of(const FieldSpec& field, const EntitySpec& entity) {
  Law law;
  const auto covers = [&](const FieldValuesSpec& values) {
    return values.entities.empty() ||
           std::find(values.entities.begin(), values.entities.end(), entity.name) != values.entities.end();
  };
  const auto found = std::find_if(field.values.begin(), field.values.end(), covers);
  if (found == field.values.end()) return law;
  law.assessed = true;
  law.log_hazard = std::log(found->hazard_ratio);
  if (field.shape == FieldShape::levels) {
    double sum = 0;
    for (const double weight : found->weights) law.cumulative.push_back(sum += weight);
    for (std::size_t k = 0; k < field.levels.size(); ++k)
      law.level_log_hazards.push_back(found->hazard_ratios.empty() ? 0 : std::log(found->hazard_ratios[k]));
    return law;
  }
  const bool logarithm = field.shape == FieldShape::lognormal;
  law.centre = logarithm ? found->median : found->mean;
  law.location = logarithm ? std::log(found->median) : found->mean;
  law.scale = logarithm ? found->spread : found->sd;
  for (const ShiftSpec& shift : entity.shifts) {
    if (shift.field != field.name) continue;
    for (std::size_t k = 0; k < entity.alterations.size(); ++k) {
      if (entity.alterations[k].name != shift.alteration) continue;
      law.shifts.push_back({k, logarithm ? std::log(shift.by) : shift.by});
      law.location -= entity.alterations[k].frequency * law.shifts.back().by;
    }
  }
  return law;
}

double ClinicalFields::draw_number(const Column& column, const Law& law, kernels::Draws& draws,
                                   std::span<const std::uint8_t> carried) {
  double location = law.location;
  for (const Shift& shift : law.shifts)
    if (carried[shift.alteration] != 0) location += shift.by;
  double x = 0;
  for (int attempt = 0; attempt < 64; ++attempt) {
    x = location + law.scale * draws.normal();
    if (column.shape == FieldShape::lognormal) x = std::exp(x);
    x = std::round(x * column.power_of_ten) / column.power_of_ten;
    if (x >= column.at_least && x <= column.at_most) return x;
  }
  return std::clamp(x, column.at_least, column.at_most);
}

double ClinicalFields::draw(std::uint64_t seed, Index item, Index entity,
                            std::span<const std::uint8_t> carried, std::span<double> values) const {
  double log_hazard = 0;
  values[at(entity_place_)] = entity_codes_[at(entity)];
  values[at(subtype_place_)] = subtype_codes_[at(entity)];
  std::uint32_t stream = Stream::fields;
  for (const Column& column : columns_) {
    kernels::Draws draws(seed, stream++, item);
    const Law& law = column.laws[at(entity)];
    double& value = values[at(column.place)];
    if (!law.assessed) {
      value = missing_value;
    } else if (column.shape == FieldShape::levels) {
      const Index level = draws.categorical(law.cumulative);
      value = column.level_codes[at(level)];
      log_hazard += law.level_log_hazards[at(level)];
    } else {
      value = draw_number(column, law, draws, carried);
      // a value rounded down to 0 counts as half the last recorded digit, so that its logarithm exists
      const double amount = std::max(value, 0.5 / column.power_of_ten);
      log_hazard += law.log_hazard * (column.shape == FieldShape::normal ? value - law.centre
                                                                         : std::log2(amount / law.centre));
    }
  }
  for (const Flag& flag : flags_) {
    const Index alteration = flag.alteration[at(entity)];
    values[at(flag.place)] = alteration < 0 ? missing_value : carried[at(alteration)];
  }
  if (age_group_place_ >= 0) {
    const double age = values[at(age_place_)];
    const auto group = std::upper_bound(age_bounds_.begin(), age_bounds_.end(), age) - age_bounds_.begin();
    values[at(age_group_place_)] = std::isnan(age) ? missing_value : age_group_codes_[at(group)];
  }
  return log_hazard;
}

void ClinicalFields::hide(std::uint64_t seed, Index item, double missing_factor,
                          std::span<double> values) const {
  kernels::Draws draws(seed, Stream::missing, item);
  const auto hide_one = [&](Index place, double missing) {
    if (draws.uniform() < missing * missing_factor) values[at(place)] = missing_value;
  };
  for (const Column& column : columns_) hide_one(column.place, column.missing);
  for (const Flag& flag : flags_) hide_one(flag.place, flag.missing);
  if (age_group_place_ >= 0 && std::isnan(values[at(age_place_)]))
    values[at(age_group_place_)] = missing_value;
}

}  // namespace chorale::jobs
