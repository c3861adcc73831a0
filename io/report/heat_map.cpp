// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>

#include <fmt/format.h>

#include "io/report/charts.hpp"
#include "io/report/svg.hpp"

namespace chorale::io::report {
namespace {

constexpr std::size_t most_features = 500, most_hints = 6000;
constexpr double widest_square = 930, largest_side = 28, narrowest = 620, top = 8;
constexpr double least_marked = 6, least_bold = 11;  // pixels of a cell that a sign fits in
constexpr int n_shades = 9;
const double log10_none = std::log10(0.5), log10_weak = std::log10(0.05), log10_strong = -3;

/// One triangle: a number per row of the table, from -limit to limit.
struct Half {
  std::string legend, minus, plus,
      hit_words;                   // what is shown, what the two colours mean, which cells have a sign
  double limit = 1, per_log2 = 1;  // of the numbers; numbers per doubling of the ratio
  std::vector<double> value, log10_p, q;

  bool has(std::size_t k) const { return !std::isnan(value[k]); }
  bool weak(std::size_t k) const { return !log10_p.empty() && !(log10_p[k] <= log10_weak); }
  bool slight(std::size_t k) const { return !log10_p.empty() && !(log10_p[k] <= log10_none); }
  bool hit(std::size_t k) const {
    return !q.empty() ? q[k] < 0.05 : !log10_p.empty() && log10_p[k] < log10_strong;
  }
  double share(std::size_t k) const { return std::clamp(value[k] / limit, -1.0, 1.0); }
};

struct Pair {
  std::size_t a = 0, b = 0, row = 0;  // features, row of the table
};

struct Matrix {
  std::vector<std::string> names;
  std::vector<Pair> pairs;
  std::size_t n_features = 0;  // before those beyond the most were left off
  std::vector<Half> halves;    // association; interaction when the table has it
};

Half half_of(const ResultTable& table, const char* value, const char* log10_p, const char* q, Half half) {
  half.value = numbers(table, value);
  half.log10_p = numbers(table, log10_p);
  half.q = numbers(table, q);
  half.hit_words = half.q.empty() ? "p < 0.001" : "q < 0.05";
  return half;
}

Matrix matrix_of(const ResultTable& table) {
  Matrix matrix;
  const auto rows = texts(table, "row"), columns = texts(table, "column");
  Half association = half_of(table, "log2_odds_ratio", "log10_p", "q",
                             {.legend = "below the diagonal: odds ratio",
                              .minus = "apart",
                              .plus = "together",
                              .hit_words = {},
                              .limit = 4,
                              .per_log2 = 1,
                              .value = {},
                              .log10_p = {},
                              .q = {}});
  if (rows.empty() || columns.empty() || association.value.empty()) return matrix;
  Half outcome = half_of(table, "log_hazard_ab", "lrt_log10_p", "lrt_q",
                         {.legend = "above the diagonal: hazard ratio of the interaction",
                          .minus = "better",
                          .plus = "worse",
                          .hit_words = {},
                          .limit = 1.5,
                          .per_log2 = std::numbers::ln2,
                          .value = {},
                          .log10_p = {},
                          .q = {}});
  std::map<std::string, std::size_t> places;
  const auto place = [&](const std::string& name) {
    const auto [at, fresh] = places.emplace(name, places.size());
    if (fresh && at->second < most_features) matrix.names.push_back(name);
    return at->second;
  };
  for (std::size_t k = 0; k < rows.size(); ++k) {
    const Pair pair{place(rows[k]), place(columns[k]), k};
    if (pair.a != pair.b && std::max(pair.a, pair.b) < most_features) matrix.pairs.push_back(pair);
  }
  matrix.n_features = places.size();
  const bool with_outcome =
      std::any_of(outcome.value.begin(), outcome.value.end(), [](double v) { return !std::isnan(v); });
  matrix.halves.push_back(std::move(association));
  if (with_outcome) matrix.halves.push_back(std::move(outcome));
  return matrix;
}

/// The place of each feature. A pair about which little is known counts little: its odds ratio is weighted by 1 - p.
std::vector<std::size_t> places_of(const Matrix& matrix) {
  const std::size_t n = matrix.names.size();
  const Half& association = matrix.halves.front();
  std::vector<double> similarity(n * n, 0.0);
  for (const Pair& pair : matrix.pairs) {
    if (!association.has(pair.row)) continue;
    const double p = association.log10_p.empty() ? 0 : std::pow(10, association.log10_p[pair.row]);
    const double known = association.share(pair.row) * (std::isnan(p) ? 0 : 1 - std::min(p, 1.0));
    similarity[pair.a * n + pair.b] = similarity[pair.b * n + pair.a] = known;
  }
  const auto order = order_by_similarity(similarity, n);
  std::vector<std::size_t> places(n);
  for (std::size_t i = 0; i < n; ++i) places[order[i]] = i;
  return places;
}

/// Where the square lies, and how large its cells are.
struct Layout {
  std::size_t n = 0;
  double side = 0, letters = 0, left = 0, bottom = 0, width = 0;
  bool small_cells() const { return side < least_marked; }
};

Layout layout_of(const Matrix& matrix) {
  Layout layout{.n = matrix.names.size()};
  layout.side = std::min(largest_side, widest_square / static_cast<double>(layout.n));
  layout.letters = std::clamp(0.8 * layout.side, 7.0, 12.0);
  std::size_t longest = 0;
  for (const auto& name : matrix.names)
    longest = std::max(longest, std::min<std::size_t>(n_letters(name), 18));
  layout.left = 12 + 0.68 * layout.letters * static_cast<double>(longest);
  layout.bottom = top + layout.side * static_cast<double>(layout.n);
  layout.width = std::max(narrowest, layout.left + layout.bottom - top + 4);
  return layout;
}

struct Cell {
  double x, y;
  std::size_t half, row;  // of the table
};

std::string square(double x, double y, double side) {
  return fmt::format("M{0} {1}h{2}v{2}h-{2}z", pixel(x), pixel(y), pixel(side));
}

int shade_of(double share) {
  return static_cast<int>(std::lround(std::abs(share) * n_shades));
}

std::string colour_of(double share) {
  return fmt::format("{} h{}", share < 0 ? "minus" : "plus", shade_of(share));
}

/// Colours and signs, a path for each look.
void draw_cells(Svg& svg, const std::vector<Cell>& cells, const Matrix& matrix, const Layout& layout) {
  std::map<std::string, std::string> paths;
  const double side = layout.side, gap = layout.small_cells() ? 0 : 1;
  for (const Cell& cell : cells) {
    const Half& half = matrix.halves[cell.half];
    if (!half.has(cell.row)) {
      if (!layout.small_cells()) paths["absent"] += square(cell.x, cell.y, side - gap);
      continue;
    }
    const double share = half.share(cell.row);
    const bool weak = half.weak(cell.row);
    if (shade_of(share) > 0 && !(weak && layout.small_cells())) {
      const double drawn = half.slight(cell.row) ? 0.2 * side : weak ? 0.4 * side : side - gap;
      const double inset = (side - gap - drawn) / 2;
      paths[colour_of(share)] += square(cell.x + inset, cell.y + inset, drawn);
    }
    if (!half.hit(cell.row) || layout.small_cells()) continue;
    const double arm = std::clamp(side / 5, 1.4, 4.0), x = cell.x + (side - gap) / 2,
                 y = cell.y + (side - gap) / 2;
    std::string& mark = paths[std::string("sign") + (side < least_bold ? " fine" : "") +
                              (shade_of(share) >= 6 ? " light" : "")];
    mark += fmt::format("M{} {}h{}", pixel(x - arm), pixel(y), pixel(2 * arm));
    if (share > 0) mark += fmt::format("M{} {}v{}", pixel(x), pixel(y - arm), pixel(2 * arm));
  }
  for (const bool signs : {false, true})  // signs lie on top
    for (const auto& [look, d] : paths)
      if (look.starts_with("sign") == signs) svg.path(d, look);
}

std::string hint_of(const Matrix& matrix, const std::vector<double>& n_both, const Pair& pair,
                    std::size_t which) {
  const Half& half = matrix.halves[which];
  const std::size_t k = pair.row;
  std::string words = matrix.names[pair.a] + " × " + matrix.names[pair.b];
  if (!n_both.empty() && !std::isnan(n_both[k]))
    words += ", both in " + readable_count(std::llround(n_both[k]));
  words += which == 0 ? ": odds ratio " : ": hazard ratio of the interaction ";
  words += readable(std::exp2(half.value[k] / half.per_log2));
  if (!half.log10_p.empty() && !std::isnan(half.log10_p[k])) words += ", p " + readable_p(half.log10_p[k]);
  if (!half.q.empty() && !std::isnan(half.q[k])) words += ", q " + readable(half.q[k]);
  return words;
}

/// What the mouse shows; of very many cells only those with the smallest p, so that the page stays light.
void draw_hints(Svg& svg, std::vector<Cell> cells, const std::vector<Pair>& pairs, const Matrix& matrix,
                const ResultTable& table, double side) {
  const auto n_both = numbers(table, "n11");
  std::map<std::size_t, const Pair*> pair_of;
  for (const Pair& pair : pairs) pair_of[pair.row] = &pair;
  std::erase_if(cells, [&](const Cell& cell) { return !matrix.halves[cell.half].has(cell.row); });
  if (cells.size() > most_hints) {
    const auto p = [&](const Cell& cell) {
      const auto& log10_p = matrix.halves[cell.half].log10_p;
      return log10_p.empty() || std::isnan(log10_p[cell.row]) ? HUGE_VAL : log10_p[cell.row];
    };
    std::stable_sort(cells.begin(), cells.end(), [&](const Cell& x, const Cell& y) { return p(x) < p(y); });
    cells.resize(most_hints);
  }
  for (const Cell& cell : cells) {
    svg.begin_hint(hint_of(matrix, n_both, *pair_of[cell.row], cell.half));
    svg.rect(cell.x, cell.y, side, side, "hover");
    svg.end_hint();
  }
}

void draw_names(Svg& svg, const Matrix& matrix, const std::vector<std::size_t>& places,
                const Layout& layout) {
  // every feature's name when they fit, otherwise every second, third, …
  const auto every = static_cast<std::size_t>(std::ceil(layout.letters / layout.side));
  for (std::size_t f = 0; f < layout.n; ++f) {
    if (places[f] % every != 0) continue;
    const std::string name = shortened(matrix.names[f], 18);
    const double middle = layout.side * (static_cast<double>(places[f]) + 0.5) + 0.35 * layout.letters;
    svg.text(layout.left - 6, top + middle, name, "end", layout.letters, 0);
    svg.text(layout.left + middle, layout.bottom + 6, name, "end", layout.letters, -90);
  }
}

void draw_legend(Svg& svg, const Half& half, double x, double y) {
  constexpr double swatch = 13;
  svg.text(x, y, half.legend, "tick");
  for (int k = -n_shades; k <= n_shades; ++k)
    svg.rect(x + swatch * (k + n_shades), y + 8, swatch, 12,
             k == 0 ? "plus h0" : colour_of(static_cast<double>(k) / n_shades));
  const double span = swatch * (2 * n_shades + 1);
  const double ratio = std::exp2(half.limit / half.per_log2);
  svg.text(x, y + 34, fmt::format("1/{:.2g}", ratio), "tick");
  svg.text(x + span / 2, y + 34, "1", "tick middle");
  svg.text(x + span, y + 34, fmt::format("{:.2g}", ratio), "tick end");
  svg.text(x, y + 48, "− " + half.minus, "tick");
  svg.text(x + span, y + 48, "+ " + half.plus, "tick end");
}

std::string caption_of(const Matrix& matrix, const Layout& layout) {
  std::string caption = fmt::format("{} features, those that go together side by side.", layout.n);
  if (matrix.n_features > layout.n)
    caption = fmt::format("The first {} of {} features, those that go together side by side.", layout.n,
                          readable_count(static_cast<Index>(matrix.n_features)));
  if (layout.small_cells()) return caption + " Blank: near 1, p > 0.05, or no number.";
  caption += " Small squares: p > 0.05; dots: p > 0.5. Signs: ";
  for (std::size_t h = 0; h < matrix.halves.size(); ++h)
    caption += (h == 0 ? "" : " below, ") + matrix.halves[h].hit_words + (h == 0 ? "" : " above");
  return caption + ". Blank: near 1. Grey: no number. Ratios beyond the scale have its last colour.";
}

}  // namespace

std::string heat_map(const ResultTable& table) {
  const Matrix matrix = matrix_of(table);
  if (matrix.pairs.empty()) return {};
  const auto places = places_of(matrix);
  const Layout layout = layout_of(matrix);
  std::vector<Cell> cells;
  for (const Pair& pair : matrix.pairs) {
    const auto low = static_cast<double>(std::min(places[pair.a], places[pair.b])),
               high = static_cast<double>(std::max(places[pair.a], places[pair.b]));
    for (std::size_t h = 0; h < matrix.halves.size(); ++h)
      cells.push_back({.x = layout.left + layout.side * (h == 0 ? low : high),
                       .y = top + layout.side * (h == 0 ? high : low),
                       .half = h,
                       .row = pair.row});
  }
  const double legend = layout.bottom + layout.left + 14;
  Svg svg(layout.width, legend + 56, table.caption);
  draw_cells(svg, cells, matrix, layout);
  svg.line(layout.left, top, layout.left + layout.bottom - top, layout.bottom, "axis");
  draw_names(svg, matrix, places, layout);
  draw_hints(svg, std::move(cells), matrix.pairs, matrix, table, layout.side);
  for (std::size_t h = 0; h < matrix.halves.size(); ++h)
    draw_legend(svg, matrix.halves[h], 8 + 280 * static_cast<double>(h), legend);
  return figure(svg.str(), caption_of(matrix, layout));
}

}  // namespace chorale::io::report
