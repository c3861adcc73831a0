// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "engine/output_folder.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <sstream>

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <pwd.h>
#include <sys/file.h>
#include <unistd.h>

#include "io/file.hpp"
#include "kernels/error.hpp"

namespace chorale::engine {
namespace {

namespace fs = std::filesystem;

fs::path note_file(const fs::path& output) {
  return run_folder(output) / "results.txt";
}

std::string owner() {
  char host[256] = "localhost";
  ::gethostname(host, sizeof host - 1);
  const char* job = std::getenv("SLURM_JOB_ID");
  return fmt::format("{} on host {}, process {}{}, since {}", user_name(), host, ::getpid(),
                     job != nullptr ? std::string(", Slurm job ") + job : std::string{}, utc_now());
}

[[noreturn]] void cannot_lock(const fs::path& path, int error) {
  throw StoreError({.what = "output folder cannot be locked",
                    .found = std::strerror(error),
                    .in = path.string(),
                    .remedy = "check the permissions and the disk, or choose another output folder"});
}

}  // namespace

std::string utc_now() {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
}

std::string user_name() {
  const passwd* entry = ::getpwuid(::getuid());
  return entry != nullptr ? entry->pw_name : std::to_string(::getuid());
}

fs::path run_folder(const fs::path& output) {
  return output / ".chorale";
}

std::vector<fs::path> list_folder(const fs::path& folder) {
  std::vector<fs::path> paths;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error))
    paths.push_back(at->path());
  if (error) {
    throw StoreError({.what = "folder cannot be read",
                      .found = error.message(),
                      .in = folder.string(),
                      .remedy = "check the path, the permissions and the disk"});
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

OutputLock::OutputLock(const fs::path& output) {
  io::make_folder(run_folder(output));
  const fs::path path = run_folder(output) / "lock";
  fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (fd_ < 0) cannot_lock(path, errno);
  if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
    const int error = errno;
    ::close(fd_);
    if (error != EWOULDBLOCK) cannot_lock(path, error);
    const std::string holder = io::read_text(path);
    throw StoreError({.what = "another run is working in this output folder",
                      .found = holder.empty() ? "a lock without a name" : holder,
                      .in = output.string(),
                      .remedy = "wait for it, or choose another output folder"});
  }
  const std::string name = owner();
  if (::ftruncate(fd_, 0) != 0 || ::pwrite(fd_, name.data(), name.size(), 0) < 0) {
    const int error = errno;
    ::close(fd_);
    cannot_lock(path, error);
  }
}

OutputLock::~OutputLock() {
  ::close(fd_);
}

void require_output(const fs::path& output, bool fresh) {
  if (fs::exists(output / "cohort.json")) {
    throw ConfigError({.what = "output folder is a cohort",
                       .found = "cohort.json",
                       .expected = "a folder of its own",
                       .in = output.string(),
                       .remedy = "choose another output folder"});
  }
  if (fresh || fs::exists(run_folder(output) / "fingerprint.tsv")) return;
  for (const char* name : {"DONE", "results.h5", "run.json"}) {
    if (!fs::exists(output / name)) continue;
    throw ConfigError({.what = "output folder holds results, but nothing says of which run",
                       .found = name,
                       .expected = "a new or empty folder, or one with its .chorale",
                       .in = output.string(),
                       .remedy = "choose another output folder, or run with --fresh to replace them"});
  }
}

void note_results(const fs::path& output, const io::Results& results) {
  std::string names = "results.h5\nsummary.json\nrun.json\nreport.html\n";
  for (const auto& table : results.tables)
    if (table.in_text) names += table.name + ".tsv\n";
  for (const auto& [name, text] : results.files) names += name + "\n";
  io::write_file(note_file(output), names);
}

void remove_results(const fs::path& output) {
  io::remove_file(output / "DONE");
  if (!fs::exists(note_file(output))) return;
  std::vector<std::string> noted{"DONE"};
  std::istringstream in(io::read_text(note_file(output)));
  for (std::string name; std::getline(in, name);) noted.push_back(name);
  for (const auto& path : list_folder(output)) {
    const std::string file = path.filename().string();
    const std::string name = file.substr(0, file.find(".part-"));  // also what a killed process was writing
    if (std::find(noted.begin(), noted.end(), name) != noted.end()) io::remove_file(path);
  }
}

}  // namespace chorale::engine
