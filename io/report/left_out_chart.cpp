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

constexpr std::size_t n_shown = 25, n_horizons = 3, n_few = 12, most_letters = 18;
constexpr double width = 860, top = 62, count_room = 64, words_room = 146, gap = 24;

struct Value {
  std::string level, measure;
  double n, horizon;
  Mark mark;
};

std::vector<Value> values_of(const ResultTable& table) {
  const auto level = texts(table, "level"), measure = texts(table, "measure");
  const auto value = numbers(table, "value");
  std::vector<Value> values;
  if (level.empty() || measure.empty() || value.empty()) return values;
  const auto n = numbers(table, "n"), horizon = numbers(table, "horizon"), lower = numbers(table, "lower"),
             upper = numbers(table, "upper");
  const auto at = [](const std::vector<double>& of, std::size_t i) {
    return of.empty() ? std::nan("") : of[i];
  };
  for (std::size_t i = 0; i < level.size(); ++i)
    values.push_back(
        {level[i], measure[i], at(n, i), at(horizon, i), {value[i], at(lower, i), at(upper, i)}});
  return values;
}

/// The concordance to draw: Harrell's where it is there.
std::string concordance_of(const std::vector<Value>& values) {
  for (const char* name : {"harrell_c", "uno_c", "auc"})
    if (std::any_of(values.begin(), values.end(),
                    [&](const Value& v) { return v.measure == name && v.mark.has_value(); }))
      return name;
  return {};
}

struct Level {
  std::string name;
  double n = 0;
  Mark concordance;
  std::vector<Mark> ratio;  ///< events over those expected, by horizon
};

struct Picture {
  std::string concordance;  ///< in words; empty when there is none
  std::vector<double> horizons;
  std::vector<Level> levels;
};

Picture picture_of(const std::vector<Value>& values) {
  Picture picture;
  const std::string concordance = concordance_of(values);
  for (const Value& v : values)
    if (v.measure == "observed_over_expected" && picture.horizons.size() < n_horizons &&
        std::find(picture.horizons.begin(), picture.horizons.end(), v.horizon) == picture.horizons.end())
      picture.horizons.push_back(v.horizon);
  for (const Value& v : values) {
    auto level = std::find_if(picture.levels.begin(), picture.levels.end(),
                              [&](const Level& l) { return l.name == v.level; });
    if (level == picture.levels.end())
      level = picture.levels.insert(level, {.name = v.level,
                                            .n = v.n,
                                            .concordance = {},
                                            .ratio = std::vector<Mark>(picture.horizons.size())});
    if (v.measure == concordance && !level->concordance.has_value()) {
      level->concordance = v.mark;
      if (v.mark.has_value()) picture.concordance = measure_words(v.measure, v.horizon);
    }
    for (std::size_t h = 0; h < picture.horizons.size(); ++h)
      if (v.measure == "observed_over_expected" && v.horizon == picture.horizons[h]) level->ratio[h] = v.mark;
  }
  std::erase_if(picture.levels, [](const Level& level) {
    return !level.concordance.has_value() &&
           std::none_of(level.ratio.begin(), level.ratio.end(), [](const Mark& m) { return m.has_value(); });
  });
  return picture;
}

/// The one in the middle: with many levels, more of them would blur.
void keep_one_horizon(Picture& picture) {
  if (picture.horizons.size() < 2) return;
  const std::size_t middle = picture.horizons.size() / 2;
  picture.horizons = {picture.horizons[middle]};
  for (Level& level : picture.levels) level.ratio = {level.ratio[middle]};
}

Axis concordance_axis(const std::vector<Level>& levels, double from, double to) {
  double low = 0.5, high = 0.9;
  for (const Level& level : levels) {
    for (const double v : {level.concordance.value, level.concordance.lower, level.concordance.upper}) {
      if (!std::isfinite(v)) continue;
      low = std::min(low, std::max(std::floor(v * 10) / 10, 0.0));
      high = std::max(high, std::min(std::ceil(v * 10) / 10, 1.0));
    }
  }
  return {.low = low, .high = high, .from = from, .to = to};
}

void draw_scale(Svg& svg, const Axis& x, double reference, double bottom, const std::string& below) {
  for (const double tick : x.ticks(5)) {
    svg.line(x.at(tick), top, x.at(tick), bottom, "grid");
    svg.text(x.at(tick), bottom + 17, fmt::format("{:.3g}", tick), "tick middle");
  }
  svg.line(x.at(reference), top, x.at(reference), bottom, "axis");
  svg.text((x.from + x.to) / 2, bottom + 36, below, "label middle");
}

}  // namespace

std::string left_out_chart(const ResultTable& table) {
  Picture picture = picture_of(values_of(table));
  const std::size_t n_levels = picture.levels.size();
  if (n_levels == 0) return {};
  std::stable_sort(picture.levels.begin(), picture.levels.end(),
                   [](const Level& a, const Level& b) { return a.n > b.n; });
  picture.levels.resize(std::min(n_levels, n_shown));
  if (n_levels > n_few) keep_one_horizon(picture);

  std::vector<std::string> names;
  std::vector<Mark> ratios;
  for (const Level& level : picture.levels) {
    names.push_back(level.name);
    ratios.insert(ratios.end(), level.ratio.begin(), level.ratio.end());
  }
  const auto n_ratios = static_cast<double>(picture.horizons.size());
  const double row_height = std::max(26.0, 14 + 12 * n_ratios);
  const double bottom = top + row_height * static_cast<double>(names.size());
  const double left = name_width(names, most_letters) + count_room;
  const bool both = !picture.concordance.empty() && n_ratios > 0;
  const double room = width - left - gap - (picture.concordance.empty() ? 0 : words_room);
  const double panel = both ? (room - gap) / 2 : room;
  const Axis c = concordance_axis(picture.levels, left, left + panel);
  const Axis ratio = ratio_axis(ratios, width - 12 - panel, width - 12);

  Svg svg(width, bottom + 46, table.caption);
  svg.text(left - 24, top - 10, "patients", "tick end");
  if (!picture.concordance.empty()) draw_scale(svg, c, 0.5, bottom, picture.concordance + "; 0.5 is chance");
  if (n_ratios > 0) {
    draw_scale(svg, ratio, 1, bottom, "deaths, observed over expected");
    std::vector<LegendEntry> legend;
    for (std::size_t h = 0; h < picture.horizons.size(); ++h)
      legend.push_back({h, "by " + readable_time(picture.horizons[h])});
    draw_legend(svg, legend, 26, width - legend_width(legend));
  }
  for (std::size_t l = 0; l < picture.levels.size(); ++l) {
    const Level& level = picture.levels[l];
    const double y = top + row_height * (static_cast<double>(l) + 0.5);
    svg.text(left - count_room - 10, y + 4, shortened(level.name, most_letters), "name end");
    svg.text(left - 24, y + 4, readable(level.n), "small end");
    if (!picture.concordance.empty()) {
      draw_mark(svg, c, level.concordance, y, 0);
      svg.text(c.to + 12, y + 4, share_words(level.concordance), "small");
    }
    for (std::size_t h = 0; h < level.ratio.size(); ++h) {
      svg.begin_hint(fmt::format("{}, by {}: observed over expected {}", level.name,
                                 readable_time(picture.horizons[h]), ratio_words(level.ratio[h])));
      draw_mark(svg, ratio, level.ratio[h], y + 12 * (static_cast<double>(h) - (n_ratios - 1) / 2), h);
      svg.end_hint();
    }
  }
  std::string caption =
      "The model made without a level, on the patients of that level. Right of 1 more of them die than the "
      "model expects.";
  if (n_levels > names.size())
    caption += fmt::format(" The {} largest of {} levels.", names.size(), n_levels);
  return figure(svg.str(), caption);
}

}  // namespace chorale::io::report
