// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "jobs/commands/submit.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "io/file.hpp"
#include "jobs/commands/shell.hpp"
#include "kernels/error.hpp"
#include "tests/io/message.hpp"
#include "tests/io/temporary_folder.hpp"

namespace chorale::jobs {
namespace {

TEST(TimeLimit, IsReadAsSbatchReadsIt) {
  EXPECT_EQ(seconds_of("90"), 90 * 60);
  EXPECT_EQ(seconds_of("90:30"), 90 * 60 + 30);
  EXPECT_EQ(seconds_of("04:00:10"), 4 * 3600 + 10);
  EXPECT_EQ(seconds_of("2-3"), 2 * 86400 + 3 * 3600);
  EXPECT_EQ(seconds_of("2-3:04:05"), 2 * 86400 + 3 * 3600 + 4 * 60 + 5);
  for (const char* wrong : {"", "soon", "1:2:3:4", "4h", "-3", "1::2"})
    EXPECT_NE(message_of<ConfigError>([&] { (void)seconds_of(wrong); }).find("time limit cannot be read"),
              std::string::npos)
        << wrong;
}

TEST(ShellWords, AreReadBackAsTheyWere) {
  const std::vector<std::string> words{"plain", "two words", "it's", "$HOME `date` \"x\" \\", "", "a=[1, 2]"};
  std::string expected;
  for (const auto& word : words) expected += word + "|";
  std::vector<std::string> command{"printf", "%s|"};
  command.insert(command.end(), words.begin(), words.end());
  EXPECT_EQ(ask(command).text, expected);
  EXPECT_EQ(ask({"no-such-program-here"}).code, 127);
}

/// 100 MB for a node, 50 MB a rank and 10 MB a thread; an hour on one core, units of 40 s.
engine::Forecast forecast(Index threads) {
  return {.phases = {{.name = "work",
                      .shared_bytes = 1e8,
                      .rank_bytes = 5e7 + 1e7 * static_cast<double>(threads)}},
          .seconds = 3600,
          .longest_unit = 40,
          .n_units = 200,
          .most_units = 90};
}

Site site_of(Index cores, double gigabytes) {
  Site site;
  site.cores_per_node = cores;
  site.memory_per_node_gb = gigabytes;
  return site;
}

TEST(Layout, UsesTheCoresOfANode) {
  const Layout layout = lay_out(site_of(32, 100), {}, forecast);
  EXPECT_EQ(layout.nodes, 1);
  EXPECT_EQ(layout.ranks_per_node, 8);
  EXPECT_EQ(layout.threads, 4);
  // 1.5 × (100 + 8 × 90) = 1230 MB = 1173 MiB, up to the next hundred
  EXPECT_EQ(layout.megabytes, 1200);
  // 3 × 3600 s / 32 cores + 600 s = 937.5 s, up to the next five minutes
  EXPECT_EQ(layout.time, "00:20:00");
  EXPECT_EQ(layout.warning_seconds, 120);  // 60 + 3 × 40 / 4 = 90 would be less
}

TEST(Layout, TakesFewerRanksWhereMemoryIsShort) {
  // 8 ranks of 1 thread: 100 + 8 × 60 = 580 MB; 4 of 2: 100 + 4 × 70 = 380 MB; 2 of 4: 100 + 2 × 90 = 280 MB
  EXPECT_EQ(lay_out(site_of(8, 0.6), {}, forecast).ranks_per_node, 8);
  EXPECT_EQ(lay_out(site_of(8, 0.4), {}, forecast).ranks_per_node, 4);
  const Layout two = lay_out(site_of(8, 0.3), {}, forecast);
  EXPECT_EQ(two.ranks_per_node, 2);
  EXPECT_EQ(two.threads, 4);
  EXPECT_LE(two.megabytes, 0.3e9 / 1048576);
}

TEST(Layout, RefusesWhatFitsNowhere) {
  // one rank of 8 threads: 100 + 130 = 230 MB
  const std::string message = message_of<ConfigError>([] { (void)lay_out(site_of(8, 0.2), {}, forecast); });
  EXPECT_NE(message.find("230 MB with 1 rank on a node"), std::string::npos) << message;
  EXPECT_NE(message.find("at most 200 MB"), std::string::npos) << message;
  const std::string asked = message_of<ConfigError>([] {
    (void)lay_out(site_of(8, 0.4), {.nodes = 1, .ranks_per_node = 8, .threads = 0, .time = {}}, forecast);
  });
  EXPECT_NE(asked.find("580 MB with 8 ranks on a node"), std::string::npos) << asked;
  EXPECT_NE(asked.find("fewer ranks"), std::string::npos) << asked;
}

TEST(Layout, WhatIsSpreadOverTheRanksIsDividedByTheNodes) {
  const auto spread = [](Index threads) {
    engine::Forecast of = forecast(threads);
    of.phases.front().spread_bytes = 8e8;
    return of;
  };
  const auto on = [&](Index nodes, double gigabytes) {
    return lay_out(site_of(8, gigabytes), {.nodes = nodes, .ranks_per_node = 8, .threads = 0, .time = {}},
                   spread);
  };
  // 1.5 × (100 + 8 × 60 + 800 / nodes) = 2070 MB = 1975 MiB on one, 1170 MB = 1116 MiB on four, up to the next hundred
  EXPECT_EQ(on(1, 0).megabytes, 2000);
  EXPECT_EQ(on(4, 0).megabytes, 1200);
  EXPECT_EQ(on(4, 0.8).nodes, 4);  // 780 MB
  const std::string message = message_of<ConfigError>([&] { (void)on(2, 0.8); });
  EXPECT_NE(message.find("980 MB with 8 ranks on a node"), std::string::npos) << message;
}

TEST(Layout, HasNoRanksWithoutUnits) {
  // 90 units at most in a stage: on 30 nodes no more than 3 ranks each have something to do; 3 does not divide 8
  EXPECT_EQ(lay_out(site_of(8, 0), {.nodes = 30, .ranks_per_node = 0, .threads = 0, .time = {}}, forecast)
                .ranks_per_node,
            2);
}

TEST(Layout, TheWarningLeavesTheLongestUnitTimeToEnd) {
  const auto slow = [](Index) {
    return engine::Forecast{
        .phases = {}, .seconds = 1e9, .longest_unit = 600, .n_units = 10, .most_units = 10};
  };
  const Layout layout = lay_out(site_of(1, 0), {}, slow);
  EXPECT_EQ(layout.warning_seconds, 60 + 3 * 600);
  EXPECT_EQ(layout.time, "24:00:00");  // the site's longest
  EXPECT_EQ(lay_out(site_of(1, 0), {.nodes = 0, .ranks_per_node = 0, .threads = 0, .time = "10"}, slow)
                .warning_seconds,
            300);  // half of what was given
}

TEST(Layout, NeedsSomeoneWhoKnowsTheCores) {
  const std::string message = message_of<ConfigError>([] { (void)lay_out({}, {}, forecast); });
  EXPECT_NE(message.find("nobody says how many cores a node has"), std::string::npos) << message;
  const Layout layout = lay_out({}, {.nodes = 2, .ranks_per_node = 3, .threads = 5, .time = {}}, forecast);
  EXPECT_EQ(layout.nodes * layout.ranks_per_node * layout.threads, 30);
}

TEST(Layout, WithoutAForecastTheJobGetsTheWholeNode) {
  const Layout layout = lay_out(site_of(16, 64), {}, std::nullopt);
  EXPECT_EQ(layout.megabytes, 0);
  EXPECT_EQ(layout.time, "24:00:00");
}

Step step_of(std::vector<Element> elements) {
  return {.name = "run",
          .job_name = "chorale-out",
          .about = "a test",
          .command = {"/opt/chorale", "run", "my job.toml"},
          .elements = std::move(elements),
          .verify = "true",
          .notes = "/work/out/slurm",
          .on_ranks = true,
          .array = false};
}

TEST(BatchScript, SaysWhatTheSiteWants) {
  Site site = site_of(8, 4);
  site.partition = "long";
  site.modules = {"openmpi/4.1"};
  site.setup = {"ulimit -c 0"};
  site.options = {"--exclusive"};
  const Layout layout{.nodes = 2,
                      .ranks_per_node = 4,
                      .threads = 2,
                      .megabytes = 900,
                      .time = "01:00:00",
                      .warning_seconds = 120};
  const std::string text = batch_text(step_of({{.output = "/work/out", .arguments = {}}}), layout, site);
  for (const char* line :
       {"#SBATCH --nodes=2\n", "#SBATCH --ntasks-per-node=4\n", "#SBATCH --cpus-per-task=2\n",
        "#SBATCH --mem=900M\n", "#SBATCH --time=01:00:00\n", "#SBATCH --signal=B:USR1@120\n",
        "#SBATCH --requeue\n", "#SBATCH --open-mode=append\n", "#SBATCH --partition=long\n",
        "#SBATCH --exclusive\n", "#SBATCH --output=/work/out/slurm/run-%j.log\n",
        "\nmodule load openmpi/4.1\nulimit -c 0\n", "export OMP_NUM_THREADS=2\n",
        "export OMP_PLACES=cores OMP_PROC_BIND=close\n",
        "command=(/opt/chorale run 'my job.toml' \"${arguments[@]}\")\n",
        "launch=(mpirun --map-by ppr:4:node:PE=2 --bind-to core)\n"})
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
  EXPECT_EQ(text.find("--array"), std::string::npos);
  site.launcher = Launcher::srun;
  site.bind = false;
  EXPECT_NE(batch_text(step_of({{.output = "/work/out", .arguments = {}}}), layout, site)
                .find("launch=(srun --mpi=pmix --cpus-per-task=2 --kill-on-bad-exit=0 --cpu-bind=none)\n"),
            std::string::npos);
}

TEST(BatchScript, IsBashThatParses) {
  const TemporaryFolder folder;
  Step step = step_of(
      {{.output = "/it's/a", .arguments = {"--set", "seed=1"}}, {.output = "/it's/b", .arguments = {}}});
  step.array = true;
  const std::string text = batch_text(step, {}, {});
  io::write_file(folder / "run.sbatch", text);
  const Said said = ask({"bash", "-n", (folder / "run.sbatch").string()});
  EXPECT_EQ(said.code, 0) << said.text << text;
  EXPECT_NE(text.find("#SBATCH --array=0-1\n"), std::string::npos);
  EXPECT_NE(text.find("#SBATCH --output=/work/out/slurm/run-%A_%a.log\n"), std::string::npos);
}

TEST(SiteSettings, TheFileInSlurmHoldsTheDefaults) {
  const Site shipped = load_site(CHORALE_SOURCE_DIR "/slurm/site.toml");
  EXPECT_EQ(site_schema().dump(shipped), site_schema().dump(Site{}));
}

}  // namespace
}  // namespace chorale::jobs
