// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstddef>
#include <limits>
#include <string>
#include <vector>

#include "io/report/svg.hpp"

namespace chorale::io::report {

/// A number with the limits of its interval; NaN where there is none.
struct Mark {
  double value = std::numeric_limits<double>::quiet_NaN();
  double lower = std::numeric_limits<double>::quiet_NaN();
  double upper = std::numeric_limits<double>::quiet_NaN();

  bool has_value() const;     ///< infinite counts as a value
  bool has_interval() const;  ///< both limits; infinite ones count
};

/// The shape of a look: a square, a circle, a diamond, then circles again. Colour says the same.
void draw_shape(Svg& svg, double x, double y, std::size_t look);

/// A mark along an axis: its interval as a line, its value as a shape. What lies beyond the axis ends in an arrow at the
/// edge; a value beyond it has no shape.
void draw_mark(Svg& svg, const Axis& x, const Mark& mark, double y, std::size_t look);

/// Shapes with their meaning, side by side.
struct LegendEntry {
  std::size_t look;
  std::string words;
};
double legend_width(const std::vector<LegendEntry>& entries);
void draw_legend(Svg& svg, const std::vector<LegendEntry>& entries, double y, double from = 4);

/// "2.46 (1.83–3.30)": ratios, hazards; what is missing is left out.
std::string ratio_words(const Mark& mark);
/// "0.686 (0.679–0.711)": shares, scores, slopes.
std::string share_words(const Mark& mark);

/// For a picture of marks on a logarithmic axis: from the least limit to the greatest, 1 always among them, at most from
/// 1/50 to 50, so that one runaway interval does not flatten the others.
Axis ratio_axis(const std::vector<Mark>& marks, double from, double to);

/// Pixels that the longest of the names takes, none longer than `most` letters.
double name_width(const std::vector<std::string>& names, std::size_t most);

}  // namespace chorale::io::report
