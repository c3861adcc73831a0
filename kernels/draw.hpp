// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <span>

#include "kernels/types.hpp"

namespace chorale::kernels {

/// The k-th 64 random bits of one item in one stream: a pure function, so a draw never depends on who drew
/// before.
///
///   Philox4x32-10 with key = seed and counter = (k/2, stream, item low, item high); even k takes the words 0
///   and 1 of the block, odd k the words 2 and 3, low word first
///
/// A stream is a purpose or a replicate, an item is a patient. Two draws are independent when any of seed,
/// stream, item and k differs, on every rank, thread and machine.
///
/// Cost     about 10 ns
/// Threads  pure
/// Source   Salmon, Moraes, Dror, Shaw 2011, Parallel random numbers: as easy as 1, 2, 3, SC'11;
/// Random123 1.14 Oracle   the known-answer vectors published with Random123
std::uint64_t draw_bits(std::uint64_t seed, std::uint32_t stream, Index item, std::uint32_t k);

/// The same draw as a number in the open interval (0, 1): (⌊bits / 2^12⌋ + ½) / 2^52. Never 0 and never 1.
double draw_uniform(std::uint64_t seed, std::uint32_t stream, Index item, std::uint32_t k);

/// The draws of one item one after another: the k-th call of bits() is draw_bits(seed, stream, item, k).
///
///   Draws draws(seed, simulate_genes, patient);
///   for (Index gene = draws.skip(p); gene < n_genes; gene += 1 + draws.skip(p)) mutate(gene);
///
/// Construction costs nothing, so make one per patient and purpose. After 2^33 draws the sequence starts
/// again. Distributions other than gamma() and poisson() with mean ≥ 10 take exactly one draw each, whatever
/// the parameters, so changing a rate never shifts the draws that follow.
///
/// Throws   ShapeError when a parameter is out of its range
/// Cost     7 ns per bits() or uniform(), 13 to 20 ns for normal(), exponential() and skip(), up to 60 ns for the rest
/// Threads  one object per thread; the values depend only on the three numbers
/// Oracle   moments, Kolmogorov-Smirnov and chi-square distances with fixed seeds
class Draws {
 public:
  Draws(std::uint64_t seed, std::uint32_t stream, Index item) : seed_(seed), item_(item), stream_(stream) {}

  std::uint64_t bits() {
    if (next_ == 2) refill();
    return block_[next_++];
  }

  /// In the open interval (0, 1).
  double uniform() { return (static_cast<double>(bits() >> 12) + 0.5) * 0x1p-52; }

  /// Mean 0, variance 1: normal_quantile(uniform()), so at most 8.2 in size.
  double normal();

  /// Mean 1: -log(uniform()).
  double exponential();

  /// Shape > 0, scale 1, so mean and variance are `shape`. Takes two draws or more: Marsaglia and Tsang 2000,
  /// ACM TOMS 26:363; for shape < 1, Γ(shape + 1) · uniform^(1/shape).
  double gamma(double shape);

  /// Mean in [0, 1e15]. Below 10 by inversion (one draw); above by transformed rejection, Hörmann 1993,
  /// Insur Math Econ 12:39, algorithm PTRS (two draws or more).
  Index poisson(double mean);

  /// The first i with uniform · total < cumulative[i]; `cumulative` holds running sums of weights ≥ 0 and
  /// ends in their positive total. Categories of weight 0 are never drawn.
  Index categorical(std::span<const double> cumulative);

  /// 0, 1, …, n - 1 with equal probability up to n / 2^64 (for n = 10^6: 5e-14), n ≥ 1.
  Index below(Index n);

  /// True with probability p in [0, 1].
  bool bernoulli(double p);

  /// Failures before the next success of a row of Bernoulli(p) trials: ⌊log(uniform) / log(1 - p)⌋.
  /// A patient with 500 genes of rate 0.01 takes 5 draws instead of 500. `p` in [0, 1]; 0 gives never().
  /// For rates that differ, walk at the largest of a block of similar rates and keep each hit with p / p_max.
  Index skip(double p);

  /// What skip() returns when no success can come: so large that adding it to any position ends a loop, so
  /// small that adding it overflows nothing.
  static constexpr Index never() { return Index{1} << 62; }

 private:
  void refill();

  std::uint64_t seed_;
  Index item_;
  std::uint64_t block_[2] = {0, 0};
  std::uint32_t stream_;
  std::uint32_t n_blocks_ = 0;
  std::uint32_t next_ = 2;
};

}  // namespace chorale::kernels
