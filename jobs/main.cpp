// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <csignal>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>

#include <malloc.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include "engine/signals.hpp"
#include "jobs/commands/commands.hpp"
#include "jobs/commands/submit.hpp"
#include "kernels/error.hpp"

namespace {

using namespace chorale;

constexpr int usage_error = 2;

jobs::Console console(const engine::Comm& comm) {
  if (!comm.is_root()) return {.out = [](std::string_view) {}, .progress = {}};
  const auto to = [](std::FILE* file) {
    return [file](std::string_view text) {
      std::fwrite(text.data(), 1, text.size(), file);
      std::fflush(file);
    };
  };
  return {.out = to(stdout), .progress = {.write = to(stderr), .terminal = ::isatty(STDERR_FILENO) != 0}};
}

/// One rank speaks, all end: a batch job must not hang on the ranks that are well.
int fail(engine::Comm& comm, const std::string& message, int exit_code) {
  if (comm.size() == 1) {
    std::fputs(jobs::error_text(comm, message).c_str(), stderr);
    return exit_code;
  }
  if (comm.claim_error())
    std::fputs(jobs::error_text(comm, message).c_str(), stderr);
  else
    ::sleep(5);  // the rank that speaks ends this one
  comm.abort(exit_code);
  return exit_code;
}

int dispatch(engine::Comm& comm, int argc, char** argv) {
  CLI::App app{"Chorale: distributed analytics for pooled blood-cancer cohorts"};
  app.set_version_flag("--version", "chorale " CHORALE_VERSION);
  app.require_subcommand(1);
  jobs::Context context{.comm = comm, .console = console(comm), .overrides = {}};
  int exit_code = 0;
  std::string first, second, output, as = "cohort";
  bool fresh = false, verify = false, features = false, markdown = false, overwrite = false;
  Index n_ranks = comm.size();
  const auto command = [&](const char* name, const char* help, const auto& body) {
    auto* sub = app.add_subcommand(name, help);
    sub->callback([&exit_code, body] { exit_code = body(); });
    return sub;
  };
  const auto overrides = [&](CLI::App* sub) {
    sub->add_option("--set", context.overrides, "override a key: --set prognosis.replicates=2000")
        ->allow_extra_args(false);
  };

  auto* simulate = command("simulate", "make an in-silico cohort from a spec",
                           [&] { return jobs::simulate(context, first, second, as, overwrite); });
  simulate->add_option("SPEC", first, "TOML file, such as jobs/simulate/default.toml")->required();
  simulate->add_option("OUT", second, "folder for the cohort")->required();
  simulate->add_option("--as", as, "what to write")->check(CLI::IsMember({"cohort", "study"}));
  simulate->add_flag("--overwrite", overwrite, "replace what stands in OUT");
  overrides(simulate);

  auto* ingest = command("ingest", "deliveries to a cohort of shards",
                         [&] { return jobs::ingest(context, first, second); });
  ingest->add_option("RECIPE", first, "TOML file, or a study folder")->required();
  ingest->add_option("OUT", second, "folder for the cohort")->required();
  overrides(ingest);

  auto* inspect = command("inspect", "what is in a cohort",
                          [&] { return jobs::inspect(context, first, verify, features); });
  inspect->add_option("COHORT", first, "cohort folder")->required();
  inspect->add_flag("--verify", verify, "check every checksum");
  inspect->add_flag("--features", features, "list every feature with its carriers");

  command("list", "the analyses there are", [&] { return jobs::list_jobs(context); });

  auto* describe = command("describe", "a commented config to start from",
                           [&] { return jobs::describe(context, first, markdown); });
  describe->add_option("JOB", first, "a job, or ingest, simulate, site")->required();
  describe->add_flag("--markdown", markdown, "as a reference page");

  auto* check = command("check", "dry run: validate every key, forecast memory and time",
                        [&] { return jobs::check(context, first, n_ranks); });
  check->add_option("JOB", first, "job file (TOML)")->required();
  check->add_option("--ranks", n_ranks, "forecast for so many ranks")->check(CLI::PositiveNumber);
  overrides(check);

  auto* run = command("run", "run a job, or resume it", [&] { return jobs::run(context, first, fresh); });
  run->add_option("JOB", first, "job file (TOML)")->required();
  run->add_flag("--fresh", fresh, "forget what the output folder holds");
  overrides(run);

  jobs::SubmitOptions batch;
  auto* submit = command("submit", "run a job as a Slurm batch job, laid out from its own forecast",
                         [&] { return jobs::submit(context, batch); });
  submit->add_option("JOB", batch.config, "job file (TOML)")->required();
  submit->add_option("--nodes,-N", batch.wishes.nodes, "nodes; default 1")->check(CLI::PositiveNumber);
  submit
      ->add_option("--ntasks-per-node", batch.wishes.ranks_per_node,
                   "ranks on a node; default as cores and memory allow")
      ->check(CLI::PositiveNumber);
  submit
      ->add_option("--cpus-per-task", batch.wishes.threads,
                   "threads of a rank; default its share of the cores")
      ->check(CLI::PositiveNumber);
  submit->add_option("--time,-t", batch.wishes.time,
                     "time limit as sbatch takes it; default from the forecast");
  submit->add_option("--partition,-p", batch.partition, "instead of the site's");
  submit->add_option("--account,-A", batch.account, "instead of the site's");
  submit->add_option("--site", batch.site, "site settings; default $CHORALE_SITE or slurm/site.toml");
  submit->add_option("--after", batch.after, "number of a job that has to end well before");
  submit->add_option("--ingest", batch.ingest,
                     "recipe or study folder: make the cohort first, in a job of its own");
  submit->add_flag("--report", batch.report, "write report.html again afterwards, in a job of its own");
  submit
      ->add_option("--sweep", batch.sweeps,
                   "a job array over values: --sweep 'seed=[1, 2, 3]'; may be repeated")
      ->allow_extra_args(false);
  submit->add_flag("--dry-run", batch.dry_run, "print the scripts, submit nothing");
  overrides(submit);
  auto* score = command("score", "measure a model of another cohort on this one",
                        [&] { return jobs::apply_model(context, first, second, output, fresh); });
  score->add_option("MODEL", first, "model.json of a prognosis job")->required();
  score->add_option("COHORT", second, "cohort folder")->required();
  score->add_option("--output", output, "output folder; else results/score-MODEL-COHORT, by name");
  score->add_flag("--fresh", fresh, "forget what the output folder holds");
  overrides(score);

  auto* report = command("report", "write report.html again from the results",
                         [&] { return jobs::report(context, first); });
  report->add_option("RESULTS", first, "output folder of a run")->required();

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& problem) {
    const bool asked_for = problem.get_exit_code() == 0;
    if (comm.is_root()) app.exit(problem);
    return asked_for ? 0 : usage_error;
  }
  return exit_code;
}

/// Tiles take and give back the same megabytes thousands of times: keep them, rather than have the system clear new pages
/// for each.
void keep_freed_memory() {
#ifdef __GLIBC__
  constexpr int megabyte = 1 << 20;
  ::mallopt(M_MMAP_THRESHOLD, 32 * megabyte);
  ::mallopt(M_TRIM_THRESHOLD, 256 * megabyte);
#endif
}

}  // namespace

int main(int argc, char** argv) {
  keep_freed_memory();
  std::signal(SIGXFSZ, SIG_IGN);  // a limit on the size of files is an error that writing reports, no crash
  // a batch system's signal means a checkpoint, also while MPI starts; other commands just end
  const std::string_view name = argc > 1 ? argv[1] : "";
  if (name == "run" || name == "score") engine::watch_signals();
  std::unique_ptr<engine::Comm> comm;
  try {
    comm = engine::open_comm(argc, argv);
  } catch (const Error& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return error.exit_code();
  }
  try {
    return dispatch(*comm, argc, argv);
  } catch (const jobs::Quit& quit) {
    return quit.exit_code;
  } catch (const Error& error) {
    return fail(*comm, error.what(), error.exit_code());
  } catch (const std::exception& error) {
    const auto [message, exit_code] = jobs::unforeseen(error);
    return fail(*comm, message, exit_code);
  }
}
