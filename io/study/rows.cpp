// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "io/study/rows.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>

#include <fmt/format.h>

namespace chorale::io::study {
namespace {

static_assert(std::endian::native == std::endian::little, "the first byte of a word is its lowest");

// High bit of every byte of `word` that equals `byte`; exact, no carry runs from byte to byte.
constexpr std::uint64_t bytes_equal(std::uint64_t word, std::uint64_t byte) {
  constexpr std::uint64_t low7 = 0x7f7f7f7f7f7f7f7fULL;
  const std::uint64_t differs = word ^ (byte * 0x0101010101010101ULL);
  return ~(((differs & low7) + low7) | differs | low7);
}

}  // namespace

bool is_utf8(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(i < text.size() ? text[i] : 0); };
  const auto follows = [&](std::size_t i, unsigned low, unsigned high) {
    return byte(i) >= low && byte(i) <= high;
  };
  for (std::size_t i = 0; i < text.size();) {
    const unsigned c = byte(i);
    if (c == 0) return false;
    std::size_t n = 0;
    // RFC 3629, section 4: no overlong forms, no surrogates, nothing beyond U+10FFFF
    if (c < 0x80)
      n = 1;
    else if (c >= 0xc2 && c <= 0xdf && follows(i + 1, 0x80, 0xbf))
      n = 2;
    else if (c >= 0xe0 && c <= 0xef && follows(i + 1, c == 0xe0 ? 0xa0 : 0x80, c == 0xed ? 0x9f : 0xbf) &&
             follows(i + 2, 0x80, 0xbf))
      n = 3;
    else if (c >= 0xf0 && c <= 0xf4 && follows(i + 1, c == 0xf0 ? 0x90 : 0x80, c == 0xf4 ? 0x8f : 0xbf) &&
             follows(i + 2, 0x80, 0xbf) && follows(i + 3, 0x80, 0xbf))
      n = 4;
    if (n == 0) return false;
    i += n;
  }
  return true;
}

Rows::Rows(std::string_view block, Index n_columns, Problems& problems)
    : at_(block.data()),
      end_(block.data() + block.size()),
      problems_(&problems),
      cells_(static_cast<std::size_t>(n_columns)) {
  // all bits of all bytes at once: plain loops that the compiler turns into vectors
  unsigned char high = 0, quote = 0, nul = 0, cr = 0;
  for (const char c : block) {
    high = static_cast<unsigned char>(high | static_cast<unsigned char>(c));
    quote = static_cast<unsigned char>(quote | (c == '"'));
    nul = static_cast<unsigned char>(nul | (c == '\0'));
    cr = static_cast<unsigned char>(cr | (c == '\r'));
  }
  odd_bytes_ = high >= 0x80 || nul != 0;
  quotes_ = quote != 0;
  has_crlf_ = cr != 0 && block.find("\r\n") != std::string_view::npos;
}

// Cells of the line at `at_`; leaves `at_` behind its end. Cells beyond the header's are counted, not kept.
bool Rows::split() {
  const char* const row = at_;
  const char* cell = at_;
  const char* p = at_;
  const auto n_columns = static_cast<Index>(cells_.size());
  n_cells_ = 0;
  const auto close = [&](const char* stop) {
    if (n_cells_ < n_columns)
      cells_[static_cast<std::size_t>(n_cells_)] = {cell, static_cast<std::size_t>(stop - cell)};
    ++n_cells_;
    cell = stop + 1;
  };
  const char* stop = nullptr;
  while (stop == nullptr) {
    if (end_ - p >= 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, p, 8);
      const std::uint64_t line_ends = bytes_equal(word, '\n');
      std::uint64_t marks = bytes_equal(word, '\t') | line_ends;
      for (; marks != 0; marks &= marks - 1) {
        const int bit = std::countr_zero(marks);
        const char* mark = p + bit / 8;
        if ((line_ends >> bit & 1U) != 0) {
          stop = mark;
          break;
        }
        close(mark);
      }
      p += 8;
    } else {
      if (*p == '\n')
        stop = p;
      else if (*p == '\t')
        close(p);
      ++p;
    }
  }
  at_ = stop + 1;
  ++line_;
  const char* content = has_crlf_ && stop > row && stop[-1] == '\r' ? stop - 1 : stop;
  if (content == row) return false;
  close(content);
  return true;
}

bool Rows::is_text(std::string_view row) {
  if (is_utf8(row)) return true;
  std::size_t bad = 0;
  while (bad < cells_.size() && static_cast<Index>(bad) < n_cells_ && is_utf8(cells_[bad])) ++bad;
  problems_->add(
      {.what = row.find('\0') != std::string_view::npos ? "row holds a NUL byte" : "row is not valid UTF-8",
       .column = {},
       .expected = "text in UTF-8",
       .remedy = "save the file as UTF-8, for instance with iconv -f LATIN1 -t UTF-8",
       .value = bad < cells_.size() && static_cast<Index>(bad) < n_cells_ ? cells_[bad] : std::string_view(),
       .line = line_,
       .effect = Effect::drop_row});
  return false;
}

bool Rows::next() {
  while (at_ < end_) {
    const char* row = at_;
    if (!split()) continue;
    ++n_read_;
    if (odd_bytes_ && !is_text({row, static_cast<std::size_t>(at_ - 1 - row)})) continue;
    if (n_cells_ == static_cast<Index>(cells_.size())) return true;
    problems_->add({.what = "row has another number of cells than the header",
                    .column = {},
                    .expected = fmt::format("{} cells", cells_.size()),
                    .remedy = "look for a missing or an extra tab, or a line break inside a value",
                    .value = fmt::format("{} cells", n_cells_),
                    .line = line_,
                    .effect = Effect::drop_row});
  }
  return false;
}

bool Rows::stray_quote(std::string_view cell) const {
  if (!quotes_ || cell.empty()) return false;
  return cell.front() == '"' || std::count(cell.begin(), cell.end(), '"') % 2 != 0;
}

}  // namespace chorale::io::study
