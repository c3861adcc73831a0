// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <algorithm>
#include <limits>
#include <span>

#include "kernels/types.hpp"

namespace chorale::kernels {

/// The least and the greatest statistic of one permutation, over any set of tests; over all of them once the
/// extremes of its parts are merged, in any order. Of no test: +inf and -inf.
struct Extremes {
  double least = std::numeric_limits<double>::infinity();
  double greatest = -std::numeric_limits<double>::infinity();

  /// NaN changes nothing.
  void add(double z) {
    least = z < least ? z : least;
    greatest = z > greatest ? z : greatest;
  }
  void merge(const Extremes& part) {
    least = std::min(least, part.least);
    greatest = std::max(greatest, part.greatest);
  }
  bool operator==(const Extremes&) const = default;
};

/// What counts as extreme: |z|, z, or -z.
enum class Alternative { two_sided, greater, less };

/// Westfall and Young's single-step maxT: p-values adjusted for all tests together from their extremes under
/// permutation, whatever the tests' dependence.
///
///   p_k = (1 + #{ r : max_r ≥ |z_k| }) / (P + 1),   max_r = max over all tests of |z| in permutation r
///
/// Values closer than 1e-9, relatively, count as equal, so that rounding breaks no tie. Holds the family-wise
/// error for every P; no p is below 1 / (P + 1).
///
/// Shapes   extremes (P) of all tests of the family, z (n) as observed, p (n), overwritten; NaN where z is
/// Throws   ShapeError when z and p differ in length
/// Cost     a sort of P numbers, then log P a test
/// Threads  serial
/// Source   Westfall and Young 1993, Resampling-Based Multiple Testing, §2.6; Phipson and Smyth 2010, Stat Appl Genet
///          Mol Biol 9:39 for the 1 added
/// Oracle   enumeration of all permutations in tests/kernels/max_t_test.cpp
void max_t_p(std::span<const Extremes> extremes, std::span<const double> z, Alternative alternative,
             std::span<double> p);

/// The step-down form, sharper for all but the first: the k-th of the leaders competes with what ranks behind it.
///
///   u_k,r = max(|z| of leaders k, k + 1, … in permutation r, rest_r)
///   p_k = max over j ≤ k of (1 + #{ r : u_j,r ≥ |z_j| }) / (P + 1)
///
/// Who ranks behind all leaders gets max(p of the last leader, max_t_p(rest, …)), which is cautious.
///
/// Shapes   rest (P) extremes over all tests but the leaders
///          permuted (P, K) the leaders' statistics in every permutation, in the order of z; NaN: none
///          z (K) the leaders' as observed, the most extreme of the family first
///          p (K), overwritten
/// Throws   ShapeError when lengths do not fit, or z is NaN or not in falling order
/// Cost     P · K comparisons
/// Threads  serial
/// Source   Westfall and Young 1993, algorithm 4.1; Ge, Dudoit, Speed 2003, Test 12:1
/// Oracle   the definition over all subsets, tests/kernels/max_t_test.cpp
void max_t_step_down_p(std::span<const Extremes> rest, std::span<const double> permuted,
                       std::span<const double> z, Alternative alternative, std::span<double> p);

}  // namespace chorale::kernels
