// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "io/study/ingest.hpp"

#include <algorithm>
#include <memory>
#include <mutex>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <omp.h>

#include "io/checksum.hpp"
#include "io/file.hpp"
#include "io/study/assemble.hpp"
#include "io/study/profiled.hpp"
#include "io/study/summary.hpp"
#include "kernels/parallel.hpp"

namespace chorale::io {
namespace {

namespace fs = std::filesystem;
using namespace study;

void check(const IngestRecipe& recipe) {
  if (recipe.deliveries.empty())
    throw ConfigError({.what = "recipe names no delivery",
                       .found = {},
                       .expected = "at least one study folder",
                       .in = "deliveries",
                       .remedy = "name the study folders to read"});
  if (recipe.patients_per_shard < 1)
    throw ConfigError({.what = "shards would hold no patient",
                       .found = std::to_string(recipe.patients_per_shard),
                       .expected = "1 or more",
                       .in = "patients_per_shard",
                       .remedy = "take the default, 8192"});
}

void refuse_to_overwrite(const fs::path& out) {
  std::error_code status;
  if (fs::exists(out / "cohort.json", status))
    throw ConfigError({.what = "output folder already holds a cohort",
                       .found = (out / "cohort.json").string(),
                       .expected = "a new or empty folder",
                       .in = out.string(),
                       .remedy = "name another folder, or ask to overwrite"});
}

// What an earlier run left is removed once the deliveries proved readable, and its cohort.json before all else.
void remove_earlier_cohort(const fs::path& out) {
  std::error_code status;
  fs::remove(out / "cohort.json", status);
  for (const auto& entry : fs::directory_iterator(out, status)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("shard-") && name.ends_with(".h5")) fs::remove(entry.path(), status);
  }
  for (const char* name : {"ingest.json", "ingest.txt"}) fs::remove(out / name, status);
}

std::vector<Study> read_studies(const IngestRecipe& recipe, const ReadOptions& options) {
  std::vector<Study> studies;
  Index n_patients = 0;
  for (const Delivery& delivery : recipe.deliveries) {
    studies.push_back(read_study(delivery, recipe, options));
    studies.back().first_patient = n_patients;
    n_patients += studies.back().n_patients();
  }
  return studies;
}

// One person is one patient: an id may come from one delivery only.
void refuse_shared_patients(const std::vector<Study>& studies) {
  if (studies.size() < 2) return;
  StringTable seen;
  std::vector<std::string_view> twice;
  for (const Study& s : studies) {
    const Index n_before = seen.size();
    for (Index p = 0; p < s.n_patients(); ++p)
      if (seen.insert(s.patient_id[p]) < n_before) twice.push_back(s.patient_id[p]);
  }
  if (twice.empty()) return;
  const std::size_t n_shown = std::min<std::size_t>(twice.size(), 3);
  throw InputError(
      {.what = "patients are in two deliveries",
       .found = fmt::format(
           "{}{}", fmt::join(twice.begin(), twice.begin() + static_cast<std::ptrdiff_t>(n_shown), ", "),
           twice.size() > n_shown ? fmt::format(" and {} more", twice.size() - n_shown) : ""),
       .expected = "every patient in one delivery",
       .in = "the patient tables of the deliveries",
       .remedy = "take them out of one delivery; put the site in front of ids that two persons share"});
}

std::vector<std::vector<std::string>> pseudonyms(const std::vector<Study>& studies,
                                                 const fs::path& key_file) {
  const std::string key = key_file.empty() ? std::string() : read_text(key_file);
  if (!key_file.empty() && key.empty())
    throw ConfigError({.what = "pseudonym key is empty",
                       .found = {},
                       .expected = "a secret of at least 32 bytes",
                       .in = key_file.string(),
                       .remedy = "make one, for instance with openssl rand -hex 32"});
  std::vector<std::vector<std::string>> ids(studies.size());
  for (std::size_t s = 0; s < studies.size(); ++s)
    for (Index p = 0; p < studies[s].n_patients(); ++p) {
      const std::string_view id = studies[s].patient_id[p];
      // 128 bits: two of a thousand million patients share one with probability 1e-21
      ids[s].push_back(key.empty() ? std::string(id) : hmac_sha256(key, id).substr(0, 32));
    }
  return ids;
}

void place_samples(std::vector<Study>& studies, const std::vector<Index>& first) {
  std::int32_t shard = 0;
  for (Study& s : studies) {
    std::vector<Place> of_patient;
    for (Index p = s.first_patient; p < s.first_patient + s.n_patients(); ++p) {
      while (p >= first[static_cast<std::size_t>(shard) + 1]) ++shard;
      of_patient.push_back({shard, static_cast<std::int32_t>(p - first[static_cast<std::size_t>(shard)])});
    }
    for (const std::int32_t patient : s.patient_of)
      s.place.push_back(of_patient[static_cast<std::size_t>(patient)]);
  }
}

void read_molecular(std::vector<Study>& studies, Pool& pool, const ReadOptions& options) {
  for (Study& s : studies) {
    TableReport mutations;
    for (const TableFile& file : s.layout.mutations) {
      const TableReport report = read_mutations(s, file, pool, options);
      if (mutations.file.empty())
        mutations = report;
      else
        mutations.join(report);
    }
    if (!mutations.file.empty()) s.tables.push_back(mutations);
    if (s.layout.copy_number) s.tables.push_back(read_copy_number(s, pool, options));
    if (s.layout.structural) s.tables.push_back(read_structural(s, pool, options));
    settle_assays(s);
    s.n_copy_number_samples.assign(static_cast<std::size_t>(s.n_patients()), 0);
    for (std::size_t i = 0; i < s.patient_of.size(); ++i)
      if (s.used[i] != 0 && s.state(Profile::copy_number).assay[i] != not_profiled)
        ++s.n_copy_number_samples[static_cast<std::size_t>(s.patient_of[i])];
  }
}

std::vector<std::uint8_t> mutation_panels(const PanelCodes& codes, std::size_t n_panels) {
  std::vector<std::uint8_t> used(n_panels, 0);
  for (const auto& of_study : codes)
    for (const std::int16_t code : of_study[static_cast<std::size_t>(Profile::mutation)])
      if (code >= 0) used[static_cast<std::size_t>(code)] = 1;
  return used;
}

// Shards are assembled side by side; HDF5 takes one at a time.
void write_shards(const Plan& plan, const std::vector<Index>& first, ShardBuckets& buckets,
                  const fs::path& out, int n_threads, Catalogue& catalogue, ShardSums& sums) {
  const auto n_shards = static_cast<Index>(first.size()) - 1;
  std::vector<ShardEntry> entries(static_cast<std::size_t>(n_shards));
  std::vector<ShardSums> parts(entries.size());
  std::mutex hdf5;
  kernels::in_parallel(entries.size(), n_threads, [&](std::size_t i) {
    const auto shard = static_cast<Index>(i);
    parts[i] = empty_sums(plan);
    const ShardData data = assemble_shard(plan, first[i], first[i + 1], buckets.take(shard), parts[i].kept);
    add_shard(data, parts[i]);
    const std::lock_guard turn(hdf5);
    entries[i] = write_shard(out, shard, catalogue, data);
  });
  sums = empty_sums(plan);
  for (const ShardSums& part : parts) sums.add(part);
  catalogue.shards = std::move(entries);
}

std::string cohort_name(const IngestRecipe& recipe, const std::vector<Study>& studies) {
  if (!recipe.name.empty()) return recipe.name;
  std::vector<std::string> names;
  for (const Study& s : studies)
    if (std::find(names.begin(), names.end(), s.layout.study) == names.end()) names.push_back(s.layout.study);
  return fmt::format("{}", fmt::join(names, "+"));
}

}  // namespace

IngestReport ingest(const IngestRecipe& recipe, const fs::path& out) {
  check(recipe);
  std::vector<std::string> classes = counting_classes(recipe);
  const ReadOptions options{.n_threads = recipe.n_threads > 0 ? recipe.n_threads : omp_get_max_threads(),
                            .block_bytes = recipe.block_bytes,
                            .drop_invalid = recipe.drop_invalid};
  if (!recipe.overwrite) refuse_to_overwrite(out);
  make_folder(out);

  std::vector<Study> studies = read_studies(recipe, options);
  refuse_shared_patients(studies);
  const Index n_patients = studies.back().first_patient + studies.back().n_patients();
  const std::vector<Index> first = even_shards(n_patients, recipe.patients_per_shard);
  place_samples(studies, first);

  ShardBuckets buckets(out / "ingest.tmp", static_cast<Index>(first.size()) - 1, recipe.spill_bytes);
  Pool pool(buckets, std::move(classes));
  read_molecular(studies, pool, options);

  Catalogue catalogue;
  catalogue.name = cohort_name(recipe, studies);
  catalogue.class_set = recipe.class_set;
  const FieldPlan fields = plan_fields(studies, recipe.site_field, catalogue);
  const PanelCodes panels = plan_panels(studies, pool, catalogue);
  const FeaturePlan features = plan_features(pool, mutation_panels(panels, catalogue.panels.size()),
                                             recipe.gains_and_losses, catalogue);
  for (const Study& s : studies)
    catalogue.provenance.push_back(fmt::format("chorale {}: ingested study {} of site {}: {} patients",
                                               CHORALE_VERSION, s.layout.study, s.site, s.n_patients()));
  const Plan plan{.studies = studies,
                  .catalogue = catalogue,
                  .fields = fields,
                  .panels = panels,
                  .features = features,
                  .pseudonym = pseudonyms(studies, recipe.pseudonym_key)};
  remove_earlier_cohort(out);
  ShardSums sums;
  write_shards(plan, first, buckets, out, options.n_threads, catalogue, sums);

  const IngestReport report = summarise(recipe, plan, sums);
  write_file(out / "ingest.json", as_json(report));
  write_file(out / "ingest.txt", as_text(report));
  save_catalogue(catalogue, out);
  return report;
}

IngestRecipe recipe_for(const fs::path& study_folder) {
  IngestRecipe recipe;
  recipe.deliveries.push_back({study_folder, {}});
  return recipe;
}

}  // namespace chorale::io
