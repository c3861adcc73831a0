// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "io/study/records.hpp"

#include <fstream>

#include "io/file.hpp"
#include "kernels/error.hpp"

namespace chorale::io::study {

ShardBuckets::ShardBuckets(std::filesystem::path folder, Index n_shards, Index spill_bytes)
    : folder_(std::move(folder)),
      spill_bytes_(spill_bytes),
      bucket_(static_cast<std::size_t>(n_shards)),
      n_in_file_(bucket_.size(), 0) {}

ShardBuckets::~ShardBuckets() {
  std::error_code ignored;
  if (spilled_) std::filesystem::remove_all(folder_, ignored);
}

std::filesystem::path ShardBuckets::file_of(std::size_t shard) const {
  return folder_ / ("shard-" + std::to_string(shard) + ".records");
}

void ShardBuckets::append(std::int32_t shard, const Record& record, std::string_view text) {
  std::vector<char>& bucket = bucket_[static_cast<std::size_t>(shard)];
  const std::size_t had = bucket.size();
  const std::size_t needed = had + sizeof record + text.size();
  if (bucket.capacity() < needed) bucket.reserve(2 * needed);
  bucket.resize(needed);
  std::memcpy(bucket.data() + had, &record, sizeof record);
  if (!text.empty()) std::memcpy(bucket.data() + had + sizeof record, text.data(), text.size());
  n_bytes_ += static_cast<Index>(sizeof record + text.size());
  if (n_bytes_ > spill_bytes_) spill();
}

void ShardBuckets::spill() {
  if (!spilled_) make_folder(folder_);
  spilled_ = true;
  for (std::size_t shard = 0; shard < bucket_.size(); ++shard) {
    std::vector<char>& bucket = bucket_[shard];
    if (bucket.empty()) continue;
    std::ofstream file(file_of(shard), std::ios::binary | std::ios::app);
    file.write(bucket.data(), static_cast<std::streamsize>(bucket.size()));
    file.close();
    if (!file)
      throw StoreError({.what = "temporary file cannot be written",
                        .found = {},
                        .expected = {},
                        .in = file_of(shard).string(),
                        .remedy = "make room on the disk of the output folder"});
    n_in_file_[shard] += static_cast<Index>(bucket.size());
    std::vector<char>().swap(bucket);
  }
  n_bytes_ = 0;
}

std::vector<char> ShardBuckets::take(Index shard) {
  const auto s = static_cast<std::size_t>(shard);
  std::vector<char> held;
  held.swap(bucket_[s]);
  const auto n = static_cast<std::size_t>(n_in_file_[s]);
  if (n == 0) return held;
  const auto path = file_of(s);
  std::vector<char> bytes(n + held.size());
  std::ifstream file(path, std::ios::binary);
  file.read(bytes.data(), static_cast<std::streamsize>(n));
  if (!file)
    throw StoreError({.what = "temporary file cannot be read back",
                      .found = {},
                      .expected = {},
                      .in = path.string(),
                      .remedy = "look at the disk of the output folder"});
  std::copy(held.begin(), held.end(), bytes.begin() + static_cast<std::ptrdiff_t>(n));
  std::error_code ignored;
  std::filesystem::remove(path, ignored);
  return bytes;
}

}  // namespace chorale::io::study
