// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "io/config/node.hpp"
#include "io/config/value.hpp"

namespace chorale::io {

/// What is known of one config key, whatever its type: enough for templates, reference pages and messages.
struct FieldInfo {
  std::string key;
  std::string type;           ///< "whole number", "list of text", …
  std::string unit;           ///< empty when dimensionless
  std::string default_value;  ///< as TOML; empty when the key has none
  std::string range;          ///< "≥ 1", "one of efron, breslow"
  std::string help;
};

/// A table of a config, described once: parser, checks, defaults, template and reference page come from it.
///
///   Schema<Config> schema("interaction_screen", "Which pairs go together, and what they do to outcome.");
///   schema.field("min_carriers", &Config::min_carriers).unit("patients").at_least(1).help("…");
template <class Config>
class Schema {
 public:
  Schema(std::string name, std::string help) : name_(std::move(name)), help_(std::move(help)) {}

  const std::string& name() const { return name_; }
  const std::string& help() const { return help_; }

  /// Adds what a field may say of itself; returned by field().
  template <class T>
  class Builder {
   public:
    Builder(FieldInfo& info, std::vector<std::function<void(const T&, const Node&)>>& checks)
        : info_(info), checks_(checks) {}
    Builder& unit(std::string unit) {
      info_.unit = std::move(unit);
      return *this;
    }
    Builder& help(std::string help) {
      info_.help = std::move(help);
      return *this;
    }
    Builder& at_least(double bound) {
      return limit("≥", bound, [bound](double x) { return x >= bound; });
    }
    Builder& at_most(double bound) {
      return limit("≤", bound, [bound](double x) { return x <= bound; });
    }
    Builder& above(double bound) {
      return limit(">", bound, [bound](double x) { return x > bound; });
    }
    Builder& below(double bound) {
      return limit("<", bound, [bound](double x) { return x < bound; });
    }
    Builder& one_of(std::vector<std::string> words) {
      std::string list;
      for (const auto& word : words) list += (list.empty() ? "one of " : ", ") + word;
      info_.range = list;
      checks_.push_back([words, list, key = info_.key](const T& value, const Node& node) {
        for (const auto& text : texts_of(value)) require_word(text, words, list, key, node);
      });
      return *this;
    }

   private:
    Builder& limit(const char* sign, double bound, std::function<bool(double)> holds) {
      const std::string range = std::string(sign) + " " + shortest(bound);
      info_.range += (info_.range.empty() ? "" : " and ") + range;
      checks_.push_back([holds, range, key = info_.key](const T& value, const Node& node) {
        for (const double x : numbers_of(value))
          if (!holds(x)) refuse_value(node, key + " is out of range", shortest(x), range);
      });
      return *this;
    }
    FieldInfo& info_;
    std::vector<std::function<void(const T&, const Node&)>>& checks_;
  };

  /// A key whose value goes to `member`; T is bool, Index, double, text, an optional or a list of these, or an enum
  /// with ConfigWords.
  template <class T>
  Builder<T> field(std::string key, T Config::*member) {
    auto entry = std::make_shared<Typed<T>>();
    entry->info.key = std::move(key);
    entry->info.type = type_name<T>();
    entry->info.range = words_range<T>();
    entry->info.default_value = value_text(Config{}.*member);
    entry->member = member;
    entries_.push_back(entry);
    return {entry->info, entry->checks};
  }

  /// A list of tables, each read by a schema of its own.
  template <class Item>
  void tables(std::string key, std::vector<Item> Config::*member, Schema<Item> item, std::string help) {
    auto entry = std::make_shared<Tables<Item>>(std::move(item));
    entry->info = {.key = std::move(key),
                   .type = "list of tables",
                   .unit = {},
                   .default_value = "[]",
                   .range = {},
                   .help = std::move(help)};
    entry->member = member;
    entries_.push_back(entry);
  }

  /// The config that `node` (null: no such table) describes; keys that are absent keep their defaults.
  /// Throws   ConfigError for unknown keys (with the nearest valid one), wrong types and values out of range
  Config parse(const Node* node) const {
    Config config;
    if (node == nullptr) return config;
    require_table(*node, name_);
    for (const auto& [key, value] : node->table()) {
      const Entry* entry = find(key);
      if (entry == nullptr) refuse_key(value, key, name_, keys());
      entry->read(config, value);
    }
    return config;
  }

  /// Every key with its value as TOML: what a result records and a checkpoint compares.
  std::vector<std::pair<std::string, std::string>> dump(const Config& config) const {
    std::vector<std::pair<std::string, std::string>> all;
    for (const auto& entry : entries_) all.emplace_back(entry->info.key, entry->text(config));
    return all;
  }

  /// Keys of nested list items stand behind their list, as "where.field".
  std::vector<FieldInfo> fields() const {
    std::vector<FieldInfo> all;
    for (const auto& entry : entries_) {
      all.push_back(entry->info);
      for (FieldInfo info : entry->items()) {
        info.key = entry->info.key + "." + info.key;
        all.push_back(std::move(info));
      }
    }
    return all;
  }

 private:
  struct Entry {
    virtual ~Entry() = default;
    virtual void read(Config& config, const Node& node) const = 0;
    virtual std::string text(const Config& config) const = 0;
    virtual std::vector<FieldInfo> items() const { return {}; }
    FieldInfo info;
  };
  template <class T>
  struct Typed : Entry {
    void read(Config& config, const Node& node) const override {
      read_value(node, this->info.key, config.*member);
      for (const auto& check : checks) check(config.*member, node);
    }
    std::string text(const Config& config) const override { return value_text(config.*member); }
    T Config::*member = nullptr;
    std::vector<std::function<void(const T&, const Node&)>> checks;
  };
  template <class Item>
  struct Tables : Entry {
    explicit Tables(Schema<Item> s) : schema(std::move(s)) {}
    void read(Config& config, const Node& node) const override {
      (config.*member).clear();
      for (const Node& item : items_of(node, this->info.key)) (config.*member).push_back(schema.parse(&item));
    }
    std::string text(const Config& config) const override {
      std::string all;
      for (const Item& item : config.*member) {
        std::string one;
        for (const auto& [key, value] : schema.dump(item))
          if (!value.empty()) one += (one.empty() ? "" : ", ") + key + " = " + value;
        all += (all.empty() ? "" : ", ") + ("{ " + one + " }");
      }
      return "[" + all + "]";
    }
    std::vector<FieldInfo> items() const override { return schema.fields(); }
    std::vector<Item> Config::*member = nullptr;
    Schema<Item> schema;
  };

  const Entry* find(std::string_view key) const {
    for (const auto& entry : entries_)
      if (entry->info.key == key) return entry.get();
    return nullptr;
  }
  std::vector<std::string> keys() const {
    std::vector<std::string> all;
    for (const auto& entry : entries_) all.push_back(entry->info.key);
    return all;
  }

  std::string name_;
  std::string help_;
  std::vector<std::shared_ptr<Entry>> entries_;
};

/// A commented TOML template of one table, every key at its default.
std::string toml_template(const std::string& table, const std::string& help,
                          const std::vector<FieldInfo>& fields);

/// The same as a Markdown reference section.
std::string reference_section(const std::string& table, const std::string& help,
                              const std::vector<FieldInfo>& fields);

}  // namespace chorale::io
