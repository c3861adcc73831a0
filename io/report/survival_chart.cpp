// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "io/report/charts.hpp"
#include "io/report/svg.hpp"

namespace chorale::io::report {
namespace {

constexpr double width = 860, plot_height = 360, top = 16, letter = 8.1;

struct Step {
  double time, at_risk, survival, lower, upper;
};
struct Curve {
  std::string group;
  std::vector<Step> steps;
};

/// Groups that are numbers, such as those of risk, say what they are.
std::string named(const std::string& group) {
  const bool number = !group.empty() && group.find_first_not_of("0123456789") == std::string::npos;
  return number ? "group " + group : group;
}

std::vector<Curve> curves_of(const ResultTable& table) {
  const auto group = texts(table, "group");
  const auto time = numbers(table, "time"), at_risk = numbers(table, "at_risk");
  const auto survival = numbers(table, "survival");
  // a curve says what happened at each time; survival at a few landmarks does not, and stays a table
  if (table.find("events") == nullptr || table.find("feature") != nullptr) return {};
  if (group.empty() || time.empty() || at_risk.empty() || survival.empty()) return {};
  const auto lower = numbers(table, "lower"), upper = numbers(table, "upper");
  std::vector<Curve> curves;
  for (std::size_t i = 0; i < group.size(); ++i) {
    auto at = std::find_if(curves.begin(), curves.end(),
                           [&](const Curve& c) { return c.group == named(group[i]); });
    if (at == curves.end()) at = curves.insert(at, {.group = named(group[i]), .steps = {}});
    const bool band = !lower.empty() && !upper.empty() && !std::isnan(lower[i]) && !std::isnan(upper[i]);
    if (!std::isnan(time[i]) && !std::isnan(survival[i]))
      at->steps.push_back(
          {time[i], at_risk[i], survival[i], band ? lower[i] : survival[i], band ? upper[i] : survival[i]});
  }
  for (Curve& curve : curves)
    std::stable_sort(curve.steps.begin(), curve.steps.end(),
                     [](const Step& a, const Step& b) { return a.time < b.time; });
  return curves;
}

struct Corner {
  double x, y;
};

/// Corners of a right-continuous step function from time 0; steps that a screen cannot show are joined.
std::vector<Corner> corners(const std::vector<Step>& steps, double Step::*value, const Axis& x,
                            const Axis& y) {
  std::vector<Corner> all{{x.at(0), y.at(1)}};
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const Corner next{x.at(steps[i].time), y.at(steps[i].*value)};
    const Corner drawn = all.back();
    const bool last = i + 1 == steps.size();
    if (!last && next.x - drawn.x < 0.4 && std::abs(next.y - drawn.y) < 0.4) continue;
    all.push_back({next.x, drawn.y});
    all.push_back(next);
  }
  return all;
}

/// Steps go along one axis at a time, so a corner needs but the coordinate that changes.
std::string path_through(const std::vector<Corner>& points) {
  std::string d, x, y;
  for (const Corner& point : points) {
    const std::string to_x = pixel(point.x), to_y = pixel(point.y);
    if (d.empty())
      d = "M" + to_x + " " + to_y;
    else if (to_x != x && to_y != y)
      d += "L" + to_x + " " + to_y;
    else if (to_x != x)
      d += "H" + to_x;
    else if (to_y != y)
      d += "V" + to_y;
    x = to_x, y = to_y;
  }
  return d;
}

/// Patients under observation at a time: those at risk at the next listed one, none after the last.
double at_risk(const Curve& curve, double time) {
  const auto next =
      std::find_if(curve.steps.begin(), curve.steps.end(), [&](const Step& s) { return s.time >= time; });
  return next == curve.steps.end() ? 0 : next->at_risk;
}

struct Scale {
  const char* name;
  double days;
};

}  // namespace

std::string survival_chart(const ResultTable& table) {
  std::vector<Curve> curves = curves_of(table);
  const std::size_t n_groups = curves.size();
  curves.resize(std::min(curves.size(), n_looks));
  double last = 0;
  std::size_t longest = 7;  // "at risk"
  for (const Curve& curve : curves) {
    if (!curve.steps.empty()) last = std::max(last, curve.steps.back().time);
    longest = std::max(longest, std::min<std::size_t>(n_letters(curve.group), 20));
  }
  if (!(last > 0)) return {};

  const Scale unit = last > 3 * 365.25 ? Scale{"years", 365.25}
                     : last > 90       ? Scale{"months", 30.4375}
                                       : Scale{"days", 1};
  const double left = 72 + letter * static_cast<double>(longest);
  const double height = top + plot_height + 66 + 18 * static_cast<double>(curves.size());
  const double bottom = top + plot_height;
  const Axis x{.low = 0, .high = last, .from = left, .to = width - 24};
  const Axis in_units{.low = 0, .high = last / unit.days, .from = left, .to = width - 24};
  const Axis y{.low = 0, .high = 1, .from = bottom, .to = top};
  Svg svg(width, height, table.caption);
  for (const double tick : {0.0, 0.25, 0.5, 0.75, 1.0}) {
    svg.line(left, y.at(tick), x.to, y.at(tick), "grid");
    svg.text(left - 8, y.at(tick) + 4, fmt::format("{:.0f} %", 100 * tick), "tick end");
  }
  const auto ticks = in_units.ticks(8);
  for (const double tick : ticks) {
    svg.line(in_units.at(tick), bottom, in_units.at(tick), bottom + 5, "axis");
    svg.text(in_units.at(tick), bottom + 19, fmt::format("{:.4g}", tick), "tick middle");
  }
  svg.line(left, bottom, x.to, bottom, "axis");
  svg.text((left + x.to) / 2, bottom + 36, unit.name, "label middle");
  svg.text(left - 34, bottom + 54, "at risk", "tick end");
  for (std::size_t g = 0; g < curves.size(); ++g) {
    const Curve& curve = curves[g];
    svg.begin_hint(curve.group);
    auto band = corners(curve.steps, &Step::upper, x, y);
    const auto lower = corners(curve.steps, &Step::lower, x, y);
    band.insert(band.end(), lower.rbegin(), lower.rend());
    svg.path(path_through(band), fmt::format("band s{}", g));
    svg.path(path_through(corners(curve.steps, &Step::survival, x, y)), fmt::format("curve s{}", g));
    svg.end_hint();
    const double row = bottom + 72 + 18 * static_cast<double>(g);
    svg.line(2, row - 4, 26, row - 4, fmt::format("curve s{}", g));
    svg.text(left - 34, row, shortened(curve.group, 20), "name end");
    for (const double tick : ticks)
      svg.text(in_units.at(tick), row, readable(at_risk(curve, tick * unit.days)), "tick middle");
  }
  std::string caption =
      "Share of patients without the event (Kaplan-Meier), with 95 % bands where the table has them.";
  if (n_groups > curves.size())
    caption += fmt::format(" The first {} of {} groups.", curves.size(), n_groups);
  return figure(svg.str(), caption);
}

}  // namespace chorale::io::report
