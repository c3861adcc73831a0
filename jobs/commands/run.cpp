// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <algorithm>
#include <cstdio>
#include <new>
#include <tuple>

#include <fmt/format.h>

#include "engine/forecast.hpp"
#include "engine/runner.hpp"
#include "jobs/commands/commands.hpp"
#include "jobs/registry.hpp"

namespace chorale::jobs {
namespace {

using engine::bytes_text;

constexpr int interrupted = 75;

std::string seconds_text(double seconds) {
  return seconds < 1 ? fmt::format("{:.0f} ms", seconds * 1e3) : fmt::format("{:.1f} s", seconds);
}

/// Where the ranks' time went, as shares of their stages.
std::string balance_text(const io::RunRecord& record) {
  double all = 0;
  for (const auto& share : record.rank_seconds) all += share.mean;
  std::string text;
  for (const auto& share : record.rank_seconds) {
    if (share.name == "work")
      text += fmt::format(", work {:.1f} % (busiest rank +{:.0f} %)", 100 * share.mean / all,
                          100 * share.imbalance());
    else
      text += fmt::format(", {} {:.1f} %", share.name, 100 * share.mean / all);
  }
  return all > 0 ? "  ranks: " + text.substr(2) + "\n" : "";
}

std::string finished_text(const engine::PreparedJob& job, const engine::RunSummary& summary) {
  std::string text = summary.results->title + "\n\n";
  for (const auto& sentence : summary.results->summary) text += "  " + sentence + "\n";
  const io::RunRecord& record = summary.record;
  std::string stages;
  double total = 0;
  for (const auto& [stage, seconds] : record.stage_seconds) {
    if (stage == "total")
      total = seconds;
    else
      stages += (stages.empty() ? "" : ", ") + stage + " " + seconds_text(seconds);
  }
  text += fmt::format("\n  {} on {} × {} (ranks × threads), level {}, {} on a node\n", seconds_text(total),
                      record.n_ranks, record.n_threads, record.level, bytes_text(record.peak_node_bytes));
  text += "  " + stages + "\n" + balance_text(record);
  if (record.n_units_resumed > 0)
    text +=
        fmt::format("  {} of {} units came from the checkpoint\n", record.n_units_resumed, record.n_units);
  if (summary.outcome == engine::RunOutcome::was_done)
    text += "  nothing was computed: this run was finished before (--fresh computes it again)\n";
  return text +
         fmt::format("  report   {}\n", (std::filesystem::path(job.config.output) / "report.html").string());
}

}  // namespace

std::string error_text(const engine::Comm& comm, const std::string& message) {
  if (comm.size() == 1) return "error: " + message + "\n";
  return fmt::format("error: rank {} of {} on {}: {}\n", comm.rank(), comm.size(), comm.host(), message);
}

std::pair<std::string, int> unforeseen(const std::exception& error) {
  if (dynamic_cast<const std::bad_alloc*>(&error) != nullptr)
    return {"out of memory\n  try  more nodes, fewer ranks per node, or fewer features", 1};
  if (const auto* problem = dynamic_cast<const std::filesystem::filesystem_error*>(&error))
    return {fmt::format("{}\n  in   {}\n  try  check the path, the permissions and the disk",
                        problem->code().message(), problem->path1().string()),
            4};
  return {fmt::format("unexpected: {}\n  try  report this as a bug", error.what()), 1};
}

void together(const Context& context, const std::function<void()>& step) {
  std::int64_t code[] = {0};
  std::string message;
  try {
    step();
  } catch (const Error& error) {
    code[0] = error.exit_code();
    message = error.what();
  } catch (const std::exception& error) {
    std::tie(message, code[0]) = unforeseen(error);
  }
  const bool mine = code[0] != 0;
  context.comm.largest(code);
  if (code[0] == 0) return;
  if (mine && context.comm.claim_error()) std::fputs(error_text(context.comm, message).c_str(), stderr);
  context.comm.barrier();
  throw Quit{static_cast<int>(code[0])};
}

int run(const Context& context, const std::filesystem::path& config, bool fresh) {
  return run_job(
      context, [&] { return io::load_config(config, context.overrides); }, fresh);
}

int run_job(const Context& context, const std::function<io::Node()>& read, bool fresh) {
  engine::PreparedJob job;
  io::Node root;
  together(context, [&] {
    root = read();
    job = engine::prepare(root, registry(), nullptr);
  });
  engine::count_patients(job, context.comm);
  const auto notice = [&](std::string_view text) {
    if (context.console.progress.write) context.console.progress.write(fmt::format("note: {}\n", text));
  };
  const auto summary = engine::run(job, context.comm,
                                   {.fresh = fresh, .progress = context.console.progress, .notice = notice});
  if (summary.outcome == engine::RunOutcome::interrupted) {
    context.console.out(
        fmt::format("interrupted: {} of {} units are done and kept in {}; run again to resume\n",
                    summary.n_done, summary.n_units, job.config.output));
    return interrupted;
  }
  if (context.comm.is_root()) context.console.out(finished_text(job, summary));
  return 0;
}

int check(const Context& context, const std::filesystem::path& config, Index n_ranks) {
  io::Node root;
  engine::PreparedJob job;
  together(context, [&] {
    root = io::load_config(config, context.overrides);
    job = engine::prepare(root, registry(), nullptr);
  });
  engine::count_patients(job, context.comm);
  together(context, [&] {
    const int n_threads = engine::threads_per_rank(job.config.run, context.comm);
    std::string text = fmt::format("{} would run\n\n", job.config.job);
    const auto line = [&](std::string_view name, const std::string& value) {
      text += fmt::format("  {:<12} {}\n", name, value);
    };
    line("cohort", fmt::format("{}, {} patients in {} shards", job.catalogue.name, job.catalogue.n_patients(),
                               job.catalogue.shards.size()));
    line("selected", job.selection->keeps_everyone()
                         ? "all patients"
                         : fmt::format("{:.0f} patients", job.setup().expected_patients()));
    line("features", std::to_string(job.features.size()));
    for (const auto& stage : job.plan.stages)
      line("units",
           fmt::format("{} {} ({})", stage.n_units, stage.name,
                       stage.layout == engine::Layout::by_shard ? "by shard" : "on the whole cohort"));
    const engine::Forecast forecast = engine::forecast(job, n_threads);
    const engine::Phase& most = forecast.fullest(n_ranks);
    const double spread_bytes = most.spread_bytes + most.held_bytes;
    const std::string spread = spread_bytes > 0 ? bytes_text(spread_bytes) + " spread over all, " : "";
    line("memory",
         fmt::format("about {} with {} on one node: {} once, {} a rank, {}{} more on the first (in {})",
                     bytes_text(most.node_bytes(n_ranks)),
                     n_ranks == 1 ? "1 rank" : fmt::format("{} ranks", n_ranks),
                     bytes_text(most.shared_bytes), bytes_text(most.rank_bytes + most.unit_bytes), spread,
                     bytes_text(most.root_bytes), most.name));
    const double seconds = forecast.seconds / static_cast<double>(n_ranks * n_threads);
    line("time",
         fmt::format("about {} on {} × {} (ranks × threads)", seconds_text(seconds), n_ranks, n_threads));
    line("output", job.config.output);
    if (context.comm.is_root()) context.console.out(text);
  });
  return 0;
}

}  // namespace chorale::jobs
