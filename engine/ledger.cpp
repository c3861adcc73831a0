// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "engine/ledger.hpp"

#include "kernels/error.hpp"

namespace chorale::engine {

Index Ledger::n_remaining() const {
  Index n = n_start;
  for (const Line& line : lines) n -= line.n_left;
  return n;
}

void Ledger::add(const Ledger& other) {
  if (lines.empty() && n_start == 0) {
    *this = other;
    return;
  }
  if (lines.size() != other.lines.size()) {
    throw ShapeError(
        {.what = "ledgers of different selections cannot be added", .remedy = "report this as a bug"});
  }
  n_start += other.n_start;
  for (std::size_t i = 0; i < lines.size(); ++i) lines[i].n_left += other.lines[i].n_left;
}

void Ledger::add_up(const std::function<void(std::span<std::int64_t>)>& sum) {
  std::vector<std::int64_t> counts{n_start};
  for (const Line& line : lines) counts.push_back(line.n_left);
  sum(counts);
  n_start = counts[0];
  for (std::size_t i = 0; i < lines.size(); ++i) lines[i].n_left = counts[i + 1];
}

io::ResultTable Ledger::table() const {
  std::vector<std::string> step{"cohort"}, reason{"all patients"};
  std::vector<std::int64_t> left{0}, remain{n_start};
  Index n = n_start;
  for (const Line& line : lines) {
    n -= line.n_left;
    step.push_back(line.step);
    reason.push_back(line.reason);
    left.push_back(line.n_left);
    remain.push_back(n);
  }
  io::ResultTable table{.name = "attrition",
                        .caption = "Patients that left the analysis, with the reason, in order.",
                        .columns = {}};
  table.add("step", "", "part of the analysis", std::move(step));
  table.add("reason", "", "why patients left", std::move(reason));
  table.add("left", "patients", "patients that left for this reason", std::move(left));
  table.add("remaining", "patients", "patients that remain", std::move(remain));
  return table;
}

}  // namespace chorale::engine
