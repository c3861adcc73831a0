// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace chorale::io {

/// Whole file in memory. Throws StoreError naming the file and the system's reason.
std::vector<std::byte> read_file(const std::filesystem::path& path);
/// The same into a buffer whose memory is used again.
void read_file(const std::filesystem::path& path, std::vector<std::byte>& bytes);
std::string read_text(const std::filesystem::path& path);

/// Writes to a temporary name beside `path`, syncs, renames, syncs the folder: a reader sees the old file, the
/// new one, never a part. Throws StoreError when the disk refuses; the temporary file is removed.
void write_file(const std::filesystem::path& path, std::span<const std::byte> bytes);
void write_file(const std::filesystem::path& path, std::string_view text);

/// Removes a file; none there is no error. Throws StoreError with the system's reason.
void remove_file(const std::filesystem::path& path);

/// Throws StoreError with the system's reason.
void rename_file(const std::filesystem::path& from, const std::filesystem::path& to);

/// Creates a folder and its parents. Throws StoreError with the system's reason.
void make_folder(const std::filesystem::path& path);

}  // namespace chorale::io
