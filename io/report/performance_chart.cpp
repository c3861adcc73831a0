// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "io/report/charts.hpp"
#include "io/report/marks.hpp"
#include "io/report/measures.hpp"
#include "io/report/svg.hpp"

namespace chorale::io::report {
namespace {

constexpr double width = 860, top = 40, row_height = 30, heading = 26, axis_room = 38, left = 250,
                 first_column = width - 204, second_column = width - 132;

struct Row {
  std::string name;
  double apparent;
  Mark corrected;
};

struct Panel {
  Scale scale;
  std::vector<Row> rows;

  const char* title() const {
    switch (scale) {
      case Scale::concordance:
        return "Telling patients apart: 0.5 is chance, 1 is perfect";
      case Scale::brier:
        return "Error of predicted survival: 0 is perfect; 0.25 is what always saying 50 % gets";
      case Scale::slope:
        return "Slope: 1 is right; below 1, predictions are too extreme";
    }
    return "";
  }
  double reference() const { return scale == Scale::concordance ? 0.5 : scale == Scale::brier ? 0.25 : 1; }
  /// Where the measures of this scale usually lie, wider when one does not.
  Axis axis() const {
    double low = scale == Scale::concordance ? 0.5 : scale == Scale::brier ? 0 : 0.8;
    double high = scale == Scale::concordance ? 1 : scale == Scale::brier ? 0.26 : 1.2;
    for (const Row& row : rows) {
      for (const double value :
           {row.apparent, row.corrected.value, row.corrected.lower, row.corrected.upper}) {
        if (!std::isfinite(value)) continue;
        low = std::min(low, std::max(std::floor(value * 20) / 20, scale == Scale::slope ? -1.0 : 0.0));
        high = std::max(high, std::min(std::ceil(value * 20) / 20, scale == Scale::slope ? 3.0 : 1.0));
      }
    }
    return {.low = low, .high = high, .from = left, .to = first_column - 18};
  }
  double height() const { return heading + row_height * static_cast<double>(rows.size()) + axis_room; }
};

std::vector<Panel> panels_of(const ResultTable& table) {
  const auto measure = texts(table, "measure");
  const auto apparent = numbers(table, "apparent"), corrected = numbers(table, "corrected");
  std::vector<Panel> panels{{Scale::concordance, {}}, {Scale::brier, {}}, {Scale::slope, {}}};
  if (measure.empty() || apparent.empty() || corrected.empty()) return {};
  const std::vector<double> none(measure.size(), std::nan(""));
  auto horizon = numbers(table, "horizon"), lower = numbers(table, "lower"), upper = numbers(table, "upper");
  if (horizon.empty()) horizon = none;
  if (lower.empty() || upper.empty()) lower = upper = none;
  for (std::size_t i = 0; i < measure.size(); ++i) {
    if (std::isnan(apparent[i]) && std::isnan(corrected[i])) continue;
    const Scale scale = scale_of(measure[i]);
    for (Panel& panel : panels)
      if (panel.scale == scale)
        panel.rows.push_back(
            {measure_words(measure[i], horizon[i]), apparent[i], {corrected[i], lower[i], upper[i]}});
  }
  std::erase_if(panels, [](const Panel& panel) { return panel.rows.empty(); });
  return panels;
}

void draw(Svg& svg, const Panel& panel, double at) {
  const Axis x = panel.axis();
  const double from = at + heading, bottom = at + panel.height() - axis_room;
  svg.text(4, at + 14, panel.title(), "label");
  for (const double tick : x.ticks(6)) {
    svg.line(x.at(tick), from, x.at(tick), bottom, "grid");
    svg.text(x.at(tick), bottom + 17, fmt::format("{:.3g}", tick), "tick middle");
  }
  if (panel.reference() <= x.high)
    svg.line(x.at(panel.reference()), from, x.at(panel.reference()), bottom, "axis");
  for (std::size_t r = 0; r < panel.rows.size(); ++r) {
    const Row& row = panel.rows[r];
    const double y = from + row_height * (static_cast<double>(r) + 0.5);
    const Mark apparent{.value = row.apparent};
    svg.begin_hint(row.name + (apparent.has_value() ? ": apparent " + share_words(apparent) : ":") +
                   (row.corrected.has_value() ? ", corrected " + share_words(row.corrected) : ""));
    draw_mark(svg, x, apparent, y - 5, 0);
    draw_mark(svg, x, row.corrected, y + 6, 1);
    svg.end_hint();
    svg.text(left - 12, y + 4, row.name, "name end");
    svg.text(first_column, y + 4, share_words(apparent), "small");
    svg.text(second_column, y + 4, share_words(row.corrected), "small");
  }
}

}  // namespace

std::string performance_chart(const ResultTable& table) {
  const auto panels = panels_of(table);
  if (panels.empty()) return {};
  double height = top;
  bool corrected = false;
  for (const Panel& panel : panels) {
    height += panel.height();
    for (const Row& row : panel.rows) corrected |= row.corrected.has_value();
  }
  Svg svg(width, height, table.caption);
  std::vector<LegendEntry> legend{{0, "apparent: on the model's own patients"}};
  if (corrected) legend.push_back({1, "corrected: expected on others"});
  draw_legend(svg, legend, 20);
  svg.text(first_column, 20, "apparent", "tick");
  if (corrected) svg.text(second_column, 20, "corrected (interval)", "tick");
  double at = top;
  for (const Panel& panel : panels) {
    draw(svg, panel, at);
    at += panel.height();
  }
  return figure(
      svg.str(),
      corrected ? "A model looks better on the patients that it was made from. The corrected measure has "
                  "that optimism taken off, by the bootstrap; lines are bootstrap intervals."
                : "A model looks better on the patients that it was made from; without replicates nothing "
                  "says by how much.");
}

}  // namespace chorale::io::report
