// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string_view>
#include <unordered_map>

#include <fmt/format.h>

#include "io/report/charts.hpp"
#include "io/report/svg.hpp"

namespace chorale::io::report {
namespace {

constexpr std::size_t n_shown = 20, n_bars = 3;  // more groups than n_bars are drawn as a grid of numbers
constexpr double width = 860, row_height = 26, top = 34, letter = 8.1;

struct Bar {
  double frequency = 0, lower = 0, upper = 0;
  std::string hint;
};

struct Chart {
  std::vector<std::string> features;  // those shown, most frequent first
  std::vector<std::string> groups;
  std::map<std::pair<std::string, std::string>, Bar> bars;  // of those shown, by feature and group
  std::size_t n_features = 0, n_groups = 0;                 // before the longest tails were left off
};

/// Each feature's frequency in the group in which it is most frequent.
std::unordered_map<std::string_view, double> highest_frequencies(const std::vector<std::string>& feature,
                                                                 const std::vector<double>& frequency) {
  std::unordered_map<std::string_view, double> highest;
  for (std::size_t i = 0; i < feature.size(); ++i) {
    if (std::isnan(frequency[i])) continue;
    double& value = highest.try_emplace(feature[i], frequency[i]).first->second;
    value = std::max(value, frequency[i]);
  }
  return highest;
}

/// Those shown; of equals the first by name.
std::vector<std::string> most_frequent(const std::unordered_map<std::string_view, double>& highest) {
  std::vector<std::pair<double, std::string_view>> ranked;
  for (const auto& [name, value] : highest) ranked.emplace_back(-value, name);
  const std::size_t n = std::min(n_shown, ranked.size());
  std::partial_sort(ranked.begin(), ranked.begin() + static_cast<std::ptrdiff_t>(n), ranked.end());
  std::vector<std::string> most;
  for (std::size_t i = 0; i < n; ++i) most.emplace_back(ranked[i].second);
  return most;
}

Chart chart_of(const ResultTable& table) {
  Chart chart;
  const auto feature = texts(table, "feature");
  const auto frequency = numbers(table, "frequency");
  if (feature.empty() || frequency.empty()) return chart;
  auto group = texts(table, "group");
  group.resize(feature.size());
  const auto lower = numbers(table, "freq_lower"), upper = numbers(table, "freq_upper");
  const auto carriers = numbers(table, "carriers"), tested = numbers(table, "tested");

  const auto highest = highest_frequencies(feature, frequency);
  chart.features = most_frequent(highest);
  chart.n_features = highest.size();
  const std::set<std::string> shown(chart.features.begin(), chart.features.end());
  for (std::size_t i = 0; i < feature.size(); ++i) {
    if (std::isnan(frequency[i]) || !shown.contains(feature[i])) continue;
    Bar bar{.frequency = frequency[i], .lower = frequency[i], .upper = frequency[i], .hint = {}};
    if (!lower.empty() && !upper.empty()) bar.lower = lower[i], bar.upper = upper[i];
    bar.hint = fmt::format("{}{}{}: {:.1f} %", feature[i], group[i].empty() ? "" : ", ", group[i],
                           100 * frequency[i]);
    if (!carriers.empty() && !tested.empty())
      bar.hint += fmt::format(" ({} of {} tested)", readable(carriers[i]), readable(tested[i]));
    chart.bars.insert_or_assign({feature[i], group[i]}, bar);
  }
  chart.groups = in_order(group);
  chart.n_groups = chart.groups.size();
  chart.groups.resize(std::min(chart.groups.size(), n_looks));
  return chart;
}

void draw_bar(Svg& svg, const Axis& x, const Bar& bar, double middle, double thickness, std::size_t look) {
  svg.begin_hint(bar.hint);
  svg.rect(x.from, middle - thickness / 2, x.at(bar.frequency) - x.from, thickness,
           fmt::format("fill s{}", look));
  if (bar.upper > bar.lower) svg.line(x.at(bar.lower), middle, x.at(bar.upper), middle, "whisker");
  svg.end_hint();
}

double name_width(const Chart& chart) {
  std::size_t longest = 0;
  for (const auto& name : chart.features)
    longest = std::max(longest, std::min<std::size_t>(n_letters(name), 28));
  return 14 + letter * static_cast<double>(longest);
}

/// A few groups: a bar each, side by side.
std::string draw_bars(const Chart& chart, const std::string& title) {
  double highest = 0;
  for (const auto& [key, bar] : chart.bars)
    if (std::isfinite(bar.upper)) highest = std::max({highest, bar.frequency, bar.upper});
  const auto n_groups = static_cast<double>(chart.groups.size());
  const double rows = std::max(row_height, 10 * n_groups + 8);
  const double height = top + rows * static_cast<double>(chart.features.size()) + 46;
  const double left = name_width(chart);
  const Axis x{.low = 0, .high = std::max(highest, 1e-6), .from = left, .to = width - 60};
  Svg svg(width, height, title);
  for (const double tick : x.ticks(6)) {
    svg.line(x.at(tick), top, x.at(tick), height - 42, "grid");
    svg.text(x.at(tick), height - 26, fmt::format("{:.4g}", 100 * tick), "tick middle");
  }
  svg.text((x.from + x.to) / 2, height - 6, "patients with the feature, % of those tested", "label middle");
  double legend = left;
  for (std::size_t g = 0; g < chart.groups.size() && chart.n_groups > 1; ++g) {
    svg.rect(legend, 8, 12, 12, fmt::format("fill s{}", g));
    svg.text(legend + 17, 18, shortened(chart.groups[g], 18), "tick");
    legend += 40 + letter * static_cast<double>(std::min<std::size_t>(n_letters(chart.groups[g]), 18));
  }
  for (std::size_t f = 0; f < chart.features.size(); ++f) {
    const double middle = top + rows * (static_cast<double>(f) + 0.5);
    svg.text(left - 8, middle + 4, shortened(chart.features[f], 28), "name end");
    for (std::size_t g = 0; g < chart.groups.size(); ++g) {
      const auto at = chart.bars.find({chart.features[f], chart.groups[g]});
      if (at == chart.bars.end()) continue;
      const double thickness = (rows - 8) / n_groups;
      const double offset = (static_cast<double>(g) + 0.5 - n_groups / 2) * thickness;
      draw_bar(svg, x, at->second, middle + offset, std::max(thickness - 1, 3.0), g);
    }
  }
  return svg.str();
}

/// Many groups: a column each, the percentage in a cell that is the darker the higher it is.
std::string draw_grid(const Chart& chart, const std::string& title) {
  double highest = 1e-6;
  for (const auto& [key, bar] : chart.bars) highest = std::max(highest, bar.frequency);
  const double left = name_width(chart),
               cell = std::min(92.0, (width - left) / static_cast<double>(chart.groups.size()));
  const double height = top + row_height * static_cast<double>(chart.features.size()) + 4;
  Svg svg(width, height, title);
  const auto letters = static_cast<std::size_t>(cell / letter);
  for (std::size_t g = 0; g < chart.groups.size(); ++g) {
    const double middle = left + cell * (static_cast<double>(g) + 0.5);
    svg.text(middle, top - 10, shortened(chart.groups[g], letters), "tick middle");
    for (std::size_t f = 0; f < chart.features.size(); ++f) {
      const auto at = chart.bars.find({chart.features[f], chart.groups[g]});
      if (at == chart.bars.end()) continue;
      const double y = top + row_height * static_cast<double>(f);
      const double share = at->second.frequency / highest;
      svg.begin_hint(at->second.hint);
      // nine steps of shade; the number says the rest
      svg.rect(middle - cell / 2 + 1, y + 1, cell - 2, row_height - 2,
               fmt::format("shade h{:.0f}", std::ceil(share * 9)));
      svg.text(middle, y + 17, fmt::format("{:.1f}", 100 * at->second.frequency),
               share > 0.6 ? "cell strong middle" : "cell middle");
      svg.end_hint();
    }
  }
  for (std::size_t f = 0; f < chart.features.size(); ++f)
    svg.text(left - 8, top + row_height * static_cast<double>(f) + 17, shortened(chart.features[f], 28),
             "name end");
  return svg.str();
}

}  // namespace

std::string frequency_chart(const ResultTable& table) {
  const Chart chart = chart_of(table);
  if (chart.features.empty()) return {};
  const bool bars = chart.groups.size() <= n_bars;
  std::string caption =
      fmt::format("The {} most frequent of {} features, in % of those tested", chart.features.size(),
                  readable_count(static_cast<Index>(chart.n_features)));
  if (chart.n_groups > 1) caption += ", ordered by the group in which each is most frequent";
  caption += bars ? "; lines are 95 % intervals." : ".";
  if (chart.n_groups > chart.groups.size())
    caption += fmt::format(" The first {} of {} groups.", chart.groups.size(), chart.n_groups);
  return figure(bars ? draw_bars(chart, table.caption) : draw_grid(chart, table.caption), caption);
}

}  // namespace chorale::io::report
