// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace chorale::io {

/// XXH3-128 as 32 hex digits: fast, finds every accidental change.
std::string xxh3_128(std::span<const std::byte> bytes);
std::string xxh3_128(std::string_view text);

/// fletcher32 as HDF5's filter computes it, over big-endian 16-bit words w, an odd last byte padded with zero:
///
///   s1 = Σ w_i mod 65535,   s2 = Σ (n - i) w_i mod 65535,   checksum = s2·2^16 + s1
///
/// where a sum that is a multiple of 65535 counts as 65535 unless every byte is zero. Several times as fast as the
/// library's own, which a load would otherwise spend most of its time in.
/// Oracle   the definition, word by word, and the files that HDF5 writes
std::uint32_t fletcher32(std::span<const std::byte> bytes);

/// SHA-256 as 64 hex digits: slower, stands in provenance records.
std::string sha256(std::span<const std::byte> bytes);

/// SHA-256 of a whole file, read in blocks. Throws StoreError when it cannot be read.
std::string sha256_of_file(const std::filesystem::path& path);

/// HMAC-SHA-256 of a text under a key, as hex digits: pseudonyms that only the holder of the key can remake.
std::string hmac_sha256(std::string_view key, std::string_view text);

}  // namespace chorale::io
