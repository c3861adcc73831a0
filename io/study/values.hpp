// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "kernels/types.hpp"

namespace chorale::io::study {

/// Without the blanks around it.
std::string_view trimmed(std::string_view text);

/// Equal but for the case of ASCII letters.
bool same_word(std::string_view a, std::string_view b);

/// Does the value say "missing"? Empty, NA, N/A, and the bracketed words of cBioPortal and TCGA, in any case:
/// [Not Available], [Not Applicable], [Not Evaluated], [Unknown], [Pending], [Discrepancy], [Completed], [NA],
/// [N/A], [NULL].
bool is_null(std::string_view text);

enum class NumberKind {
  value,
  missing,        ///< a null token
  not_finite,     ///< NaN, Inf, a spreadsheet's #NUM!, or beyond the range of a double
  decimal_comma,  ///< 12,5
  not_a_number
};

/// A number as released: exact, or a bound such as ">89", "<=18", "≥90".
struct Number {
  NumberKind kind = NumberKind::missing;
  double value = 0;
  std::int8_t bound = 0;  ///< 1 above the value, -1 below it, 0 exact
};
Number parse_number(std::string_view text);

/// 1 and 0 for true/false, yes/no, 1/0; nothing when it is neither.
std::optional<double> parse_boolean(std::string_view text);

/// 1 event, 0 censored; nothing when the code is unknown. Read are "0:…" and "1:…" whatever follows, 0 and 1, and
/// the words of cBioPortal studies (LIVING, DECEASED, DiseaseFree, Recurred/Progressed, …) in any case.
std::optional<std::int8_t> parse_status(std::string_view text);

/// Days in a month of a time-to-event outcome: 365.25 / 12.
inline constexpr double days_per_month = 30.4375;

}  // namespace chorale::io::study
