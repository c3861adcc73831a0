// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "io/study/records.hpp"
#include "io/study/study.hpp"

namespace chorale::io::study {

/// What the molecular tables of all deliveries yield besides their records: the dictionaries, in order of arrival.
struct Pool {
  Pool(ShardBuckets& to, std::vector<std::string> counting)
      : buckets(to), counting_classes(std::move(counting)) {}

  std::int32_t gene(std::string_view symbol);
  std::int32_t variant_class(std::string_view name, const std::string& file);

  ShardBuckets& buckets;
  std::vector<std::string> counting_classes;  ///< empty: all

  StringTable genes;
  StringTable classes;
  std::vector<std::uint8_t> class_counts;  ///< per class: does it make a carrier?
  std::vector<std::uint8_t> mutated;       ///< per gene: a variant that counts, in a profiled sample
  std::vector<std::array<std::uint8_t, 5>>
      copies;                            ///< per gene: seen with copy number -2 … 2, in a profiled sample
  std::vector<std::uint8_t> rearranged;  ///< per gene: in a structural variant of a profiled sample
  /// Pairs of genes that are fused, the smaller code first; how often rows name them in this order and the other.
  std::map<std::pair<std::int32_t, std::int32_t>, std::array<Index, 2>> fusions;
};

/// The columns of a molecular table that tell samples; shared checks of its readers.
/// Which of a table's rows may be used, and why not.
enum class RowUse : std::uint8_t { kept, not_first_sample, not_profiled };
RowUse use_of(const Study& study, Profile profile, std::int32_t sample);
std::string_view reason(RowUse use);
void unknown_sample(const Rows& rows, std::string_view id, std::string_view column, Problems& problems);

/// Reads a MAF: leading # lines, then columns Hugo_Symbol, Variant_Classification, Tumor_Sample_Barcode; read when
/// there: HGVSp_Short, t_alt_count, t_ref_count, Chromosome, Start_Position, End_Position, Reference_Allele,
/// Tumor_Seq_Allele2, Mutation_Status. An empty class is "Unknown"; a row without a gene symbol is intergenic and
/// left out; so are rows whose Mutation_Status says that there is no variant (Wildtype, None, LOH, Redacted).
///
/// Two rows are the same variant when gene, class, place, alleles and protein change are equal; a row that gives
/// neither place nor protein change does not tell which variant it is and equals none.
/// Adds one record per row to the buckets; the table's report lacks what the shards drop later.
TableReport read_mutations(Study& study, const TableFile& file, Pool& pool, const ReadOptions& options);

/// Reads discrete copy numbers, wide (a row per gene, a column per sample) or long (Hugo_Symbol, Sample_Id, Value):
/// -2, -1, 0, 1, 2 or NA; -1.5 is -2. Only the samples that have a column, or in the long form all that are
/// profiled, and only the genes of the table count as tested; NA does not.
TableReport read_copy_number(Study& study, Pool& pool, const ReadOptions& options);

/// Reads structural variants: Sample_Id, Site1_Hugo_Symbol and Site2_Hugo_Symbol, one of which may be missing.
TableReport read_structural(Study& study, Pool& pool, const ReadOptions& options);

}  // namespace chorale::io::study
