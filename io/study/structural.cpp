// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <algorithm>
#include <array>

#include "io/study/molecular.hpp"
#include "io/study/values.hpp"

namespace chorale::io::study {
namespace {

struct Block {
  struct Row {
    std::string_view first, second;
    std::int32_t sample = 0;
  };
  std::vector<Row> row;
  std::array<Index, 3> by_use{};
  Index n_no_gene = 0;

  void clear() {
    row.clear();
    by_use = {};
    n_no_gene = 0;
  }
};

class Reader {
 public:
  Reader(Study& study, Pool& pool, const ReadOptions& options)
      : study_(study),
        pool_(pool),
        table_(study.layout.structural->path, study.layout.structural->name, options) {
    static constexpr std::array<std::string_view, 3> needed{"Sample_Id", "Site1_Hugo_Symbol",
                                                            "Site2_Hugo_Symbol"};
    at_ = table_.require(needed);
  }

  TableReport read() {
    table_.read_rows<Block>(
        [this](Rows& rows, Problems& problems, Block& block) { parse(rows, problems, block); },
        [this](Block& block, Index) { take_up(block); });
    TableReport report;
    report.content = "structural variants";
    table_.finish(report);
    for (const RowUse use : {RowUse::not_first_sample, RowUse::not_profiled})
      report.drop(reason(use), by_use_[static_cast<std::size_t>(use)]);
    report.drop("no gene symbol", n_no_gene_);
    report.note(
        "a fusion is one feature whichever gene a row names first; it bears the order that most rows give");
    return report;
  }

 private:
  void parse(Rows& rows, Problems& problems, Block& block) const {
    while (rows.next()) {
      std::array<std::string_view, 3> cell;
      bool quoted = false;
      for (std::size_t c = 0; c < cell.size(); ++c) {
        cell[c] = trimmed(rows.cell(at_[c]));
        quoted = quoted || refuse_quote(rows, cell[c], table_.columns()[static_cast<std::size_t>(at_[c])],
                                        Effect::drop_row, problems);
      }
      if (quoted) continue;
      const std::int32_t sample = study_.samples.id.find(cell[0]);
      if (sample < 0) {
        unknown_sample(rows, cell[0], "Sample_Id", problems);
        continue;
      }
      const RowUse use = use_of(study_, Profile::structural, sample);
      ++block.by_use[static_cast<std::size_t>(use)];
      if (use != RowUse::kept) continue;
      if (is_null(cell[1])) std::swap(cell[1], cell[2]);
      if (is_null(cell[1])) {
        ++block.n_no_gene;
        continue;
      }
      block.row.push_back({cell[1], is_null(cell[2]) ? std::string_view() : cell[2], sample});
    }
  }

  void take_up(const Block& block) {
    ProfileState& state = study_.state(Profile::structural);
    for (const Block::Row& row : block.row) {
      const std::int32_t first = pool_.gene(row.first);
      const std::int32_t second = row.second.empty() || row.second == row.first ? -1 : pool_.gene(row.second);
      state.gene_seen.resize(static_cast<std::size_t>(pool_.genes.size()), 0);
      for (const std::int32_t gene : {first, second}) {
        if (gene < 0) continue;
        state.gene_seen[static_cast<std::size_t>(gene)] = 1;
        pool_.rearranged[static_cast<std::size_t>(gene)] = 1;
      }
      if (second >= 0)
        ++pool_.fusions[{std::min(first, second), std::max(first, second)}][first < second ? 0 : 1];
      const auto s = static_cast<std::size_t>(row.sample);
      state.has_rows[s] = 1;
      pool_.buckets.append(study_.place[s].shard,
                           {.identity = 0,
                            .row = study_.place[s].row,
                            .sample = row.sample,
                            .gene = first,
                            .other = second,
                            .vaf = 0,
                            .kind = RecordKind::structural,
                            .variant_class = 0,
                            .text_size = 0},
                           {});
    }
    for (std::size_t use = 0; use < by_use_.size(); ++use) by_use_[use] += block.by_use[use];
    n_no_gene_ += block.n_no_gene;
  }

  Study& study_;
  Pool& pool_;
  Table table_;
  std::vector<Index> at_;
  std::array<Index, 3> by_use_{};
  Index n_no_gene_ = 0;
};

}  // namespace

TableReport read_structural(Study& study, Pool& pool, const ReadOptions& options) {
  return Reader(study, pool, options).read();
}

}  // namespace chorale::io::study
