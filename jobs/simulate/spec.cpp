// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "jobs/simulate/spec.hpp"

namespace chorale::jobs {
namespace {

io::Schema<EntitySpec> entity_schema() {
  io::Schema<AlterationSpec> alteration("alterations", "What patients of this entity carry.");
  alteration.field("name", &AlterationSpec::name)
      .help("a gene, or an aberration declared in [[aberrations]]");
  alteration.field("frequency", &AlterationSpec::frequency).at_least(0).at_most(1).help("share of carriers");
  alteration.field("hazard_ratio", &AlterationSpec::hazard_ratio)
      .above(0)
      .help("of carriers, on every endpoint");

  io::Schema<PairSpec> pair("pairs", "Alterations that go together, or avoid each other.");
  pair.field("a", &PairSpec::a).help("an alteration of this entity");
  pair.field("b", &PairSpec::b).help("another one");
  pair.field("odds_ratio", &PairSpec::odds_ratio).above(0).help("above 1: together; below 1: apart");

  io::Schema<InteractionSpec> interaction("interactions",
                                          "Pairs that do more to outcome than both main effects.");
  interaction.field("a", &InteractionSpec::a).help("an alteration of this entity");
  interaction.field("b", &InteractionSpec::b).help("another one");
  interaction.field("hazard_ratio", &InteractionSpec::hazard_ratio)
      .above(0)
      .help("extra factor when both are carried");

  io::Schema<ShiftSpec> shift("shifts",
                              "Clinical numbers that differ between carriers and others; the mean stays.");
  shift.field("alteration", &ShiftSpec::alteration).help("an alteration of this entity");
  shift.field("field", &ShiftSpec::field).help("a normal or lognormal field");
  shift.field("by", &ShiftSpec::by).help("added (normal) or multiplied (lognormal)");

  io::Schema<EntitySpec> entity("entities", "A disease.");
  entity.field("name", &EntitySpec::name).help("level of SUBTYPE");
  entity.field("group", &EntitySpec::group).help("level of ENTITY; empty: the name");
  entity.field("share", &EntitySpec::share).at_least(0).help("relative number of patients");
  entity.field("os_at_5_years", &EntitySpec::os_at_5_years)
      .above(0)
      .below(1)
      .help("share alive at five years");
  entity.field("efs_at_5_years", &EntitySpec::efs_at_5_years)
      .above(0)
      .below(1)
      .help("share alive without relapse at five years; absent: no EFS");
  entity.field("shape", &EntitySpec::shape)
      .above(0)
      .at_most(10)
      .help("Weibull shape; below 1 the hazard falls with time");
  entity.tables("alterations", &EntitySpec::alterations, alteration, alteration.help());
  entity.tables("pairs", &EntitySpec::pairs, pair, pair.help());
  entity.tables("interactions", &EntitySpec::interactions, interaction, interaction.help());
  entity.tables("shifts", &EntitySpec::shifts, shift, shift.help());
  return entity;
}

io::Schema<FieldSpec> field_schema() {
  io::Schema<FieldValuesSpec> values("values", "What the field looks like in some entities.");
  values.field("entities", &FieldValuesSpec::entities).help("names; empty: all that no earlier item names");
  values.field("mean", &FieldValuesSpec::mean).help("normal: before the bounds cut it");
  values.field("sd", &FieldValuesSpec::sd).at_least(0).help("normal: standard deviation");
  values.field("median", &FieldValuesSpec::median).above(0).help("lognormal");
  values.field("spread", &FieldValuesSpec::spread)
      .at_least(0)
      .help("lognormal: standard deviation of the natural logarithm");
  values.field("hazard_ratio", &FieldValuesSpec::hazard_ratio)
      .above(0)
      .help("normal: per unit; lognormal: per doubling");
  values.field("weights", &FieldValuesSpec::weights).at_least(0).help("levels: relative frequencies");
  values.field("hazard_ratios", &FieldValuesSpec::hazard_ratios)
      .above(0)
      .help("levels: one each; empty: all 1");

  io::Schema<FieldSpec> field("fields", "A clinical column.");
  field.field("name", &FieldSpec::name).help("column name");
  field.field("shape", &FieldSpec::shape).help("how values are distributed");
  field.field("unit", &FieldSpec::unit).help("of a number");
  field.field("description", &FieldSpec::description).help("one sentence");
  field.field("digits", &FieldSpec::digits).at_least(0).at_most(9).help("decimals that are recorded");
  field.field("at_least", &FieldSpec::at_least).help("smallest value");
  field.field("at_most", &FieldSpec::at_most).help("largest value");
  field.field("levels", &FieldSpec::levels).help("the words of a field of shape \"levels\"");
  field.field("missing", &FieldSpec::missing)
      .at_least(0)
      .at_most(1)
      .help("share of patients without the value");
  field.tables("values", &FieldSpec::values, values, values.help());
  return field;
}

io::Schema<PanelSpec> panel_schema() {
  io::Schema<PanelSpec> panel("panels", "A gene panel.");
  panel.field("name", &PanelSpec::name).help("unique");
  panel.field("whole_exome", &PanelSpec::whole_exome).help("tests every gene");
  panel.field("genes", &PanelSpec::genes).help("genes on the panel");
  panel.field("background", &PanelSpec::background)
      .at_least(0)
      .at_most(1)
      .help("share of the background genes on it, the frequent ones first");
  panel.field("entities", &PanelSpec::entities).help("who is tested with it; empty: everyone");
  return panel;
}

io::Schema<SiteSpec> site_schema() {
  io::Schema<SiteSpec> site("sites", "A site, or several alike.");
  site.field("name", &SiteSpec::name).help("unique");
  site.field("count", &SiteSpec::count).at_least(1).at_most(10000).help("more than 1: NAME-01, NAME-02, …");
  site.field("weight", &SiteSpec::weight)
      .at_least(0)
      .help("relative number of patients; the k-th of several has weight / k");
  site.field("entities", &SiteSpec::entities).help("whom the site treats; empty: everyone");
  site.field("panels", &SiteSpec::panels)
      .help("one of those that suit the patient's entity is drawn; none: not profiled");
  site.field("unprofiled", &SiteSpec::unprofiled)
      .at_least(0)
      .at_most(1)
      .help("share of patients not sequenced");
  site.field("missing_factor", &SiteSpec::missing_factor)
      .at_least(0)
      .help("multiplies the missing shares of all fields");
  site.field("hazard_ratio", &SiteSpec::hazard_ratio).above(0).help("of the site's patients");
  return site;
}

io::Schema<AberrationSpec> aberration_schema() {
  io::Schema<AberrationSpec> aberration("aberrations",
                                        "A 0/1 finding that is a clinical column rather than a gene.");
  aberration.field("name", &AberrationSpec::name).help("column name");
  aberration.field("description", &AberrationSpec::description).help("one sentence");
  aberration.field("missing", &AberrationSpec::missing)
      .at_least(0)
      .at_most(1)
      .help("share of patients without the value");
  return aberration;
}

io::Schema<GeneSpec> gene_schema() {
  io::Schema<GeneSpec> gene("gene_details", "How variants of a gene look.");
  gene.field("name", &GeneSpec::name).help("a gene of some entity");
  gene.field("length", &GeneSpec::length)
      .unit("amino acids")
      .at_least(1)
      .at_most(60000)
      .help("of the protein");
  gene.field("truncating", &GeneSpec::truncating)
      .at_least(0)
      .at_most(1)
      .help("share of truncating variants outside hotspots");
  gene.field("second_hit", &GeneSpec::second_hit)
      .at_least(0)
      .at_most(1)
      .help("share of carriers with a second variant");
  gene.field("vaf", &GeneSpec::vaf).above(0).at_most(1).help("typical allele fraction of the main clone");
  gene.field("hotspots", &GeneSpec::hotspots).help("protein changes, such as \"p.R882H\"");
  gene.field("shares", &GeneSpec::shares)
      .at_least(0)
      .at_most(1)
      .help("of all the gene's variants, one per hotspot");
  return gene;
}

io::Schema<SimulateSpec> build_schema() {
  using S = SimulateSpec;
  io::Schema<S> schema("", "An in-silico cohort: chorale simulate SPEC.toml OUT.");
  schema.field("name", &S::name).help("of the cohort");
  schema.field("seed", &S::seed).at_least(0).help("equal seeds give equal patients");
  schema.field("patients", &S::patients)
      .unit("patients")
      .at_least(0)
      .at_most(1e12)
      .help("patient i is the same in a cohort of any size");
  schema.field("genes", &S::genes).at_least(0).at_most(1e6).help("named genes and background genes together");
  schema.field("patients_per_shard", &S::patients_per_shard)
      .unit("patients")
      .at_least(1)
      .help("at most; shards are even");
  schema.field("background_highest", &S::background_highest)
      .at_least(0)
      .below(1)
      .help("frequency of the most frequent background gene");
  schema.field("background_lowest", &S::background_lowest)
      .above(0)
      .below(1)
      .help("of the rarest; log-uniform between");
  schema.field("background_entity_spread", &S::background_entity_spread)
      .at_least(0)
      .at_most(3)
      .help("standard deviation between entities of a background gene's log rate");
  schema.field("burden_shape", &S::burden_shape)
      .at_least(0)
      .help("gamma shape of a patient's background burden, mean 1; 0: all alike");
  schema.field("silent_variants", &S::silent_variants)
      .at_least(0)
      .at_most(1000)
      .help("mean per patient, over all genes");
  schema.field("accrual_years", &S::accrual_years)
      .unit("years")
      .at_least(0)
      .at_most(200)
      .help("patients enter evenly over this span");
  schema.field("follow_up_years", &S::follow_up_years)
      .unit("years")
      .above(0)
      .at_most(200)
      .help("from the last entry to the data cut");
  schema.field("dropout_per_year", &S::dropout_per_year).at_least(0).help("rate of loss to follow-up");
  schema.field("survival_missing", &S::survival_missing)
      .at_least(0)
      .at_most(1)
      .help("share of patients without follow-up");
  schema.field("age_groups", &S::age_groups)
      .unit("years")
      .above(0)
      .help("lower bounds; makes the field AGE_GROUP from AGE");
  const auto list = [&](const char* key, auto member, auto item) {
    const std::string help = item.help();
    schema.tables(key, member, std::move(item), help);
  };
  list("sites", &S::sites, site_schema());
  list("panels", &S::panels, panel_schema());
  list("entities", &S::entities, entity_schema());
  list("aberrations", &S::aberrations, aberration_schema());
  list("fields", &S::fields, field_schema());
  list("gene_details", &S::gene_details, gene_schema());
  return schema;
}

SimulateSpec read(const io::Node& root) {
  SimulateSpec spec = simulate_schema().parse(&root);
  check_simulate_spec(spec, &root);
  return spec;
}

}  // namespace

const io::Schema<SimulateSpec>& simulate_schema() {
  static const io::Schema<SimulateSpec> schema = build_schema();
  return schema;
}

SimulateSpec load_simulate_spec(const std::filesystem::path& path, std::span<const std::string> overrides) {
  return read(io::load_config(path, overrides));
}

SimulateSpec parse_simulate_spec(std::string_view text, const std::string& name,
                                 std::span<const std::string> overrides) {
  return read(io::parse_config(text, name, overrides));
}

std::string simulate_spec_text(const SimulateSpec& spec) {
  std::string text;
  for (const auto& [key, value] : simulate_schema().dump(spec)) {
    if (value.empty()) continue;
    text += key + " = ";
    // a list of tables stands one table a line: TOML allows line breaks in arrays, not in inline tables
    for (std::size_t from = 0; from < value.size();) {
      const std::size_t next = value.find("}, {", from);
      const std::size_t end = next == std::string::npos ? value.size() : next + 2;
      text.append(value, from, end - from);
      if (end < value.size()) text += "\n  ";
      from = end < value.size() ? end + 1 : end;
    }
    text += "\n";
  }
  return text;
}

}  // namespace chorale::jobs
