// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "io/text_file.hpp"

#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "kernels/error.hpp"

namespace chorale::io {

TextFile::TextFile(std::filesystem::path path) : path_(std::move(path)), temporary_(path_) {
  temporary_ += ".part-" + std::to_string(::getpid());
  descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor_ < 0) fail(errno);
}

TextFile::~TextFile() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  ::unlink(temporary_.c_str());
}

void TextFile::append(std::string_view text) {
  while (!text.empty()) {
    const auto n = ::write(descriptor_, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail(errno);
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

void TextFile::close() {
  if (::fsync(descriptor_) != 0) fail(errno);
  if (::close(std::exchange(descriptor_, -1)) != 0 || ::rename(temporary_.c_str(), path_.c_str()) != 0) {
    const int error = errno;
    ::unlink(temporary_.c_str());
    fail(error);
  }
}

void TextFile::fail(int error) {
  throw StoreError({.what = "file cannot be written",
                    .found = std::strerror(error),
                    .in = path_.string(),
                    .remedy = error == ENOSPC ? "free some space and run again"
                                              : "check the path, the permissions and the disk"});
}

}  // namespace chorale::io
