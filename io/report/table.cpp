// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "io/report/charts.hpp"
#include "io/report/page.hpp"
#include "io/report/svg.hpp"

namespace chorale::io::report {
namespace {

constexpr std::size_t n_shown = 20, n_short = 40;
constexpr std::size_t n_columns_on_paper = 13;  // the style sheet hides those from the 14th on

struct Order {
  std::vector<std::size_t> rows;
  std::string by;  // the column that ranks them; empty for the order of the file
};

/// Strongest first when the table is long and has p-values, or shares; otherwise as it stands.
Order order_of(const ResultTable& table) {
  struct Ranker {
    const char* column;
    double sign;
  };
  const auto n = static_cast<std::size_t>(table.n_rows());
  Order order{.rows = std::vector<std::size_t>(n), .by = {}};
  std::iota(order.rows.begin(), order.rows.end(), std::size_t{0});
  if (n <= n_short) return order;
  for (const auto& [name, sign] : {Ranker{"adj_log10_p", 1}, Ranker{"lrt_log10_p", 1}, Ranker{"log10_p", 1},
                                   Ranker{"selected", -1}, Ranker{"frequency", -1}}) {
    const auto values = numbers(table, name);
    if (std::none_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); })) continue;
    const auto rank = [&](std::size_t row) {
      return std::isnan(values[row]) ? HUGE_VAL : sign * values[row];
    };
    std::stable_sort(order.rows.begin(), order.rows.end(),
                     [&](std::size_t a, std::size_t b) { return rank(a) < rank(b); });
    order.by = name;
    break;
  }
  order.rows.resize(n_shown);
  return order;
}

std::string cell(const ResultColumn& column, std::size_t row) {
  struct {
    std::size_t row;
    std::string operator()(const std::vector<std::string>& values) const {
      return "<td>" + escaped(shortened(values[row], 80)) + "</td>";
    }
    std::string operator()(const std::vector<std::int64_t>& values) const { return count(values[row]); }
    std::string operator()(const std::vector<std::int32_t>& values) const { return count(values[row]); }
    static std::string count(std::int64_t v) {
      if (v == missing_count) return "<td class=\"n\"></td>";
      return fmt::format("<td class=\"n\" data-v=\"{}\">{}</td>", v, readable_count(v));
    }
    std::string operator()(const std::vector<double>& values) const {
      const double v = values[row];
      if (std::isnan(v)) return "<td class=\"n\"></td>";
      return fmt::format("<td class=\"n\" data-v=\"{}\">{}</td>", v, readable(v));
    }
  } const visitor{row};
  return std::visit(visitor, column.values);
}

bool is_empty(const ResultColumn& column) {
  struct {
    bool operator()(const std::vector<double>& values) const {
      return std::all_of(values.begin(), values.end(), [](double v) { return std::isnan(v); });
    }
    bool operator()(const std::vector<std::int64_t>& values) const {
      return std::all_of(values.begin(), values.end(), [](std::int64_t v) { return v == missing_count; });
    }
    bool operator()(const std::vector<std::string>& values) const {
      return std::all_of(values.begin(), values.end(), [](const auto& v) { return v.empty(); });
    }
    bool operator()(const std::vector<std::int32_t>& values) const { return values.empty(); }
  } const visitor;
  return std::visit(visitor, column.values);
}

/// Columns in the order of the table: those with a value somewhere, and the names of the others.
struct Columns {
  std::vector<const ResultColumn*> shown;
  std::vector<std::string> empty;
};

Columns columns_of(const ResultTable& table) {
  Columns columns;
  for (const ResultColumn& column : table.columns) {
    if (is_empty(column))
      columns.empty.push_back(column.name);
    else
      columns.shown.push_back(&column);
  }
  return columns;
}

std::string header(const Columns& columns) {
  std::string row = "<tr>";
  for (const ResultColumn* shown : columns.shown) {
    const ResultColumn& column = *shown;
    row += fmt::format("<th scope=\"col\"{} title=\"{}\">{}",
                       std::holds_alternative<std::vector<std::string>>(column.values) ? "" : " class=\"n\"",
                       escaped(column.description), escaped(column.name));
    if (!column.unit.empty()) row += "<small>" + escaped(column.unit) + "</small>";
    row += "</th>";
  }
  return row + "</tr>\n";
}

std::string meanings(const ResultTable& table) {
  std::string list;
  for (const ResultColumn& column : table.columns)
    if (!column.description.empty())
      list += "<dt>" + escaped(column.name) + "</dt><dd>" + escaped(column.description) + "</dd>\n";
  return list.empty()
             ? ""
             : "<details><summary>What the columns mean</summary>\n<dl>\n" + list + "</dl></details>\n";
}

}  // namespace

std::string html_table(const ResultTable& table) {
  const Order order = order_of(table);
  const auto n = static_cast<std::size_t>(table.n_rows());
  if (n == 0) return "<p>No row.</p>\n";
  const Columns columns = columns_of(table);
  const bool cut = columns.shown.size() > n_columns_on_paper;
  std::string html = std::string("<div class=\"wide\" tabindex=\"0\"><table") +
                     (cut ? " class=\"cut\"" : "") + ">\n<caption>" + escaped(table.caption) +
                     "</caption>\n<thead>" + header(columns) + "</thead>\n<tbody>\n";
  for (const std::size_t row : order.rows) {
    html += "<tr>";
    for (const ResultColumn* column : columns.shown) html += cell(*column, row);
    html += "</tr>\n";
  }
  html += "</tbody></table></div>\n";
  if (order.rows.size() < n) {
    html += fmt::format("<p class=\"note\">{} of {} rows, {}. All of them: {}.</p>\n", order.rows.size(),
                        readable_count(static_cast<Index>(n)),
                        order.by.empty() ? "the first ones" : "strongest first by " + escaped(order.by),
                        link_to_file(table));
  }
  if (cut)
    html += fmt::format(
        "<p class=\"note paper\">The first {} of {} columns; all of them are in <code>{}.tsv</code>.</p>\n",
        n_columns_on_paper, columns.shown.size(), escaped(table.name));
  if (!columns.empty.empty())
    html += fmt::format("<p class=\"note\">Without a value here: {}.</p>\n",
                        escaped(fmt::format("{}", fmt::join(columns.empty, ", "))));
  return html + meanings(table);
}

std::string link_to_file(const ResultTable& table) {
  return fmt::format("<a href=\"{0}.tsv\"><code>{0}.tsv</code></a>", escaped(table.name));
}

std::string fact_list(const std::vector<std::pair<std::string, std::string>>& facts) {
  std::string html = "<table class=\"facts\"><tbody>\n";
  for (const auto& [key, value] : facts)
    html += "<tr><th scope=\"row\">" + escaped(key) + "</th><td>" + escaped(value) + "</td></tr>\n";
  return html + "</tbody></table>\n";
}

}  // namespace chorale::io::report
