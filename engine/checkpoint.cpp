// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "engine/checkpoint.hpp"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
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

bool is_parts(const fs::path& path) {
  return path.extension() == ".parts";
}

std::string to_text(const Fingerprint& fingerprint) {
  std::string text;
  for (const auto& [key, value] : fingerprint) text += key + "\t" + value + "\n";
  return text;
}

Fingerprint from_text(const std::string& text) {
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

/// Records of one file up to the first that is damaged.
void load_file(const fs::path& path, const std::string& digest, std::map<Index, std::string>& parts) {
  const std::string bytes = io::read_text(path);
  if (bytes.size() < header_length || bytes.substr(0, header_length) != std::string(magic) + digest) return;
  for (std::size_t at = header_length; at + record_head <= bytes.size();) {
    std::int64_t numbers[2];
    std::memcpy(numbers, bytes.data() + at, sizeof numbers);
    if (numbers[1] < 0 || static_cast<std::size_t>(numbers[1]) > bytes.size() - at - record_head) return;
    std::string part = bytes.substr(at + record_head, static_cast<std::size_t>(numbers[1]));
    if (bytes.compare(at, record_head, head_of(numbers[0], part)) != 0) return;
    at += record_head + part.size();
    parts.insert_or_assign(numbers[0], std::move(part));
  }
}

}  // namespace

void Checkpoint::agree(const fs::path& output, const Fingerprint& fingerprint) {
  if (fs::exists(fingerprint_file(output))) {
    const Fingerprint found = from_text(io::read_text(fingerprint_file(output)));
    for (const auto& [key, value] : fingerprint)
      if (const std::string other = value_in(found, key); other != value) refuse(output, key, other, value);
    for (const auto& [key, value] : found)
      if (value_in(fingerprint, key) != value) refuse(output, key, value, value_in(fingerprint, key));
    return;
  }
  io::write_file(fingerprint_file(output), to_text(fingerprint));
}

std::map<Index, std::string> Checkpoint::load(const fs::path& output, const Fingerprint& fingerprint) {
  std::map<Index, std::string> parts;
  const std::string digest = io::xxh3_128(to_text(fingerprint));
  for (const auto& path : list_folder(run_folder(output)))
    if (is_parts(path)) load_file(path, digest, parts);
  return parts;
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
  write(head_of(unit, part) + part);
  const auto now = std::chrono::steady_clock::now();
  if (std::chrono::duration<double>(now - synced_).count() >= sync_seconds_) sync();
}

void Checkpoint::sync() {
  synced_ = std::chrono::steady_clock::now();
  if (::fsync(fd_) != 0) cannot_write(path_, errno);
}

void Checkpoint::clear(const fs::path& output) {
  for (const auto& path : list_folder(run_folder(output)))
    if (is_parts(path)) io::remove_file(path);
}

void Checkpoint::forget(const fs::path& output) {
  io::remove_file(fingerprint_file(output));
  clear(output);
}

}  // namespace chorale::engine
