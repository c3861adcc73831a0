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

constexpr std::size_t n_shown = 20, n_endless = 5, most_letters = 32;
constexpr double width = 860, top = 40, column = 250;

/// A term as it is drawn.
struct Row {
  std::string name;
  Mark wald, boot;
  double log10_p = 0;
  double selected = 1;  ///< NaN where terms are not selected
  double rank = 0;
  bool endless = false;  ///< the likelihood grows without bound
  bool chosen = true;
};

/// A column of 0 and 1 has the variance m(1-m), up to the divisor; anything else is a number, whose hazard ratio per
/// unit depends on the unit.
bool is_number(double mean, double sd) {
  const double variance = mean * (1 - mean);
  return sd > 0 && std::abs(sd * sd - variance) > 0.02 * variance;
}

std::vector<double> optional(const ResultTable& table, const char* name, std::size_t n) {
  auto values = numbers(table, name);
  if (values.empty()) values.assign(n, std::nan(""));
  return values;
}

/// Whether terms were chosen at all: some were not, or there is no standard error since they are penalised. A model of all
/// terms leaves one out only from samples in which nobody has it.
bool selects(const std::vector<double>& log_hazard, const std::vector<double>& sd,
             const std::vector<double>& lower) {
  for (std::size_t t = 0; t < sd.size(); ++t)
    if (log_hazard[t] == 0 && sd[t] != 0) return true;
  return std::all_of(lower.begin(), lower.end(), [](double v) { return std::isnan(v); });
}

std::vector<Row> rows_of(const ResultTable& table) {
  const auto term = texts(table, "term");
  const auto log_hazard = numbers(table, "log_hazard"), boot_lower = numbers(table, "boot_lower"),
             boot_upper = numbers(table, "boot_upper");
  std::vector<Row> rows;
  if (term.empty() || log_hazard.empty() || boot_lower.empty() || boot_upper.empty()) return rows;
  const std::size_t n = term.size();
  const auto lower = optional(table, "lower", n), upper = optional(table, "upper", n),
             boot_mean = optional(table, "boot_mean", n), selected = optional(table, "selected", n),
             log10_p = optional(table, "log10_p", n), rank = optional(table, "rank", n),
             mean = optional(table, "mean", n), sd = optional(table, "sd", n);
  const bool with_shares = selects(log_hazard, sd, lower);
  for (std::size_t i = 0; i < n; ++i) {
    if (std::isnan(log_hazard[i])) continue;
    const bool number = is_number(mean[i], sd[i]);
    const double unit = number ? sd[i] : 1;
    const auto ratio = [&](double log) { return std::exp(log * unit); };
    Row row{.name = term[i],
            .wald = {ratio(log_hazard[i]), ratio(lower[i]), ratio(upper[i])},
            .boot = {ratio(boot_mean[i]), ratio(boot_lower[i]), ratio(boot_upper[i])},
            .log10_p = log10_p[i],
            .selected = with_shares ? selected[i] : std::nan(""),
            .rank = std::isnan(rank[i]) ? -std::abs(log_hazard[i] * sd[i]) : rank[i],
            .endless = std::isinf(log_hazard[i]),
            .chosen = log_hazard[i] != 0};
    if (number) row.name = fmt::format("{}, per {:.3g}", shortened(term[i], most_letters - 10), sd[i]);
    // a mean over the few replicates with a bound says nothing
    if (row.endless) row.wald.lower = row.wald.upper = row.boot.value = std::nan("");
    if (row.chosen || row.selected > 0) rows.push_back(std::move(row));
  }
  return rows;
}

/// Most selected, then smallest p, then highest rank; those without bound last.
void put_in_order(std::vector<Row>& rows) {
  const auto before = [](double a, double b) { return std::isnan(a) ? false : std::isnan(b) || a < b; };
  std::stable_sort(rows.begin(), rows.end(), [&](const Row& a, const Row& b) {
    if (a.endless != b.endless) return b.endless;
    if (before(-a.selected, -b.selected) || before(-b.selected, -a.selected))
      return before(-a.selected, -b.selected);
    if (before(a.log10_p, b.log10_p) || before(b.log10_p, a.log10_p)) return before(a.log10_p, b.log10_p);
    return before(a.rank, b.rank);
  });
}

/// What a picture of these rows shows.
struct Look {
  bool wald = false, boot = false, shares = false;
  bool both() const { return wald && boot; }
};

std::string share(double selected) {
  return std::isnan(selected) ? "" : fmt::format("{:.0f} %", 100 * selected);
}

void draw_row(Svg& svg, const Axis& x, const Row& row, const Look& look, double y, double text_at) {
  const double second = y + (look.both() ? 14 : 0);
  // without a standard error the bootstrap interval belongs to the coefficient itself
  Mark first = row.wald;
  if (look.boot && !look.wald) first.lower = row.boot.lower, first.upper = row.boot.upper;
  if (!row.chosen) first.value = std::nan("");
  const std::string mean = ratio_words(row.boot);
  svg.begin_hint(row.name + (row.chosen ? ": " + ratio_words(first) : ": not chosen") +
                 (look.boot && !mean.empty() ? "; bootstrap " + mean : "") +
                 (look.shares && !std::isnan(row.selected) ? ", selected in " + share(row.selected) : ""));
  draw_mark(svg, x, first, y, 0);
  if (look.both()) draw_mark(svg, x, row.boot, second, 1);
  svg.end_hint();
  svg.text(x.from - 10, (y + second) / 2 + 4, shortened(row.name, most_letters), "name end");
  std::string words = ratio_words(first);
  if (!row.chosen) words = "not chosen" + (words.empty() ? "" : " " + words);
  if (row.endless) words = row.wald.value > 1 ? "without bound, ∞" : "without bound, 0";
  svg.text(text_at, y + 4, words, "small");
  if (look.both()) svg.text(text_at, second + 4, mean, "small");
  if (look.wald) svg.text(width - 4, y + 4, readable_p(row.log10_p), "small end");
  if (look.shares) svg.text(width - 4, second + 4, share(row.selected), "small end");
}

}  // namespace

std::string coefficient_chart(const ResultTable& table) {
  auto rows = rows_of(table);
  if (rows.empty()) return {};
  put_in_order(rows);
  const auto endless = std::find_if(rows.begin(), rows.end(), [](const Row& row) { return row.endless; });
  const auto n_finite = static_cast<std::size_t>(endless - rows.begin());
  const std::size_t n_rows = rows.size(), n_last = std::min(n_rows - n_finite, n_endless);
  rows.erase(rows.begin() + static_cast<Index>(n_finite + n_last), rows.end());
  if (n_finite > n_shown)
    rows.erase(rows.begin() + static_cast<Index>(n_shown), rows.begin() + static_cast<Index>(n_finite));

  Look look;
  std::vector<Mark> marks;
  std::vector<std::string> names;
  for (const Row& row : rows) {
    look.wald |= row.wald.has_interval();
    look.boot |= row.boot.has_interval();
    look.shares |= row.selected < 1;
    marks.insert(marks.end(), {row.wald, row.boot});
    names.push_back(row.name);
  }
  const double row_height = look.both() ? 40 : 24;
  const double bottom = top + row_height * static_cast<double>(rows.size());
  const double left = name_width(names, most_letters), text_at = width - column + 14;
  const Axis x = ratio_axis(marks, left, text_at - 18);
  Svg svg(width, bottom + 46, table.caption);
  for (const double tick : x.ticks(6)) {
    svg.line(x.at(tick), top, x.at(tick), bottom, "grid");
    svg.text(x.at(tick), bottom + 17, fmt::format("{:.4g}", tick), "tick middle");
  }
  svg.line(x.at(1), top, x.at(1), bottom, "axis");
  svg.text((x.from + x.to) / 2, bottom + 36, "hazard ratio (logarithmic); right of 1 is worse",
           "label middle");
  if (look.both())
    draw_legend(svg, {{0, "estimate, interval by standard error"}, {1, "bootstrap mean, percentiles"}}, 26);
  else
    draw_legend(svg,
                {{0, look.boot   ? "coefficient, bootstrap percentiles"
                     : look.wald ? "estimate, interval by standard error"
                                 : "coefficient"}},
                26);
  svg.text(text_at, 26, "ratio (interval)", "tick");
  svg.text(width - 4, 26,
           look.wald && look.shares ? "p; selected"
           : look.wald              ? "p"
           : look.shares            ? "selected"
                                    : "",
           "tick end");
  for (std::size_t r = 0; r < rows.size(); ++r)
    draw_row(svg, x, rows[r], look, top + row_height * static_cast<double>(r) + 14, text_at);
  std::string caption = fmt::format(
      "{} of {}, {}. Numeric terms count per standard deviation, which stands beside their name. Intervals "
      "are at the confidence under Settings.",
      rows.size(), counted(static_cast<Index>(n_rows), "term"),
      look.shares ? "most often selected first" : "strongest first");
  if (look.shares)
    caption += " Selected: the share of bootstrap samples in which the term has a coefficient.";
  if (n_last > 0)
    caption += fmt::format(" The likelihood of {} grows without bound.",
                           counted(static_cast<Index>(n_rows - n_finite), "term"));
  return figure(svg.str(), caption);
}

}  // namespace chorale::io::report
