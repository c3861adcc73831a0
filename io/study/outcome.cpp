// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "io/study/outcome.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "io/study/clinical.hpp"
#include "io/study/values.hpp"

namespace chorale::io::study {
namespace {

constexpr std::int8_t no_code = -2;

bool has(const std::vector<std::string>& columns, const std::string& name) {
  return std::find(columns.begin(), columns.end(), name) != columns.end();
}

// A column of times and what turns it into days; column is -1 when the table has none.
struct TimeColumn {
  Index column = -1;
  double days_per_unit = 1;
};

TimeColumn time_column(const ClinicalTable& table, const std::string& prefix) {
  if (const Index days = table.find(prefix + "_DAYS"); days >= 0) return {days, 1};
  return {table.find(prefix + "_MONTHS"), days_per_month};
}

class OutcomeReader {
 public:
  OutcomeReader(const ClinicalTable& table, std::string prefix, Problems& problems)
      : table_(table),
        problems_(problems),
        status_(table.columns[static_cast<std::size_t>(table.find(prefix + "_STATUS"))]),
        time_at_(time_column(table, prefix)),
        time_(table.columns[static_cast<std::size_t>(time_at_.column)]),
        entry_at_(time_column(table, prefix + "_ENTRY")) {
    out_.name = std::move(prefix);
    out_.description = time_.description;
    out_.source = fmt::format("{}, columns {} and {}", table.file, time_.name, status_.name);
    for (Index level = 0; level < status_.levels.size(); ++level)
      events_.push_back(parse_status(status_.levels[level]).value_or(no_code));
  }

  Outcome read() {
    const auto n = static_cast<std::size_t>(table_.n_rows());
    out_.entry.assign(n, 0);
    out_.time.assign(n, std::numeric_limits<double>::quiet_NaN());
    out_.event.assign(n, -1);
    for (std::size_t row = 0; row < n; ++row) read_row(row);
    return std::move(out_);
  }

 private:
  void read_row(std::size_t row) {
    const std::int32_t code = status_.code[row];
    const std::int8_t event = code < 0 ? std::int8_t{-1} : events_[static_cast<std::size_t>(code)];
    const double time = time_.number[row] * time_at_.days_per_unit;
    if (event == no_code) {
      wrong(row, status_.name, "status is no code of an outcome", "0:… or 1:…",
            "write 0: before the censored, 1: before events; or rename the column", status_.levels[code]);
      return;
    }
    if (time < 0) {
      wrong(row, time_.name, "survival time is negative", "0 or more", "correct the value",
            fmt::format("{}", time_.number[row]));
      return;
    }
    if (std::isnan(time) != (code < 0)) ++out_.n_half;
    if (std::isnan(time) || code < 0) return;
    if (event == 1 && time_.n_bounds > 0 && time_.bound[row] != 0) {
      ++out_.n_bound;
      return;
    }
    if (!read_entry(row, time)) return;
    out_.time[row] = time;
    out_.event[row] = event;
    ++out_.n_known;
    out_.n_events += event;
  }

  // False when the patient came under observation at an unknown or impossible time.
  bool read_entry(std::size_t row, double time) {
    if (entry_at_.column < 0) return true;
    const ClinicalColumn& column = table_.columns[static_cast<std::size_t>(entry_at_.column)];
    const double entry = column.number[row] * entry_at_.days_per_unit;
    if (std::isnan(entry)) {
      ++out_.n_half;
      return false;
    }
    if (entry < 0 || (entry > 0 && entry >= time)) {
      wrong(row, column.name, "entry time is not before the survival time",
            "0 or more, and less than " + time_.name, "correct the value",
            fmt::format("{}", column.number[row]));
      return false;
    }
    out_.entry[row] = entry;
    return true;
  }

  void wrong(std::size_t row, const std::string& column, std::string_view what, std::string_view expected,
             std::string_view remedy, std::string_view value) {
    problems_.add({.what = what,
                   .column = column,
                   .expected = expected,
                   .remedy = remedy,
                   .value = value,
                   .line = table_.line[row],
                   .effect = Effect::blank_value});
  }

  const ClinicalTable& table_;
  Problems& problems_;
  const ClinicalColumn& status_;
  TimeColumn time_at_;
  const ClinicalColumn& time_;
  TimeColumn entry_at_;
  std::vector<std::int8_t> events_;  // per level of the status column: 1, 0 or no_code
  Outcome out_;
};

}  // namespace

OutcomeRole role_in_outcome(std::string_view column, const std::vector<std::string>& columns) {
  const auto ends = [&](std::string_view suffix) {
    return column.size() > suffix.size() && column.ends_with(suffix);
  };
  const auto stem = [&](std::string_view suffix) {
    return std::string(column.substr(0, column.size() - suffix.size()));
  };
  const auto is_outcome = [&](const std::string& prefix) {
    return has(columns, prefix + "_STATUS") &&
           (has(columns, prefix + "_MONTHS") || has(columns, prefix + "_DAYS"));
  };
  if (ends("_STATUS")) return is_outcome(stem("_STATUS")) ? OutcomeRole::status : OutcomeRole::none;
  for (const std::string_view suffix : {"_ENTRY_MONTHS", "_ENTRY_DAYS", "_MONTHS", "_DAYS"})
    if (ends(suffix) && is_outcome(stem(suffix))) return OutcomeRole::time;
  return OutcomeRole::none;
}

std::vector<Outcome> read_outcomes(const ClinicalTable& table, Problems& problems) {
  std::vector<std::string> names, prefixes;
  for (const ClinicalColumn& column : table.columns) names.push_back(column.name);
  for (const std::string& name : names)
    if (name.ends_with("_STATUS") && role_in_outcome(name, names) == OutcomeRole::status)
      prefixes.push_back(name.substr(0, name.size() - std::string_view("_STATUS").size()));
  std::sort(prefixes.begin(), prefixes.end());
  std::vector<Outcome> outcomes;
  for (std::string& prefix : prefixes)
    outcomes.push_back(OutcomeReader(table, std::move(prefix), problems).read());
  return outcomes;
}

}  // namespace chorale::io::study
