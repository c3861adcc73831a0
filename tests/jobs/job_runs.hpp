// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "engine/runner.hpp"
#include "io/config/node.hpp"
#include "jobs/registry.hpp"

namespace chorale::jobs {

/// Runs a job of the registry alone.
inline io::Results run_alone(const io::Node& config) {
  const auto comm = engine::solo_comm();
  const auto job = engine::prepare(config, registry(), comm.get());
  return *engine::run(job, *comm, {.fresh = true, .progress = {}}).results;
}
inline io::Results run_alone(const std::string& toml) {
  return run_alone(io::parse_config(toml, "test.toml"));
}

/// A named number of summary.json.
inline double number(const io::Results& results, const std::string& name) {
  for (const auto& [key, value] : results.numbers)
    if (key == name) return value;
  throw std::runtime_error("no number " + name);
}

/// A table read row by row: cells by column name.
class Rows {
 public:
  Rows(const io::Results& results, const std::string& table) {
    for (const auto& candidate : results.tables)
      if (candidate.name == table) table_ = &candidate;
    if (table_ == nullptr) throw std::runtime_error("no table " + table);
  }
  Index size() const { return table_->n_rows(); }
  std::string text(const std::string& column, Index row) const { return cell<std::string>(column, row); }
  double real(const std::string& column, Index row) const { return cell<double>(column, row); }
  Index whole(const std::string& column, Index row) const { return cell<std::int64_t>(column, row); }
  /// The row where every named text column has its value; throws when there is none.
  Index find(const std::map<std::string, std::string>& key) const {
    for (Index row = 0; row < size(); ++row) {
      bool equal = true;
      for (const auto& [column, value] : key) equal = equal && text(column, row) == value;
      if (equal) return row;
    }
    throw std::runtime_error("no such row in " + table_->name);
  }

 private:
  template <class T>
  T cell(const std::string& column, Index row) const {
    const io::ResultColumn* found = table_->find(column);
    if (found == nullptr) throw std::runtime_error("no column " + column + " in " + table_->name);
    return std::get<std::vector<T>>(found->values)[static_cast<std::size_t>(row)];
  }
  const io::ResultTable* table_ = nullptr;
};

}  // namespace chorale::jobs
