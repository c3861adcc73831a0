// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <span>

#include "kernels/types.hpp"

namespace chorale::kernels {

/// Benjamini-Hochberg q-values from log10 p, in log10, so that p below 1e-300 keep their order.
///
///   q_(i) = min over j ≥ i of p_(j) · m / j, at most 1;   p_(1) ≤ … ≤ p_(m)
///
/// A test whose log10 p is NaN was not made: its q is NaN and it does not count in m.
///
/// Shapes   log10_p (n), log10_q (n); the two may be the same memory
/// Throws   ShapeError when the lengths differ or a log10 p is above 0
/// Cost     a sort of n indices; 16 n bytes
/// Threads  serial; equal p get equal q whatever their order
/// Source   Benjamini and Hochberg 1995, J R Stat Soc B 57:289
/// Oracle   R stats::p.adjust(method = "BH"), tests/oracle/multiplicity.R
void benjamini_hochberg(std::span<const double> log10_p, std::span<double> log10_q);

/// The same for tests of which only some p-values are at hand, the smallest ones: `n_tests` ≥ the numbers
/// given counts all tests made. Right for every p that no absent one undercuts.
void benjamini_hochberg(std::span<const double> log10_p, Index n_tests, std::span<double> log10_q);

/// Bonferroni: min(1, p · m), in log10, NaN as above.
///
/// Oracle   R stats::p.adjust(method = "bonferroni"), tests/oracle/multiplicity.R
void bonferroni(std::span<const double> log10_p, std::span<double> log10_adjusted);

}  // namespace chorale::kernels
