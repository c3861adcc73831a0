// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "io/study/keyed_file.hpp"

#include <fmt/format.h>

#include "io/study/problems.hpp"
#include "io/study/rows.hpp"
#include "io/study/text_source.hpp"
#include "io/study/values.hpp"

namespace chorale::io::study {

const std::string& KeyedFile::need(const std::string& key) const {
  const auto at = value.find(key);
  if (at == value.end() || at->second.empty())
    throw InputError({.what = "key is missing",
                      .found = {},
                      .expected = key + ": …",
                      .in = name,
                      .remedy = "add the line to the file"});
  return at->second;
}

std::string KeyedFile::get(const std::string& key) const {
  const auto at = value.find(key);
  return at == value.end() ? std::string() : at->second;
}

KeyedFile read_keyed_file(const std::filesystem::path& path, const std::string& shown_name) {
  TextSource source(path, shown_name, Index{1} << 16);
  Problems problems(shown_name);
  KeyedFile file{.name = shown_name, .value = {}};
  std::string line;
  for (Index n = 1; source.next_line(line); ++n) {
    if (trimmed(line).empty() || line.starts_with('#')) continue;
    const std::size_t colon = line.find(':');
    const bool utf8 = is_utf8(line);
    if (colon == std::string::npos || !utf8) {
      problems.add({.what = utf8 ? "line has no key" : "line is not valid UTF-8",
                    .column = {},
                    .expected = utf8 ? "key: value" : "text in UTF-8",
                    .remedy = "correct the line",
                    .value = line,
                    .line = n});
      continue;
    }
    const std::string key(trimmed(std::string_view(line).substr(0, colon)));
    if (!file.value.emplace(key, trimmed(std::string_view(line).substr(colon + 1))).second)
      problems.add({.what = "key stands twice",
                    .column = {},
                    .expected = "every key once",
                    .remedy = "remove one of the lines",
                    .value = key,
                    .line = n});
  }
  problems.refuse_if_any();
  return file;
}

}  // namespace chorale::io::study
