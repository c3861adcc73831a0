// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <algorithm>
#include <cmath>
#include <numbers>

#include <fmt/format.h>

#include "io/report/charts.hpp"
#include "io/report/svg.hpp"

namespace chorale::io::report {
namespace {

constexpr double width = 860, left = 70, right = 24, top = 22, bottom = 52;
constexpr std::size_t n_named = 16, n_avoided = 150, n_points = 3000, n_few = 10;
constexpr double largest_log2 = 8;  // odds ratios of 0 and infinity, and beyond 256, stand at the edge

struct Point {
  std::string name;
  double log2_ratio, minus_log10_p, q;
};

/// A ratio per row of the table, with its p.
struct Effect {
  std::string name, axis;  // for the mouse, below the picture
  std::vector<double> log2_ratio, log10_p, q;
};

/// The effects that the table has, all turned into doublings.
std::vector<Effect> effects_of(const ResultTable& table) {
  std::vector<Effect> effects;
  const auto add = [&](Effect effect) {
    if (!effect.log2_ratio.empty() && !effect.log10_p.empty()) effects.push_back(std::move(effect));
  };
  const auto doublings = [&](const std::string& column) {  // of a natural logarithm
    auto values = numbers(table, column);
    for (double& value : values) value /= std::numbers::ln2;
    return values;
  };
  auto odds_ratio = numbers(table, "odds_ratio");
  for (double& value : odds_ratio) value = std::log2(value);
  const auto log10_p = numbers(table, "log10_p"), q = numbers(table, "q");
  add({"odds ratio", "odds ratio (logarithmic)", odds_ratio, log10_p, q});
  add({"ratio of odds ratios", "ratio of odds ratios, beyond what smaller sets explain (logarithmic)",
       doublings("log_ratio"), log10_p, q});
  if (const std::string whole = set_letters(table); !whole.empty())
    add({"hazard ratio of the interaction",
         "hazard ratio of the interaction (logarithmic); right of 1 is worse",
         doublings("log_hazard_" + whole), numbers(table, "lrt_log10_p"), numbers(table, "lrt_q")});
  return effects;
}

/// Strongest first.
std::vector<Point> points_of(const ResultTable& table, const Effect& effect) {
  const auto names = subjects(table);
  std::vector<Point> points;
  if (names.empty()) return points;
  const auto first = texts(table, "group_a"), second = texts(table, "group_b");
  const bool firsts = in_order(first).size() > 1, seconds = in_order(second).size() > 1;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (std::isnan(effect.log2_ratio[i]) || !std::isfinite(effect.log10_p[i])) continue;
    points.push_back(
        {.name = names[i] + (firsts ? ", " + first[i] : "") + (seconds ? " against " + second[i] : ""),
         .log2_ratio = std::clamp(effect.log2_ratio[i], -largest_log2, largest_log2),
         .minus_log10_p = -effect.log10_p[i],
         .q = effect.q.empty() ? 1 : effect.q[i]});
  }
  std::stable_sort(points.begin(), points.end(),
                   [](const Point& a, const Point& b) { return a.minus_log10_p > b.minus_log10_p; });
  return points;
}

struct Box {
  double left, right, top, bottom;
  bool meets(const Box& other) const {
    return left < other.right && other.left < right && top < other.bottom && other.top < bottom;
  }
};

/// Names of the strongest points, each beside, above or below its point, wherever it covers neither a name nor another
/// of the stronger points; one that finds no such place is left to the mouse.
void write_names(Svg& svg, const std::vector<Point>& points, const Axis& x, const Axis& y) {
  std::vector<Box> taken;
  for (std::size_t i = 0; i < std::min(points.size(), n_avoided); ++i) {
    const double px = x.at(points[i].log2_ratio), py = y.at(points[i].minus_log10_p);
    taken.push_back({px - 4, px + 4, py - 4, py + 4});
  }
  for (std::size_t i = 0; i < std::min(points.size(), n_named); ++i) {
    const std::string name = shortened(points[i].name, 40);
    const double px = x.at(points[i].log2_ratio), py = y.at(points[i].minus_log10_p);
    const double length = 7.5 * static_cast<double>(n_letters(name));
    for (const auto& [dx, dy] :
         {std::pair{7.0, 4.0}, {-7.0, 4.0}, {6.0, -5.0}, {-6.0, -5.0}, {6.0, 14.0}, {-6.0, 14.0}}) {
      const double from = dx > 0 ? px + dx : px + dx - length;
      const Box box{from, from + length, py + dy - 10, py + dy + 2};
      if (box.left < left + 2 || box.right > width || box.top < 2 || box.bottom > y.from ||
          std::any_of(taken.begin(), taken.end(), [&](const Box& other) { return other.meets(box); }))
        continue;
      taken.push_back(box);
      svg.text(px + dx, py + dy, name, dx > 0 ? "small" : "small end");
      break;
    }
  }
}

std::string picture_of(const ResultTable& table, const Effect& effect) {
  const auto points = points_of(table, effect);
  if (points.empty()) return {};
  const double height = points.size() < n_few ? 260 : 440;
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
  svg.text((left + x.to) / 2, height - 8, effect.axis, "label middle");
  svg.text(left, 11, "−log10 p", "label");
  const std::size_t n_drawn = std::min(points.size(), n_points);
  std::size_t n_hits = 0;
  for (std::size_t i = n_drawn; i-- > 0;) {  // the strongest last, so that they lie on top
    const Point& point = points[i];
    const bool hit = point.q < 0.05;
    svg.begin_hint(fmt::format("{}: {} {}, p {}", point.name, effect.name,
                               readable(std::exp2(point.log2_ratio)), readable_p(-point.minus_log10_p)));
    svg.circle(x.at(point.log2_ratio), y.at(point.minus_log10_p), hit ? 4 : 3,
               hit ? "fill s1" : "fill faint");
    svg.end_hint();
  }
  for (const Point& point : points) n_hits += point.q < 0.05 ? 1 : 0;
  write_names(svg, points, x, y);
  std::string caption =
      fmt::format("{}; coloured: {} with q < 0.05.", counted(static_cast<Index>(points.size()), "comparison"),
                  readable_count(static_cast<Index>(n_hits)));
  if (widest == largest_log2) caption += " Ratios beyond 256 stand at the edge.";
  if (n_drawn < points.size())
    caption += fmt::format(" The {} strongest are drawn.", readable_count(static_cast<Index>(n_drawn)));
  return figure(svg.str(), caption);
}

}  // namespace

std::string volcano_chart(const ResultTable& table) {
  std::string pictures;
  for (const Effect& effect : effects_of(table)) pictures += picture_of(table, effect);
  return pictures;
}

}  // namespace chorale::io::report
