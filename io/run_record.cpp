// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <algorithm>

#include <nlohmann/json.hpp>

#include "io/checksum.hpp"
#include "io/file.hpp"
#include "io/results.hpp"
#include "kernels/error.hpp"
#include "kernels/parallel.hpp"

namespace chorale::io {
namespace {

using nlohmann::json;
using ordered = nlohmann::ordered_json;
namespace fs = std::filesystem;

constexpr const char* format_name = "chorale-run";
constexpr const char* done_name = "DONE";

/// Logs and job files may lie beside results, and change.
bool is_result(const fs::path& path) {
  const auto kind = path.extension();
  return kind == ".tsv" || kind == ".h5" || kind == ".json" || kind == ".html";
}

}  // namespace

void write_run_record(const fs::path& folder, const RunRecord& record) {
  ordered out;
  out["format"] = format_name;
  out["job"] = record.job;
  out["version"] = record.version;
  out["cohort"] = {
      {"folder", record.cohort}, {"name", record.cohort_name}, {"fingerprint", record.cohort_fingerprint}};
  auto& config = out["config"] = ordered::array();
  for (const auto& [key, value] : record.config) config.push_back({{"key", key}, {"toml", value}});
  out["level"] = record.level;
  out["n_ranks"] = record.n_ranks;
  out["n_threads"] = record.n_threads;
  out["user"] = record.user;
  out["host"] = record.host;
  out["started"] = record.started;
  out["finished"] = record.finished;
  out["n_units"] = record.n_units;
  out["n_units_resumed"] = record.n_units_resumed;
  out["n_units_computed"] = record.n_units_computed;
  out["n_units_repeated"] = record.n_units_repeated;
  auto& stages = out["stage_seconds"] = ordered::object();
  for (const auto& [stage, seconds] : record.stage_seconds) stages[stage] = seconds;
  auto& ranks = out["rank_seconds"] = ordered::object();
  for (const RankShare& share : record.rank_seconds)
    ranks[share.name] = {{"mean", share.mean}, {"max", share.max}, {"imbalance", share.imbalance()}};
  out["peak_rss_bytes"] = record.peak_rss_bytes;
  out["peak_node_bytes"] = record.peak_node_bytes;
  out["forecast_node_bytes"] = record.forecast_node_bytes;
  // host and user names come from the system: whatever their bytes, the record is written
  write_file(folder / "run.json", out.dump(1, ' ', false, json::error_handler_t::replace) + "\n");
}

RunRecord read_run_record(const fs::path& folder) {
  const auto path = folder / "run.json";
  const std::string text = read_text(path);
  try {
    const ordered in = ordered::parse(text);
    RunRecord record;
    in.at("job").get_to(record.job);
    in.at("version").get_to(record.version);
    in.at("cohort").at("folder").get_to(record.cohort);
    in.at("cohort").at("name").get_to(record.cohort_name);
    in.at("cohort").at("fingerprint").get_to(record.cohort_fingerprint);
    for (const auto& entry : in.at("config")) record.config.emplace_back(entry.at("key"), entry.at("toml"));
    in.at("level").get_to(record.level);
    in.at("n_ranks").get_to(record.n_ranks);
    in.at("n_threads").get_to(record.n_threads);
    in.at("user").get_to(record.user);
    in.at("host").get_to(record.host);
    in.at("started").get_to(record.started);
    in.at("finished").get_to(record.finished);
    in.at("n_units").get_to(record.n_units);
    in.at("n_units_resumed").get_to(record.n_units_resumed);
    in.at("n_units_computed").get_to(record.n_units_computed);
    in.at("n_units_repeated").get_to(record.n_units_repeated);
    for (const auto& [stage, seconds] : in.at("stage_seconds").items())
      record.stage_seconds.emplace_back(stage, seconds.get<double>());
    for (const auto& [name, share] : in.at("rank_seconds").items())
      record.rank_seconds.push_back({.name = name, .mean = share.at("mean"), .max = share.at("max")});
    in.at("peak_rss_bytes").get_to(record.peak_rss_bytes);
    in.at("peak_node_bytes").get_to(record.peak_node_bytes);
    in.at("forecast_node_bytes").get_to(record.forecast_node_bytes);
    return record;
  } catch (const json::exception& problem) {
    throw InputError({.what = "run record is damaged",
                      .found = problem.what(),
                      .expected = "the JSON that 'chorale run' wrote",
                      .in = path.string(),
                      .remedy = "restore the file from its copy, or run the job again"});
  }
}

void write_done(const fs::path& folder) {
  remove_file(folder / done_name);
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& part : {folder, folder / "pieces"}) {
    if (!fs::exists(part)) continue;
    for (fs::directory_iterator at(part, error), end; !error && at != end; at.increment(error))
      if (at->is_regular_file(error) && is_result(at->path()))
        names.push_back(at->path().lexically_relative(folder).string());
  }
  if (error)
    throw StoreError({.what = "folder cannot be read", .found = error.message(), .in = folder.string()});
  std::sort(names.begin(), names.end());
  std::vector<std::string> digests(names.size());
  kernels::in_parallel(names.size(), [&](std::size_t i) { digests[i] = sha256_of_file(folder / names[i]); });
  std::string list;
  for (std::size_t i = 0; i < names.size(); ++i) list += digests[i] + "  " + names[i] + "\n";
  write_file(folder / done_name, list);
}

bool is_done(const fs::path& folder) {
  if (!fs::exists(folder / done_name)) return false;
  const std::string list = read_text(folder / done_name);
  constexpr std::size_t digest = 64;
  for (std::size_t from = 0; from < list.size();) {
    const std::size_t end = std::min(list.find('\n', from), list.size());
    const std::string line = list.substr(from, end - from);
    if (line.size() < digest + 3) return false;
    const fs::path path = folder / line.substr(digest + 2);
    if (!fs::exists(path) || sha256_of_file(path) != line.substr(0, digest)) return false;
    from = end + 1;
  }
  return !list.empty();
}

}  // namespace chorale::io
