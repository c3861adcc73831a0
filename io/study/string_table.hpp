// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include "kernels/types.hpp"

namespace chorale::io::study {

/// Hash of a short text: 16 bytes at a time, mixed by a 64 × 64 → 128 bit product (the scheme of wyhash).
inline std::uint64_t hash_text(std::string_view text, std::uint64_t seed = 0) {
  const auto mix = [](std::uint64_t a, std::uint64_t b) {
    const auto product = static_cast<unsigned __int128>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
  };
  const auto load8 = [](const char* p) {
    std::uint64_t word = 0;
    std::memcpy(&word, p, 8);
    return word;
  };
  const auto load4 = [](const char* p) {
    std::uint32_t word = 0;
    std::memcpy(&word, p, 4);
    return std::uint64_t{word};
  };
  const auto load1 = [](const char* p) { return std::uint64_t{static_cast<unsigned char>(*p)}; };
  constexpr std::uint64_t k0 = 0xa0761d6478bd642fULL, k1 = 0xe7037ed1a0b428dbULL, k2 = 0x8ebc6af09c88c6e3ULL;
  const char* p = text.data();
  std::size_t n = text.size();
  std::uint64_t state = seed ^ k0;
  for (; n > 16; p += 16, n -= 16) state = mix(load8(p) ^ k1, load8(p + 8) ^ state);
  std::uint64_t low = 0,
                high = 0;  // the last 16 bytes or fewer; loads overlap, so none reaches beyond the text
  if (n >= 8) {
    low = load8(p);
    high = load8(p + n - 8);
  } else if (n >= 4) {
    low = load4(p);
    high = load4(p + n - 4);
  } else if (n > 0) {
    low = load1(p) << 16 | load1(p + n / 2) << 8 | load1(p + n - 1);
  }
  return mix(k1 ^ text.size(), mix(low ^ k2, high ^ state));
}

/// Distinct texts and their codes 0, 1, 2 … in order of arrival: open addressing over one arena of bytes.
///
/// Cost     one probe of 8 bytes and one comparison per look-up; the texts themselves plus 28 bytes each
/// Threads  look-ups may run side by side, inserts may not
class StringTable {
 public:
  StringTable() : slot_(16), offset_{0} {}

  Index size() const { return static_cast<Index>(offset_.size()) - 1; }
  std::string_view operator[](Index code) const {
    const auto c = static_cast<std::size_t>(code);
    return {arena_.data() + offset_[c], offset_[c + 1] - offset_[c]};
  }

  /// Code of a text, -1 when it is not there.
  std::int32_t find(std::string_view text) const { return slot_[place(text, hash_text(text))].code; }

  /// Code of a text, which is added when it is new.
  std::int32_t insert(std::string_view text) {
    const std::uint64_t hash = hash_text(text);
    std::size_t at = place(text, hash);
    if (slot_[at].code >= 0) return slot_[at].code;
    if (2 * offset_.size() > slot_.size()) {
      grow();
      at = place(text, hash);
    }
    const auto code = static_cast<std::int32_t>(size());
    slot_[at] = {static_cast<std::uint32_t>(hash >> 32), code};
    arena_.insert(arena_.end(), text.begin(), text.end());
    offset_.push_back(arena_.size());
    return code;
  }

  void clear() {
    slot_.assign(16, {});
    offset_.assign(1, 0);
    arena_.clear();
  }

 private:
  struct Slot {
    std::uint32_t tag = 0;  // upper half of the hash
    std::int32_t code = -1;
  };

  // Where the text is, or the free slot where it belongs.
  std::size_t place(std::string_view text, std::uint64_t hash) const {
    const std::size_t mask = slot_.size() - 1;
    const auto tag = static_cast<std::uint32_t>(hash >> 32);
    std::size_t at = hash & mask;
    while (slot_[at].code >= 0 && !(slot_[at].tag == tag && (*this)[slot_[at].code] == text))
      at = (at + 1) & mask;
    return at;
  }

  void grow() {
    slot_.assign(2 * slot_.size(), {});
    for (std::int32_t code = 0; code < size(); ++code) {
      const std::uint64_t hash = hash_text((*this)[code]);
      std::size_t at = hash & (slot_.size() - 1);
      while (slot_[at].code >= 0) at = (at + 1) & (slot_.size() - 1);
      slot_[at] = {static_cast<std::uint32_t>(hash >> 32), code};
    }
  }

  std::vector<Slot> slot_;
  std::vector<std::size_t> offset_;
  std::vector<char> arena_;
};

}  // namespace chorale::io::study
