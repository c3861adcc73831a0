// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "io/study/text_source.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>

#include <zlib.h>

#include "kernels/error.hpp"

namespace chorale::io::study {
namespace {

constexpr std::size_t longest_line = std::size_t{256} << 20;

[[noreturn]] void refuse(const std::string& name, const char* what, const char* remedy,
                         std::string found = {}) {
  throw InputError({.what = what, .found = std::move(found), .expected = {}, .in = name, .remedy = remedy});
}

}  // namespace

// zlib reads both kinds of file: what does not start with the gzip magic passes through unchanged.
struct TextSource::File {
  File(const std::filesystem::path& path, const std::string& name) {
    std::error_code status;
    if (!std::filesystem::exists(path, status))
      refuse(name, "file is missing", "deliver the file, or take its name out of the meta file");
    if (std::filesystem::is_directory(path, status))
      refuse(name, "a folder stands where a file is expected", "correct the file name in the meta file");
    handle = gzopen(path.c_str(), "rb");
    if (handle == nullptr)
      throw StoreError({.what = "file cannot be opened",
                        .found = std::strerror(errno),
                        .expected = {},
                        .in = path.string(),
                        .remedy = "check the permissions of the file"});
    gzbuffer(handle, 1U << 18);
  }
  ~File() { gzclose(handle); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  gzFile handle = nullptr;
};

TextSource::TextSource(const std::filesystem::path& path, std::string shown_name, Index block_bytes)
    : name_(std::move(shown_name)),
      file_(std::make_unique<File>(path, name_)),
      block_bytes_(std::max<Index>(block_bytes, 16)) {
  while (pending_.size() < 256 && fill()) {
  }
  refuse_what_is_no_text();
  if (std::string_view(pending_.data(), pending_.size()).starts_with("\xef\xbb\xbf")) {
    had_mark_ = true;
    at_ = 3;
  }
  const std::string_view rest = peek();
  if (rest.find_first_not_of(" \t\r\n") == std::string_view::npos && !fill())
    refuse(name_, "file is empty", "deliver the file again; an interrupted copy leaves empty files");
}

TextSource::~TextSource() = default;
TextSource::TextSource(TextSource&&) noexcept = default;

bool TextSource::fill() {
  const std::size_t had = pending_.size();
  const auto n = static_cast<std::size_t>(block_bytes_);
  pending_.resize(had + n);
  const int got = gzread(file_->handle, pending_.data() + had, static_cast<unsigned>(n));
  int code = Z_OK;
  const std::string reason = gzerror(file_->handle, &code);
  if (got < 0 || (got < block_bytes_ && code == Z_BUF_ERROR)) {
    if (code == Z_ERRNO)
      throw StoreError({.what = "file cannot be read",
                        .found = reason,
                        .expected = {},
                        .in = name_,
                        .remedy = "look at the disk"});
    refuse(name_, "gzip stream is damaged or cut short", "deliver the file again", reason);
  }
  pending_.resize(had + static_cast<std::size_t>(got));
  return got > 0;
}

void TextSource::refuse_what_is_no_text() const {
  const std::string_view head(pending_.data(), pending_.size());
  if (head.empty())
    refuse(name_, "file is empty", "deliver the file again; an interrupted copy leaves empty files");
  if (head.starts_with("version https://git-lfs"))
    refuse(name_, "file is a Git LFS pointer, not the data", "run 'git lfs pull' where the study was cloned");
  if (head.starts_with("\xff\xfe") || head.starts_with("\xfe\xff"))
    refuse(name_, "file is UTF-16 text", "save it as UTF-8, for instance with iconv -f UTF-16 -t UTF-8");
  const std::string_view first = head.substr(0, head.find('\n'));
  const std::size_t lone = first.find('\r');
  if (lone != std::string_view::npos && lone + 1 < first.size())
    refuse(name_, "lines end with a lone carriage return",
           "save the file with line feeds, for instance with tr '\\r' '\\n'");
}

bool TextSource::next_line(std::string& line) {
  for (std::size_t searched = 0;;) {
    const std::string_view rest = peek();
    const std::size_t end = rest.find('\n', searched);
    if (end != std::string_view::npos) {
      line = rest.substr(0, end);
      at_ += end + 1;
      break;
    }
    searched = rest.size();
    if (searched > longest_line)
      refuse(name_, "line is longer than 256 MiB", "check that this is a text table");
    if (fill()) continue;
    if (searched == 0) return false;
    line = peek();
    at_ = pending_.size();
    break;
  }
  if (!line.empty() && line.back() == '\r') line.pop_back();
  return true;
}

bool TextSource::next_block(std::vector<char>& block) {
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(at_));
  at_ = 0;
  for (bool more = pending_.size() < static_cast<std::size_t>(block_bytes_) ? fill() : true;; more = fill()) {
    const std::string_view held(pending_.data(), pending_.size());
    const std::size_t end = held.rfind('\n');
    if (end != std::string_view::npos) {
      block.swap(pending_);
      pending_.assign(block.begin() + static_cast<std::ptrdiff_t>(end) + 1, block.end());
      block.resize(end + 1);
      return true;
    }
    if (!more) break;
    if (held.size() > longest_line)
      refuse(name_, "line is longer than 256 MiB", "check that this is a text table");
  }
  if (pending_.empty()) return false;
  block.swap(pending_);
  pending_.clear();
  block.push_back('\n');
  return true;
}

}  // namespace chorale::io::study
