// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "jobs/interaction_screen/part.hpp"

namespace chorale::jobs::interaction {

std::string to_bytes(std::span<const std::int64_t> counts) {
  constexpr std::uint64_t low = 0x7f, more = 0x80;
  std::string bytes;
  for (const std::int64_t count : counts) {
    auto left = static_cast<std::uint64_t>(count);
    for (; left > low; left >>= 7) bytes.push_back(static_cast<char>((left & low) | more));
    bytes.push_back(static_cast<char>(left));
  }
  return bytes;
}

std::vector<std::int64_t> to_counts(std::string_view bytes) {
  std::vector<std::int64_t> counts;
  std::uint64_t count = 0;
  unsigned shift = 0;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    count |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    shift += 7;
    if ((byte & 0x80) != 0) continue;
    counts.push_back(static_cast<std::int64_t>(count));
    count = 0;
    shift = 0;
  }
  return counts;
}

}  // namespace chorale::jobs::interaction
