// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <cmath>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "io/checksum.hpp"
#include "io/results.hpp"
#include "io/shard.hpp"
#include "io/study/ingest.hpp"
#include "jobs/commands/commands.hpp"
#include "jobs/commands/recipe.hpp"
#include "jobs/simulate/simulate.hpp"

namespace chorale::jobs {
namespace {

/// What only the patients can tell.
struct Contents {
  std::vector<Index> known;     // per field
  std::vector<Index> analysed;  // per endpoint
  std::vector<Index> events;
  std::vector<Index> carriers;  // per feature
};

Contents read_contents(const io::Catalogue& catalogue) {
  Contents contents{.known = std::vector<Index>(catalogue.fields.size()),
                    .analysed = std::vector<Index>(catalogue.endpoints.size()),
                    .events = std::vector<Index>(catalogue.endpoints.size()),
                    .carriers = std::vector<Index>(catalogue.features.size())};
  for (std::size_t s = 0; s < catalogue.shards.size(); ++s) {
    const io::ShardReader shard(catalogue, static_cast<Index>(s));
    for (std::size_t f = 0; f < catalogue.fields.size(); ++f) {
      const io::ColumnData column = shard.read_clinical(static_cast<Index>(f));
      for (const double value : column.number) contents.known[f] += std::isnan(value) ? 0 : 1;
      for (const auto code : column.code) contents.known[f] += code < 0 ? 0 : 1;
    }
    for (std::size_t e = 0; e < catalogue.endpoints.size(); ++e)
      for (const auto event : shard.read_survival(static_cast<Index>(e)).event) {
        contents.analysed[e] += event >= 0 ? 1 : 0;
        contents.events[e] += event > 0 ? 1 : 0;
      }
    for (const auto feature : shard.read_alteration().value)
      ++contents.carriers[static_cast<std::size_t>(feature)];
  }
  return contents;
}

std::string levels_text(const std::vector<std::string>& levels) {
  constexpr std::size_t shown = 8;
  std::vector<std::string> first(
      levels.begin(), levels.begin() + static_cast<std::ptrdiff_t>(std::min(shown, levels.size())));
  std::string text = fmt::format("{}", fmt::join(first, " | "));
  if (levels.size() > shown) text += fmt::format(" and {} more", levels.size() - shown);
  return text;
}

std::string describe_cohort(const io::Catalogue& catalogue, const Contents& contents, bool features) {
  Index n_bytes = 0;
  for (const auto& shard : catalogue.shards) n_bytes += shard.n_bytes;
  std::string text = fmt::format("{}\n\n  patients   {} in {} shards, {:.1f} MB\n  sites      {}\n",
                                 catalogue.name, catalogue.n_patients(), catalogue.shards.size(),
                                 static_cast<double>(n_bytes) / 1e6, levels_text(catalogue.sites));
  std::vector<std::string> panels;
  for (const auto& panel : catalogue.panels)
    panels.push_back(panel.whole_exome ? panel.name + " (whole exome)"
                                       : fmt::format("{} ({} genes)", panel.name, panel.genes.size()));
  text += fmt::format("  panels     {}\n  classes    {}: {}\n  features   {}\n", levels_text(panels),
                      catalogue.class_set, fmt::join(catalogue.classes, ", "), catalogue.features.size());
  text += "\n  field                    known      unit or levels\n";
  for (std::size_t f = 0; f < catalogue.fields.size(); ++f) {
    const io::Field& field = catalogue.fields[f];
    text += fmt::format("  {:<24} {:<10} {}{}\n", field.name, contents.known[f],
                        field.kind == io::FieldKind::number ? field.unit : levels_text(field.levels),
                        field.bounds ? " (some values are bounds)" : "");
  }
  text += "\n  endpoint                 known      events\n";
  for (std::size_t e = 0; e < catalogue.endpoints.size(); ++e)
    text += fmt::format("  {:<24} {:<10} {}\n", catalogue.endpoints[e].name, contents.analysed[e],
                        contents.events[e]);
  if (features) {
    text += "\n  feature                  carriers\n";
    for (std::size_t f = 0; f < catalogue.features.size(); ++f)
      text += fmt::format("  {:<24} {}\n", catalogue.features[f].name, contents.carriers[f]);
  }
  text += "\n  provenance\n";
  for (const auto& step : catalogue.provenance) text += "    " + step + "\n";
  return text + fmt::format("  fingerprint {}\n", catalogue.fingerprint());
}

/// XXH3-128 of the file and fletcher32 of every dataset by reading all of it, then SHA-256.
void verify_shards(const io::Catalogue& catalogue) {
  for (std::size_t s = 0; s < catalogue.shards.size(); ++s) {
    io::ShardReader(catalogue, static_cast<Index>(s)).read_all();
    const auto path = catalogue.folder / catalogue.shards[s].file;
    if (const auto found = io::sha256_of_file(path); found != catalogue.shards[s].sha256) {
      throw StoreError({.what = "shard is not the one in the manifest: its SHA-256 differs",
                        .found = found,
                        .expected = catalogue.shards[s].sha256,
                        .in = path.string(),
                        .remedy = "restore the shard from its copy, or make the cohort again"});
    }
  }
}

}  // namespace

int inspect(const Context& context, const std::filesystem::path& cohort, bool verify, bool features) {
  together(context, [&] {
    if (!context.comm.is_root()) return;
    const io::Catalogue catalogue = io::load_catalogue(cohort);
    if (verify) verify_shards(catalogue);
    context.console.out(describe_cohort(catalogue, read_contents(catalogue), features));
    if (verify)
      context.console.out(
          fmt::format("\n  verified: every checksum of {} shards holds\n", catalogue.shards.size()));
  });
  return 0;
}

int ingest(const Context& context, const std::filesystem::path& recipe_or_study,
           const std::filesystem::path& out) {
  together(context, [&] {
    if (!context.comm.is_root()) return;
    const auto report = io::ingest(load_recipe(recipe_or_study, context.overrides), out);
    context.console.out(io::as_text(report));
  });
  return 0;
}

int simulate(const Context& context, const std::filesystem::path& spec_file, const std::filesystem::path& out,
             const std::string& as, bool overwrite) {
  std::optional<SimulateSpec> spec;
  together(context, [&] { spec = load_simulate_spec(spec_file, context.overrides); });
  engine::Progress progress(context.console.progress, "simulate", spec->patients, 0);
  const bool root = context.comm.is_root();
  simulate(*spec, context.comm, out,
           {.as_study = as == "study", .overwrite = overwrite, .progress = [&](Index done, Index) {
              if (root) progress.update(done * context.comm.size());
            }});
  if (root) context.console.out(fmt::format("{} patients in {}\n", spec->patients, out.string()));
  return 0;
}

int report(const Context& context, const std::filesystem::path& results) {
  together(context, [&] {
    if (!context.comm.is_root()) return;
    const bool done = io::is_done(results);
    io::write_report(results);
    if (done) io::write_done(results);
    context.console.out(fmt::format("  report   {}\n", (results / "report.html").string()));
  });
  return 0;
}

}  // namespace chorale::jobs
