// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "engine/selection.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace chorale::engine {
namespace {

std::string describe(const Filter& f) {
  std::string text = f.field;
  const auto add = [&](const std::string& part) {
    text += (text.size() > f.field.size() ? ", " : " ") + part;
  };
  if (!f.is.empty()) add(fmt::format("is {}", fmt::join(f.is, " or ")));
  if (!f.is_not.empty()) add(fmt::format("is not {}", fmt::join(f.is_not, " or ")));
  if (f.at_least) add(fmt::format("at least {}", *f.at_least));
  if (f.above) add(fmt::format("above {}", *f.above));
  if (f.at_most) add(fmt::format("at most {}", *f.at_most));
  if (f.below) add(fmt::format("below {}", *f.below));
  return text;
}

double number_of(const std::string& text, const std::string& field) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) {
    throw ConfigError({.what = "a number field is compared with text",
                       .found = '"' + text + '"',
                       .expected = "a number",
                       .in = "select.where, field " + field,
                       .remedy = "write the number, or choose another field"});
  }
  return value;
}

std::vector<std::uint8_t> levels_that_stay(const Filter& filter, const std::vector<std::string>& levels) {
  for (const auto* list : {&filter.is, &filter.is_not})
    for (const auto& word : *list)
      if (std::find(levels.begin(), levels.end(), word) == levels.end()) {
        const std::string near = io::nearest(word, levels);
        throw ConfigError(
            {.what = "the cohort has no such level",
             .found = '"' + word + '"',
             .expected = fmt::format("one of {}", fmt::join(levels, ", ")),
             .in = "select.where, field " + filter.field,
             .remedy = near.empty() ? "choose one of these" : "did you mean \"" + near + "\"?"});
      }
  std::vector<std::uint8_t> stays;
  for (const auto& level : levels) {
    const auto listed = [&](const auto& list) {
      return std::find(list.begin(), list.end(), level) != list.end();
    };
    stays.push_back((filter.is.empty() || listed(filter.is)) && !listed(filter.is_not));
  }
  return stays;
}

}  // namespace

Index require_field(const io::Catalogue& catalogue, const std::string& name, const std::string& key) {
  if (const Index field = catalogue.field_index(name); field >= 0) return field;
  if (name == site_field) return -1;
  std::vector<std::string> names{std::string(site_field)};
  for (const auto& field : catalogue.fields) names.push_back(field.name);
  const std::string near = io::nearest(name, names);
  throw ConfigError(
      {.what = "the cohort has no such field",
       .found = name,
       .expected = "a field of " + catalogue.folder.string(),
       .in = key,
       .remedy = near.empty() ? "'chorale inspect' lists the fields" : "did you mean " + near + "?"});
}

bool Selection::Test::stays(double value) const {
  if (!is.empty() && std::find(is.begin(), is.end(), value) == is.end()) return false;
  if (std::find(is_not.begin(), is_not.end(), value) != is_not.end()) return false;
  if (filter.at_least && !(value >= *filter.at_least)) return false;
  if (filter.at_most && !(value <= *filter.at_most)) return false;
  if (filter.above && !(value > *filter.above)) return false;
  return !filter.below || value < *filter.below;
}

Selection::Selection(const SelectConfig& config, const io::Catalogue& catalogue) {
  for (const Filter& filter : config.where) {
    if (filter.field.empty()) {
      throw ConfigError({.what = "a condition names no field",
                         .in = "select.where",
                         .remedy = "write it as { field = \"AGE\", at_least = 18 }"});
    }
    Test test{.filter = filter,
              .field = require_field(catalogue, filter.field, "select.where"),
              .level_stays = {},
              .is = {},
              .is_not = {},
              .text = describe(filter)};
    const io::Field* field =
        test.field < 0 ? nullptr : &catalogue.fields[static_cast<std::size_t>(test.field)];
    if (field == nullptr || field->kind == io::FieldKind::category) {
      if (filter.at_least || filter.at_most || filter.above || filter.below) {
        throw ConfigError({.what = "a category cannot be compared with a bound",
                           .in = "select.where, field " + filter.field,
                           .remedy = "use is = [\"…\"] or is_not = [\"…\"]"});
      }
      test.level_stays = levels_that_stay(filter, field == nullptr ? catalogue.sites : field->levels);
    } else {
      for (const auto& text : filter.is) test.is.push_back(number_of(text, filter.field));
      for (const auto& text : filter.is_not) test.is_not.push_back(number_of(text, filter.field));
    }
    tests_.push_back(std::move(test));
  }
}

std::vector<std::int32_t> Selection::apply(const io::ShardReader& shard, Ledger& ledger) const {
  Ledger of_shard{.n_start = shard.n_patients(), .lines = {}};
  std::vector<std::int32_t> stay(static_cast<std::size_t>(shard.n_patients()));
  for (std::size_t i = 0; i < stay.size(); ++i) stay[i] = static_cast<std::int32_t>(i);

  for (const Test& test : tests_) {
    const io::ColumnData column = test.field >= 0
                                      ? shard.read_clinical(test.field)
                                      : io::ColumnData{.number = {}, .code = shard.read_site(), .bound = {}};
    Index n_missing = 0, n_failed = 0;
    std::erase_if(stay, [&](std::int32_t patient) {
      const auto i = static_cast<std::size_t>(patient);
      const bool missing = column.code.empty() ? std::isnan(column.number[i]) : column.code[i] < 0;
      if (missing) {
        n_missing += test.filter.keep_missing ? 0 : 1;
        return !test.filter.keep_missing;
      }
      const bool stays = column.code.empty()
                             ? test.stays(column.number[i])
                             : test.level_stays[static_cast<std::size_t>(column.code[i])] != 0;
      n_failed += stays ? 0 : 1;
      return !stays;
    });
    of_shard.leave("select", test.text + ": no value", n_missing);
    of_shard.leave("select", test.text + ": does not hold", n_failed);
  }
  ledger.add(of_shard);
  return stay;
}

}  // namespace chorale::engine
