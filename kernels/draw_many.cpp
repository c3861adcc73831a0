// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/draw_many.hpp"

#include <string>

#include "kernels/draw.hpp"
#include "kernels/draw_many_body.hpp"
#include "kernels/error.hpp"

namespace chorale::kernels {

void draw_bits(std::uint64_t seed, std::uint32_t stream, Index item, std::uint32_t first,
               std::span<std::uint64_t> bits) {
  const std::uint64_t past = std::uint64_t{first} + bits.size();
  if (first % 2 != 0 || past > std::uint64_t{1} << 32) {
    throw ShapeError({.what = "draws begin with an odd one, or there are no more",
                      .found = std::to_string(first) + " to " + std::to_string(past),
                      .expected = "even, and at most 2^32"});
  }
  const std::size_t whole = bits.size() / 16 * 16;
  CHORALE_AT_LEVEL(philox_blocks, seed, stream, static_cast<std::uint64_t>(item), first / 2,
                   static_cast<Index>(whole / 2), bits.data());
  for (std::size_t j = whole; j < bits.size(); ++j)
    bits[j] = draw_bits(seed, stream, item, first + static_cast<std::uint32_t>(j));
}

void IndexDraws::refill() {
  std::array<std::uint64_t, n_halves / 2> drawn;
  draw_bits(seed_, stream_, item_, first_, drawn);
  for (std::size_t k = 0; k < drawn.size(); ++k) {
    halves_[2 * k] = static_cast<std::uint32_t>(drawn[k]);
    halves_[2 * k + 1] = static_cast<std::uint32_t>(drawn[k] >> 32);
  }
  first_ += n_halves / 2;
  next_ = 0;
}

}  // namespace chorale::kernels
