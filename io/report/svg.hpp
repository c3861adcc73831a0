// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace chorale::io::report {

/// Text as it may stand in HTML and SVG, in elements and in quoted attributes. Bytes that are no UTF-8 and control
/// characters become U+FFFD.
std::string escaped(std::string_view text);

/// The first `n` letters (code points) of a text, the last of them "…" when some were left off.
std::string shortened(std::string_view text, std::size_t n);

/// Letters (code points) in a text.
std::size_t n_letters(std::string_view text);

/// A picture in pixels, x to the right, y down. Looks come from the page's style sheet through class names.
class Svg {
 public:
  /// `title` is what a screen reader says.
  Svg(double width, double height, std::string_view title);

  void line(double x1, double y1, double x2, double y2, std::string_view css);
  void rect(double x, double y, double width, double height, std::string_view css);
  void circle(double x, double y, double r, std::string_view css);
  /// css may hold "end" or "middle" for the anchor; otherwise the text starts at x.
  void text(double x, double y, std::string_view words, std::string_view css);
  /// Letters of `size` pixels, turned by `degrees` about where they start (clockwise).
  void text(double x, double y, std::string_view words, std::string_view css, double size, double degrees);
  void path(const std::string& d, std::string_view css);
  /// What the mouse shows over the elements between these two calls.
  void begin_hint(std::string_view words);
  void end_hint();

  std::string str() const;

 private:
  std::string body_;
};

/// "12.3": a coordinate with the precision that a screen can show.
std::string pixel(double value);

/// Values along one side of a picture: low at pixel `from`, high at pixel `to`.
struct Axis {
  double low = 0, high = 1;
  double from = 0, to = 1;
  bool logarithmic = false;

  double at(double value) const;
  /// About `n` round values within the axis: 1, 2, 5 times a power of ten. A logarithmic axis of more than 0.7 decades has
  /// those powers and multiples, however many they are.
  std::vector<double> ticks(int n) const;
};

}  // namespace chorale::io::report
