// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "io/study/problems.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace chorale::io::study {
namespace {

constexpr std::size_t most_kinds = 64, most_values = 3, most_lines = 4;

// Values are shown whole when short; a runaway cell is cut, and bytes that are no text are shown as numbers.
std::string shown(std::string_view value) {
  constexpr std::size_t most_bytes = 60;
  std::string text;
  for (const char c : value.substr(0, most_bytes)) {
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7e)
      text += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    else
      text += c;
  }
  return value.size() > most_bytes ? text + "…" : text;
}

}  // namespace

Problems::Group& Problems::group(Key key) {
  auto at = groups_.find(key);
  if (at != groups_.end()) return at->second;
  if (groups_.size() >= most_kinds && !key.column.empty()) {
    key.column = "(several)";
    at = groups_.find(key);
    if (at != groups_.end()) return at->second;
  }
  Group& made = groups_[std::move(key)];
  made.order = static_cast<Index>(groups_.size());
  return made;
}

void Problems::add(const Problem& p) {
  Group& g = group(
      {std::string(p.what), std::string(p.column), std::string(p.expected), std::string(p.remedy), p.effect});
  ++g.n;
  if (p.line > 0 && g.lines.size() < most_lines) g.lines.push_back(p.line);
  if (p.value.empty() || g.more_values) return;
  std::string value = shown(p.value);
  if (std::find(g.values.begin(), g.values.end(), value) != g.values.end()) return;
  if (g.values.size() < most_values)
    g.values.push_back(std::move(value));
  else
    g.more_values = true;
}

void Problems::merge(const Problems& block, Index first_line) {
  std::vector<const std::pair<const Key, Group>*> in_order;
  for (const auto& entry : block.groups_) in_order.push_back(&entry);
  std::sort(in_order.begin(), in_order.end(),
            [](auto* a, auto* b) { return a->second.order < b->second.order; });
  for (const auto* entry : in_order) {
    Group& g = group(entry->first);
    const Group& from = entry->second;
    g.n += from.n;
    for (const Index line : from.lines)
      if (g.lines.size() < most_lines) g.lines.push_back(line + first_line - 1);
    g.more_values |= from.more_values;
    for (const std::string& value : from.values) {
      if (std::find(g.values.begin(), g.values.end(), value) != g.values.end()) continue;
      if (g.values.size() < most_values)
        g.values.push_back(value);
      else
        g.more_values = true;
    }
  }
}

std::string Problems::found(const Group& group) {
  return fmt::format("{}{}", fmt::join(group.values, ", "), group.more_values ? " and others" : "");
}

std::string Problems::place(const Key& key, const Group& group) {
  std::string text;
  const auto n = static_cast<Index>(group.lines.size());
  if (group.n == 1 && n == 1)
    text = fmt::format("line {}", group.lines[0]);
  else if (n > 0 && group.n == n)
    text = fmt::format("lines {} and {}", fmt::join(group.lines.begin(), group.lines.end() - 1, ", "),
                       group.lines.back());
  else if (n > 0)
    text = fmt::format("lines {} and {} more", fmt::join(group.lines.begin(), group.lines.begin() + 3, ", "),
                       group.n - 3);
  if (!key.column.empty()) text += (text.empty() ? "column " : ", column ") + key.column;
  return text;
}

void Problems::refuse_if_any() const {
  std::vector<const std::pair<const Key, Group>*> wrong;
  for (const auto& entry : groups_)
    if (!tolerant_ || entry.first.effect == Effect::refuse) wrong.push_back(&entry);
  if (wrong.empty()) return;
  std::sort(wrong.begin(), wrong.end(), [](auto* a, auto* b) { return a->second.order < b->second.order; });
  if (wrong.size() == 1) {
    const auto& [key, group] = *wrong[0];
    const std::string where = place(key, group);
    throw InputError(
        {.what = key.what,
         .found = found(group),
         .expected = key.expected,
         .in = where.empty() ? file_ : file_ + ", " + where,
         .remedy = key.effect == Effect::refuse ? key.remedy : key.remedy + ", or set drop_invalid = true"});
  }
  std::string list = fmt::format("{} kinds of problems in one file", wrong.size());
  bool droppable = false;
  for (const auto* entry : wrong) {
    const auto& [key, group] = *entry;
    droppable |= key.effect != Effect::refuse;
    std::string line = key.what;
    const std::string values = found(group), where = place(key, group);
    if (!values.empty())
      line += " (found " + values + (key.expected.empty() ? ")" : ", expected " + key.expected + ")");
    if (!where.empty()) line += ", " + where;
    list += "\n  -    " + line + "\n       try " + key.remedy;
  }
  throw InputError(
      {.what = list,
       .found = {},
       .expected = {},
       .in = file_,
       .remedy = droppable ? "mend the file; drop_invalid = true leaves out wrong rows and values instead"
                           : "mend the file"});
}

std::vector<Count> Problems::counts(Effect effect) const {
  std::vector<const std::pair<const Key, Group>*> chosen;
  for (const auto& entry : groups_)
    if (entry.first.effect == effect) chosen.push_back(&entry);
  std::sort(chosen.begin(), chosen.end(), [](auto* a, auto* b) { return a->second.order < b->second.order; });
  std::vector<Count> counts;
  for (const auto* entry : chosen) {
    const std::string reason = entry->first.column.empty()
                                   ? entry->first.what
                                   : entry->first.what + ", column " + entry->first.column;
    const auto same =
        std::find_if(counts.begin(), counts.end(), [&](const Count& c) { return c.reason == reason; });
    if (same == counts.end())
      counts.push_back({reason, entry->second.n});
    else
      same->n += entry->second.n;
  }
  return counts;
}

}  // namespace chorale::io::study
