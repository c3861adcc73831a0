// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "kernels/two_group.hpp"
#include "kernels/types.hpp"

namespace chorale::kernels {

/// What a table says about its highest interaction.
enum class LogLinearVerdict : std::int8_t {
  estimated,  ///< every number is there
  infinite,   ///< a cell is empty: the interaction is ± infinity, without a standard error; the test stands
  not_identified  ///< the lower margins allow no other table: nothing is compared, all but `expected` is NaN
};
std::string_view name_of(LogLinearVerdict verdict);

/// Observed against expected from all lower interactions.
struct LogLinear {
  LogLinearVerdict verdict = LogLinearVerdict::not_identified;
  double expected = missing;     ///< patients who carry everything, were there no highest interaction
  double g2 = missing;           ///< likelihood-ratio chi-square, 1 degree of freedom
  double log10_p = missing;      ///< of g2
  double interaction = missing;  ///< log of the ratio of odds ratios (order 3); of order 2 the log odds ratio
  double se = missing;           ///< √ Σ 1/n
};

/// The highest interaction of a 2 x … x 2 table, against the log-linear model that has all others.
///
///   log m_c = sum of all interactions of fewer than k features, so Σ_c s_c log m_c = 0, s_c = (−1)^(k − |c|)
///   m_c = n_c + s_c δ      the only tables that share all lower margins
///   g2 = 2 Σ n_c log(n_c / m_c),   interaction = Σ s_c log n_c,   |c| the features carried in cell c
///
/// So a fit is one root in δ. It is inside its range, and all m_c are positive, unless cells of both signs
/// are empty: the range is then a point, expected is what was observed, and the table says nothing. Every
/// other empty cell leaves a finite expectation and test. Of order 3 this is the model without three-way
/// interaction: what pairs explain of a triple.
///
/// Shapes   cell (2^k, k ≥ 2) patients; bit j of the subscript is set where feature j is carried (set_tables.hpp)
/// Throws   ShapeError when the size is no power of two from 4, or a count is negative
/// Cost     5 to 10 steps of 2^k logarithms: 0.7 µs for a triple; allocates nothing
/// Threads  pure
/// Source   Bartlett 1935, J R Stat Soc Suppl 2:248; Bishop, Fienberg, Holland 1975, Discrete Multivariate
///          Analysis
/// Oracle   R 4.2 loglin and glm(family = poisson), tests/oracle/log_linear.R
LogLinear log_linear(std::span<const std::int32_t> cell);

}  // namespace chorale::kernels
