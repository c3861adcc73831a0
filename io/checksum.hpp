// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace chorale::io {

/// XXH3-128 as 32 hex digits: fast, finds every accidental change.
std::string xxh3_128(std::span<const std::byte> bytes);
std::string xxh3_128(std::string_view text);

/// SHA-256 as 64 hex digits: slower, stands in provenance records.
std::string sha256(std::span<const std::byte> bytes);

/// SHA-256 of a whole file, read in blocks. Throws StoreError when it cannot be read.
std::string sha256_of_file(const std::filesystem::path& path);

/// HMAC-SHA-256 of a text under a key, as hex digits: pseudonyms that only the holder of the key can remake.
std::string hmac_sha256(std::string_view key, std::string_view text);

}  // namespace chorale::io
