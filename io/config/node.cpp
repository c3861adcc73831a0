// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "io/config/node.hpp"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>
#include <toml++/toml.h>

#include "io/file.hpp"

namespace chorale::io {
namespace {

Node convert(const toml::node& from, const std::string& place_of_file, bool with_line) {
  Node node;
  node.place =
      with_line ? fmt::format("{}, line {}", place_of_file, from.source().begin.line) : place_of_file;
  if (const auto* table = from.as_table()) {
    Node::Table entries;
    for (const auto& [key, value] : *table)
      entries.emplace_back(std::string(key.str()), convert(value, place_of_file, with_line));
    // as written, so that complaints come in the reader's order
    std::stable_sort(entries.begin(), entries.end(), [table](const auto& a, const auto& b) {
      return table->get(a.first)->source().begin.line < table->get(b.first)->source().begin.line;
    });
    node.value = std::move(entries);
  } else if (const auto* array = from.as_array()) {
    Node::Array items;
    for (const auto& item : *array) items.push_back(convert(item, place_of_file, with_line));
    node.value = std::move(items);
  } else if (const auto* text = from.as_string()) {
    node.value = text->get();
  } else if (const auto* whole = from.as_integer()) {
    node.value = whole->get();
  } else if (const auto* real = from.as_floating_point()) {
    node.value = real->get();
  } else if (const auto* truth = from.as_boolean()) {
    node.value = truth->get();
  } else {
    throw ConfigError(
        {.what = "dates and times are not used in configs", .in = node.place, .remedy = "write it as text"});
  }
  return node;
}

Node& child(Node& parent, const std::string& key, const std::string& place) {
  if (!parent.is_table()) {
    throw ConfigError({.what = "override reaches into a value that is no table",
                       .found = to_text(parent),
                       .in = place,
                       .remedy = "name a key of a table, as in --set prognosis.replicates=2000"});
  }
  auto& table = std::get<Node::Table>(parent.value);
  const auto at =
      std::find_if(table.begin(), table.end(), [&](const auto& entry) { return entry.first == key; });
  if (at != table.end()) return at->second;
  table.emplace_back(key, Node{.value = Node::Table{}, .place = place});
  return table.back().second;
}

Node override_value(const std::string& text, const std::string& place) {
  try {
    const toml::table parsed = toml::parse("value = " + text);
    if (parsed.size() == 1) return convert(*parsed.get("value"), place, false);
  } catch (const toml::parse_error&) {
    // not TOML: a bare word, which the shell user meant as text
  }
  return Node{.value = text, .place = place};
}

void apply(Node& root, const std::string& assignment) {
  const std::string place = "--set " + assignment;
  const auto equals = assignment.find('=');
  if (equals == std::string::npos || equals == 0) {
    throw ConfigError({.what = "override has no '='",
                       .found = assignment,
                       .expected = "key=value or table.key=value",
                       .in = place,
                       .remedy = "write it as --set prognosis.replicates=2000"});
  }
  Node* node = &root;
  std::string path = assignment.substr(0, equals);
  for (std::size_t from = 0; from <= path.size();) {
    const auto dot = std::min(path.find('.', from), path.size());
    node = &child(*node, path.substr(from, dot - from), place);
    from = dot + 1;
  }
  *node = override_value(assignment.substr(equals + 1), place);
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replace = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replace});
    }
  }
  return row[b.size()];
}

}  // namespace

const Node* Node::find(std::string_view key) const {
  if (!is_table()) return nullptr;
  for (const auto& [name, node] : table())
    if (name == key) return &node;
  return nullptr;
}

Node parse_config(std::string_view text, const std::string& name, std::span<const std::string> overrides) {
  try {
    Node root = convert(toml::parse(text), name, true);
    for (const auto& assignment : overrides) apply(root, assignment);
    return root;
  } catch (const toml::parse_error& problem) {
    throw ConfigError({.what = "config is not valid TOML",
                       .found = std::string(problem.description()),
                       .in = fmt::format("{}, line {}, column {}", name, problem.source().begin.line,
                                         problem.source().begin.column),
                       .remedy = "mend the line; 'chorale describe JOB' prints a template"});
  }
}

Node load_config(const std::filesystem::path& path, std::span<const std::string> overrides) {
  return parse_config(read_text(path), path.string(), overrides);
}

std::string nearest(std::string_view word, std::span<const std::string> candidates) {
  std::string best;
  std::size_t least = std::max<std::size_t>(2, word.size() / 2) + 1;
  for (const auto& candidate : candidates) {
    const std::size_t distance = edit_distance(word, candidate);
    if (distance < least) {
      least = distance;
      best = candidate;
    }
  }
  return best;
}

void refuse_value(const Node& node, std::string what, std::string found, std::string expected,
                  std::string remedy) {
  throw ConfigError({.what = std::move(what),
                     .found = std::move(found),
                     .expected = std::move(expected),
                     .in = node.place,
                     .remedy = std::move(remedy)});
}

std::string to_text(const Node& node) {
  struct {
    std::string operator()(const Node::Table& table) const {
      std::string text = "{";
      for (const auto& [key, value] : table)
        text += (text.size() > 1 ? ", " : " ") + key + " = " + to_text(value);
      return text + (text.size() > 1 ? " }" : "}");
    }
    std::string operator()(const Node::Array& array) const {
      std::string text = "[";
      for (const auto& item : array) text += (text.size() > 1 ? ", " : "") + to_text(item);
      return text + "]";
    }
    std::string operator()(const std::string& text) const { return '"' + text + '"'; }
    std::string operator()(std::int64_t whole) const { return std::to_string(whole); }
    std::string operator()(double real) const { return fmt::format("{}", real); }
    std::string operator()(bool truth) const { return truth ? "true" : "false"; }
  } const visitor;
  return std::visit(visitor, node.value);
}

}  // namespace chorale::io
