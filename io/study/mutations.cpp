// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "io/study/molecular.hpp"
#include "io/study/values.hpp"

namespace chorale::io::study {
namespace {

// Columns that are read when the table has them; the first three it must have.
enum Column : std::size_t {
  hugo,
  classification,
  barcode,
  protein,
  alt_count,
  ref_count,
  chromosome,
  start,
  end,
  ref_allele,
  alt_allele,
  status,
  n_columns
};
constexpr std::array<std::string_view, n_columns> column_names{
    "Hugo_Symbol",          "Variant_Classification",
    "Tumor_Sample_Barcode", "HGVSp_Short",
    "t_alt_count",          "t_ref_count",
    "Chromosome",           "Start_Position",
    "End_Position",         "Reference_Allele",
    "Tumor_Seq_Allele2",    "Mutation_Status"};

struct Counts {
  std::array<Index, 3> by_use{};  // RowUse
  Index no_gene = 0;
  Index no_variant = 0;
};

// Records of a block; genes and classes by the block's own codes, protein changes as views into its text.
struct Block {
  std::vector<Record> record;
  std::vector<std::int32_t> shard;
  std::vector<std::string_view> text;
  StringTable genes, classes;
  Counts counts;

  void clear() {
    record.clear();
    shard.clear();
    text.clear();
    genes.clear();
    classes.clear();
    counts = {};
  }
};

bool is_dot_or_null(std::string_view text) {
  return text == "." || is_null(text);
}

class Reader {
 public:
  Reader(Study& study, const TableFile& file, Pool& pool, const ReadOptions& options)
      : study_(study), pool_(pool), table_(file.path, file.name, options) {
    table_.require(std::span(column_names).first(3));
    for (std::size_t c = 0; c < n_columns; ++c) at_[c] = table_.find(column_names[c]);
  }

  TableReport read() {
    table_.read_rows<Block>(
        [this](Rows& rows, Problems& problems, Block& block) { parse(rows, problems, block); },
        [this](Block& block, Index) { take_up(block); });
    TableReport report;
    report.content = "variants";
    table_.finish(report);
    for (const RowUse use : {RowUse::not_first_sample, RowUse::not_profiled})
      report.drop(reason(use), counts_.by_use[static_cast<std::size_t>(use)]);
    report.drop("no gene symbol", counts_.no_gene);
    report.drop("Mutation_Status says that there is no variant", counts_.no_variant);
    return report;
  }

 private:
  std::string_view cell(const Rows& rows, Column column) const {
    return at_[column] < 0 ? std::string_view() : rows.cell(at_[column]);
  }

  void parse(Rows& rows, Problems& problems, Block& block) const {
    std::string_view last_gene, last_class;
    std::int32_t gene_code = -1, class_code = -1;
    while (rows.next()) {
      if (has_quote(rows, problems)) continue;
      const std::string_view id = trimmed(cell(rows, barcode));
      const std::int32_t sample = study_.samples.id.find(id);
      if (sample < 0) {
        unknown_sample(rows, id, column_names[barcode], problems);
        continue;
      }
      const RowUse use = use_of(study_, Profile::mutation, sample);
      ++block.counts.by_use[static_cast<std::size_t>(use)];
      if (use != RowUse::kept) continue;
      const std::string_view gene = trimmed(cell(rows, hugo)), name = trimmed(cell(rows, classification));
      if (is_dot_or_null(gene) || same_word(gene, "Unknown")) {
        ++block.counts.no_gene;
        continue;
      }
      if (says_no_variant(cell(rows, status))) {
        ++block.counts.no_variant;
        continue;
      }
      if (gene != last_gene) gene_code = block.genes.insert(last_gene = gene);
      if (class_code < 0 || name != last_class) {
        last_class = name;
        class_code = block.classes.insert(is_dot_or_null(name) ? unknown_class : name);
      }
      std::string_view change = trimmed(cell(rows, protein));
      if (is_dot_or_null(change)) change = {};
      if (class_code > 127 || change.size() > std::numeric_limits<std::uint16_t>::max()) {
        problems.add({.what = class_code > 127 ? "too many variant classes"
                                               : "protein change is longer than 65535 bytes",
                      .column = column_names[class_code > 127 ? classification : protein],
                      .expected = class_code > 127 ? "the classes of the MAF format" : "a protein change",
                      .remedy = "check that the column holds what its name says",
                      .value = class_code > 127 ? name : change,
                      .line = rows.line()});
        continue;
      }
      const Place place = study_.place[static_cast<std::size_t>(sample)];
      block.record.push_back({.identity = identity(rows, change),
                              .row = place.row,
                              .sample = sample,
                              .gene = gene_code,
                              .other = 0,
                              .vaf = allele_fraction(rows, problems),
                              .kind = RecordKind::variant,
                              .variant_class = static_cast<std::int8_t>(class_code),
                              .text_size = static_cast<std::uint16_t>(change.size())});
      block.shard.push_back(place.shard);
      block.text.push_back(change);
    }
  }

  bool has_quote(const Rows& rows, Problems& problems) const {
    if (!rows.may_have_quotes()) return false;
    for (const Column column : {hugo, classification, barcode, protein})
      if (refuse_quote(rows, cell(rows, column), column_names[column], Effect::drop_row, problems))
        return true;
    return false;
  }

  static bool says_no_variant(std::string_view text) {
    if (text.empty()) return false;
    text = trimmed(text);
    for (const std::string_view word : {"Wildtype", "None", "LOH", "Redacted"})
      if (same_word(text, word)) return true;
    return false;
  }

  // Equal for rows of one variant; the gene and the class are compared beside it.
  std::uint64_t identity(const Rows& rows, std::string_view change) const {
    if (change.empty() && is_dot_or_null(cell(rows, start))) return 0;
    std::uint64_t hash = hash_text(change, 1);
    for (const Column column : {chromosome, start, end, ref_allele, alt_allele})
      hash = hash_text(cell(rows, column), hash);
    return hash == 0 ? 1 : hash;
  }

  // alt / (alt + ref); NaN when a count is missing or both are zero.
  float allele_fraction(const Rows& rows, Problems& problems) const {
    const double alt = read_count(rows, alt_count, problems), ref = read_count(rows, ref_count, problems);
    return alt + ref > 0 ? static_cast<float>(alt / (alt + ref)) : std::numeric_limits<float>::quiet_NaN();
  }

  double read_count(const Rows& rows, Column column, Problems& problems) const {
    constexpr double missing = std::numeric_limits<double>::quiet_NaN();
    const std::string_view text = cell(rows, column);
    unsigned count = 0;
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (error == std::errc() && stop == text.data() + text.size()) return count;
    if (is_dot_or_null(text)) return missing;
    const Number number = parse_number(text);
    if (number.kind == NumberKind::value && number.bound == 0 && number.value >= 0) return number.value;
    problems.add({.what = "read count is not a number of reads",
                  .column = column_names[column],
                  .expected = "0 or more, or an empty cell",
                  .remedy = "correct the value, or leave the cell empty",
                  .value = text,
                  .line = rows.line(),
                  .effect = Effect::blank_value});
    return missing;
  }

  // From the block's codes to the pool's; the records go to their shards.
  void take_up(Block& block) {
    std::vector<std::int32_t> gene(static_cast<std::size_t>(block.genes.size()));
    for (std::size_t g = 0; g < gene.size(); ++g) gene[g] = pool_.gene(block.genes[static_cast<Index>(g)]);
    std::vector<std::int8_t> code(static_cast<std::size_t>(block.classes.size()));
    for (std::size_t c = 0; c < code.size(); ++c)
      code[c] =
          static_cast<std::int8_t>(pool_.variant_class(block.classes[static_cast<Index>(c)], table_.name()));
    ProfileState& state = study_.state(Profile::mutation);
    state.gene_seen.resize(static_cast<std::size_t>(pool_.genes.size()), 0);
    for (std::size_t i = 0; i < block.record.size(); ++i) {
      Record& record = block.record[i];
      const auto g = static_cast<std::size_t>(record.gene = gene[static_cast<std::size_t>(record.gene)]);
      record.variant_class = code[static_cast<std::size_t>(record.variant_class)];
      state.has_rows[static_cast<std::size_t>(record.sample)] = 1;
      state.gene_seen[g] = 1;
      pool_.mutated[g] |= pool_.class_counts[static_cast<std::size_t>(record.variant_class)];
      pool_.buckets.append(block.shard[i], record, block.text[i]);
    }
    for (std::size_t use = 0; use < counts_.by_use.size(); ++use)
      counts_.by_use[use] += block.counts.by_use[use];
    counts_.no_gene += block.counts.no_gene;
    counts_.no_variant += block.counts.no_variant;
  }

  Study& study_;
  Pool& pool_;
  Table table_;
  std::array<Index, n_columns> at_{};
  Counts counts_;
};

}  // namespace

TableReport read_mutations(Study& study, const TableFile& file, Pool& pool, const ReadOptions& options) {
  return Reader(study, file, pool, options).read();
}

}  // namespace chorale::io::study
