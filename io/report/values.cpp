// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "io/report/charts.hpp"
#include "io/report/svg.hpp"

namespace chorale::io::report {

std::vector<double> numbers(const ResultTable& table, const std::string& name) {
  const ResultColumn* column = table.find(name);
  if (column == nullptr) return {};
  if (const auto* real = std::get_if<std::vector<double>>(&column->values)) return *real;
  std::vector<double> values;
  if (const auto* whole = std::get_if<std::vector<std::int64_t>>(&column->values))
    for (const std::int64_t v : *whole)
      values.push_back(v == missing_count ? std::numeric_limits<double>::quiet_NaN()
                                          : static_cast<double>(v));
  return values;
}

std::vector<std::string> texts(const ResultTable& table, const std::string& name) {
  const ResultColumn* column = table.find(name);
  if (column == nullptr) return {};
  const auto* values = std::get_if<std::vector<std::string>>(&column->values);
  return values == nullptr ? std::vector<std::string>{} : *values;
}

std::vector<std::string> subjects(const ResultTable& table) {
  for (const char* name : {"feature", "term"})
    if (auto found = texts(table, name); !found.empty()) return found;
  const std::string members = set_letters(table);
  if (members.empty()) return {};
  auto sets = texts(table, "feature_a");
  for (const char letter : members.substr(1)) {
    const auto member = texts(table, std::string("feature_") + letter);
    for (std::size_t i = 0; i < sets.size(); ++i) sets[i] += " × " + member[i];
  }
  return sets;
}

std::string set_letters(const ResultTable& table) {
  std::string letters;
  for (char letter = 'a'; !texts(table, std::string("feature_") + letter).empty(); ++letter)
    letters += letter;
  return letters.size() < 2 ? "" : letters;
}

std::vector<std::string> in_order(const std::vector<std::string>& values) {
  std::vector<std::string> seen;
  for (const auto& value : values)
    if (std::find(seen.begin(), seen.end(), value) == seen.end()) seen.push_back(value);
  return seen;
}

std::string readable_count(std::int64_t value) {
  const std::string digits = std::to_string(value);
  std::string out;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && digits[i - 1] != '-' && (digits.size() - i) % 3 == 0) out += ',';
    out += digits[i];
  }
  return out;
}

std::string readable(double value) {
  if (std::isnan(value)) return "";
  if (std::isinf(value)) return value > 0 ? "∞" : "−∞";
  const double size = std::abs(value);
  if (size >= 1000 && size < 1e9) return readable_count(std::llround(value));
  if (size != 0 && (size < 1e-3 || size >= 1e9)) return fmt::format("{:.2e}", value);
  return fmt::format("{:.4g}", value);
}

std::string readable_p(double log10_p) {
  if (std::isnan(log10_p)) return "";
  if (std::isinf(log10_p)) return "0";
  if (log10_p >= -3) return fmt::format("{:.2g}", std::pow(10, log10_p));
  // mantissa and exponent apart, since 10^log10_p may be too small for a double
  double exponent = std::floor(log10_p);
  double mantissa = std::round(std::pow(10, log10_p - exponent) * 10) / 10;
  if (mantissa >= 10) mantissa = 1, exponent += 1;
  return fmt::format("{:.1f}e{:.0f}", mantissa, exponent);
}

std::string readable_time(double days) {
  const double years = days / 365.25;
  if (std::abs(years - std::round(years)) > 1e-9) return readable(days) + " days";
  return fmt::format("{:.0f} {}", years, years < 1.5 ? "year" : "years");
}

std::string counted(std::int64_t n, const std::string& thing) {
  return readable_count(n) + " " + thing + (n == 1 ? "" : "s");
}

std::string figure(const std::string& picture, const std::string& caption) {
  return "<figure>\n<div class=\"wide\" tabindex=\"0\">\n" + picture + "</div>\n<figcaption>" +
         escaped(caption) + "</figcaption>\n</figure>\n";
}

}  // namespace chorale::io::report
