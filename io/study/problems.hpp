// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "io/study/report.hpp"
#include "kernels/error.hpp"
#include "kernels/types.hpp"

namespace chorale::io::study {

/// What happens to a wrong row or value when the recipe says drop_invalid.
enum class Effect {
  refuse,      ///< nothing helps: the file is refused
  drop_row,    ///< the row is left out and counted
  blank_value  ///< the value becomes missing and is counted
};

struct Problem {
  std::string_view what;
  std::string_view column;  ///< empty when the row as a whole is wrong
  std::string_view expected;
  std::string_view remedy;
  std::string_view value;  ///< as found
  Index line = 0;          ///< 0: no line in particular
  Effect effect = Effect::refuse;
};

/// Everything wrong in one file, equal problems merged: "lines 16, 18, 20 and 6 more".
/// Memory is bounded: a few values and lines per kind, and beyond 64 kinds columns are no longer told apart.
class Problems {
 public:
  explicit Problems(std::string file = {}, bool tolerant = false)
      : file_(std::move(file)), tolerant_(tolerant) {}

  void add(const Problem& problem);
  /// Takes over what a block of the file found; its line 1 is the file's line `first_line`.
  void merge(const Problems& block, Index first_line);
  void clear() { groups_.clear(); }

  bool tolerant() const { return tolerant_; }
  const std::string& file() const { return file_; }

  /// Throws   InputError that lists everything, unless all of it may be dropped under drop_invalid
  void refuse_if_any() const;
  /// What was dropped and what was blanked, by reason; for a tolerant reader.
  std::vector<Count> dropped() const { return counts(Effect::drop_row); }
  std::vector<Count> blanked() const { return counts(Effect::blank_value); }

 private:
  struct Key {
    std::string what, column, expected, remedy;
    Effect effect;
    auto operator<=>(const Key&) const = default;
  };
  struct Group {
    std::vector<std::string> values;  // the first few distinct ones
    bool more_values = false;
    std::vector<Index> lines;  // the first few
    Index n = 0;
    Index order = 0;
  };

  Group& group(Key key);
  std::vector<Count> counts(Effect effect) const;
  static std::string found(const Group& group);
  static std::string place(const Key& key, const Group& group);

  std::string file_;
  bool tolerant_;
  std::map<Key, Group> groups_;
};

}  // namespace chorale::io::study
