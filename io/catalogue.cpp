// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "io/catalogue.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "io/checksum.hpp"
#include "io/file.hpp"

namespace chorale::io {
namespace {

using nlohmann::json;
using ordered = nlohmann::ordered_json;

constexpr std::string_view kind_names[] = {"number", "category"};
constexpr std::string_view profile_names[n_profiles] = {"mutation", "copy_number", "structural"};

/// Position of `name` in a dictionary that is sorted by `key`, or -1.
template <class Items, class Key>
Index position(const Items& items, std::string_view name, Key key) {
  const auto at = std::lower_bound(items.begin(), items.end(), name,
                                   [&](const auto& item, std::string_view n) { return key(item) < n; });
  return at != items.end() && key(*at) == name ? at - items.begin() : -1;
}

template <class Enum, std::size_t N>
Enum enum_of(const std::string& name, const std::string_view (&names)[N]) {
  const auto at = std::find(std::begin(names), std::end(names), name);
  if (at == std::end(names)) throw json::other_error::create(501, "unknown word \"" + name + "\"", nullptr);
  return static_cast<Enum>(at - std::begin(names));
}

ordered to_json(const Catalogue& c) {
  ordered out;
  out["format"] = "chorale-cohort";
  out["format_version"] = format_version;
  out["name"] = c.name;
  out["n_patients"] = c.n_patients();
  out["sites"] = c.sites;
  auto& fields = out["fields"] = ordered::array();
  for (const Field& f : c.fields) {
    ordered field{{"name", f.name},
                  {"kind", kind_names[static_cast<int>(f.kind)]},
                  {"unit", f.unit},
                  {"description", f.description},
                  {"source", f.source}};
    if (f.kind == FieldKind::category) field["levels"] = f.levels;
    if (f.bounds) field["bounds"] = true;
    fields.push_back(std::move(field));
  }
  auto& endpoints = out["endpoints"] = ordered::array();
  for (const Endpoint& e : c.endpoints)
    endpoints.push_back(
        {{"name", e.name}, {"unit", "days"}, {"description", e.description}, {"source", e.source}});
  out["genes"] = c.genes;
  auto& features = out["features"] = ordered::array();
  for (const Feature& f : c.features) {
    ordered feature{{"name", f.name}, {"gene", f.gene}, {"profile", name_of(f.profile)}};
    if (!f.partner.empty()) feature["partner"] = f.partner;
    features.push_back(std::move(feature));
  }
  auto& panels = out["panels"] = ordered::array();
  for (const Panel& p : c.panels) {
    ordered panel{{"name", p.name}};
    if (p.whole_exome)
      panel["whole_exome"] = true;
    else
      panel["genes"] = p.genes;
    panels.push_back(std::move(panel));
  }
  out["variant_class_set"] = {{"name", c.class_set}, {"classes", c.classes}};
  out["variant_classes"] = c.variant_classes;
  auto& shards = out["shards"] = ordered::array();
  for (const ShardEntry& s : c.shards)
    shards.push_back({{"file", s.file},
                      {"n_patients", s.n_patients},
                      {"n_alterations", s.n_alterations},
                      {"n_variants", s.n_variants},
                      {"n_bytes", s.n_bytes},
                      {"xxh3_128", s.xxh3},
                      {"sha256", s.sha256}});
  out["provenance"] = c.provenance;
  return out;
}

Catalogue from_json(const ordered& in) {
  Catalogue c;
  in.at("name").get_to(c.name);
  in.at("sites").get_to(c.sites);
  for (const ordered& f : in.at("fields")) {
    Field field{.name = f.at("name"),
                .kind = enum_of<FieldKind>(f.at("kind"), kind_names),
                .unit = f.at("unit"),
                .description = f.at("description"),
                .levels = {},
                .source = f.at("source"),
                .bounds = f.value("bounds", false)};
    if (field.kind == FieldKind::category) f.at("levels").get_to(field.levels);
    c.fields.push_back(std::move(field));
  }
  for (const ordered& e : in.at("endpoints"))
    c.endpoints.push_back(
        {.name = e.at("name"), .description = e.at("description"), .source = e.at("source")});
  in.at("genes").get_to(c.genes);
  for (const ordered& f : in.at("features"))
    c.features.push_back({.name = f.at("name"),
                          .gene = f.at("gene"),
                          .partner = f.value("partner", ""),
                          .profile = enum_of<Profile>(f.at("profile"), profile_names)});
  for (const ordered& p : in.at("panels")) {
    Panel panel{.name = p.at("name"), .whole_exome = p.value("whole_exome", false), .genes = {}};
    if (!panel.whole_exome) p.at("genes").get_to(panel.genes);
    c.panels.push_back(std::move(panel));
  }
  in.at("variant_class_set").at("name").get_to(c.class_set);
  in.at("variant_class_set").at("classes").get_to(c.classes);
  in.at("variant_classes").get_to(c.variant_classes);
  for (const ordered& s : in.at("shards"))
    c.shards.push_back({.file = s.at("file"),
                        .n_patients = s.at("n_patients"),
                        .n_alterations = s.at("n_alterations"),
                        .n_variants = s.at("n_variants"),
                        .n_bytes = s.at("n_bytes"),
                        .xxh3 = s.at("xxh3_128"),
                        .sha256 = s.at("sha256")});
  in.at("provenance").get_to(c.provenance);
  return c;
}

}  // namespace

std::string_view name_of(Profile profile) {
  return profile_names[static_cast<int>(profile)];
}

Index Catalogue::n_patients() const {
  Index n = 0;
  for (const ShardEntry& shard : shards) n += shard.n_patients;
  return n;
}

Index Catalogue::field_index(std::string_view field) const {
  return position(fields, field, [](const Field& f) -> std::string_view { return f.name; });
}
Index Catalogue::endpoint_index(std::string_view endpoint) const {
  return position(endpoints, endpoint, [](const Endpoint& e) -> std::string_view { return e.name; });
}
Index Catalogue::feature_index(std::string_view feature) const {
  return position(features, feature, [](const Feature& f) -> std::string_view { return f.name; });
}
Index Catalogue::gene_index(std::string_view gene) const {
  return position(genes, gene, [](const std::string& g) -> std::string_view { return g; });
}

std::string Catalogue::fingerprint() const {
  return xxh3_128(to_json(*this).dump());
}

Catalogue load_catalogue(const std::filesystem::path& folder) {
  const auto path = folder / "cohort.json";
  if (!std::filesystem::exists(path)) {
    const bool partial = std::filesystem::exists(folder / "shard-00000.h5");
    throw InputError(
        {.what = partial ? "cohort was never finished" : "no cohort here",
         .found = partial ? "shards without cohort.json" : "no cohort.json",
         .expected = "a folder made by 'chorale ingest' or 'chorale simulate'",
         .in = folder.string(),
         .remedy = partial ? "make it again: the last run did not come to its end" : "check the path"});
  }
  const std::string text = read_text(path);
  try {
    ordered in = ordered::parse(text);
    if (in.value("format", "") != "chorale-cohort") {
      throw InputError({.what = "not a Chorale cohort",
                        .found = "format \"" + in.value("format", "") + "\"",
                        .expected = "format \"chorale-cohort\"",
                        .in = path.string(),
                        .remedy = "check the path"});
    }
    if (const int version = in.at("format_version"); version != format_version) {
      throw InputError({.what = "cohort has another format version",
                        .found = std::to_string(version),
                        .expected = std::to_string(format_version),
                        .in = path.string(),
                        .remedy = "read it with the program version that wrote it, or ingest it again"});
    }
    Catalogue catalogue = from_json(in);
    const std::string stored = in.at("fingerprint");
    in.erase("fingerprint");
    if (const std::string found = xxh3_128(in.dump()); found != stored) {
      throw InputError({.what = "cohort manifest is damaged: its fingerprint differs",
                        .found = found,
                        .expected = stored,
                        .in = path.string(),
                        .remedy = "restore the file from its copy, or make the cohort again"});
    }
    catalogue.folder = folder;
    return catalogue;
  } catch (const json::exception& problem) {
    throw InputError({.what = "cohort manifest is damaged",
                      .found = problem.what(),
                      .expected = "the JSON that 'chorale ingest' or 'chorale simulate' wrote",
                      .in = path.string(),
                      .remedy = "restore the file from its copy, or make the cohort again"});
  }
}

void save_catalogue(const Catalogue& catalogue, const std::filesystem::path& folder) {
  ordered out = to_json(catalogue);
  out["fingerprint"] = catalogue.fingerprint();
  write_file(folder / "cohort.json", out.dump(1) + "\n");
}

}  // namespace chorale::io
