// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>
#include <vector>

#include "io/study/string_table.hpp"
#include "kernels/types.hpp"

namespace chorale::io::study {

enum class RecordKind : std::uint8_t { variant, copy_number, copy_number_missing, structural };

/// One row, or one cell, of a molecular table in compact form; `text_size` bytes of protein change follow it.
struct Record {
  std::uint64_t identity =
      0;                 ///< of a variant: equal for equal variants, 0 when the row does not tell which it is
  std::int32_t row = 0;  ///< the patient's row in the shard
  std::int32_t sample = 0;  ///< in the study's sample table
  std::int32_t gene = -1;   ///< -1: none (a fusion with one known gene names it first)
  std::int32_t other = 0;   ///< structural: second gene, or -1; copy number: -2 … 2
  float vaf = 0;            ///< variant allele fraction, NaN when not given
  RecordKind kind = RecordKind::variant;
  std::int8_t variant_class = 0;
  std::uint16_t text_size = 0;
};
static_assert(sizeof(Record) == 32);

/// Where a patient is kept.
struct Place {
  std::int32_t shard = 0;
  std::int32_t row = 0;
};

/// Records on their way from tables to shards. What exceeds a limit waits in temporary files, so memory does not
/// grow with the tables. The folder for them is made when needed and removed in the end.
class ShardBuckets {
 public:
  ShardBuckets(std::filesystem::path folder, Index n_shards, Index spill_bytes);
  ~ShardBuckets();
  ShardBuckets(const ShardBuckets&) = delete;
  ShardBuckets& operator=(const ShardBuckets&) = delete;

  void append(std::int32_t shard, const Record& record, std::string_view text);
  /// All bytes of a shard's records, in order of arrival; the bucket is empty afterwards.
  /// Shards may be taken side by side. Throws StoreError when a temporary file cannot be read.
  std::vector<char> take(Index shard);

 private:
  std::filesystem::path file_of(std::size_t shard) const;
  void spill();

  std::filesystem::path folder_;
  Index spill_bytes_;
  Index n_bytes_ = 0;
  bool spilled_ = false;
  std::vector<std::vector<char>> bucket_;
  std::vector<Index> n_in_file_;  // bytes of each shard that wait in its file
};

/// Calls visit(record, text) for each record of a shard's bytes.
template <class Visit>
void for_each_record(const std::vector<char>& bytes, const Visit& visit) {
  const char* const end = bytes.data() + bytes.size();
  for (const char* at = bytes.data(); at != end;) {
    Record record;
    std::memcpy(&record, at, sizeof record);
    at += sizeof record;
    visit(record, std::string_view(at, record.text_size));
    at += record.text_size;
  }
}

}  // namespace chorale::io::study
