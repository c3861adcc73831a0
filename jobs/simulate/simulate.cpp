// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "jobs/simulate/simulate.hpp"

#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "io/file.hpp"
#include "io/shard.hpp"
#include "jobs/simulate/model.hpp"
#include "jobs/simulate/shard_data.hpp"
#include "jobs/simulate/study_writer.hpp"
#include "jobs/simulate/truth.hpp"

namespace chorale::jobs {
namespace {

namespace fs = std::filesystem;

/// What stands in OUT and would be replaced: manifests first, so that what is left never looks complete.
std::vector<fs::path> files_to_replace(const fs::path& out) {
  std::vector<fs::path> first;
  std::vector<fs::path> rest;
  if (!fs::is_directory(out)) return first;
  for (const auto& entry : fs::directory_iterator(out)) {
    const std::string name = entry.path().filename().string();
    const bool is_shard = name.starts_with("shard-") && name.ends_with(".h5");
    const bool is_study = name.ends_with(".txt") && (name.starts_with("meta_") || name.starts_with("data_"));
    if (name == "cohort.json" || name.starts_with("meta_"))
      first.push_back(entry.path());
    else if (is_shard || is_study)
      rest.push_back(entry.path());
  }
  first.insert(first.end(), rest.begin(), rest.end());
  return first;
}

/// All ranks look before any of them writes, so all refuse or none.
void prepare(engine::Comm& comm, const fs::path& out, bool overwrite) {
  const bool taken = fs::exists(out / "cohort.json") || fs::exists(out / "meta_study.txt");
  comm.barrier();
  if (taken && !overwrite)
    throw ConfigError({.what = "output folder holds a cohort or study already",
                       .expected = "a new or empty folder",
                       .in = out.string(),
                       .remedy = "choose another folder, or say --overwrite"});
  if (comm.is_root()) {
    io::make_folder(out);
    for (const fs::path& file : files_to_replace(out)) io::remove_file(file);
  }
  comm.barrier();
}

std::string to_line(Index shard, const io::ShardEntry& entry) {
  return fmt::format("{} {} {} {} {} {} {} {}\n", shard, entry.file, entry.n_patients, entry.n_alterations,
                     entry.n_variants, entry.n_bytes, entry.xxh3, entry.sha256);
}

std::vector<io::ShardEntry> from_lines(const std::vector<std::string>& by_rank, std::size_t n_shards) {
  std::vector<io::ShardEntry> entries(n_shards);
  for (const std::string& lines : by_rank) {
    std::istringstream in(lines);
    for (std::size_t shard = 0; in >> shard;) {
      io::ShardEntry& entry = entries.at(shard);
      in >> entry.file >> entry.n_patients >> entry.n_alterations >> entry.n_variants >> entry.n_bytes >>
          entry.xxh3 >> entry.sha256;
    }
  }
  return entries;
}

void write_shards(const CohortModel& model, engine::Comm& comm, const fs::path& out,
                  const std::function<void(Index done, Index total)>& progress) {
  const SimulateSpec& spec = model.spec();
  const std::vector<Index> first = io::even_shards(spec.patients, spec.patients_per_shard);
  const auto n_shards = static_cast<Index>(first.size()) - 1;
  const std::unique_ptr<engine::Counter> counter = comm.counter();
  std::string lines;
  std::vector<SimulatedPatient> patients;
  Index n_done = 0;
  for (Index shard = counter->next(); shard < n_shards; shard = counter->next()) {
    const Index from = first[static_cast<std::size_t>(shard)];
    const Index n = first[static_cast<std::size_t>(shard) + 1] - from;
    patients.resize(static_cast<std::size_t>(n));
    draw_patients(model, from, patients);
    lines += to_line(shard, io::write_shard(out, shard, model.catalogue(), shard_data(model, patients)));
    n_done += n;
    if (progress) progress(n_done, spec.patients);
  }
  const std::vector<std::string> gathered = comm.gather(lines);
  if (comm.is_root()) {
    write_truth(model, out / "truth");
    io::Catalogue catalogue = model.catalogue();
    catalogue.shards = from_lines(gathered, static_cast<std::size_t>(n_shards));
    io::save_catalogue(catalogue, out);
  }
  comm.barrier();
}

}  // namespace

void simulate(const SimulateSpec& spec, engine::Comm& comm, const fs::path& out,
              const SimulateOptions& options) {
  check_simulate_spec(spec, nullptr);
  const CohortModel model(spec);
  prepare(comm, out, options.overwrite);
  if (!options.as_study) {
    write_shards(model, comm, out, options.progress);
    return;
  }
  if (comm.is_root()) {
    write_truth(model, out / "truth");
    write_simulated_study(model, out, options.progress);
  }
  comm.barrier();
}

}  // namespace chorale::jobs
