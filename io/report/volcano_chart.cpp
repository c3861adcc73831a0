// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "io/report/charts.hpp"
#include "io/report/svg.hpp"

namespace chorale::io::report {
namespace {

constexpr double width = 860, height = 440, left = 70, right = 24, top = 16, bottom = 52;
constexpr std::size_t n_named = 14, n_points = 3000;
constexpr double largest_log2 = 8;  // odds ratios of 0 and infinity, and beyond 256, stand at the edge

struct Point {
  std::string name;
  double log2_ratio, minus_log10_p, q;
};

/// Strongest first.
std::vector<Point> points_of(const ResultTable& table) {
  const auto names = subjects(table);
  const auto ratio = numbers(table, "odds_ratio"), log10_p = numbers(table, "log10_p"),
             q = numbers(table, "q");
  std::vector<Point> points;
  if (names.empty() || ratio.empty() || log10_p.empty()) return points;
  const auto first = texts(table, "group_a"), second = texts(table, "group_b");
  const bool firsts = in_order(first).size() > 1, seconds = in_order(second).size() > 1;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (std::isnan(ratio[i]) || std::isnan(log10_p[i])) continue;
    points.push_back(
        {.name = names[i] + (firsts ? ", " + first[i] : "") + (seconds ? " against " + second[i] : ""),
         .log2_ratio = std::clamp(std::log2(ratio[i]), -largest_log2, largest_log2),
         .minus_log10_p = -log10_p[i],
         .q = q.empty() ? 1 : q[i]});
  }
  std::stable_sort(points.begin(), points.end(),
                   [](const Point& a, const Point& b) { return a.minus_log10_p > b.minus_log10_p; });
  return points;
}

/// Names of the strongest points; one that would cover an earlier name is left to the mouse.
void write_names(Svg& svg, const std::vector<Point>& points, const Axis& x, const Axis& y) {
  struct Box {
    double from, to, line;
  };
  std::vector<Box> taken;
  for (std::size_t i = 0; i < std::min(points.size(), n_named); ++i) {
    const std::string name = shortened(points[i].name, 24);
    const double px = x.at(points[i].log2_ratio), py = y.at(points[i].minus_log10_p) + 4;
    const double length = 6.8 * static_cast<double>(n_letters(name)) + 9;
    const bool leftwards = px + length > width;
    const Box box{leftwards ? px - length : px, leftwards ? px : px + length, py};
    if (std::any_of(taken.begin(), taken.end(), [&](const Box& other) {
          return std::abs(other.line - box.line) < 12 && box.from < other.to && other.from < box.to;
        }))
      continue;
    taken.push_back(box);
    svg.text(leftwards ? px - 8 : px + 8, py, name, leftwards ? "small end" : "small");
  }
}

}  // namespace

std::string volcano_chart(const ResultTable& table) {
  const auto points = points_of(table);
  if (points.empty()) return {};
  double widest = 1;
  for (const Point& point : points) widest = std::max(widest, std::abs(point.log2_ratio));
  const Axis x{.low = -widest * 1.05, .high = widest * 1.05, .from = left, .to = width - right};
  const Axis y{.low = 0,
               .high = std::max(points.front().minus_log10_p * 1.05, 2.0),
               .from = height - bottom,
               .to = top};
  Svg svg(width, height, table.caption);
  for (const double tick : y.ticks(6)) {
    svg.line(left, y.at(tick), x.to, y.at(tick), "grid");
    svg.text(left - 8, y.at(tick) + 4, fmt::format("{:.4g}", tick), "tick end");
  }
  for (double power = std::ceil(x.low); power <= x.high; ++power) {
    svg.line(x.at(power), y.from, x.at(power), y.from + 5, "axis");
    svg.text(x.at(power), y.from + 19,
             power < 0 ? fmt::format("1/{:.0f}", std::exp2(-power)) : fmt::format("{:.0f}", std::exp2(power)),
             "tick middle");
  }
  svg.line(left, y.from, x.to, y.from, "axis");
  svg.line(x.at(0), top, x.at(0), y.from, "axis");
  svg.text((left + x.to) / 2, height - 8, "odds ratio (logarithmic)", "label middle");
  svg.text(left, 11, "−log10 p", "label");
  const std::size_t n_drawn = std::min(points.size(), n_points);
  std::size_t n_hits = 0;
  for (std::size_t i = n_drawn; i-- > 0;) {  // the strongest last, so that they lie on top
    const Point& point = points[i];
    const bool hit = point.q < 0.05;
    svg.begin_hint(fmt::format("{}: odds ratio {}, p {}", point.name, readable(std::exp2(point.log2_ratio)),
                               readable_p(-point.minus_log10_p)));
    svg.circle(x.at(point.log2_ratio), y.at(point.minus_log10_p), hit ? 4 : 3,
               hit ? "fill s1" : "fill faint");
    svg.end_hint();
  }
  for (const Point& point : points) n_hits += point.q < 0.05 ? 1 : 0;
  write_names(svg, points, x, y);
  std::string caption = fmt::format(
      "{} comparisons; coloured: {} with q < 0.05. Ratios beyond 256 stand at the edge.",
      readable_count(static_cast<Index>(points.size())), readable_count(static_cast<Index>(n_hits)));
  if (n_drawn < points.size())
    caption += fmt::format(" The {} strongest are drawn.", readable_count(static_cast<Index>(n_drawn)));
  return figure(svg.str(), caption);
}

}  // namespace chorale::io::report
