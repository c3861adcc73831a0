// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "jobs/commands/batch_script.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include <fmt/format.h>

#include "jobs/commands/batch_body.hpp"
#include "jobs/commands/shell.hpp"

namespace chorale::jobs {
namespace {

constexpr double mebibyte = 1048576;

Index round_up(double value, double step) {
  return static_cast<Index>(std::ceil(value / step) * step);
}

std::string hours_minutes(Index minutes) {
  return fmt::format("{:02}:{:02}:00", minutes / 60, minutes % 60);
}

[[noreturn]] void refuse_cores() {
  throw ConfigError({.what = "nobody says how many cores a node has",
                     .found = "no sinfo, and no cores_per_node",
                     .in = "the site settings",
                     .remedy = "set cores_per_node and memory_per_node_gb in slurm/site.toml, or give "
                               "--ntasks-per-node and --cpus-per-task"});
}

[[noreturn]] void refuse_memory(double needed, double offered, Index ranks) {
  throw ConfigError({.what = "the job does not fit into the memory of a node",
                     .found = fmt::format("{} with {} on a node", engine::bytes_text(needed),
                                          ranks == 1 ? "1 rank" : fmt::format("{} ranks", ranks)),
                     .expected = "at most " + engine::bytes_text(offered),
                     .in = "the forecast ('chorale check' shows its parts)",
                     .remedy = ranks > 1
                                   ? "fewer ranks on a node with more threads each, or nodes with more memory"
                                   : "nodes with more memory, fewer features or fewer patients"});
}

std::vector<std::string> launcher(const Layout& layout, const Site& site) {
  const std::string threads = std::to_string(layout.threads);
  // a rank that ends with 75 a moment before the others must not have them killed; PMIx ends them when one is lost
  if (site.launcher == Launcher::srun)
    return {"srun", "--mpi=pmix", "--cpus-per-task=" + threads, "--kill-on-bad-exit=0",
            site.bind ? "--cpu-bind=cores" : "--cpu-bind=none"};
  std::vector<std::string> words{"mpirun", "--map-by", fmt::format("ppr:{}:node", layout.ranks_per_node)};
  if (site.bind) words.back() += ":PE=" + threads;
  words.insert(words.end(), {"--bind-to", site.bind ? "core" : "none"});
  return words;
}

}  // namespace

Index seconds_of(const std::string& time) {
  const auto refuse = [&]() {
    throw ConfigError(
        {.what = "time limit cannot be read",
         .found = time,
         .expected = "minutes, minutes:seconds, hours:minutes:seconds or days-hours[:minutes[:seconds]]",
         .in = "--time",
         .remedy = "write it as 04:00:00"});
  };
  const auto dash = time.find('-');
  std::vector<Index> parts;
  std::string digits;
  const std::string rest = dash == std::string::npos ? time : time.substr(dash + 1);
  for (const char c : rest + ":") {
    if (c == ':') {
      if (digits.empty() || digits.size() > 9) refuse();
      parts.push_back(std::stoll(digits));
      digits.clear();
    } else if (c >= '0' && c <= '9') {
      digits += c;
    } else {
      refuse();
    }
  }
  if (parts.size() > 3) refuse();
  if (dash != std::string::npos) {
    const std::string days = time.substr(0, dash);
    if (days.empty() || days.size() > 6 || days.find_first_not_of("0123456789") != std::string::npos)
      refuse();
    parts.resize(3);
    return std::stoll(days) * 86400 + parts[0] * 3600 + parts[1] * 60 + parts[2];
  }
  if (parts.size() == 1) return parts[0] * 60;
  if (parts.size() == 2) return parts[0] * 60 + parts[1];
  return parts[0] * 3600 + parts[1] * 60 + parts[2];
}

Layout lay_out(const Site& site, const Wishes& wishes, const std::optional<ForecastOf>& forecast) {
  Layout layout;
  const Index cores = site.cores_per_node;
  if (cores == 0 && (wishes.ranks_per_node == 0 || wishes.threads == 0)) refuse_cores();
  layout.nodes = std::max<Index>(1, wishes.nodes);
  const auto threads_of = [&](Index ranks) {
    return wishes.threads > 0 ? wishes.threads : std::max<Index>(1, cores / ranks);
  };
  const double offered = site.memory_per_node_gb * 1e9;
  const auto fits = [&](Index ranks) {
    return !forecast || offered == 0 ||
           (*forecast)(threads_of(ranks)).node_bytes(ranks, layout.nodes) <= offered;
  };
  Index ranks = wishes.ranks_per_node;
  if (ranks == 0) {
    ranks = std::min(site.most_ranks_per_node,
                     std::max<Index>(1, wishes.threads > 0 ? cores / wishes.threads : cores));
    if (forecast) {
      const Index units = std::max<Index>(1, (*forecast)(1).most_units);
      ranks = std::min(ranks, (units + layout.nodes - 1) / layout.nodes);
    }
    while (ranks > 1 && ((wishes.threads == 0 && cores % ranks != 0) || !fits(ranks))) --ranks;
  }
  layout.ranks_per_node = ranks;
  layout.threads = threads_of(ranks);
  double seconds = site.most_hours * 3600;
  if (forecast) {
    const engine::Forecast of = (*forecast)(layout.threads);
    const double bytes = of.node_bytes(ranks, layout.nodes);
    if (!fits(ranks)) refuse_memory(bytes, offered, ranks);
    layout.megabytes = round_up(1.5 * bytes / mebibyte, 100);
    if (offered > 0) layout.megabytes = std::min(layout.megabytes, static_cast<Index>(offered / mebibyte));
    const auto n_cores = static_cast<double>(layout.nodes * ranks * layout.threads);
    seconds = std::min(seconds, 3 * of.seconds / n_cores + 600);
    layout.warning_seconds =
        std::max<Index>(120, 60 + round_up(3 * of.longest_unit / static_cast<double>(layout.threads), 1));
  }
  layout.time = wishes.time.empty() ? hours_minutes(round_up(seconds / 60, 5)) : wishes.time;
  layout.warning_seconds = std::min(layout.warning_seconds, std::max<Index>(1, seconds_of(layout.time) / 2));
  return layout;
}

std::string batch_text(const Step& step, const Layout& layout, const Site& site) {
  std::string text = "#!/bin/bash\n# Written by chorale " CHORALE_VERSION " submit: " + step.about + "\n";
  const auto option = [&](const std::string& name, const std::string& value) {
    if (!value.empty()) text += "#SBATCH --" + name + "=" + value + "\n";
  };
  option("job-name", step.job_name);
  option("nodes", std::to_string(step.on_ranks ? layout.nodes : 1));
  option("ntasks-per-node", std::to_string(step.on_ranks ? layout.ranks_per_node : 1));
  option("cpus-per-task", std::to_string(layout.threads));
  option("mem", layout.megabytes > 0 ? fmt::format("{}M", layout.megabytes) : "0");
  option("time", layout.time);
  option("signal", fmt::format("B:USR1@{}", layout.warning_seconds));
  text += "#SBATCH --requeue\n";
  option("open-mode", "append");
  option("output", step.notes + "/" + step.name + (step.array ? "-%A_%a.log" : "-%j.log"));
  if (step.array) option("array", fmt::format("0-{}", step.elements.size() - 1));
  option("partition", site.partition);
  option("account", site.account);
  option("qos", site.qos);
  option("constraint", site.constraint);
  for (const auto& more : site.options) text += "#SBATCH " + more + "\n";
  text += '\n';
  if (!site.modules.empty()) text += "module load " + quoted(site.modules) + "\n";
  for (const auto& line : site.setup) text += line + "\n";

  const auto set = [&](const std::string& name, const std::string& value) {
    text += name + "=" + value + "\n";
  };
  text += "cd " + quoted(std::filesystem::current_path().string()) + " || exit 4\n";
  text += fmt::format("export OMP_NUM_THREADS={}\n", layout.threads);
  if (site.bind && step.on_ranks) text += "export OMP_PLACES=cores OMP_PROC_BIND=close\n";
  set("step", step.name);
  set("notes", quoted(step.notes));
  text += "case ${SLURM_ARRAY_TASK_ID:-0} in\n";
  for (std::size_t e = 0; e < step.elements.size(); ++e)
    text += fmt::format("  {}) output={} arguments=({}) ;;\n", e, quoted(step.elements[e].output),
                        quoted(step.elements[e].arguments));
  text += "esac\n";
  set("command", "(" + quoted(step.command) + " \"${arguments[@]}\")");
  set("launch", "(" + (step.on_ranks ? quoted(launcher(layout, site)) : std::string{}) + ")");
  set("verify", "(" + step.verify + ")");
  set("max_restarts", std::to_string(site.max_restarts));
  set("max_fruitless", std::to_string(site.max_fruitless));
  return text + '\n' + std::string(batch_body);
}

}  // namespace chorale::jobs
