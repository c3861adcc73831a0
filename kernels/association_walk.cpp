// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/association_walk.hpp"

#include <algorithm>
#include <bit>

#include "kernels/association_permutation_body.hpp"

namespace chorale::kernels {

std::uint32_t* SubsetDrawer::draw(IndexDraws& draws, std::uint32_t begin, std::uint32_t n,
                                  std::uint32_t n_drawn, std::uint32_t* to) {
  const bool by_rest = n_drawn > n / 2;
  const std::uint32_t n_marked = by_rest ? n - n_drawn : n_drawn;
  // who turns out to be marked already is overwritten by the next
  const std::uint32_t uneven = IndexDraws::uneven_part(n);
  for (std::uint32_t k = 0; k < n_marked;) {
    for (const std::uint32_t half : draws.take(n_marked - k)) {
      const std::uint64_t product = std::uint64_t{half} * n;
      if (static_cast<std::uint32_t>(product) < uneven) [[unlikely]]
        continue;
      const auto one = static_cast<std::uint32_t>(product >> 32);
      const std::uint64_t word = bits_[one / 64], bit = std::uint64_t{1} << (one % 64);
      bits_[one / 64] = word | bit;
      to[k] = begin + one;
      k += (word & bit) == 0;
    }
  }
  if (!by_rest) {
    for (std::uint32_t k = 0; k < n_marked; ++k) bits_[(to[k] - begin) / 64] = 0;
    return to + n_marked;
  }
  for (std::uint32_t first = 0; first < n; first += 64) {
    const std::uint64_t inside = n - first < 64 ? (std::uint64_t{1} << (n - first)) - 1 : ~std::uint64_t{0};
    for (std::uint64_t left = ~bits_[first / 64] & inside; left != 0; left &= left - 1)
      *to++ = begin + first + static_cast<std::uint32_t>(std::countr_zero(left));
    bits_[first / 64] = 0;
  }
  return to;
}

PatientBits::PatientBits(Index n_patients, Index n_features)
    : n_patients_(static_cast<std::size_t>(n_patients)),
      bits_(static_cast<std::size_t>((n_features + 63) / 64) * n_patients_, 0),
      n_both_(static_cast<std::size_t>((n_features + 63) / 64 * 64), 0) {}

void PatientBits::clear() {
  std::fill(bits_.begin(), bits_.end(), std::uint64_t{0});
}

const std::int32_t* PatientBits::count(std::span<const std::uint32_t> patients, Index n_features) {
  CHORALE_AT_LEVEL(association_counts, bits_.data(), static_cast<Index>(n_patients_), (n_features + 63) / 64,
                   patients.data(), static_cast<Index>(patients.size()), n_both_.data());
  return n_both_.data();
}

void PatientBits::add(std::span<const std::uint32_t> patients, Index feature) {
  std::uint64_t* words = bits_.data() + static_cast<std::size_t>(feature / 64) * n_patients_;
  const std::uint64_t bit = std::uint64_t{1} << (feature % 64);
  for (const std::uint32_t patient : patients) words[patient] |= bit;
}

}  // namespace chorale::kernels
