// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "io/study/report.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

namespace chorale::io {
namespace {

using Json = nlohmann::ordered_json;

void add(std::vector<Count>& counts, std::string_view reason, Index n) {
  if (n == 0) return;
  const auto same =
      std::find_if(counts.begin(), counts.end(), [&](const Count& c) { return c.reason == reason; });
  if (same == counts.end())
    counts.push_back({std::string(reason), n});
  else
    same->n += n;
}

// 1234567 as 1,234,567
std::string grouped(Index n) {
  std::string text = std::to_string(n);
  for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3)
    text.insert(static_cast<std::size_t>(at), 1, ',');
  return text;
}

std::string table_text(const TableReport& table) {
  std::string text = fmt::format("  {} ({}): {} rows read, {} kept\n", table.file, table.content,
                                 grouped(table.n_read), grouped(table.n_kept));
  for (const Count& count : table.dropped)
    text += fmt::format("    dropped {}: {}\n", grouped(count.n), count.reason);
  for (const Count& count : table.blanked)
    text += fmt::format("    blanked {} values: {}\n", grouped(count.n), count.reason);
  for (const std::string& note : table.notes) text += "    note: " + note + "\n";
  return text;
}

std::string study_text(const StudyReport& study) {
  std::string text =
      fmt::format("\nStudy {}, site {}, {} patients, {} samples, from {}\n", study.study, study.site,
                  grouped(study.n_patients), grouped(study.n_samples), study.folder);
  for (const TableReport& table : study.tables) text += table_text(table);
  for (const std::string& note : study.notes) text += "  note: " + note + "\n";
  return text;
}

Json json_of(const std::vector<Count>& counts) {
  Json list = Json::array();
  for (const Count& count : counts) list.push_back({{"reason", count.reason}, {"n", count.n}});
  return list;
}

Json json_of(const StudyReport& study) {
  Json tables = Json::array();
  for (const TableReport& t : study.tables)
    tables.push_back({{"file", t.file},
                      {"content", t.content},
                      {"read", t.n_read},
                      {"kept", t.n_kept},
                      {"dropped", json_of(t.dropped)},
                      {"blanked", json_of(t.blanked)},
                      {"notes", t.notes}});
  return {{"study", study.study},         {"site", study.site},         {"folder", study.folder},
          {"patients", study.n_patients}, {"samples", study.n_samples}, {"tables", tables},
          {"notes", study.notes}};
}

}  // namespace

void TableReport::drop(std::string_view reason, Index n) {
  add(dropped, reason, n);
}

void TableReport::note(std::string text) {
  if (std::find(notes.begin(), notes.end(), text) == notes.end()) notes.push_back(std::move(text));
}

void TableReport::join(const TableReport& other) {
  file += " + " + other.file;
  n_read += other.n_read;
  n_kept += other.n_kept;
  for (const Count& count : other.dropped) add(dropped, count.reason, count.n);
  for (const Count& count : other.blanked) add(blanked, count.reason, count.n);
  for (const std::string& text : other.notes) note(text);
}

std::string as_text(const IngestReport& r) {
  std::string text = fmt::format("Cohort {}, ingested by {}\n", r.cohort, r.program);
  text += fmt::format("  {} patients in {} shards, {} variants in {} genes, {} features, {} alterations\n",
                      grouped(r.n_patients), grouped(r.n_shards), grouped(r.n_variants), grouped(r.n_genes),
                      grouped(r.n_features), grouped(r.n_alterations));
  text += fmt::format("  variant classes that make a carrier: {} ({})\n", r.class_set,
                      fmt::join(r.classes, ", "));
  text += "\nRules\n";
  for (const std::string& rule : r.rules) text += "  " + rule + "\n";
  for (const StudyReport& study : r.studies) text += study_text(study);
  text += "\nVariants by class\n";
  for (const Count& count : r.variants_by_class)
    text += fmt::format("  {:>12} {}\n", grouped(count.n), count.reason);
  text += "\nPanels (patients by profile: mutation, copy number, structural)\n";
  for (const PanelReport& panel : r.panels)
    text += fmt::format("  {}: {}, {} patients\n", panel.name,
                        panel.n_genes < 0 ? "every gene" : grouped(panel.n_genes) + " genes",
                        fmt::format("{} / {} / {}", grouped(panel.n_patients[0]),
                                    grouped(panel.n_patients[1]), grouped(panel.n_patients[2])));
  text += fmt::format("  not profiled: {} / {} / {} patients\n", grouped(r.n_not_profiled[0]),
                      grouped(r.n_not_profiled[1]), grouped(r.n_not_profiled[2]));
  text += "\nEndpoints\n";
  for (const EndpointReport& e : r.endpoints) {
    text += fmt::format("  {}: {} patients, {} events", e.name, grouped(e.n_known), grouped(e.n_events));
    if (e.n_half > 0)
      text += fmt::format(", {} missing for want of a time, a status or an entry", grouped(e.n_half));
    if (e.n_bound > 0)
      text += fmt::format(", {} missing because the time of the event is a bound", grouped(e.n_bound));
    text += "\n";
  }
  text += "\nFields\n";
  for (const FieldReport& f : r.fields) {
    text += fmt::format("  {}: {}, {} missing", f.name,
                        f.n_levels < 0 ? "number" : grouped(f.n_levels) + " levels", grouped(f.n_missing));
    if (f.n_bounds > 0) text += fmt::format(", {} bounds such as \">89\"", grouped(f.n_bounds));
    text += "\n";
  }
  return text;
}

std::string as_json(const IngestReport& r) {
  Json studies = Json::array(), fields = Json::array(), endpoints = Json::array(), panels = Json::array();
  for (const StudyReport& study : r.studies) studies.push_back(json_of(study));
  for (const FieldReport& f : r.fields) {
    Json field{{"name", f.name}, {"kind", f.n_levels < 0 ? "number" : "category"}};
    if (f.n_levels >= 0) field["levels"] = f.n_levels;
    field.update({{"missing", f.n_missing}, {"bounds", f.n_bounds}, {"source", f.source}});
    fields.push_back(field);
  }
  for (const EndpointReport& e : r.endpoints)
    endpoints.push_back({{"name", e.name},
                         {"patients", e.n_known},
                         {"events", e.n_events},
                         {"half_missing", e.n_half},
                         {"event_time_is_bound", e.n_bound},
                         {"source", e.source}});
  for (const PanelReport& p : r.panels) {
    Json panel{{"name", p.name}, {"whole_exome", p.n_genes < 0}};
    if (p.n_genes >= 0) panel["genes"] = p.n_genes;
    panel["patients"] = p.n_patients;
    panels.push_back(panel);
  }
  const Json json{{"cohort", r.cohort},
                  {"program", r.program},
                  {"patients", r.n_patients},
                  {"shards", r.n_shards},
                  {"genes", r.n_genes},
                  {"features", r.n_features},
                  {"variants", r.n_variants},
                  {"alterations", r.n_alterations},
                  {"class_set", r.class_set},
                  {"classes", r.classes},
                  {"variants_by_class", json_of(r.variants_by_class)},
                  {"rules", r.rules},
                  {"studies", studies},
                  {"panels", panels},
                  {"not_profiled", r.n_not_profiled},
                  {"endpoints", endpoints},
                  {"fields", fields}};
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace chorale::io
