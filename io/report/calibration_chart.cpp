// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "io/report/charts.hpp"
#include "io/report/marks.hpp"
#include "io/report/svg.hpp"

namespace chorale::io::report {
namespace {

constexpr std::size_t n_across = 3, most_panels = 6;
constexpr double width = 860, left = 52, right = 12, top = 64, bottom = 48, panel_width = width / n_across,
                 side = panel_width - left - right, panel_height = top - 34 + side + bottom;

struct Point {
  double n, predicted, observed, lower, upper, corrected;
};

struct Panel {
  double horizon;
  std::vector<Point> points;  ///< by prediction
};

std::vector<Panel> panels_of(const ResultTable& table) {
  const auto horizon = numbers(table, "horizon"), predicted = numbers(table, "predicted"),
             observed = numbers(table, "observed");
  // beside a level or a measure these numbers are about something else
  if (horizon.empty() || predicted.empty() || observed.empty() || table.find("measure") != nullptr) return {};
  const auto n = numbers(table, "n"), lower = numbers(table, "lower"), upper = numbers(table, "upper"),
             corrected = numbers(table, "corrected");
  const auto at = [](const std::vector<double>& values, std::size_t i) {
    return values.empty() ? std::nan("") : values[i];
  };
  std::vector<Panel> panels;
  for (std::size_t i = 0; i < horizon.size(); ++i) {
    if (std::isnan(predicted[i]) || std::isnan(observed[i])) continue;
    auto of =
        std::find_if(panels.begin(), panels.end(), [&](const Panel& p) { return p.horizon == horizon[i]; });
    if (of == panels.end()) of = panels.insert(of, {.horizon = horizon[i], .points = {}});
    of->points.push_back({at(n, i), predicted[i], observed[i], at(lower, i), at(upper, i), at(corrected, i)});
  }
  for (Panel& panel : panels)
    std::stable_sort(panel.points.begin(), panel.points.end(),
                     [](const Point& a, const Point& b) { return a.predicted < b.predicted; });
  return panels;
}

std::string hint_of(const Point& point) {
  std::string words =
      fmt::format("predicted {:.1f} %, observed {:.1f} %", 100 * point.predicted, 100 * point.observed);
  if (!std::isnan(point.lower) && !std::isnan(point.upper))
    words += fmt::format(" ({:.1f}–{:.1f})", 100 * point.lower, 100 * point.upper);
  if (!std::isnan(point.corrected)) words += fmt::format(", corrected {:.1f} %", 100 * point.corrected);
  if (!std::isnan(point.n)) words += "; " + counted(std::llround(point.n), "patient");
  return words;
}

void draw(Svg& svg, const Panel& panel, double at_x, double at_y) {
  const Axis x{.low = 0, .high = 1, .from = at_x + left, .to = at_x + left + side};
  const Axis y{.low = 0, .high = 1, .from = at_y + top - 34 + side, .to = at_y + top - 34};
  svg.text((x.from + x.to) / 2, y.to - 10, "at " + readable_time(panel.horizon), "label middle");
  for (const double tick : {0.0, 0.25, 0.5, 0.75, 1.0}) {
    svg.line(x.from, y.at(tick), x.to, y.at(tick), "grid");
    svg.line(x.at(tick), y.from, x.at(tick), y.to, "grid");
    svg.text(x.from - 6, y.at(tick) + 4, fmt::format("{:.0f} %", 100 * tick), "tick end");
    if (tick != 0.25 && tick != 0.75)
      svg.text(x.at(tick), y.from + 17, fmt::format("{:.0f} %", 100 * tick),
               tick == 1 ? "tick end" : "tick middle");
  }
  svg.line(x.from, y.from, x.to, y.to, "axis");
  svg.text((x.from + x.to) / 2, y.from + 36, "predicted survival", "tick middle");
  const auto inside = [](double share) { return std::clamp(share, 0.0, 1.0); };
  std::string curve;
  for (const Point& point : panel.points)
    if (!std::isnan(point.corrected))
      curve += fmt::format("{}{} {}", curve.empty() ? "M" : "L", pixel(x.at(inside(point.predicted))),
                           pixel(y.at(inside(point.corrected))));
  if (!curve.empty()) svg.path(curve, "curve thin s1");
  for (const Point& point : panel.points) {
    const double px = x.at(inside(point.predicted));
    svg.begin_hint(hint_of(point));
    if (!std::isnan(point.lower) && !std::isnan(point.upper))
      svg.line(px, y.at(inside(point.lower)), px, y.at(inside(point.upper)), "interval s0");
    draw_shape(svg, px, y.at(inside(point.observed)), 0);
    if (!std::isnan(point.corrected)) svg.circle(px, y.at(inside(point.corrected)), 3, "fill s1");
    svg.end_hint();
  }
}

}  // namespace

std::string calibration_chart(const ResultTable& table) {
  auto panels = panels_of(table);
  if (panels.empty()) return {};
  const std::size_t n_panels = panels.size();
  panels.resize(std::min(panels.size(), most_panels));
  const std::size_t n_down = (panels.size() + n_across - 1) / n_across;
  bool corrected = false;
  for (const Panel& panel : panels)
    for (const Point& point : panel.points) corrected |= !std::isnan(point.corrected);
  Svg svg(width, 34 + panel_height * static_cast<double>(n_down), table.caption);
  std::vector<LegendEntry> legend{{0, "observed (Kaplan-Meier), with its interval"}};
  if (corrected) legend.push_back({1, "the same less optimism: expected on others"});
  draw_legend(svg, legend, 18);
  for (std::size_t i = 0; i < panels.size(); ++i)
    draw(svg, panels[i], panel_width * static_cast<double>(i % n_across),
         34 + panel_height * static_cast<double>(i / n_across));
  std::string caption =
      "Observed survival (upwards) of patients grouped by predicted survival. On the diagonal both agree; "
      "below it patients live shorter than predicted.";
  if (n_panels > panels.size())
    caption += fmt::format(" The first {} of {} horizons.", panels.size(), n_panels);
  return figure(svg.str(), caption);
}

}  // namespace chorale::io::report
