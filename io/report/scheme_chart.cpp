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

constexpr std::size_t n_schemes = 6, most_letters = 20;
constexpr double width = 860, top = 8, row_height = 24, heading = 26, words_room = 62, last_words = 146,
                 gap = 20;

struct Row {
  std::string name;
  double concordance;
  Mark difference;
};

struct Block {
  std::string scheme;
  double n;
  std::vector<Row> rows;  ///< the predictors, then the scheme itself
};

std::vector<Block> blocks_of(const ResultTable& table, const std::string& wanted) {
  const auto scheme = texts(table, "scheme"), predictor = texts(table, "predictor"),
             measure = texts(table, "measure");
  const auto concordance = numbers(table, "concordance"), theirs = numbers(table, "scheme_concordance"),
             difference = numbers(table, "difference"), lower = numbers(table, "lower"),
             upper = numbers(table, "upper"), n = numbers(table, "n");
  std::vector<Block> blocks;
  for (std::size_t i = 0; i < scheme.size(); ++i) {
    if (measure[i] != wanted || std::isnan(concordance[i])) continue;
    auto block =
        std::find_if(blocks.begin(), blocks.end(), [&](const Block& b) { return b.scheme == scheme[i]; });
    if (block == blocks.end())
      block = blocks.insert(
          block,
          {.scheme = scheme[i], .n = n.empty() ? std::nan("") : n[i], .rows = {{scheme[i], theirs[i], {}}}});
    block->rows.insert(block->rows.end() - 1,
                       {predictor[i], concordance[i], {difference[i], lower[i], upper[i]}});
  }
  return blocks;
}

/// From a round number below the least to one above the greatest.
Axis axis_around(double low, double high, const std::vector<double>& values, double from, double to) {
  for (const double v : values) {
    if (!std::isfinite(v)) continue;
    low = std::min(low, std::floor(v * 20) / 20);
    high = std::max(high, std::ceil(v * 20) / 20);
  }
  return {.low = low, .high = high, .from = from, .to = to};
}

}  // namespace

std::string scheme_chart(const ResultTable& table) {
  const auto measure = texts(table, "measure");
  for (const char* column :
       {"scheme", "predictor", "concordance", "scheme_concordance", "difference", "lower", "upper"})
    if (table.find(column) == nullptr || measure.empty()) return {};
  const bool harrell = std::find(measure.begin(), measure.end(), "harrell_c") != measure.end();
  const std::string wanted = harrell ? "harrell_c" : measure.front();
  auto blocks = blocks_of(table, wanted);
  const std::size_t n_blocks = blocks.size();
  if (blocks.empty()) return {};
  blocks.resize(std::min(n_blocks, n_schemes));

  std::vector<std::string> names;
  std::vector<double> concordances, differences;
  double bottom = top;
  for (const Block& block : blocks) {
    bottom += heading + row_height * static_cast<double>(block.rows.size());
    for (const Row& row : block.rows) {
      names.push_back(row.name);
      concordances.push_back(row.concordance);
      differences.insert(differences.end(),
                         {row.difference.value, row.difference.lower, row.difference.upper});
    }
  }
  const double left = std::max(name_width(names, most_letters), 140.0);
  const double panel = (width - left - words_room - last_words - 2 * gap) / 2;
  const Axis c = axis_around(0.5, 0.8, concordances, left, left + panel);
  const Axis d = axis_around(-0.05, 0.1, differences, c.to + words_room + gap, width - last_words - gap);
  Svg svg(width, bottom + 46, table.caption);
  for (const Axis* x : {&c, &d})
    for (const double tick : x->ticks(4))
      svg.text(x->at(tick), bottom + 17, fmt::format("{:.3g}", tick), "tick middle");
  svg.text((c.from + c.to) / 2, bottom + 36, measure_words(wanted, std::nan("")), "label middle");
  svg.text((d.from + d.to) / 2, bottom + 36, "difference to the scheme", "label middle");
  double y = top;
  for (const Block& block : blocks) {
    svg.text(4, y + 16,
             std::isnan(block.n) ? shortened(block.scheme, 40)
                                 : fmt::format("{}, {}", shortened(block.scheme, 40),
                                               counted(std::llround(block.n), "patient")),
             "label");
    y += heading;
    const double end = y + row_height * static_cast<double>(block.rows.size());
    for (const Axis* x : {&c, &d})
      for (const double tick : x->ticks(4)) svg.line(x->at(tick), y - 2, x->at(tick), end, "grid");
    svg.line(d.at(0), y - 2, d.at(0), end, "axis");
    for (const Row& row : block.rows) {
      const std::size_t look = row.difference.has_value() ? 0 : 1;
      const Mark concordance{.value = row.concordance};
      svg.text(left - 12, y + 12, shortened(row.name, most_letters), "name end");
      draw_mark(svg, c, concordance, y + 8, look);
      svg.text(c.to + 12, y + 12, share_words(concordance), "small");
      draw_mark(svg, d, row.difference, y + 8, 0);
      svg.text(d.to + 12, y + 12, share_words(row.difference), "small");
      y += row_height;
    }
  }
  std::string caption =
      "Concordance on the patients who have the scheme, and how much better the model tells them apart, with "
      "intervals. The scheme was made elsewhere, the model on these patients: that flatters the model.";
  if (n_blocks > blocks.size())
    caption += fmt::format(" The first {} of {} schemes.", blocks.size(), n_blocks);
  return figure(svg.str(), caption);
}

}  // namespace chorale::io::report
