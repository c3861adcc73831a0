// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "io/report/charts.hpp"
#include "io/report/marks.hpp"
#include "io/report/svg.hpp"

namespace chorale::io::report {
namespace {

constexpr std::size_t n_shown = 20;
constexpr double width = 860, top = 40, z95 = 1.959963984540054;
constexpr const char* interaction = "interaction";

/// One estimate per row of the table: log hazard ratio and its standard error.
struct Estimate {
  std::string name;  // "crude", "adjusted"
  std::vector<double> log_hazard, se, log10_p;

  bool has(std::size_t row) const {
    return std::isfinite(log_hazard[row]) && std::isfinite(se[row]) && se[row] > 0;
  }
  Mark mark(std::size_t row) const {
    return {.value = std::exp(log_hazard[row]),
            .lower = std::exp(log_hazard[row] - z95 * se[row]),
            .upper = std::exp(log_hazard[row] + z95 * se[row])};
  }
};

std::vector<Estimate> estimates_of(const ResultTable& table) {
  struct Names {
    std::string name, log_hazard, se, log10_p;
  };
  const std::string whole = set_letters(table);
  const Names known[] = {{"crude", "log_hazard", "se", "log10_p"},
                         {"adjusted", "adj_log_hazard", "adj_se", "adj_log10_p"},
                         {interaction, "log_hazard_" + whole, "se_" + whole, "lrt_log10_p"}};
  std::vector<Estimate> found;
  for (const Names& names : known) {
    Estimate e{names.name, numbers(table, names.log_hazard), numbers(table, names.se),
               numbers(table, names.log10_p)};
    if (e.log_hazard.empty() || e.se.empty()) continue;
    if (e.log10_p.empty())  // rank by the Wald statistic instead
      for (std::size_t i = 0; i < e.se.size(); ++i) e.log10_p.push_back(-std::abs(e.log_hazard[i] / e.se[i]));
    const bool any = std::any_of(e.se.begin(), e.se.end(), [](double se) { return std::isfinite(se); });
    if (any) found.push_back(std::move(e));
  }
  return found;
}

/// Rows with an estimate, strongest first by the last estimate (adjusted before crude).
std::vector<std::size_t> strongest(const std::vector<Estimate>& estimates) {
  const Estimate& leading = estimates.back();
  std::vector<std::size_t> rows(leading.se.size());
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  std::erase_if(rows, [&](std::size_t row) { return !leading.has(row) || std::isnan(leading.log10_p[row]); });
  std::stable_sort(rows.begin(), rows.end(),
                   [&](std::size_t a, std::size_t b) { return leading.log10_p[a] < leading.log10_p[b]; });
  return rows;
}

std::vector<Mark> marks_of(const std::vector<Estimate>& estimates, const std::vector<std::size_t>& rows) {
  std::vector<Mark> marks;
  for (const Estimate& e : estimates)
    for (const std::size_t row : rows)
      if (e.has(row)) marks.push_back(e.mark(row));
  return marks;
}

}  // namespace

std::string forest_chart(const ResultTable& table) {
  auto labels = subjects(table);
  const auto estimates = estimates_of(table);
  if (labels.empty() || estimates.empty() || table.find("boot_lower") != nullptr) return {};
  const auto group = texts(table, "group");
  if (in_order(group).size() > 1)
    for (std::size_t i = 0; i < labels.size(); ++i) labels[i] += ", " + group[i];
  auto rows = strongest(estimates);
  const std::size_t n_estimated = rows.size();
  if (rows.empty()) return {};
  rows.resize(std::min(rows.size(), n_shown));

  std::vector<std::string> shown;
  for (const std::size_t row : rows) shown.push_back(labels[row]);
  const double row_height = 14 + 12 * static_cast<double>(estimates.size());
  const double bottom = top + row_height * static_cast<double>(rows.size());
  const double left = name_width(shown, 32), text_at = width - 214;
  const Axis x = ratio_axis(marks_of(estimates, rows), left, text_at - 18);
  Svg svg(width, bottom + 46, table.caption);
  for (const double tick : x.ticks(6)) {
    svg.line(x.at(tick), top, x.at(tick), bottom, "grid");
    svg.text(x.at(tick), bottom + 17, fmt::format("{:.4g}", tick), "tick middle");
  }
  svg.line(x.at(1), top, x.at(1), bottom, "axis");
  svg.text((x.from + x.to) / 2, bottom + 36,
           estimates.back().name == interaction
               ? "all together over the product of the parts; right of 1 is worse"
               : "hazard ratio (logarithmic); right of 1 is worse",
           "label middle");
  svg.text(text_at, 26, "ratio (95 % interval)", "tick");
  svg.text(width - 4, 26, "p", "tick end");
  for (std::size_t e = 0; e < estimates.size(); ++e) {
    const double at = left + 130 * static_cast<double>(e);
    draw_shape(svg, at + 4, 21, e);
    svg.text(at + 15, 26, estimates[e].name, "tick");
  }
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const std::size_t row = rows[r];
    const double first = top + row_height * static_cast<double>(r) + 14;
    svg.text(left - 10, first + 4 + 6 * static_cast<double>(estimates.size() - 1), shortened(labels[row], 32),
             "name end");
    for (std::size_t e = 0; e < estimates.size(); ++e) {
      if (!estimates[e].has(row)) continue;
      const double y = first + 12 * static_cast<double>(e);
      draw_mark(svg, x, estimates[e].mark(row), y, e);
      svg.text(text_at, y + 4, ratio_words(estimates[e].mark(row)), "small");
      svg.text(width - 4, y + 4, readable_p(estimates[e].log10_p[row]), "small end");
    }
  }
  return figure(svg.str(),
                fmt::format("The {} strongest of {}, by p-value of the {} one.", rows.size(),
                            counted(static_cast<Index>(n_estimated), "estimate"), estimates.back().name));
}

}  // namespace chorale::io::report
