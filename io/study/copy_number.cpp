// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "io/study/molecular.hpp"
#include "io/study/values.hpp"

namespace chorale::io::study {
namespace {

constexpr std::int32_t missing = 3, wrong = 4;  // beside -2 … 2

std::int32_t parse_copies(std::string_view text) {
  text = trimmed(text);
  if (text.size() == 1 && text[0] >= '0' && text[0] <= '2') return text[0] - '0';
  if (text == "-1") return -1;
  // -1.5 is a partial deep deletion; cBioPortal imports it as -2
  if (text == "-2" || text == "-1.5") return -2;
  if (is_null(text)) return missing;
  const Number number = parse_number(text);
  const bool whole = number.kind == NumberKind::value && number.bound == 0 &&
                     (number.value == -2 || number.value == -1 || number.value == 0 || number.value == 1 ||
                      number.value == 2);
  return whole ? static_cast<std::int32_t>(number.value) : wrong;
}

// What a block yields: the cells that say something, row by row.
struct Block {
  struct Row {
    std::string_view gene;
    Index line = 0;
    std::size_t stop = 0;  // of its cells
  };
  std::vector<Row> row;
  std::vector<Record> record;
  std::array<Index, 3> by_use{};
  Index n_no_gene = 0;

  void clear() {
    row.clear();
    record.clear();
    by_use = {};
    n_no_gene = 0;
  }
};

class Reader {
 public:
  Reader(Study& study, Pool& pool, const ReadOptions& options)
      : study_(study),
        pool_(pool),
        table_(study.layout.copy_number->path, study.layout.copy_number->name, options),
        is_long_(same_word(study.layout.copy_number->datatype, "DISCRETE_LONG")) {
    static constexpr std::array<std::string_view, 3> needed{"Hugo_Symbol", "Sample_Id", "Value"};
    const auto at = table_.require(std::span(needed).first(is_long_ ? 3 : 1));
    gene_at_ = at[0];
    if (is_long_) {
      sample_at_ = at[1];
      value_at_ = at[2];
    } else {
      find_samples();
    }
  }

  TableReport read() {
    table_.read_rows<Block>(
        [this](Rows& rows, Problems& problems, Block& block) { parse(rows, problems, block); },
        [this](Block& block, Index first_line) { take_up(block, first_line); });
    TableReport report;
    report.content = is_long_ ? "copy numbers, a row per gene and sample" : "copy numbers, a row per gene";
    table_.finish(report);
    report.drop("no gene symbol", n_no_gene_);
    for (const RowUse use : {RowUse::not_first_sample, RowUse::not_profiled}) {
      const Index n = by_use_[static_cast<std::size_t>(use)];
      if (is_long_)
        report.drop(reason(use), n);
      else if (n > 0)
        report.note(fmt::format("{} sample columns left out: {}", n, reason(use)));
    }
    report.n_kept = n_kept_;
    report.note(fmt::format("{} cells say gain or loss, {} are NA: not tested", n_events_, n_missing_));
    return report;
  }

 private:
  // Samples without a column have no copy numbers, whatever else says that they were profiled.
  void find_samples() {
    ProfileState& state = study_.state(Profile::copy_number);
    std::vector<std::uint8_t> has_column(state.assay.size(), 0);
    for (Index c = 0; c < table_.n_columns(); ++c) {
      const std::string& name = table_.columns()[static_cast<std::size_t>(c)];
      if (name == "Hugo_Symbol" || name == "Entrez_Gene_Id" || name == "Cytoband") continue;
      const std::int32_t sample = study_.samples.id.find(name);
      if (sample < 0) {
        table_.problems().add({.what = "sample is not in the sample table",
                               .column = {},
                               .expected = "samples of the study as names of the columns",
                               .remedy = "add the sample to the sample table, or take out its column",
                               .value = name,
                               .effect = Effect::blank_value});
        continue;
      }
      has_column[static_cast<std::size_t>(sample)] = 1;
      const RowUse use = use_of(study_, Profile::copy_number, sample);
      ++by_use_[static_cast<std::size_t>(use)];
      if (use == RowUse::kept) columns_.push_back({c, sample});
    }
    for (std::size_t s = 0; s < has_column.size(); ++s)
      if (has_column[s] == 0) state.assay[s] = not_profiled;
    state.has_rows = has_column;
  }

  void parse(Rows& rows, Problems& problems, Block& block) const {
    while (rows.next()) {
      const std::string_view gene = trimmed(rows.cell(gene_at_));
      if (refuse_quote(rows, gene, "Hugo_Symbol", Effect::drop_row, problems)) continue;
      if (is_null(gene)) {
        ++block.n_no_gene;
        continue;
      }
      if (is_long_) {
        if (!parse_long(rows, problems, block)) continue;
      } else {
        for (const auto& [column, sample] : columns_)
          parse_cell(rows, column, sample, table_.columns()[static_cast<std::size_t>(column)], problems,
                     block);
      }
      block.row.push_back({gene, rows.line(), block.record.size()});
    }
  }

  bool parse_long(const Rows& rows, Problems& problems, Block& block) const {
    const std::string_view id = trimmed(rows.cell(sample_at_));
    const std::int32_t sample = study_.samples.id.find(id);
    if (sample < 0) {
      unknown_sample(rows, id, "Sample_Id", problems);
      return false;
    }
    const RowUse use = use_of(study_, Profile::copy_number, sample);
    ++block.by_use[static_cast<std::size_t>(use)];
    if (use != RowUse::kept) return false;
    parse_cell(rows, value_at_, sample, "Value", problems, block);
    return true;
  }

  void parse_cell(const Rows& rows, Index column, std::int32_t sample, std::string_view name,
                  Problems& problems, Block& block) const {
    std::int32_t copies = parse_copies(rows.cell(column));
    if (copies == wrong) {
      problems.add({.what = "copy number is none of -2, -1, 0, 1, 2",
                    .column = name,
                    .expected = "-2, -1, 0, 1, 2 or NA",
                    .remedy = "deliver discrete copy numbers, or write NA",
                    .value = rows.cell(column),
                    .line = rows.line(),
                    .effect = Effect::blank_value});
      copies = missing;
    }
    if (copies == 0 && !is_long_) return;
    const Place place = study_.place[static_cast<std::size_t>(sample)];
    block.record.push_back(
        {.identity = 0,
         .row = place.row,
         .sample = sample,
         .gene = -1,
         .other = copies,
         .vaf = 0,
         .kind = copies == missing ? RecordKind::copy_number_missing : RecordKind::copy_number,
         .variant_class = 0,
         .text_size = 0});
  }

  void take_up(Block& block, Index first_line) {
    ProfileState& state = study_.state(Profile::copy_number);
    std::size_t at = 0;
    for (const Block::Row& row : block.row) {
      const std::int32_t gene = pool_.gene(row.gene);
      state.gene_seen.resize(static_cast<std::size_t>(pool_.genes.size()), 0);
      std::uint8_t& seen = state.gene_seen[static_cast<std::size_t>(gene)];
      if (seen != 0 && !is_long_) {
        table_.problems().add({.what = "gene stands twice in the table",
                               .column = "Hugo_Symbol",
                               .expected = "one row a gene",
                               .remedy = "remove one of the rows",
                               .value = row.gene,
                               .line = row.line + first_line - 1,
                               .effect = Effect::drop_row});
        at = row.stop;
        continue;
      }
      seen = 1;
      ++n_kept_;
      for (; at < row.stop; ++at) keep(block.record[at], gene, state);
    }
    for (std::size_t use = 0; use < by_use_.size(); ++use) by_use_[use] += block.by_use[use];
    n_no_gene_ += block.n_no_gene;
  }

  void keep(Record record, std::int32_t gene, ProfileState& state) {
    record.gene = gene;
    state.has_rows[static_cast<std::size_t>(record.sample)] = 1;
    if (record.kind == RecordKind::copy_number_missing) {
      ++n_missing_;
    } else if (record.other == 0) {
      return;
    } else {
      ++n_events_;
      pool_.copies[static_cast<std::size_t>(gene)][static_cast<std::size_t>(record.other + 2)] = 1;
    }
    pool_.buckets.append(study_.place[static_cast<std::size_t>(record.sample)].shard, record, {});
  }

  Study& study_;
  Pool& pool_;
  Table table_;
  bool is_long_;
  Index gene_at_ = 0, sample_at_ = 0, value_at_ = 0;
  std::vector<std::pair<Index, std::int32_t>> columns_;  // of the wide form: position and sample
  std::array<Index, 3> by_use_{};
  Index n_no_gene_ = 0, n_kept_ = 0, n_events_ = 0, n_missing_ = 0;
};

}  // namespace

TableReport read_copy_number(Study& study, Pool& pool, const ReadOptions& options) {
  return Reader(study, pool, options).read();
}

}  // namespace chorale::io::study
