// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "io/file.hpp"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernels/error.hpp"

namespace chorale::io {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const std::string& what, const fs::path& path, int error) {
  const char* remedy = error == ENOSPC  ? "free some space and run again"
                       : error == EROFS ? "choose a folder that can be written"
                                        : "check the path, the permissions and the disk";
  throw StoreError({.what = what, .found = std::strerror(error), .in = path.string(), .remedy = remedy});
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  int close() {
    const int fd = fd_;
    fd_ = -1;
    return ::close(fd);
  }

 private:
  int fd_;
};

void read_into(const fs::path& path, auto& content) {
  const Descriptor in(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (in.get() < 0) refuse("file cannot be opened", path, errno);
  struct stat status {};
  if (::fstat(in.get(), &status) != 0) refuse("file cannot be read", path, errno);
  if (!S_ISREG(status.st_mode)) refuse("not a regular file", path, EINVAL);
  const auto size = static_cast<std::size_t>(status.st_size);
  if (content.capacity() < size) content = {};  // growing would copy, and take twice what is needed
  content.resize(size);
  std::size_t done = 0;
  while (done < content.size()) {
    const auto n = ::read(in.get(), content.data() + done, content.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) refuse("file cannot be read", path, errno);
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  content.resize(done);
}

void sync_folder(const fs::path& folder) {
  const Descriptor dir(::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (dir.get() >= 0) ::fsync(dir.get());
}

}  // namespace

std::vector<std::byte> read_file(const fs::path& path) {
  std::vector<std::byte> bytes;
  read_into(path, bytes);
  return bytes;
}

void read_file(const fs::path& path, std::vector<std::byte>& bytes) {
  read_into(path, bytes);
}

std::string read_text(const fs::path& path) {
  std::string text;
  read_into(path, text);
  return text;
}

void write_file(const fs::path& path, std::span<const std::byte> bytes) {
  fs::path temporary = path;
  temporary += ".part-" + std::to_string(::getpid());
  const auto fail = [&](int error) {
    ::unlink(temporary.c_str());
    refuse("file cannot be written", path, error);
  };
  Descriptor out(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (out.get() < 0) fail(errno);
  std::size_t done = 0;
  while (done < bytes.size()) {
    const auto n = ::write(out.get(), bytes.data() + done, bytes.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail(errno);
    done += static_cast<std::size_t>(n);
  }
  if (::fsync(out.get()) != 0) fail(errno);
  if (out.close() != 0) fail(errno);
  if (::rename(temporary.c_str(), path.c_str()) != 0) fail(errno);
  sync_folder(path.parent_path());
}

void write_file(const fs::path& path, std::string_view text) {
  write_file(path, std::as_bytes(std::span(text)));
}

void remove_file(const fs::path& path) {
  std::error_code error;
  fs::remove(path, error);
  if (error) refuse("file cannot be removed", path, error.value());
}

void rename_file(const fs::path& from, const fs::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) refuse("file cannot be renamed", from, errno);
}

void make_folder(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) refuse("folder cannot be made", path, error.value());
}

}  // namespace chorale::io
