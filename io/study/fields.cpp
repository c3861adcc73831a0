// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "io/study/fields.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <set>

#include <fmt/format.h>

namespace chorale::io::study {
namespace {

constexpr Index most_levels = 4096;

// Row of a patient in the table that a part is read from, -1 when the patient has none.
Index row_of(const Study& study, Index patient, bool by_sample) {
  if (by_sample) return study.first_sample[static_cast<std::size_t>(patient)];
  return patient < study.patients.n_rows() ? patient : -1;
}

bool is_number(const ClinicalColumn& column) {
  return column.type != ColumnType::text;
}

FieldPart find_column(const Study& study, std::string_view name) {
  if (const Index c = study.patients.find(name); c >= 0)
    return {&study.patients.columns[static_cast<std::size_t>(c)], false, {}};
  if (const Index c = study.samples.find(name); c >= 0)
    return {&study.samples.columns[static_cast<std::size_t>(c)], true, {}};
  return {};
}

// Names of all columns that are fields: not parts of an outcome.
std::set<std::string> field_names(std::vector<Study>& studies) {
  std::set<std::string> names;
  for (Study& study : studies)
    for (const ClinicalTable* table : {&study.patients, &study.samples}) {
      std::vector<std::string> columns;
      for (const ClinicalColumn& column : table->columns) columns.push_back(column.name);
      for (const std::string& column : columns) {
        if (role_in_outcome(column, columns) != OutcomeRole::none) continue;
        names.insert(column);
        if (table == &study.samples && study.patients.find(column) >= 0)
          study.notes.push_back("column " + column +
                                " stands in both clinical tables: the patient's value counts");
      }
    }
  return names;
}

[[noreturn]] void refuse_two_kinds(const std::string& name, const std::string& number_in,
                                   const std::string& text_in) {
  throw InputError({.what = "column is a number in one study and a text in another",
                    .found = "NUMBER in " + number_in + ", STRING in " + text_in,
                    .expected = "one type",
                    .in = "column " + name,
                    .remedy = "rename the column in one study, or give it the same type in both"});
}

// Levels that patients have, sorted; fills the parts' codes. Gives how many patients have a value.
Index join_levels(const std::vector<Study>& studies, std::vector<FieldPart>& parts, Field& field) {
  std::set<std::string_view> levels;
  std::vector<std::vector<std::uint8_t>> used(parts.size());
  Index n_values = 0;
  for (std::size_t s = 0; s < parts.size(); ++s) {
    const FieldPart& part = parts[s];
    if (part.column == nullptr) continue;
    used[s].assign(static_cast<std::size_t>(part.column->levels.size()), 0);
    for (Index p = 0; p < studies[s].n_patients(); ++p) {
      const Index row = row_of(studies[s], p, part.by_sample);
      const std::int32_t code = row < 0 ? -1 : part.column->code[static_cast<std::size_t>(row)];
      if (code < 0) continue;
      ++n_values;
      used[s][static_cast<std::size_t>(code)] = 1;
    }
    for (std::size_t level = 0; level < used[s].size(); ++level)
      if (used[s][level] != 0) levels.insert(part.column->levels[static_cast<Index>(level)]);
  }
  field.levels.assign(levels.begin(), levels.end());
  for (std::size_t s = 0; s < parts.size(); ++s) {
    FieldPart& part = parts[s];
    part.code.assign(used[s].size(), -1);
    for (std::size_t level = 0; level < used[s].size(); ++level)
      if (used[s][level] != 0)
        part.code[level] =
            static_cast<std::int32_t>(std::lower_bound(field.levels.begin(), field.levels.end(),
                                                       part.column->levels[static_cast<Index>(level)]) -
                                      field.levels.begin());
  }
  return n_values;
}

void plan_field(std::vector<Study>& studies, const std::string& name, Catalogue& catalogue, FieldPlan& plan) {
  Field field{
      .name = name, .kind = FieldKind::number, .unit = {}, .description = {}, .levels = {}, .source = {}};
  std::vector<FieldPart> parts;
  std::string number_in, text_in;
  std::set<std::string> sources;
  for (const Study& study : studies) {
    parts.push_back(find_column(study, name));
    const ClinicalColumn* column = parts.back().column;
    if (column == nullptr) continue;
    (is_number(*column) ? number_in : text_in) = study.layout.study;
    const std::string source =
        (parts.back().by_sample ? study.samples.file : study.patients.file) + ", column " + name;
    if (sources.insert(source).second) field.source += (field.source.empty() ? "" : "; ") + source;
    if (field.description.empty()) field.description = column->description;
    field.bounds |= column->n_bounds > 0;
  }
  if (!number_in.empty() && !text_in.empty()) refuse_two_kinds(name, number_in, text_in);
  if (!text_in.empty()) {
    field.kind = FieldKind::category;
    const Index n_values = join_levels(studies, parts, field);
    const auto n_levels = static_cast<Index>(field.levels.size());
    if (n_levels > most_levels && 2 * n_levels > n_values) {
      studies.front().notes.push_back(fmt::format(
          "column {} is left out as free text: {} distinct values in {} patients", name, n_levels, n_values));
      return;
    }
  }
  catalogue.fields.push_back(std::move(field));
  plan.field.push_back(std::move(parts));
}

void plan_endpoints(const std::vector<Study>& studies, Catalogue& catalogue, FieldPlan& plan) {
  std::map<std::string, std::vector<OutcomePart>> parts;
  for (std::size_t s = 0; s < studies.size(); ++s)
    for (const bool by_sample : {true, false})  // the patient table's outcome replaces the sample table's
      for (const Outcome& outcome : (by_sample ? studies[s].samples : studies[s].patients).outcomes) {
        parts[outcome.name].resize(studies.size());
        parts[outcome.name][s] = {&outcome, by_sample};
      }
  for (auto& [name, of_studies] : parts) {
    Endpoint endpoint{.name = name, .description = {}, .source = {}};
    std::set<std::string> sources;
    for (const OutcomePart& part : of_studies) {
      if (part.outcome == nullptr) continue;
      if (endpoint.description.empty()) endpoint.description = part.outcome->description;
      if (sources.insert(part.outcome->source).second)
        endpoint.source += (endpoint.source.empty() ? "" : "; ") + part.outcome->source;
    }
    catalogue.endpoints.push_back(std::move(endpoint));
    plan.endpoint.push_back(std::move(of_studies));
  }
}

void plan_sites(std::vector<Study>& studies, const std::string& site_field, Catalogue& catalogue,
                FieldPlan& plan) {
  std::set<std::string> sites;
  std::vector<std::vector<std::string_view>> site_of(studies.size());
  bool found = site_field.empty();
  for (std::size_t s = 0; s < studies.size(); ++s) {
    Study& study = studies[s];
    const FieldPart part = site_field.empty() ? FieldPart{} : find_column(study, site_field);
    found |= part.column != nullptr;
    if (part.column != nullptr && is_number(*part.column))
      throw ConfigError({.what = "site field is a number",
                         .found = site_field,
                         .expected = "a column of type STRING",
                         .in = "site_field",
                         .remedy = "name another column, or make the column's type STRING"});
    if (!site_field.empty() && part.column == nullptr)
      study.notes.push_back("no column " + site_field + ": the site is " + study.site);
    for (Index p = 0; p < study.n_patients(); ++p) {
      const Index row = part.column == nullptr ? -1 : row_of(study, p, part.by_sample);
      const std::int32_t code = row < 0 ? -1 : part.column->code[static_cast<std::size_t>(row)];
      site_of[s].push_back(code < 0 ? std::string_view(study.site) : part.column->levels[code]);
    }
  }
  if (!found)
    throw ConfigError({.what = "no study has the site field",
                       .found = site_field,
                       .expected = "a column of a clinical table",
                       .in = "site_field",
                       .remedy = "correct the name, or leave site_field out to take the delivery's site"});
  StringTable seen;
  for (const auto& of_study : site_of)
    for (const std::string_view site : of_study) seen.insert(site);
  for (Index i = 0; i < seen.size(); ++i) sites.emplace(seen[i]);
  catalogue.sites.assign(sites.begin(), sites.end());
  std::vector<std::int32_t> code;
  for (Index i = 0; i < seen.size(); ++i)
    code.push_back(static_cast<std::int32_t>(
        std::lower_bound(catalogue.sites.begin(), catalogue.sites.end(), seen[i]) - catalogue.sites.begin()));
  for (const auto& of_study : site_of) {
    plan.site.emplace_back();
    for (const std::string_view site : of_study)
      plan.site.back().push_back(code[static_cast<std::size_t>(seen.find(site))]);
  }
}

}  // namespace

FieldPlan plan_fields(std::vector<Study>& studies, const std::string& site_field, Catalogue& catalogue) {
  FieldPlan plan;
  for (const std::string& name : field_names(studies)) plan_field(studies, name, catalogue, plan);
  plan_endpoints(studies, catalogue, plan);
  plan_sites(studies, site_field, catalogue, plan);
  return plan;
}

void append_fields(const FieldPlan& plan, const Catalogue& catalogue, const std::vector<Study>& studies,
                   Index study, Index first, Index last, ShardData& shard) {
  const auto s = static_cast<std::size_t>(study);
  const Study& from = studies[s];
  shard.clinical.resize(plan.field.size());
  for (std::size_t f = 0; f < plan.field.size(); ++f) {
    const FieldPart& part = plan.field[f][s];
    const Field& field = catalogue.fields[f];
    ColumnData& column = shard.clinical[f];
    for (Index p = first; p < last; ++p) {
      const Index row = part.column == nullptr ? -1 : row_of(from, p, part.by_sample);
      const auto r = static_cast<std::size_t>(row);
      if (field.kind == FieldKind::number) {
        column.number.push_back(row < 0 ? std::numeric_limits<double>::quiet_NaN() : part.column->number[r]);
        if (field.bounds)
          column.bound.push_back(row < 0 || part.column->n_bounds == 0 ? std::int8_t{0}
                                                                       : part.column->bound[r]);
      } else {
        const std::int32_t code = row < 0 ? -1 : part.column->code[r];
        column.code.push_back(code < 0 ? -1 : part.code[static_cast<std::size_t>(code)]);
      }
    }
  }
  shard.survival.resize(plan.endpoint.size());
  for (std::size_t e = 0; e < plan.endpoint.size(); ++e) {
    const OutcomePart& part = plan.endpoint[e][s];
    SurvivalData& survival = shard.survival[e];
    for (Index p = first; p < last; ++p) {
      const Index row = part.outcome == nullptr ? -1 : row_of(from, p, part.by_sample);
      const auto r = static_cast<std::size_t>(row);
      survival.entry.push_back(row < 0 ? 0.0 : part.outcome->entry[r]);
      survival.time.push_back(row < 0 ? std::numeric_limits<double>::quiet_NaN() : part.outcome->time[r]);
      survival.event.push_back(row < 0 ? std::int8_t{-1} : part.outcome->event[r]);
    }
  }
  shard.site.insert(shard.site.end(), plan.site[s].begin() + first, plan.site[s].begin() + last);
}

}  // namespace chorale::io::study
