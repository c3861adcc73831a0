// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "engine/output_folder.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/file.hpp"
#include "kernels/error.hpp"
#include "tests/io/message.hpp"
#include "tests/io/temporary_folder.hpp"

namespace chorale::engine {
namespace {

namespace fs = std::filesystem;

io::Results results_with(const std::string& table) {
  io::Results results;
  results.tables.push_back({.name = table, .caption = "", .columns = {}});
  return results;
}

TEST(OutputLock, KeepsASecondRunOutAndNamesTheFirst) {
  const TemporaryFolder folder;
  const OutputLock first(folder.path());
  const std::string message = message_of<StoreError>([&] { OutputLock second(folder.path()); });
  EXPECT_NE(message.find("another run is working in this output folder (found " + user_name() + " on host "),
            std::string::npos)
      << message;
  EXPECT_EQ(message.find("Slurm job"), std::string::npos) << message;
  EXPECT_NE(message.find("process " + std::to_string(::getpid())), std::string::npos) << message;
}

TEST(OutputLock, NamesTheBatchJob) {
  const TemporaryFolder folder;
  ::setenv("SLURM_JOB_ID", "4711", 1);
  const OutputLock first(folder.path());
  ::unsetenv("SLURM_JOB_ID");
  const std::string message = message_of<StoreError>([&] { OutputLock second(folder.path()); });
  EXPECT_NE(message.find(", Slurm job 4711, since 20"), std::string::npos) << message;
}

TEST(OutputLock, GoesWithItsOwner) {
  const TemporaryFolder folder;
  { const OutputLock first(folder.path()); }
  EXPECT_NO_THROW(OutputLock second(folder.path()));
}

TEST(OutputLock, IsFreedWhenTheOwnerIsKilled) {
  const TemporaryFolder folder;
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const OutputLock held(folder.path());
    const char byte = 1;
    if (::write(ready[1], &byte, 1) != 1) ::_exit(1);
    ::pause();
    ::_exit(0);
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  const std::string message = message_of<StoreError>([&] { OutputLock second(folder.path()); });
  EXPECT_NE(message.find("process " + std::to_string(child)), std::string::npos) << message;
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_NO_THROW(OutputLock third(folder.path()));
}

TEST(OutputLock, AFileInTheWayIsAStoreError) {
  const TemporaryFolder folder;
  io::write_file(folder / "out", std::string_view("text"));
  EXPECT_NE(message_of<StoreError>([&] { OutputLock lock(folder / "out"); }).find("folder cannot be made"),
            std::string::npos);
}

TEST(OutputFolder, ACohortIsNeverAnOutput) {
  const TemporaryFolder folder;
  io::write_file(folder / "cohort.json", std::string_view("{}"));
  for (const bool fresh : {false, true})
    EXPECT_NE(message_of<ConfigError>([&] {
                require_output(folder.path(), fresh);
              }).find("output folder is a cohort"),
              std::string::npos);
}

TEST(OutputFolder, ResultsThatNoRunAccountsForAreNotTouchedUnlessFresh) {
  for (const char* name : {"DONE", "results.h5", "run.json"}) {
    const TemporaryFolder folder;
    io::write_file(folder / name, std::string_view("text"));
    const std::string message = message_of<ConfigError>([&] { require_output(folder.path(), false); });
    EXPECT_NE(message.find("output folder holds results, but nothing says of which run (found " +
                           std::string(name)),
              std::string::npos)
        << message;
    EXPECT_NO_THROW(require_output(folder.path(), true));
  }
}

TEST(OutputFolder, OtherFilesDoNotMatter) {
  const TemporaryFolder folder;
  io::write_file(folder / "slurm-17.out", std::string_view("text"));
  EXPECT_NO_THROW(require_output(folder.path(), false));
}

TEST(OutputFolder, OnlyWhatARunWroteIsRemoved) {
  const TemporaryFolder folder;
  fs::create_directories(run_folder(folder.path()));
  note_results(folder.path(), results_with("features"));
  for (const char* name : {"DONE", "features.tsv", "results.h5", "run.json", "report.html",
                           "results.h5.part-99", "mine.tsv", "job.toml"})
    io::write_file(folder / name, std::string_view("text"));
  remove_results(folder.path());
  std::vector<std::string> left;
  for (const auto& path : list_folder(folder.path())) left.push_back(path.filename());
  EXPECT_EQ(left, (std::vector<std::string>{".chorale", "job.toml", "mine.tsv"}));
}

TEST(OutputFolder, AFolderThatCannotBeReadIsAStoreError) {
  EXPECT_NE(message_of<StoreError>([] { list_folder("/nowhere/at/all"); }).find("folder cannot be read"),
            std::string::npos);
}

}  // namespace
}  // namespace chorale::engine
