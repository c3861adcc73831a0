// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "io/report/marks.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "io/report/charts.hpp"

namespace chorale::io::report {
namespace {

constexpr double letter = 8.1, small_letter = 6.9;

/// A triangle whose tip touches the edge of the axis.
void draw_arrow(Svg& svg, double tip, double y, double direction, std::size_t look) {
  const double back = tip - 7 * direction;
  svg.path(
      fmt::format("M{0} {1}L{2} {3}L{2} {4}Z", pixel(tip), pixel(y), pixel(back), pixel(y - 4), pixel(y + 4)),
      fmt::format("fill s{}", look));
}

std::string number(double value, int decimals) {
  if (std::isinf(value)) return value > 0 ? "∞" : "−∞";
  return std::abs(value) >= 1000 ? readable(value) : fmt::format("{:.{}f}", value, decimals);
}

std::string words(const Mark& mark, int decimals) {
  std::string text = mark.has_value() ? number(mark.value, decimals) : "";
  if (mark.has_interval())
    text += fmt::format("{}({}–{})", text.empty() ? "" : " ", number(mark.lower, decimals),
                        number(mark.upper, decimals));
  return text;
}

}  // namespace

bool Mark::has_value() const {
  return !std::isnan(value);
}

bool Mark::has_interval() const {
  return !std::isnan(lower) && !std::isnan(upper);
}

void draw_shape(Svg& svg, double x, double y, std::size_t look) {
  const std::string css = fmt::format("fill s{}", look);
  if (look == 0)
    svg.rect(x - 4, y - 4, 8, 8, css);
  else if (look == 2)
    svg.path(fmt::format("M{0} {1}L{2} {3}L{0} {4}L{5} {3}Z", pixel(x), pixel(y - 5.5), pixel(x + 5.5),
                         pixel(y), pixel(y + 5.5), pixel(x - 5.5)),
             css);
  else
    svg.circle(x, y, 4.5, css);
}

void draw_mark(Svg& svg, const Axis& x, const Mark& mark, double y, std::size_t look) {
  const auto inside = [&](double value) { return x.at(std::clamp(value, x.low, x.high)); };
  if (mark.has_interval()) {
    svg.line(inside(mark.lower), y, inside(mark.upper), y, fmt::format("interval s{}", look));
    if (mark.lower < x.low) draw_arrow(svg, x.from, y, -1, look);
    if (mark.upper > x.high) draw_arrow(svg, x.to, y, 1, look);
  }
  if (!mark.has_value()) return;
  if (mark.value < x.low)
    draw_arrow(svg, x.from, y, -1, look);
  else if (mark.value > x.high)
    draw_arrow(svg, x.to, y, 1, look);
  else
    draw_shape(svg, x.at(mark.value), y, look);
}

double legend_width(const std::vector<LegendEntry>& entries) {
  double width = 0;
  for (const LegendEntry& entry : entries)
    width += 40 + small_letter * static_cast<double>(n_letters(entry.words));
  return width;
}

void draw_legend(Svg& svg, const std::vector<LegendEntry>& entries, double y, double from) {
  double at = from;
  for (const LegendEntry& entry : entries) {
    draw_shape(svg, at + 5, y - 4, entry.look);
    svg.text(at + 16, y, entry.words, "tick");
    at += legend_width({entry});
  }
}

std::string ratio_words(const Mark& mark) {
  return words(mark, 2);
}

std::string share_words(const Mark& mark) {
  return words(mark, 3);
}

Axis ratio_axis(const std::vector<Mark>& marks, double from, double to) {
  double low = 0.8, high = 1.25;
  for (const Mark& mark : marks) {
    for (const double value : {mark.value, mark.lower, mark.upper}) {
      if (!std::isfinite(value) || value <= 0) continue;
      low = std::min(low, value * 0.95);
      high = std::max(high, value * 1.05);
    }
  }
  return {.low = std::max(low, 1.0 / 50),
          .high = std::min(high, 50.0),
          .from = from,
          .to = to,
          .logarithmic = true};
}

double name_width(const std::vector<std::string>& names, std::size_t most) {
  std::size_t longest = 0;
  for (const auto& name : names) longest = std::max(longest, std::min(n_letters(name), most));
  return 16 + letter * static_cast<double>(longest);
}

}  // namespace chorale::io::report
