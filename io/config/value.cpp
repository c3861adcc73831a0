// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "io/config/value.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace chorale::io {
namespace {

[[noreturn]] void wrong_type(const Node& node, const std::string& key, const char* expected) {
  refuse_value(node, key + " has the wrong type", to_text(node), expected);
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

/// Text, or a number standing where text is asked for, as in is = [1].
std::string text_of(const Node& node, const std::string& key) {
  if (const auto* text = std::get_if<std::string>(&node.value)) return *text;
  if (std::holds_alternative<std::int64_t>(node.value) || std::holds_alternative<double>(node.value))
    return to_text(node);
  wrong_type(node, key, "text");
}

template <class T>
std::string list_text(const std::vector<T>& values) {
  std::string out = "[";
  for (const auto& value : values) out += (out.size() > 1 ? ", " : "") + value_text(value);
  return out + "]";
}

}  // namespace

std::string shortest(double value) {
  return fmt::format("{}", value);
}

void read_value(const Node& node, const std::string& key, bool& value) {
  const auto* truth = std::get_if<bool>(&node.value);
  if (truth == nullptr) wrong_type(node, key, "true or false");
  value = *truth;
}

void read_value(const Node& node, const std::string& key, Index& value) {
  const auto* whole = std::get_if<std::int64_t>(&node.value);
  if (whole == nullptr) wrong_type(node, key, "a whole number");
  value = *whole;
}

void read_value(const Node& node, const std::string& key, double& value) {
  if (const auto* whole = std::get_if<std::int64_t>(&node.value)) {
    value = static_cast<double>(*whole);
  } else if (const auto* real = std::get_if<double>(&node.value)) {
    value = *real;
  } else {
    wrong_type(node, key, "a number");
  }
}

void read_value(const Node& node, const std::string& key, std::string& value) {
  const auto* text = std::get_if<std::string>(&node.value);
  if (text == nullptr) wrong_type(node, key, "text in quotes");
  value = *text;
}

void read_value(const Node& node, const std::string& key, std::filesystem::path& value) {
  std::string text;
  read_value(node, key, text);
  value = text;
}

void read_value(const Node& node, const std::string& key, std::vector<std::string>& value) {
  value.clear();
  if (const auto* array = std::get_if<Node::Array>(&node.value)) {
    for (const Node& item : *array) value.push_back(text_of(item, key));
  } else {
    value.push_back(text_of(node, key));
  }
}

void read_value(const Node& node, const std::string& key, std::vector<double>& value) {
  const auto* array = std::get_if<Node::Array>(&node.value);
  if (array == nullptr) wrong_type(node, key, "a list of numbers");
  value.clear();
  for (const Node& item : *array) read_value(item, key, value.emplace_back());
}

std::string value_text(bool value) {
  return value ? "true" : "false";
}
std::string value_text(Index value) {
  return std::to_string(value);
}
std::string value_text(double value) {
  return shortest(value);
}
std::string value_text(const std::string& value) {
  return quoted(value);
}
std::string value_text(const std::filesystem::path& value) {
  return quoted(value.string());
}
std::string value_text(const std::vector<std::string>& value) {
  return list_text(value);
}
std::string value_text(const std::vector<double>& value) {
  return list_text(value);
}

void require_word(const std::string& word, const std::vector<std::string>& words, const std::string& list,
                  const std::string& key, const Node& node) {
  if (std::find(words.begin(), words.end(), word) != words.end()) return;
  const std::string near = nearest(word, words);
  refuse_value(node, key + " has an unknown word", quoted(word), list,
               near.empty() ? "choose one of these" : "did you mean \"" + near + "\"?");
}

void require_table(const Node& node, const std::string& name) {
  if (!node.is_table()) refuse_value(node, "[" + name + "] is not a table", to_text(node), "keys and values");
}

void refuse_key(const Node& node, const std::string& key, const std::string& table,
                const std::vector<std::string>& keys) {
  std::string list;
  for (const auto& known : keys) list += (list.empty() ? "" : ", ") + known;
  const std::string near = nearest(key, keys);
  refuse_value(node, table.empty() ? "unknown key" : "unknown key in [" + table + "]", key, list,
               near.empty() ? "choose one of these, or remove the line" : "did you mean \"" + near + "\"?");
}

const Node::Array& items_of(const Node& node, const std::string& key) {
  const auto* array = std::get_if<Node::Array>(&node.value);
  if (array == nullptr) wrong_type(node, key, "a list of tables");
  return *array;
}

}  // namespace chorale::io
