// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "jobs/simulate/model.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include <fmt/format.h>

#include "io/study/recipe.hpp"
#include "jobs/simulate/streams.hpp"

namespace chorale::jobs {
namespace {

/// Patients for the baseline hazards have numbers that no cohort reaches.
constexpr Index first_calibration_patient = Index{1} << 40;
constexpr Index n_calibration_patients = 4096;

std::size_t at(Index i) {
  return static_cast<std::size_t>(i);
}

std::vector<std::string> named_genes(const SimulateSpec& spec) {
  std::set<std::string> names;
  for (const auto& entity : spec.entities)
    for (const auto& alteration : entity.alterations) names.insert(alteration.name);
  for (const auto& aberration : spec.aberrations) names.erase(aberration.name);
  return {names.begin(), names.end()};
}

template <class Items>
Index position(const Items& items, const std::string& name) {
  const auto found =
      std::find_if(items.begin(), items.end(), [&](const auto& item) { return item.name == name; });
  return found - items.begin();
}

bool suits(const std::vector<std::string>& entities, const std::string& entity) {
  return entities.empty() || std::find(entities.begin(), entities.end(), entity) != entities.end();
}

}  // namespace

std::string patient_id(Index index) {
  return fmt::format("SIM{:09}", index);
}

CohortModel::CohortModel(SimulateSpec spec)
    : spec_(std::move(spec)),
      background_(spec_, spec_.genes - static_cast<Index>(named_genes(spec_).size())),
      clinical_(spec_) {
  catalogue_.name = spec_.name;
  catalogue_.fields = clinical_.fields();
  const bool has_efs = std::any_of(spec_.entities.begin(), spec_.entities.end(),
                                   [](const auto& entity) { return entity.efs_at_5_years.has_value(); });
  if (has_efs)
    catalogue_.endpoints.push_back(
        {.name = "EFS", .description = "event-free survival: relapse or death", .source = "simulated"});
  catalogue_.endpoints.push_back({.name = "OS", .description = "overall survival", .source = "simulated"});
  catalogue_.class_set = "nonsilent";
  for (const io::ClassSet& set : io::class_sets())
    if (set.name == catalogue_.class_set) catalogue_.classes = set.classes;
  catalogue_.variant_classes.assign(variant_class_names.begin(), variant_class_names.end());
  catalogue_.provenance.push_back(
      fmt::format("simulated by chorale {} with seed {}: no real patient is in this cohort", CHORALE_VERSION,
                  spec_.seed));
  build_genes();
  build_panels();
  build_entities();
  build_sites();
  build_outcomes();
}

void CohortModel::build_genes() {
  const std::vector<std::string> named = named_genes(spec_);
  catalogue_.genes = named;
  const Index n_background = spec_.genes - static_cast<Index>(named.size());
  std::vector<std::string> background;
  for (Index g = 1; g <= n_background; ++g) background.push_back(fmt::format("GENE{:05}", g));
  catalogue_.genes.insert(catalogue_.genes.end(), background.begin(), background.end());
  std::sort(catalogue_.genes.begin(), catalogue_.genes.end());
  for (const auto& name : background) background_codes_.push_back(catalogue_.gene_index(name));
  for (const auto& name : catalogue_.genes)
    catalogue_.features.push_back(
        {.name = name, .gene = name, .partner = {}, .profile = io::Profile::mutation});

  genes_.resize(catalogue_.genes.size());
  for (const GeneSpec& from : spec_.gene_details) {
    Gene& gene = genes_[at(catalogue_.gene_index(from.name))];
    gene = {.truncating = from.truncating,
            .second_hit = from.second_hit,
            .vaf = from.vaf,
            .length = from.length,
            .first_hotspot = static_cast<Index>(hotspots_.size()),
            .cumulative = {}};
    double sum = 0;
    for (const double share : from.shares) gene.cumulative.push_back(sum += share);
    for (const auto& hotspot : from.hotspots) {
      hotspots_.push_back(hotspot);
      hotspot_classes_.push_back(class_of_notation(hotspot));
    }
  }
}

void CohortModel::build_panels() {
  for (const PanelSpec& from : spec_.panels) {
    std::vector<std::uint8_t> tests(catalogue_.genes.size(), from.whole_exome ? 1 : 0);
    for (const auto& name : from.genes) tests[at(catalogue_.gene_index(name))] = 1;
    const double n_background = std::round(from.background * static_cast<double>(background_codes_.size()));
    for (std::size_t g = 0; g < static_cast<std::size_t>(n_background); ++g)
      tests[at(background_codes_[g])] = 1;
    io::Panel panel{.name = from.name, .whole_exome = from.whole_exome, .genes = {}};
    for (std::size_t g = 0; g < tests.size() && !from.whole_exome; ++g)
      if (tests[g] != 0) panel.genes.push_back(static_cast<std::int32_t>(g));
    catalogue_.panels.push_back(std::move(panel));
    on_panel_.push_back(std::move(tests));
  }
}

void CohortModel::build_entities() {
  for (const EntitySpec& from : spec_.entities) {
    std::vector<double> frequency;
    std::vector<std::string> names;
    std::vector<double> log_hazards;
    std::vector<Index> genes;
    for (const AlterationSpec& alteration : from.alterations) {
      frequency.push_back(alteration.frequency);
      names.push_back(alteration.name);
      log_hazards.push_back(std::log(alteration.hazard_ratio));
      genes.push_back(catalogue_.gene_index(alteration.name));
    }
    std::vector<LinkedPair> pairs;
    for (const PairSpec& pair : from.pairs)
      pairs.push_back(
          {position(from.alterations, pair.a), position(from.alterations, pair.b), pair.odds_ratio});
    std::vector<Interaction> interactions;
    for (const InteractionSpec& interaction : from.interactions)
      interactions.push_back({at(position(from.alterations, interaction.a)),
                              at(position(from.alterations, interaction.b)),
                              std::log(interaction.hazard_ratio)});
    entities_.push_back({.block = AlterationBlock(frequency, pairs, names, from.name),
                         .log_hazards = std::move(log_hazards),
                         .genes = std::move(genes),
                         .interactions = std::move(interactions),
                         .cumulative_sites = {}});
  }
}

void CohortModel::build_sites() {
  std::vector<double> weights;
  for (const SiteSpec& from : spec_.sites) {
    for (Index k = 1; k <= from.count; ++k) {
      catalogue_.sites.push_back(from.count == 1 ? from.name : fmt::format("{}-{:02}", from.name, k));
      Site& site = sites_.emplace_back(Site{.cumulative = {},
                                            .panels = {},
                                            .unprofiled = from.unprofiled,
                                            .missing_factor = from.missing_factor,
                                            .log_hazard = std::log(from.hazard_ratio)});
      weights.push_back(from.weight / static_cast<double>(k));
      double sum = 0;
      for (const EntitySpec& entity : spec_.entities) {
        site.cumulative.push_back(sum += suits(from.entities, entity.name) ? entity.share : 0);
        auto& choice = site.panels.emplace_back();
        for (const auto& panel : from.panels) {
          const Index p = position(spec_.panels, panel);
          if (suits(spec_.panels[at(p)].entities, entity.name)) choice.push_back(p);
        }
      }
    }
  }
  double sum = 0;
  for (const double weight : weights) cumulative_sites_.push_back(sum += weight);
  // sites as a patient of the entity meets them: weight · P(entity | site)
  for (std::size_t e = 0; e < entities_.size(); ++e) {
    double reached = 0;
    for (std::size_t s = 0; s < sites_.size(); ++s) {
      const auto& cumulative = sites_[s].cumulative;
      const double share = (cumulative[e] - (e == 0 ? 0 : cumulative[e - 1])) / cumulative.back();
      entities_[e].cumulative_sites.push_back(reached += weights[s] * share);
    }
  }
}

void CohortModel::build_outcomes() {
  for (std::size_t e = 0; e < entities_.size(); ++e) {
    std::vector<double> log_hazards;
    SimulatedPatient patient;
    for (Index k = 0; k < n_calibration_patients && entities_[e].cumulative_sites.back() > 0; ++k) {
      const Index item = first_calibration_patient + k;
      kernels::Draws draws(static_cast<std::uint64_t>(spec_.seed), Stream::site, item);
      patient.entity = static_cast<Index>(e);
      patient.site = draws.categorical(entities_[e].cumulative_sites);
      draw_person(item, patient);
      log_hazards.push_back(patient.log_hazard);
    }
    if (log_hazards.empty()) log_hazards.push_back(0);
    outcomes_.emplace_back(spec_.entities[e], log_hazards);
  }
}

const std::string& CohortModel::background_gene(Index gene) const {
  return catalogue_.genes[at(background_codes_[at(gene)])];
}

bool CohortModel::is_tested(Index panel, Index gene) const {
  return panel >= 0 && on_panel_[at(panel)][at(gene)] != 0;
}

/// Alterations, clinical values and log hazard of a patient whose site and entity are set.
void CohortModel::draw_person(Index item, SimulatedPatient& out) const {
  const auto seed = static_cast<std::uint64_t>(spec_.seed);
  const Entity& entity = entities_[at(out.entity)];
  out.index = item;
  out.carried.assign(entity.log_hazards.size(), 0);
  out.values.resize(catalogue_.fields.size());
  kernels::Draws draws(seed, Stream::alterations, item);
  entity.block.draw(draws, out.carried);
  // η = Σ carried · log HR + Σ both carried · log HR + site + clinical values
  out.log_hazard = sites_[at(out.site)].log_hazard;
  for (std::size_t j = 0; j < out.carried.size(); ++j)
    if (out.carried[j] != 0) out.log_hazard += entity.log_hazards[j];
  for (const Interaction& interaction : entity.interactions)
    if (out.carried[interaction.a] != 0 && out.carried[interaction.b] != 0)
      out.log_hazard += interaction.log_hazard;
  out.log_hazard += clinical_.draw(seed, item, out.entity, out.carried, out.values);
}

SimulatedVariant CohortModel::draw_variant(kernels::Draws& draws, Index code, bool silent) const {
  const Gene& gene = genes_[at(code)];
  SimulatedVariant variant{.gene = static_cast<std::int32_t>(code)};
  const double which = silent ? 1 : draws.uniform();
  const auto hotspot =
      std::upper_bound(gene.cumulative.begin(), gene.cumulative.end(), which) - gene.cumulative.begin();
  if (!silent && hotspot < static_cast<Index>(gene.cumulative.size())) {
    variant.change = ProteinChange::hotspot(gene.first_hotspot + hotspot);
    variant.variant_class = hotspot_classes_[at(gene.first_hotspot + hotspot)];
  } else {
    const MadeUpChange made_up = silent ? draw_silent_change(draws, code, gene.length)
                                        : draw_change(draws, code, gene.length, gene.truncating);
    variant.change = made_up.change;
    variant.variant_class = made_up.variant_class;
  }
  // one variant in four belongs to a subclone; 100 to 999 reads
  double fraction = std::clamp(gene.vaf + 0.08 * draws.normal(), 0.02, 0.98);
  const double clone = draws.uniform();
  if (clone < 0.25) fraction *= 0.1 + 3.6 * clone;
  variant.n_reads = static_cast<std::int32_t>(100 + draws.below(900));
  variant.n_alt =
      std::clamp(static_cast<std::int32_t>(std::round(fraction * variant.n_reads)), 1, variant.n_reads);
  return variant;
}

void CohortModel::draw_variants(SimulatedPatient& out) const {
  const auto seed = static_cast<std::uint64_t>(spec_.seed);
  out.variants.clear();
  if (out.panel < 0) return;
  kernels::Draws draws(seed, Stream::variants, out.index);
  const auto& genes = entities_[at(out.entity)].genes;
  for (std::size_t j = 0; j < out.carried.size(); ++j) {
    if (out.carried[j] == 0 || genes[j] < 0 || !is_tested(out.panel, genes[j])) continue;
    out.variants.push_back(draw_variant(draws, genes[j], false));
    if (draws.uniform() < genes_[at(genes[j])].second_hit)
      out.variants.push_back(draw_variant(draws, genes[j], false));
  }
  kernels::Draws burden_draws(seed, Stream::burden, out.index);
  const double burden = background_.draw_burden(burden_draws);
  kernels::Draws hit_draws(seed, Stream::hits, out.index);
  background_.draw_hits(hit_draws, out.entity, burden, [&](Index hit) {
    const Index gene = background_codes_[at(hit)];
    if (is_tested(out.panel, gene)) out.variants.push_back(draw_variant(draws, gene, false));
  });
  if (spec_.silent_variants > 0 && !genes_.empty()) {
    kernels::Draws silent_draws(seed, Stream::silent, out.index);
    for (Index n = silent_draws.poisson(spec_.silent_variants * burden); n > 0; --n) {
      const Index gene = silent_draws.below(static_cast<Index>(genes_.size()));
      if (is_tested(out.panel, gene)) out.variants.push_back(draw_variant(silent_draws, gene, true));
    }
  }
  // one row per gene, class and protein change
  const auto key = [](const SimulatedVariant& v) { return std::tuple(v.gene, v.variant_class, v.change); };
  std::sort(out.variants.begin(), out.variants.end(), [&](const auto& a, const auto& b) {
    return std::tuple(key(a), a.n_reads, a.n_alt) < std::tuple(key(b), b.n_reads, b.n_alt);
  });
  out.variants.erase(std::unique(out.variants.begin(), out.variants.end(),
                                 [&](const auto& a, const auto& b) { return key(a) == key(b); }),
                     out.variants.end());
}

void CohortModel::draw(Index index, SimulatedPatient& out) const {
  const auto seed = static_cast<std::uint64_t>(spec_.seed);
  out.site = kernels::Draws(seed, Stream::site, index).categorical(cumulative_sites_);
  const Site& site = sites_[at(out.site)];
  out.entity = kernels::Draws(seed, Stream::entity, index).categorical(site.cumulative);
  kernels::Draws panel_draws(seed, Stream::panel, index);
  const auto& panels = site.panels[at(out.entity)];
  const bool profiled = panel_draws.uniform() >= site.unprofiled && !panels.empty();
  out.panel = profiled ? panels[at(panel_draws.below(static_cast<Index>(panels.size())))] : -1;
  draw_person(index, out);
  outcomes_[at(out.entity)].draw(spec_, out);
  draw_variants(out);
  clinical_.hide(seed, index, site.missing_factor, out.values);
}

}  // namespace chorale::jobs
