// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <set>

#include <fmt/format.h>

#include "jobs/simulate/spec.hpp"

namespace chorale::jobs {
namespace {

using Names = std::vector<std::string>;

template <class Items>
Names names_of(const Items& items) {
  Names names;
  for (const auto& item : items) names.push_back(item.name);
  return names;
}

bool contains(const Names& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

double total(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum;
}

/// Says where an item of a list stands: file and line when the spec came from a file, its path otherwise.
class Where {
 public:
  explicit Where(const io::Node* root) : node_(root) {}

  Where at(const char* list, std::size_t index) const {
    Where item(nullptr);
    item.path_ = path_ + (path_.empty() ? "" : ".") + fmt::format("{}[{}]", list, index);
    const io::Node* found = node_ == nullptr ? nullptr : node_->find(list);
    const auto* array = found == nullptr ? nullptr : std::get_if<io::Node::Array>(&found->value);
    if (array != nullptr && index < array->size()) item.node_ = &(*array)[index];
    return item;
  }

  [[noreturn]] void refuse(std::string what, std::string found, std::string expected,
                           std::string remedy) const {
    const bool known = node_ != nullptr && !node_->place.empty();
    throw ConfigError({.what = std::move(what),
                       .found = std::move(found),
                       .expected = std::move(expected),
                       .in = known ? node_->place : path_,
                       .remedy = std::move(remedy)});
  }

  void require_known(const std::string& name, const Names& known, const std::string& what) const {
    if (contains(known, name)) return;
    const std::string near = io::nearest(name, known);
    std::string list;
    for (std::size_t i = 0; i < std::min<std::size_t>(known.size(), 8); ++i)
      list += (i == 0 ? "" : ", ") + known[i];
    if (known.size() > 8) list += fmt::format(" and {} more", known.size() - 8);
    refuse("unknown " + what, '"' + name + '"', list.empty() ? "there is none to name" : list,
           near.empty() ? "declare it, or name one of these" : "did you mean \"" + near + "\"?");
  }
  void require_known(const Names& names, const Names& known, const std::string& what) const {
    for (const auto& name : names) require_known(name, known, what);
  }

 private:
  const io::Node* node_;
  std::string path_;
};

template <class Items>
void require_unique(const Items& items, const char* list, const Where& where) {
  std::set<std::string> seen;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (items[i].name.empty())
      where.at(list, i).refuse("item has no name", "\"\"", "name = \"…\"",
                               "give every item of the list a name");
    if (items[i].name.find_first_of("\t\r\n/\"") != std::string::npos)
      where.at(list, i).refuse("name cannot be written in tables and files", '"' + items[i].name + '"',
                               "no tab, line break, slash or quote", "choose another name");
    if (!seen.insert(items[i].name).second)
      where.at(list, i).refuse("name stands twice in one list", '"' + items[i].name + '"', "unique names",
                               "remove or rename one of them");
  }
}

void require_pair(const std::string& a, const std::string& b, const Names& alterations,
                  const std::string& entity, const Where& where) {
  where.require_known(a, alterations, "alteration of " + entity);
  where.require_known(b, alterations, "alteration of " + entity);
  if (a == b)
    where.refuse("pair of an alteration with itself", '"' + a + '"', "two alterations",
                 "name another one as b");
}

template <class Items>
void require_each_once(const Items& items, const char* list, const Where& where) {
  std::set<std::pair<std::string, std::string>> seen;
  for (std::size_t i = 0; i < items.size(); ++i)
    if (!seen.insert(std::minmax(items[i].a, items[i].b)).second)
      where.at(list, i).refuse("pair stands twice in one list", items[i].a + ", " + items[i].b,
                               "each pair once", "remove one of them");
}

void check_entity(const EntitySpec& entity, const SimulateSpec& spec, const Where& where) {
  require_unique(entity.alterations, "alterations", where);
  const Names alterations = names_of(entity.alterations);
  for (std::size_t i = 0; i < entity.pairs.size(); ++i) {
    const auto& [a, b, odds_ratio] = entity.pairs[i];
    require_pair(a, b, alterations, entity.name, where.at("pairs", i));
    for (const auto& alteration : entity.alterations)
      if ((alteration.name == a || alteration.name == b) &&
          (alteration.frequency <= 0 || alteration.frequency >= 1))
        where.at("pairs", i)
            .refuse("pair with an alteration that all or none carry",
                    fmt::format("{} with frequency {}", alteration.name, alteration.frequency),
                    "a frequency between 0 and 1", "change the frequency or remove the pair");
  }
  require_each_once(entity.pairs, "pairs", where);
  for (std::size_t i = 0; i < entity.interactions.size(); ++i)
    require_pair(entity.interactions[i].a, entity.interactions[i].b, alterations, entity.name,
                 where.at("interactions", i));
  require_each_once(entity.interactions, "interactions", where);

  Names numbers;
  for (const auto& field : spec.fields)
    if (field.shape != FieldShape::levels) numbers.push_back(field.name);
  for (std::size_t i = 0; i < entity.shifts.size(); ++i) {
    const ShiftSpec& shift = entity.shifts[i];
    where.at("shifts", i).require_known(shift.alteration, alterations, "alteration of " + entity.name);
    where.at("shifts", i).require_known(shift.field, numbers, "field with numbers");
    for (const auto& field : spec.fields)
      if (field.name == shift.field && field.shape == FieldShape::lognormal && shift.by <= 0)
        where.at("shifts", i)
            .refuse("a lognormal field is shifted by a factor", fmt::format("by = {}", shift.by), "by > 0",
                    "2 doubles the value, 0.5 halves it");
  }
  if (entity.efs_at_5_years && *entity.efs_at_5_years > entity.os_at_5_years)
    where.refuse(
        "more patients without event than alive",
        fmt::format("efs_at_5_years = {}, os_at_5_years = {}", *entity.efs_at_5_years, entity.os_at_5_years),
        "efs_at_5_years ≤ os_at_5_years", "a death is an event too: lower efs_at_5_years");
}

void check_field(const FieldSpec& field, const Names& entities, const Where& where) {
  const Names taken{"ENTITY", "SUBTYPE", "AGE_GROUP", "SITE", "PATIENT_ID", "SAMPLE_ID"};
  if (contains(taken, field.name))
    where.refuse("field name is taken", '"' + field.name + '"', "another name",
                 "the simulator writes this column itself");
  if (field.at_least && field.at_most && *field.at_least > *field.at_most)
    where.refuse("field has no room for values",
                 fmt::format("at_least = {}, at_most = {}", *field.at_least, *field.at_most),
                 "at_least ≤ at_most", "swap or correct the bounds");
  if (field.shape == FieldShape::levels &&
      (field.levels.empty() ||
       std::set<std::string>(field.levels.begin(), field.levels.end()).size() != field.levels.size()))
    where.refuse("field needs levels", fmt::format("{} levels", field.levels.size()),
                 "one or more, all different", "write levels = [\"…\", \"…\"]");
  for (std::size_t i = 0; i < field.values.size(); ++i) {
    const FieldValuesSpec& values = field.values[i];
    where.at("values", i).require_known(values.entities, entities, "entity");
    if (field.shape != FieldShape::levels) continue;
    if (values.weights.size() != field.levels.size() || total(values.weights) <= 0)
      where.at("values", i)
          .refuse("weights do not fit the levels", fmt::format("{} weights", values.weights.size()),
                  fmt::format("{} weights with a positive sum", field.levels.size()),
                  "give each level one weight");
    if (!values.hazard_ratios.empty() && values.hazard_ratios.size() != field.levels.size())
      where.at("values", i)
          .refuse("hazard_ratios do not fit the levels", fmt::format("{}", values.hazard_ratios.size()),
                  fmt::format("{}, or none", field.levels.size()), "give each level one hazard ratio");
  }
}

/// Genes in the order in which they first occur; aberrations are not among them.
Names named_genes(const SimulateSpec& spec) {
  const Names aberrations = names_of(spec.aberrations);
  Names genes;
  for (const auto& entity : spec.entities)
    for (const auto& alteration : entity.alterations)
      if (!contains(aberrations, alteration.name) && !contains(genes, alteration.name))
        genes.push_back(alteration.name);
  return genes;
}

}  // namespace

void check_simulate_spec(const SimulateSpec& spec, const io::Node* root) {
  const Where where(root);
  const auto refuse_spec = [&](const char* what, const std::string& found, const char* expected,
                               const char* remedy) {
    const std::string file = root == nullptr ? "" : root->place.substr(0, root->place.find(", line"));
    throw ConfigError({.what = what, .found = found, .expected = expected, .in = file, .remedy = remedy});
  };
  require_unique(spec.sites, "sites", where);
  require_unique(spec.panels, "panels", where);
  require_unique(spec.entities, "entities", where);
  require_unique(spec.aberrations, "aberrations", where);
  require_unique(spec.fields, "fields", where);
  require_unique(spec.gene_details, "gene_details", where);
  const Names entities = names_of(spec.entities);
  const Names panels = names_of(spec.panels);
  const Names genes = named_genes(spec);

  double shares = 0;
  double weights = 0;
  for (const auto& entity : spec.entities) shares += entity.share;
  for (const auto& site : spec.sites) weights += site.weight;
  if (shares <= 0)
    refuse_spec("spec has no entity to draw patients from", fmt::format("{} entities", entities.size()),
                "one or more [[entities]] whose shares sum to more than 0", "add an entity with share = 1");
  if (weights <= 0)
    refuse_spec("spec has no site to draw patients from", fmt::format("{} sites", spec.sites.size()),
                "one or more [[sites]] whose weights sum to more than 0", "add a site with weight = 1");
  if (spec.background_lowest > spec.background_highest && spec.background_highest > 0)
    refuse_spec("rarest background gene is more frequent than the most frequent one",
                fmt::format("background_lowest = {}, background_highest = {}", spec.background_lowest,
                            spec.background_highest),
                "background_lowest ≤ background_highest", "swap them");
  if (spec.genes < static_cast<Index>(genes.size()))
    refuse_spec("spec names more genes than it asks for",
                fmt::format("genes = {}, {} named", spec.genes, genes.size()),
                "genes ≥ the number of named genes",
                "raise genes; what is left over becomes background genes");
  if (!std::is_sorted(spec.age_groups.begin(), spec.age_groups.end(), std::less_equal<>()))
    refuse_spec("age_groups are not in rising order", io::value_text(spec.age_groups), "rising lower bounds",
                "sort them");
  const bool has_age = std::any_of(spec.fields.begin(), spec.fields.end(), [](const FieldSpec& field) {
    return field.name == "AGE" && field.shape != FieldShape::levels;
  });
  if (!spec.age_groups.empty() && !has_age)
    refuse_spec("age_groups without ages", io::value_text(spec.age_groups), "a field AGE with numbers",
                "add it, or remove age_groups");

  for (std::size_t i = 0; i < spec.entities.size(); ++i)
    check_entity(spec.entities[i], spec, where.at("entities", i));
  for (std::size_t i = 0; i < spec.fields.size(); ++i) {
    check_field(spec.fields[i], entities, where.at("fields", i));
    if (contains(names_of(spec.aberrations), spec.fields[i].name))
      where.at("fields", i)
          .refuse("field and aberration share a name", '"' + spec.fields[i].name + '"', "unique column names",
                  "rename one of them");
  }
  for (std::size_t i = 0; i < spec.panels.size(); ++i) {
    where.at("panels", i).require_known(spec.panels[i].genes, genes, "gene");
    where.at("panels", i).require_known(spec.panels[i].entities, entities, "entity");
  }
  for (std::size_t i = 0; i < spec.sites.size(); ++i) {
    const SiteSpec& site = spec.sites[i];
    where.at("sites", i).require_known(site.panels, panels, "panel");
    where.at("sites", i).require_known(site.entities, entities, "entity");
    double share = site.entities.empty() ? shares : 0;
    for (const auto& entity : spec.entities)
      if (contains(site.entities, entity.name)) share += entity.share;
    if (share <= 0)
      where.at("sites", i)
          .refuse("site treats only entities without patients", io::value_text(site.entities),
                  "an entity with share > 0", "add one, or leave entities out");
  }
  for (std::size_t i = 0; i < spec.gene_details.size(); ++i) {
    const GeneSpec& gene = spec.gene_details[i];
    where.at("gene_details", i).require_known(gene.name, genes, "gene");
    if (gene.shares.size() != gene.hotspots.size() || total(gene.shares) > 1 + 1e-9)
      where.at("gene_details", i)
          .refuse("hotspot shares do not fit",
                  fmt::format("{} hotspots, {} shares that sum to {}", gene.hotspots.size(),
                              gene.shares.size(), total(gene.shares)),
                  "one share per hotspot, together at most 1", "correct the shares");
  }
}

}  // namespace chorale::jobs
