// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <filesystem>
#include <map>
#include <string>

namespace chorale::io::study {

/// A file of "key: value" lines: meta files, gene panels, case lists.
struct KeyedFile {
  std::string name;  ///< as shown to people
  std::map<std::string, std::string> value;

  bool has(const std::string& key) const { return value.contains(key); }
  /// Throws   InputError when the key is missing or its value is empty
  const std::string& need(const std::string& key) const;
  std::string get(const std::string& key) const;  ///< empty when missing
};

/// Throws   InputError for what TextSource refuses, a line without a colon, a key that stands twice
KeyedFile read_keyed_file(const std::filesystem::path& path, const std::string& shown_name);

}  // namespace chorale::io::study
