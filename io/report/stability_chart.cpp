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

constexpr std::size_t n_shown = 30, most_letters = 32;
constexpr double width = 860, top = 30, row_height = 20;

struct Bar {
  std::string term;
  double frequency;
  bool stable;
};

}  // namespace

std::string stability_chart(const ResultTable& table) {
  const auto term = texts(table, "term");
  const auto frequency = numbers(table, "frequency"), stable = numbers(table, "stable"),
             cutoffs = numbers(table, "cutoff");
  if (term.empty() || frequency.empty() || stable.empty()) return {};
  std::vector<Bar> bars;
  for (std::size_t i = 0; i < term.size(); ++i)
    if (frequency[i] > 0) bars.push_back({term[i], frequency[i], stable[i] == 1});
  if (bars.empty()) return {};
  std::stable_sort(bars.begin(), bars.end(),
                   [](const Bar& a, const Bar& b) { return a.frequency > b.frequency; });
  const std::size_t n_bars = bars.size();
  const auto n_stable = std::count_if(bars.begin(), bars.end(), [](const Bar& bar) { return bar.stable; });
  bars.resize(std::min(n_bars, n_shown));

  std::vector<std::string> names;
  for (const Bar& bar : bars) names.push_back(bar.term);
  const double left = name_width(names, most_letters);
  const double bottom = top + row_height * static_cast<double>(bars.size());
  const Axis x{.low = 0, .high = 1, .from = left, .to = width - 60};
  Svg svg(width, bottom + 46, table.caption);
  for (const double tick : {0.0, 0.25, 0.5, 0.75, 1.0}) {
    svg.line(x.at(tick), top, x.at(tick), bottom, "grid");
    svg.text(x.at(tick), bottom + 17, fmt::format("{:.0f} %", 100 * tick), "tick middle");
  }
  svg.text((x.from + x.to) / 2, bottom + 36, "share of half samples that choose the term", "label middle");
  for (std::size_t b = 0; b < bars.size(); ++b) {
    const Bar& bar = bars[b];
    const double y = top + row_height * static_cast<double>(b) + 4;
    svg.text(left - 8, y + 11, shortened(bar.term, most_letters), "name end");
    svg.rect(left, y, x.at(std::min(bar.frequency, 1.0)) - left, row_height - 6,
             bar.stable ? "fill s0" : "fill faint");
    svg.text(width - 4, y + 11, fmt::format("{:.0f} %", 100 * bar.frequency), "small end");
  }
  if (!cutoffs.empty() && std::isfinite(cutoffs.front())) {
    const double at = x.at(cutoffs.front());
    svg.line(at, top - 6, at, bottom, "whisker");
    svg.text(at, top - 10, fmt::format("stable from {:.0f} %", 100 * cutoffs.front()), "tick middle");
  }
  std::string caption =
      fmt::format("Stable: {} of {}.", n_stable, counted(static_cast<Index>(term.size()), "term"));
  caption += n_bars > bars.size()
                 ? fmt::format(" The {} most frequent of {} that were ever chosen.", bars.size(), n_bars)
                 : fmt::format(" Ever chosen: {}.", n_bars);
  return figure(svg.str(), caption);
}

}  // namespace chorale::io::report
