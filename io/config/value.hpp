// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <array>
#include <concepts>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "io/config/node.hpp"
#include "kernels/types.hpp"

namespace chorale::io {

/// The words that stand for an enum in configs; specialise beside the enum:
///   template <> struct ConfigWords<Ties> { static constexpr std::array words{std::pair{"efron", Ties::efron}, …}; };
template <class Enum>
struct ConfigWords;

template <class Enum>
concept NamedEnum = std::is_enum_v<Enum> && requires {
  ConfigWords<Enum>::words;
};

/// A number as short as it can stand and still be read back equal.
std::string shortest(double value);

void read_value(const Node& node, const std::string& key, bool& value);
void read_value(const Node& node, const std::string& key, Index& value);
void read_value(const Node& node, const std::string& key, double& value);
void read_value(const Node& node, const std::string& key, std::string& value);
void read_value(const Node& node, const std::string& key, std::filesystem::path& value);
void read_value(const Node& node, const std::string& key, std::vector<std::string>& value);
void read_value(const Node& node, const std::string& key, std::vector<double>& value);

std::string value_text(bool value);
std::string value_text(Index value);
std::string value_text(double value);
std::string value_text(const std::string& value);
std::string value_text(const std::filesystem::path& value);
std::string value_text(const std::vector<std::string>& value);
std::string value_text(const std::vector<double>& value);

void require_word(const std::string& word, const std::vector<std::string>& words, const std::string& list,
                  const std::string& key, const Node& node);
void require_table(const Node& node, const std::string& name);
[[noreturn]] void refuse_key(const Node& node, const std::string& key, const std::string& table,
                             const std::vector<std::string>& keys);
const Node::Array& items_of(const Node& node, const std::string& key);

template <class T>
void read_value(const Node& node, const std::string& key, std::optional<T>& value) {
  read_value(node, key, value.emplace());
}
template <class T>
std::string value_text(const std::optional<T>& value) {
  return value ? value_text(*value) : std::string{};
}

template <NamedEnum Enum>
std::string words_list() {
  std::string list;
  for (const auto& [word, value] : ConfigWords<Enum>::words)
    list += (list.empty() ? "one of " : ", ") + std::string(word);
  return list;
}
template <NamedEnum Enum>
void read_value(const Node& node, const std::string& key, Enum& value) {
  std::string text;
  read_value(node, key, text);
  std::vector<std::string> words;
  for (const auto& [word, meaning] : ConfigWords<Enum>::words) {
    words.emplace_back(word);
    if (text == word) value = meaning;
  }
  require_word(text, words, words_list<Enum>(), key, node);
}
template <NamedEnum Enum>
std::string value_text(const Enum& value) {
  for (const auto& [word, meaning] : ConfigWords<Enum>::words)
    if (meaning == value) return value_text(std::string(word));
  return {};
}

template <class T>
std::string words_range() {
  if constexpr (NamedEnum<T>)
    return words_list<T>();
  else
    return {};
}

template <class T>
struct TypeName;
template <>
struct TypeName<bool> {
  static constexpr const char* text = "true or false";
};
template <>
struct TypeName<Index> {
  static constexpr const char* text = "whole number";
};
template <>
struct TypeName<double> {
  static constexpr const char* text = "number";
};
template <>
struct TypeName<std::string> {
  static constexpr const char* text = "text";
};
template <>
struct TypeName<std::filesystem::path> {
  static constexpr const char* text = "path";
};
template <>
struct TypeName<std::vector<std::string>> {
  static constexpr const char* text = "list of text";
};
template <>
struct TypeName<std::vector<double>> {
  static constexpr const char* text = "list of numbers";
};
template <class T>
struct TypeName<std::optional<T>> : TypeName<T> {};
template <NamedEnum Enum>
struct TypeName<Enum> {
  static constexpr const char* text = "word";
};
template <class T>
std::string type_name() {
  return TypeName<T>::text;
}

/// The numbers in a value, for range checks; none in a value without numbers.
template <class T>
std::vector<double> numbers_of(const T& value) {
  if constexpr (std::same_as<T, std::vector<double>>)
    return value;
  else if constexpr (std::same_as<T, std::optional<double>> || std::same_as<T, std::optional<Index>>)
    return value ? std::vector{static_cast<double>(*value)} : std::vector<double>{};
  else
    return {static_cast<double>(value)};
}
/// The texts in a value, for word checks.
template <class T>
std::vector<std::string> texts_of(const T& value) {
  if constexpr (std::same_as<T, std::vector<std::string>>)
    return value;
  else
    return {value};
}

}  // namespace chorale::io
