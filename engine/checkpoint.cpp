// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "engine/checkpoint.hpp"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/output_folder.hpp"
#include "io/checksum.hpp"
#include "io/file.hpp"
#include "kernels/error.hpp"

namespace chorale::engine {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view magic = "chorale-parts-1 ";
constexpr std::size_t digest_length = 32;
constexpr std::size_t header_length = magic.size() + digest_length;
constexpr std::size_t record_head = 2 * sizeof(std::int64_t) + digest_length;

fs::path fingerprint_file(const fs::path& output) {
  return run_folder(output) / "fingerprint.tsv";
}

constexpr const char* set_aside = ".set-aside";

bool is_parts(const fs::path& path) {
  return path.extension() == ".parts";
}

std::string to_text(const Fingerprint& fingerprint) {
  std::string text;
  for (const auto& [key, value] : fingerprint) text += key + "\t" + value + "\n";
  return text;
}

/// The stored form: the text under its own digest.
std::string stored(const Fingerprint& fingerprint) {
  const std::string text = to_text(fingerprint);
  return io::xxh3_128(text) + "\n" + text;
}

Fingerprint read_fingerprint(const fs::path& path) {
  const std::string bytes = io::read_text(path);
  const std::string text = bytes.size() > digest_length ? bytes.substr(digest_length + 1) : "";
  if (bytes != io::xxh3_128(text) + "\n" + text) {
    throw StoreError({.what = "what says which run this output folder holds is damaged",
                      .found = "another checksum than its own",
                      .in = path.string(),
                      .remedy = "restore the file from its copy, or run with --fresh to start over"});
  }
  Fingerprint fingerprint;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    const auto tab = std::min(text.find('\t', at), end);
    fingerprint.emplace_back(text.substr(at, tab - at), tab < end ? text.substr(tab + 1, end - tab - 1) : "");
    at = end + 1;
  }
  return fingerprint;
}

std::string value_in(const Fingerprint& fingerprint, const std::string& key) {
  for (const auto& [name, value] : fingerprint)
    if (name == key) return value;
  return "absent";
}

[[noreturn]] void refuse(const fs::path& output, const std::string& key, const std::string& found,
                         const std::string& expected) {
  const bool level = key == "instruction level";
  throw ConfigError({.what = "output folder holds a run that differs in: " + key,
                     .found = found,
                     .expected = expected,
                     .in = output.string(),
                     .remedy = level ? "set CHORALE_LEVEL=" + found + ", or run with --fresh to start over"
                                     : "choose another output folder, or run with --fresh to start over"});
}

[[noreturn]] void cannot_write(const fs::path& path, int error) {
  throw StoreError({.what = "checkpoint cannot be written",
                    .found = std::strerror(error),
                    .in = path.string(),
                    .remedy = "free space or mend the folder, then run again to resume"});
}

std::string head_of(Index unit, const std::string& part) {
  const std::int64_t numbers[2] = {unit, static_cast<std::int64_t>(part.size())};
  std::string head(reinterpret_cast<const char*>(numbers), sizeof numbers);
  return head + io::xxh3_128(head + part);
}

/// What is wrong with a file of parts before its first record; empty when nothing is.
std::string header_problem(const std::string& bytes, const std::string& digest) {
  if (bytes.compare(0, magic.size(), magic, 0, bytes.size()) != 0)
    return "is of another version or no checkpoint";
  if (bytes.size() < header_length) return "was cut short before its first unit";
  if (bytes.compare(magic.size(), digest_length, digest) != 0) return "is of another run";
  return {};
}

/// Adds the records of one file up to the first that is cut short or damaged. False when there is such a one.
bool add_records(const std::string& bytes, Checkpoint::Loaded& loaded) {
  std::size_t at = header_length;
  while (at < bytes.size()) {
    std::int64_t numbers[2];
    if (bytes.size() - at < record_head) return false;
    std::memcpy(numbers, bytes.data() + at, sizeof numbers);
    if (numbers[1] < 0 || static_cast<std::size_t>(numbers[1]) > bytes.size() - at - record_head)
      return false;
    std::string part = bytes.substr(at + record_head, static_cast<std::size_t>(numbers[1]));
    if (bytes.compare(at, record_head, head_of(numbers[0], part)) != 0) return false;
    at += record_head + part.size();
    if (!loaded.parts.insert_or_assign(numbers[0], std::move(part)).second) ++loaded.n_repeated;
  }
  return true;
}

void load_file(const fs::path& path, const std::string& digest, Checkpoint::Loaded& loaded) {
  const std::string bytes = io::read_text(path);
  const auto name = path.filename().string();
  if (const std::string problem = header_problem(bytes, digest); !problem.empty()) {
    loaded.notices.push_back(
        fmt::format("checkpoint {} {}: set aside, its units are computed again", name, problem));
    fs::path aside = path;
    aside += set_aside;
    io::rename_file(path, aside);
    return;
  }
  const auto n_before = loaded.parts.size();
  if (!add_records(bytes, loaded))
    loaded.notices.push_back(
        fmt::format("checkpoint {} is cut short or damaged after {} units: what follows is computed again",
                    name, loaded.parts.size() - n_before));
}

}  // namespace

void Checkpoint::agree(const fs::path& output, const Fingerprint& fingerprint) {
  if (fs::exists(fingerprint_file(output))) {
    const Fingerprint found = read_fingerprint(fingerprint_file(output));
    for (const auto& [key, value] : fingerprint)
      if (const std::string other = value_in(found, key); other != value) refuse(output, key, other, value);
    for (const auto& [key, value] : found)
      if (value_in(fingerprint, key) != value) refuse(output, key, value, value_in(fingerprint, key));
    return;
  }
  io::write_file(fingerprint_file(output), stored(fingerprint));
}

Checkpoint::Loaded Checkpoint::load(const fs::path& output, const Fingerprint& fingerprint) {
  Loaded loaded;
  const std::string digest = io::xxh3_128(to_text(fingerprint));
  for (const auto& path : list_folder(run_folder(output)))
    if (is_parts(path)) load_file(path, digest, loaded);
  return loaded;
}

Checkpoint::Checkpoint(const fs::path& output, const Fingerprint& fingerprint, int rank, double sync_seconds)
    : sync_seconds_(sync_seconds), synced_(std::chrono::steady_clock::now()) {
  const auto now = std::chrono::system_clock::now().time_since_epoch().count();
  path_ = run_folder(output) / fmt::format("{}-{}-rank{}.parts", now, ::getpid(), rank);
  fd_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (fd_ < 0) cannot_write(path_, errno);
  const std::string header = std::string(magic) + io::xxh3_128(to_text(fingerprint));
  try {
    write(header);
  } catch (...) {
    ::close(fd_);
    throw;
  }
}

Checkpoint::~Checkpoint() {
  ::close(fd_);
}

void Checkpoint::write(const std::string& bytes) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const auto n = ::write(fd_, bytes.data() + done, bytes.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) cannot_write(path_, errno);
    done += static_cast<std::size_t>(n);
  }
}

void Checkpoint::append(Index unit, const std::string& part) {
  write(head_of(unit, part));
  write(part);
  const auto now = std::chrono::steady_clock::now();
  if (std::chrono::duration<double>(now - synced_).count() >= sync_seconds_) sync();
}

void Checkpoint::sync() {
  synced_ = std::chrono::steady_clock::now();
  if (::fsync(fd_) != 0) cannot_write(path_, errno);
  if (struct stat status{}; ::stat(path_.c_str(), &status) != 0) cannot_write(path_, errno);
}

void Checkpoint::clear(const fs::path& output) {
  for (const auto& path : list_folder(run_folder(output)))
    if (is_parts(path)) io::remove_file(path);
}

void Checkpoint::forget(const fs::path& output) {
  io::remove_file(fingerprint_file(output));
  clear(output);
  for (const auto& path : list_folder(run_folder(output)))
    if (path.extension() == set_aside) io::remove_file(path);
}

}  // namespace chorale::engine
