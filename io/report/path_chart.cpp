// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "io/report/charts.hpp"
#include "io/report/svg.hpp"

namespace chorale::io::report {
namespace {

constexpr double width = 860, height = 330, left = 72, right = 20, top = 62, bottom = 48, apart = 26;

struct Step {
  double lambda, n_terms, criterion, se;
  bool chosen;
};

/// From the strongest penalty to the weakest.
std::vector<Step> steps_of(const ResultTable& table) {
  const auto lambda = numbers(table, "lambda"), n_terms = numbers(table, "n_terms"),
             criterion = numbers(table, "criterion"), chosen = numbers(table, "chosen"),
             se = numbers(table, "criterion_se");
  std::vector<Step> steps;
  if (lambda.empty() || n_terms.empty() || criterion.empty() || chosen.empty()) return steps;
  for (std::size_t i = 0; i < lambda.size(); ++i)
    if (lambda[i] > 0 && std::isfinite(lambda[i]) && std::isfinite(criterion[i]))
      steps.push_back(
          {lambda[i], n_terms[i], criterion[i], se.empty() || std::isnan(se[i]) ? 0 : se[i], chosen[i] == 1});
  std::stable_sort(steps.begin(), steps.end(),
                   [](const Step& a, const Step& b) { return a.lambda > b.lambda; });
  return steps;
}

}  // namespace

std::string path_chart(const ResultTable& table) {
  const auto steps = steps_of(table);
  if (steps.size() < 2 || !(steps.front().lambda > steps.back().lambda)) return {};
  double low = HUGE_VAL, high = -HUGE_VAL;
  bool errors = false;
  for (const Step& step : steps) {
    low = std::min(low, step.criterion - step.se);
    high = std::max(high, step.criterion + step.se);
    errors |= step.se > 0;
  }
  const double margin = std::max((high - low) * 0.04, 1e-9 * std::max(std::abs(high), 1.0));
  // strong penalties stand at the left, so that the model grows to the right
  const Axis x{.low = steps.back().lambda,
               .high = steps.front().lambda,
               .from = width - right,
               .to = left,
               .logarithmic = true};
  const Axis y{.low = low - margin, .high = high + margin, .from = height - bottom, .to = top};
  Svg svg(width, height, table.caption);
  for (const double tick : y.ticks(5)) {
    svg.line(left, y.at(tick), width - right, y.at(tick), "grid");
    svg.text(left - 8, y.at(tick) + 4, fmt::format("{:.6g}", tick), "tick end");
  }
  for (const double tick : x.ticks(6)) {
    svg.line(x.at(tick), y.from, x.at(tick), y.from + 5, "axis");
    svg.text(x.at(tick), y.from + 19, fmt::format("{:.4g}", tick), "tick middle");
  }
  svg.line(left, y.from, width - right, y.from, "axis");
  svg.text((left + width - right) / 2, height - 8, "penalty λ (logarithmic), from strong to weak",
           "label middle");
  svg.text(left - 20, top - 12, "terms", "tick end");
  const ResultColumn* criterion = table.find("criterion");
  const std::string name = criterion->description.empty() ? "criterion" : criterion->description;
  svg.text(4, 16, name + (errors ? ", with its standard error" : "") + "; lower is better", "label");

  double last = -HUGE_VAL;
  std::string curve;
  for (const Step& step : steps) {
    const double at = x.at(step.lambda);
    curve += fmt::format("{}{} {}", curve.empty() ? "M" : "L", pixel(at), pixel(y.at(step.criterion)));
    if (at - last < apart) continue;
    last = at;
    svg.text(at, top - 12, readable(step.n_terms), "tick middle");
  }
  const auto chosen = std::find_if(steps.begin(), steps.end(), [](const Step& step) { return step.chosen; });
  if (chosen != steps.end()) svg.line(x.at(chosen->lambda), top - 4, x.at(chosen->lambda), y.from, "axis");
  if (!errors) svg.path(curve, "curve s0");
  for (const Step& step : steps) {
    const double at = x.at(step.lambda);
    svg.begin_hint(fmt::format(
        "λ {}: {}, criterion {}{}", readable(step.lambda), counted(std::llround(step.n_terms), "term"),
        fmt::format("{:.6g}", step.criterion), step.se > 0 ? " ± " + readable(step.se) : ""));
    if (step.se > 0)
      svg.line(at, y.at(step.criterion - step.se), at, y.at(step.criterion + step.se), "interval faintline");
    svg.circle(at, y.at(step.criterion), step.chosen ? 5.5 : 3, step.chosen ? "fill s1" : "fill s0");
    svg.end_hint();
  }
  std::string caption = "Above: the number of terms that have a coefficient.";
  if (chosen != steps.end())
    caption += fmt::format(" Marked: the chosen penalty {}, with {}.", readable(chosen->lambda),
                           counted(std::llround(chosen->n_terms), "term"));
  return figure(svg.str(), caption);
}

}  // namespace chorale::io::report
