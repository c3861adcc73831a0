// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "io/report/charts.hpp"
#include "io/report/svg.hpp"

namespace chorale::io::report {
namespace {

constexpr std::size_t n_across = 3;
constexpr double width = 860, panel_width = width / n_across, panel_height = 218, left = 56, right = 14,
                 top = 44, bottom = 40;

struct Bar {
  double lower, upper, n, expected;
};

struct Panel {
  std::string test;
  std::vector<Bar> bars;
  double n_values() const {
    double n = 0;
    for (const Bar& bar : bars) n += bar.n;
    return n;
  }
};

std::vector<Panel> panels_of(const ResultTable& table) {
  std::vector<Panel> panels;
  const auto test = texts(table, "test");
  const auto lower = numbers(table, "p_lower"), upper = numbers(table, "p_upper"), n = numbers(table, "n"),
             expected = numbers(table, "expected");
  if (test.empty() || lower.empty() || upper.empty() || n.empty() || expected.empty()) return panels;
  for (const auto& name : in_order(test)) panels.push_back({.test = name, .bars = {}});
  for (std::size_t i = 0; i < test.size(); ++i) {
    if (!std::isfinite(lower[i]) || !std::isfinite(upper[i]) || !std::isfinite(n[i]) ||
        !std::isfinite(expected[i]))
      continue;
    std::find_if(panels.begin(), panels.end(), [&](const Panel& p) {
      return p.test == test[i];
    })->bars.push_back({lower[i], upper[i], n[i], expected[i]});
  }
  std::erase_if(panels, [](const Panel& panel) { return panel.n_values() == 0; });
  return panels;
}

void draw(Svg& svg, const Panel& panel, double at_x, double at_y) {
  double highest = 0;
  for (const Bar& bar : panel.bars) highest = std::max({highest, bar.n, bar.expected});
  const Axis x{.low = 0, .high = 1, .from = at_x + left, .to = at_x + panel_width - right};
  const Axis y{.low = 0, .high = highest * 1.05, .from = at_y + panel_height - bottom, .to = at_y + top};
  svg.text(x.from, at_y + 16, shortened(panel.test, 28), "label");
  svg.text(x.from, at_y + 32, counted(std::llround(panel.n_values()), "p-value"), "tick");
  for (const double tick : y.ticks(4)) {
    svg.line(x.from, y.at(tick), x.to, y.at(tick), "grid");
    svg.text(x.from - 6, y.at(tick) + 4, tick < 1e6 ? readable(tick) : fmt::format("{:.2g}", tick),
             "tick end");
  }
  for (const Bar& bar : panel.bars) {
    svg.begin_hint(fmt::format("{}, p from {} to {}: {}, expected {}", panel.test, readable(bar.lower),
                               readable(bar.upper), readable_count(std::llround(bar.n)),
                               readable(bar.expected)));
    svg.rect(x.at(bar.lower) + 0.5, y.at(bar.n), std::max(x.at(bar.upper) - x.at(bar.lower) - 1, 0.5),
             y.from - y.at(bar.n), "fill s0");
    svg.end_hint();
  }
  for (const Bar& bar : panel.bars)
    svg.line(x.at(bar.lower), y.at(bar.expected), x.at(bar.upper), y.at(bar.expected), "whisker");
  svg.line(x.from, y.from, x.to, y.from, "axis");
  for (const double tick : {0.0, 0.5, 1.0})
    svg.text(x.at(tick), y.from + 17, fmt::format("{}{:.4g}", tick == 0 ? "p = " : "", tick), "tick middle");
}

}  // namespace

std::string p_value_chart(const ResultTable& table) {
  const auto panels = panels_of(table);
  if (panels.empty()) return {};
  const std::size_t n_down = (panels.size() + n_across - 1) / n_across;
  Svg svg(width, panel_height * static_cast<double>(n_down), table.caption);
  for (std::size_t i = 0; i < panels.size(); ++i)
    draw(svg, panels[i], panel_width * static_cast<double>(i % n_across),
         panel_height * static_cast<double>(i / n_across));
  return figure(svg.str(),
                "p-values by size; the line is where they would lie if nothing were going on. A heap at the "
                "left is signal, or inflation; a heap at the right comes from tests of small counts.");
}

}  // namespace chorale::io::report
