// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "io/report/charts.hpp"
#include "io/report/svg.hpp"

namespace chorale::io::report {
namespace {

constexpr std::size_t n_shown = 6, most_panels = 3, most_groups = 8;
constexpr double width = 860, top = 34, row_height = 16, heading = 24, left = 196, count = 54;

/// Survival at one time, a value per row of the table.
struct Landmark {
  double days = 0;
  std::vector<double> survival, lower, upper;

  std::string title() const { return "at " + readable_time(days); }
};

std::vector<Landmark> landmarks_of(const ResultTable& table) {
  constexpr std::string_view prefix = "survival_";
  std::vector<Landmark> landmarks;
  for (const ResultColumn& column : table.columns) {
    if (!column.name.starts_with(prefix) || landmarks.size() == most_panels) continue;
    const char *from = column.name.data() + prefix.size(), *to = column.name.data() + column.name.size();
    Landmark mark;
    if (const auto read = std::from_chars(from, to, mark.days); read.ec != std::errc() || read.ptr != to)
      continue;
    mark.survival = numbers(table, column.name);
    mark.lower = numbers(table, column.name + "_lower");
    mark.upper = numbers(table, column.name + "_upper");
    if (!mark.survival.empty() && !mark.lower.empty() && !mark.upper.empty())
      landmarks.push_back(std::move(mark));
  }
  return landmarks;
}

/// Rows about one pair.
struct Block {
  std::string a, b;
  std::vector<std::size_t> rows;
};

std::vector<Block> blocks_of(const ResultTable& table, const std::vector<Landmark>& landmarks) {
  const auto a = texts(table, "feature_a"), b = texts(table, "feature_b");
  std::vector<Block> blocks;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (blocks.empty() || blocks.back().a != a[i] || blocks.back().b != b[i])
      blocks.push_back({.a = a[i], .b = b[i], .rows = {}});
    if (blocks.back().rows.size() < most_groups) blocks.back().rows.push_back(i);
  }
  std::erase_if(blocks, [&](const Block& block) {
    return std::none_of(block.rows.begin(), block.rows.end(),
                        [&](std::size_t row) { return std::isfinite(landmarks.front().survival[row]); });
  });
  return blocks;
}

/// "a only" in the feature's own name.
std::string named(const std::string& group, const Block& block) {
  if (group == "a only") return shortened(block.a, 14) + " only";
  if (group == "b only") return shortened(block.b, 14) + " only";
  return shortened(group, 19);
}

std::string hint_of(const ResultTable& table, std::size_t row, const Landmark& mark, const std::string& who) {
  const auto n = numbers(table, "n_analysed"), events = numbers(table, "events"),
             median = numbers(table, "median");
  std::string words = fmt::format("{}: {:.1f} % alive {}", who, 100 * mark.survival[row], mark.title());
  if (std::isfinite(mark.lower[row]) && std::isfinite(mark.upper[row]))
    words += fmt::format(" ({:.1f}–{:.1f})", 100 * mark.lower[row], 100 * mark.upper[row]);
  if (!n.empty() && !std::isnan(n[row])) words += "; " + readable(n[row]) + " patients";
  if (!events.empty() && !std::isnan(events[row])) words += ", " + readable(events[row]) + " events";
  if (!median.empty() && !std::isnan(median[row])) words += ", median " + readable(median[row]) + " days";
  return words;
}

}  // namespace

std::string landmark_chart(const ResultTable& table) {
  const auto group = texts(table, "group");
  const auto landmarks = landmarks_of(table);
  if (set_letters(table) != "ab" || group.empty() || landmarks.empty()) return {};
  auto blocks = blocks_of(table, landmarks);
  const std::size_t n_blocks = blocks.size();
  if (blocks.empty()) return {};
  blocks.resize(std::min(blocks.size(), n_shown));
  const auto n_analysed = numbers(table, "n_analysed");

  double bottom = top;
  for (const Block& block : blocks) bottom += heading + row_height * static_cast<double>(block.rows.size());
  const double panel = (width - left - count) / static_cast<double>(landmarks.size());
  std::vector<Axis> axes;
  for (std::size_t l = 0; l < landmarks.size(); ++l)
    axes.push_back({.low = 0,
                    .high = 1,
                    .from = left + count + panel * static_cast<double>(l),
                    .to = left + count + panel * static_cast<double>(l + 1) - 58});
  Svg svg(width, bottom + 28, table.caption);
  for (std::size_t l = 0; l < landmarks.size(); ++l) {
    svg.text((axes[l].from + axes[l].to) / 2, 18, landmarks[l].title(), "label middle");
    for (const double tick : {0.0, 0.25, 0.5, 0.75, 1.0})
      svg.line(axes[l].at(tick), top - 6, axes[l].at(tick), bottom + 4, "grid");
    for (const double tick : {0.0, 0.5, 1.0})
      svg.text(axes[l].at(tick), bottom + 20, fmt::format("{:.0f} %", 100 * tick), "tick middle");
  }
  svg.text(left + 34, 18, "patients", "tick end");
  double y = top;
  for (const Block& block : blocks) {
    svg.text(4, y + 14, shortened(block.a, 18) + " × " + shortened(block.b, 18), "label");
    y += heading;
    for (std::size_t k = 0; k < block.rows.size(); ++k, y += row_height) {
      const std::size_t row = block.rows[k];
      const std::string who = named(group[row], block);
      svg.text(left - 18, y + 8, who, "tick end");
      if (!n_analysed.empty()) svg.text(left + 34, y + 8, readable(n_analysed[row]), "tick end");
      for (std::size_t l = 0; l < landmarks.size(); ++l) {
        const Landmark& mark = landmarks[l];
        if (!std::isfinite(mark.survival[row])) continue;
        const Axis& x = axes[l];
        svg.begin_hint(hint_of(table, row, mark, who));
        if (std::isfinite(mark.lower[row]) && std::isfinite(mark.upper[row]))
          svg.line(x.at(std::clamp(mark.lower[row], 0.0, 1.0)), y + 4,
                   x.at(std::clamp(mark.upper[row], 0.0, 1.0)), y + 4, fmt::format("interval s{}", k));
        svg.circle(x.at(std::clamp(mark.survival[row], 0.0, 1.0)), y + 4, 4, fmt::format("fill s{}", k));
        svg.end_hint();
      }
    }
  }
  return figure(svg.str(),
                fmt::format("Share of patients without the event, with intervals: the first {} of {}.",
                            blocks.size(), counted(static_cast<Index>(n_blocks), "pair")));
}

}  // namespace chorale::io::report
