// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "io/study/values.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <span>
#include <system_error>

namespace chorale::io::study {
namespace {

constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_one_of(std::string_view text, std::span<const std::string_view> words) {
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view word) { return same_word(text, word); });
}

// Spellings that number parsers take for numbers and that no table of patients means.
bool is_not_finite(std::string_view text) {
  static constexpr std::array<std::string_view, 14> words{"nan",    "inf",    "infinity", "1.#qnan", "1.#ind",
                                                          "1.#inf", "#num!",  "#value!",  "#div/0!", "#n/a",
                                                          "#ref!",  "#name?", "#null!",   "1.#nan"};
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) text.remove_prefix(1);
  return is_one_of(text, words);
}

bool is_decimal_comma(std::string_view text) {
  const std::size_t comma = text.find(',');
  const auto digits = [](std::string_view part) {
    return !part.empty() &&
           std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; });
  };
  if (!text.empty() && text.front() == '-') return is_decimal_comma(text.substr(1));
  return comma != std::string_view::npos && digits(text.substr(0, comma)) && digits(text.substr(comma + 1));
}

constexpr char first_byte_of_signs = '\xe2';  // of "≥" and "≤" in UTF-8

// Takes the sign of a bound off the front of a text: 1 above, -1 below, 0 when there is none.
std::int8_t take_bound(std::string_view& text) {
  struct Sign {
    std::string_view text;
    std::int8_t bound;
  };
  static constexpr std::array<Sign, 6> signs{
      {{">=", 1}, {">", 1}, {"<=", -1}, {"<", -1}, {"≥", 1}, {"≤", -1}}};
  for (const Sign& sign : signs)
    if (text.starts_with(sign.text)) {
      text = trimmed(text.substr(sign.text.size()));
      return sign.bound;
    }
  return 0;
}

}  // namespace

std::string_view trimmed(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\r'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

bool same_word(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

bool is_null(std::string_view text) {
  static constexpr std::array<std::string_view, 12> words{
      "na",        "n/a",       "[not available]", "[not applicable]", "[not evaluated]",
      "[unknown]", "[pending]", "[discrepancy]",   "[completed]",      "[na]",
      "[n/a]",     "[null]"};
  text = trimmed(text);
  if (text.empty()) return true;
  if (text.front() != '[' && text.front() != 'N' && text.front() != 'n') return false;
  return is_one_of(text, words);
}

Number parse_number(std::string_view text) {
  text = trimmed(text);
  if (is_null(text)) return {};
  Number number{.kind = NumberKind::value, .value = 0, .bound = 0};
  if (text.front() == '<' || text.front() == '>' || text.front() == first_byte_of_signs)
    number.bound = take_bound(text);
  if (text.starts_with('+')) text.remove_prefix(1);
  const char* const stop = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), stop, number.value);
  const bool whole = end == stop && !text.empty() && error != std::errc::invalid_argument;
  if (whole && error == std::errc() && std::isfinite(number.value)) return number;
  if (whole || is_not_finite(text)) return {.kind = NumberKind::not_finite};
  return {.kind = is_decimal_comma(text) ? NumberKind::decimal_comma : NumberKind::not_a_number};
}

std::optional<double> parse_boolean(std::string_view text) {
  static constexpr std::array<std::string_view, 4> yes{"true", "yes", "1", "y"}, no{"false", "no", "0", "n"};
  text = trimmed(text);
  if (is_one_of(text, yes)) return 1.0;
  if (is_one_of(text, no)) return 0.0;
  return std::nullopt;
}

std::optional<std::int8_t> parse_status(std::string_view text) {
  static constexpr std::array<std::string_view, 13> event{
      "deceased", "dead",    "died",        "event",      "recurred", "progressed", "recurred/progressed",
      "relapsed", "relapse", "progression", "recurrence", "yes",      "true"};
  static constexpr std::array<std::string_view, 12> censored{
      "living",       "alive",           "censored",         "no event",       "diseasefree", "disease free",
      "disease-free", "progressionfree", "progression free", "not progressed", "no",          "false"};
  text = trimmed(text);
  if (text.size() >= 2 && text[1] == ':') text = text.substr(0, 1);
  if (text == "1" || is_one_of(text, event)) return std::int8_t{1};
  if (text == "0" || is_one_of(text, censored)) return std::int8_t{0};
  return std::nullopt;
}

}  // namespace chorale::io::study
