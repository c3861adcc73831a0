// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "kernels/error.hpp"

namespace chorale::io {

/// One value of a config file and the place where it stands, so that every complaint can point there.
struct Node {
  using Array = std::vector<Node>;
  using Table = std::vector<std::pair<std::string, Node>>;

  std::variant<Table, Array, std::string, std::int64_t, double, bool> value;
  std::string place;  ///< "job.toml, line 12" or "--set run.threads=2"

  bool is_table() const { return std::holds_alternative<Table>(value); }
  const Table& table() const { return std::get<Table>(value); }
  const Node* find(std::string_view key) const;  ///< null when this is no table or has no such key
};

/// Reads a TOML file and lays `key.path=value` overrides over it, later ones last.
/// An override's value is TOML; what TOML cannot read is taken as text.
/// Throws   ConfigError with file, line and the parser's reason; StoreError when the file cannot be read
Node load_config(const std::filesystem::path& path, std::span<const std::string> overrides = {});

/// The same from text; `name` stands for the file in messages.
Node parse_config(std::string_view text, const std::string& name,
                  std::span<const std::string> overrides = {});

/// The candidate nearest to `word` by edit distance, or empty when none is near.
std::string nearest(std::string_view word, std::span<const std::string> candidates);

/// Complains about a value: `in` becomes its place.
[[noreturn]] void refuse_value(const Node& node, std::string what, std::string found, std::string expected,
                               std::string remedy = {});

/// A value as it would stand in TOML, for messages.
std::string to_text(const Node& node);

}  // namespace chorale::io
