// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/job_config.hpp"
#include "engine/ledger.hpp"
#include "io/shard.hpp"

namespace chorale::engine {

/// The name under which a patient's site can be used like a clinical field (unless a field has that name).
inline constexpr std::string_view site_field = "SITE";

/// [select] checked against a catalogue, ready to be applied to shards.
class Selection {
 public:
  /// Throws   ConfigError when a field is unknown, a level does not exist, or a bound meets a category
  Selection(const SelectConfig& config, const io::Catalogue& catalogue);

  /// Patients of a shard that stay, ascending; adds the shard to the ledger.
  /// A released bound such as ">89" counts as its value.
  std::vector<std::int32_t> apply(const io::ShardReader& shard, Ledger& ledger) const;

  bool keeps_everyone() const { return tests_.empty(); }

 private:
  struct Test {
    Filter filter;
    Index field = -1;                       // -1: the patient's site
    std::vector<std::uint8_t> level_stays;  // categories
    std::vector<double> is, is_not;         // numbers
    std::string text;
    bool stays(double value) const;
  };
  std::vector<Test> tests_;
};

/// Position of a clinical field in the catalogue, -1 for the patient's site.
/// Throws   ConfigError naming the nearest field when there is none; `key` says which config key asked
Index require_field(const io::Catalogue& catalogue, const std::string& name, const std::string& key);

}  // namespace chorale::engine
