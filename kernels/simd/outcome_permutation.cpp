// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/outcome_permutation_body.hpp"
#include "kernels/simd/vector.hpp"

#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace chorale::kernels::simd::CHORALE_LEVEL {
namespace {

constexpr Index n_vectors = outcome_lanes / width;

/// One number for each permutation.
struct Lanes {
  Vector part[n_vectors];

  Lanes() : part{} {}
  explicit Lanes(const double* from) {
    for (Index v = 0; v < n_vectors; ++v) part[v] = load<Vector>(from + v * width);
  }
  void store_to(double* to) const {
    for (Index v = 0; v < n_vectors; ++v) store(to + v * width, part[v]);
  }
};

/// Sums of outcomes and of their squares.
struct Moments {
  Lanes sum, squares;

  Moments() = default;
  explicit Moments(const double* from) : sum(from), squares(from + outcome_lanes) {}
  void add(const double* outcome) {
    for (Index v = 0; v < n_vectors; ++v) {
      const Vector value = load<Vector>(outcome + v * width);
      sum.part[v] += value;
      squares.part[v] += value * value;
    }
  }
};

Vector root(Vector x) {
#if defined(__AVX512F__)
  return (Vector)_mm512_maskz_sqrt_pd(0xff, (__m512d)x);  // GCC 12 warns of the plain one
#elif defined(__AVX__)
  return (Vector)_mm256_sqrt_pd((__m256d)x);
#elif defined(__SSE2__)
  return (Vector)_mm_sqrt_pd((__m128d)x);
#else
  for (Index k = 0; k < width; ++k) x[k] = __builtin_sqrt(x[k]);
  return x;
#endif
}

}  // namespace

void outcome_interleave(const double* columns, Index n, double* to) {
  for (Index i = 0; i < n; ++i) {
    for (Index k = 0; k < 8; ++k) to[i * outcome_lanes + k] = columns[k * n + i];
  }
}

void outcome_sum(const double* table, const std::int32_t* rows, Index n, double* sum) {
  Moments total(sum);
  for (Index j = 0; j < n; ++j) total.add(table + rows[j] * outcome_lanes);
  total.sum.store_to(sum);
  total.squares.store_to(sum + outcome_lanes);
}

void outcome_gather(const double* table, const std::int32_t* rows, Index n, double* to) {
  for (Index j = 0; j < n; ++j) Lanes(table + rows[j] * outcome_lanes).store_to(to + j * outcome_lanes);
}

void outcome_statistics(const OutcomePair* pairs, Index n, const double* gathered,
                        const std::int32_t* members, const double* sums, const std::int32_t* apart, double* z,
                        double* least, double* greatest) {
  Lanes low(least), high(greatest);
  for (Index k = 0; k < n; ++k) {
    const OutcomePair& pair = pairs[k];
    Moments both;
    for (Index m = pair.members_begin; m < pair.members_end; ++m)
      both.add(gathered + members[m] * outcome_lanes);
    const Moments of_a(sums + pair.sum_a), of_b(sums + pair.sum_b);
    Lanes found;
    for (Index v = 0; v < n_vectors; ++v) {
      const Vector contrast = pair.weight_both * both.sum.part[v] + pair.weight_a * of_a.sum.part[v] +
                              pair.weight_b * of_b.sum.part[v];
      const Vector variance = pair.square_both * both.squares.part[v] + pair.square_a * of_a.squares.part[v] +
                              pair.square_b * of_b.squares.part[v] + pair.square_all;
      found.part[v] = contrast / root(variance);
    }
    if (apart != nullptr && apart[pair.slot] >= 0) {
      found.store_to(z + apart[pair.slot] * outcome_lanes);
      continue;
    }
    for (Index v = 0; v < n_vectors; ++v) {
      low.part[v] = found.part[v] < low.part[v] ? found.part[v] : low.part[v];
      high.part[v] = found.part[v] > high.part[v] ? found.part[v] : high.part[v];
    }
  }
  low.store_to(least);
  high.store_to(greatest);
}

}  // namespace chorale::kernels::simd::CHORALE_LEVEL
