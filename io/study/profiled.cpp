// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "io/study/profiled.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "io/study/values.hpp"

namespace chorale::io::study {
namespace {

constexpr std::int32_t no_entry = -5;  // the matrix says NA, or nothing

// Which profile a column of the matrix speaks of: by the table's stable_id, with or without the study in front.
Index profile_of_column(const Layout& layout, std::string_view column) {
  const std::string prefix = layout.study + "_";
  if (column.starts_with(prefix)) column.remove_prefix(prefix.size());
  for (const TableFile& table : layout.mutations)
    if (column == table.stable_id) return static_cast<Index>(Profile::mutation);
  if (layout.copy_number && column == layout.copy_number->stable_id)
    return static_cast<Index>(Profile::copy_number);
  if (layout.structural && column == layout.structural->stable_id)
    return static_cast<Index>(Profile::structural);
  if (column == "mutations") return static_cast<Index>(Profile::mutation);
  if (column == "cna" || column == "gistic") return static_cast<Index>(Profile::copy_number);
  if (column == "structural_variants") return static_cast<Index>(Profile::structural);
  return -1;
}

struct MatrixBlock {
  std::vector<std::int32_t> sample;
  std::vector<std::int32_t> assay;  // n_profiles per sample
  void clear() {
    sample.clear();
    assay.clear();
  }
};

class MatrixReader {
 public:
  MatrixReader(Study& study, const ReadOptions& options)
      : study_(study), table_(study.layout.panel_matrix->path, study.layout.panel_matrix->name, options) {
    static constexpr std::array<std::string_view, 1> key{"SAMPLE_ID"};
    sample_at_ = table_.require(key)[0];
    for (Index c = 0; c < table_.n_columns(); ++c) {
      if (c == sample_at_) continue;
      const std::string& column = table_.columns()[static_cast<std::size_t>(c)];
      const Index profile = profile_of_column(study.layout, column);
      if (profile < 0) {
        report_.note("column " + column + " belongs to no table that is read");
        continue;
      }
      column_of_[static_cast<std::size_t>(profile)] = c;
      has_column[static_cast<std::size_t>(profile)] = true;
    }
  }

  // Fills the assays of profiles that have a column; no_entry where the matrix says nothing.
  void read() {
    seen_.assign(static_cast<std::size_t>(study_.n_samples()), 0);
    table_.read_rows<MatrixBlock>(
        [this](Rows& rows, Problems& problems, MatrixBlock& block) { parse(rows, problems, block); },
        [this](MatrixBlock& block, Index) { take_up(block); });
    table_.finish(report_);
    report_.content = "gene panel matrix";
    report_.drop("sample stands twice; the first row counts", n_twice_);
    report_.n_kept = n_kept_;
    study_.tables.push_back(report_);
  }

  std::array<bool, n_profiles> has_column{};

 private:
  void parse(Rows& rows, Problems& problems, MatrixBlock& block) const {
    while (rows.next()) {
      const std::string_view id = trimmed(rows.cell(sample_at_));
      if (refuse_quote(rows, id, "SAMPLE_ID", Effect::drop_row, problems)) continue;
      const std::int32_t sample = study_.samples.id.find(id);
      if (sample < 0) {
        problems.add({.what = "sample is not in the sample table",
                      .column = "SAMPLE_ID",
                      .expected = "a sample of the study",
                      .remedy = "add the sample to the sample table, or take out the row",
                      .value = id,
                      .line = rows.line(),
                      .effect = Effect::drop_row});
        continue;
      }
      block.sample.push_back(sample);
      for (const Index column : column_of_)
        block.assay.push_back(column < 0 ? no_entry : assay(rows, column, problems));
    }
  }

  std::int32_t assay(const Rows& rows, Index column, Problems& problems) const {
    const std::string_view name = trimmed(rows.cell(column));
    if (is_null(name)) return no_entry;
    const auto& panels = study_.layout.panels;
    const auto at =
        std::find_if(panels.begin(), panels.end(), [&](const PanelFile& p) { return p.name == name; });
    if (at != panels.end()) return static_cast<std::int32_t>(at - panels.begin());
    for (const std::string_view exome : {"WES", "WXS", "WGS"})
      if (same_word(name, exome)) return whole_exome;
    problems.add({.what = "no file defines this gene panel",
                  .column = table_.columns()[static_cast<std::size_t>(column)],
                  .expected = "a stable_id of a panel file in the study folder, or NA",
                  .remedy = "deliver the panel's file (stable_id, gene_list)",
                  .value = name,
                  .line = rows.line(),
                  .effect = Effect::refuse});
    return no_entry;
  }

  void take_up(const MatrixBlock& block) {
    for (std::size_t i = 0; i < block.sample.size(); ++i) {
      const auto s = static_cast<std::size_t>(block.sample[i]);
      if (seen_[s] != 0) {
        ++n_twice_;
        continue;
      }
      seen_[s] = 1;
      ++n_kept_;
      for (std::size_t p = 0; p < n_profiles; ++p)
        if (has_column[p]) study_.profile[p].assay[s] = block.assay[i * n_profiles + p];
    }
  }

  Study& study_;
  Table table_;
  TableReport report_;
  Index sample_at_ = 0;
  std::array<Index, n_profiles> column_of_{-1, -1, -1};
  std::vector<std::uint8_t> seen_;
  Index n_twice_ = 0;
  Index n_kept_ = 0;
};

// Per sample: is it on the case list?
std::vector<std::uint8_t> read_case_list(Study& study, std::size_t p, bool tolerant) {
  Problems problems(study.layout.case_list_file[p], tolerant);
  std::vector<std::uint8_t> listed(static_cast<std::size_t>(study.n_samples()), 0);
  const auto& ids = *study.layout.case_list[p];
  TableReport report;
  report.file = study.layout.case_list_file[p];
  report.content = "case list";
  report.n_read = static_cast<Index>(ids.size());
  for (const std::string& id : ids) {
    const std::int32_t sample = study.samples.id.find(id);
    if (sample < 0)
      problems.add({.what = "sample is not in the sample table",
                    .column = "case_list_ids",
                    .expected = "samples of the study",
                    .remedy = "add the sample to the sample table, or take it off the list",
                    .value = id,
                    .effect = Effect::drop_row});
    else if (listed[static_cast<std::size_t>(sample)] != 0)
      report.drop("sample stands twice", 1);
    else
      listed[static_cast<std::size_t>(sample)] = 1;
  }
  problems.refuse_if_any();
  for (const Count& count : problems.dropped()) report.drop(count.reason, count.n);
  report.n_kept = std::count(listed.begin(), listed.end(), std::uint8_t{1});
  study.tables.push_back(report);
  return listed;
}

void apply_na_rule(ProfileState& state, NaRule rule, const std::vector<std::uint8_t>& listed) {
  for (std::size_t s = 0; s < state.assay.size(); ++s) {
    if (state.assay[s] != no_entry) continue;
    switch (rule) {
      case NaRule::whole_exome:
        state.assay[s] = whole_exome;
        break;
      case NaRule::not_profiled:
        state.assay[s] = not_profiled;
        break;
      case NaRule::by_rows:
        state.assay[s] = !listed.empty() && listed[s] != 0 ? whole_exome : as_rows_say;
        break;
    }
  }
}

std::string_view words_for(NaRule rule) {
  switch (rule) {
    case NaRule::whole_exome:
      return "whole exome";
    case NaRule::not_profiled:
      return "not profiled";
    case NaRule::by_rows:
      break;
  }
  return "whole exome for a sample on the case list or with rows in the table, otherwise not profiled";
}

}  // namespace

void find_assays(Study& study, const IngestRecipe& recipe, const ReadOptions& options) {
  const Layout& layout = study.layout;
  const std::array<bool, n_profiles> has_table{!layout.mutations.empty(), layout.copy_number.has_value(),
                                               layout.structural.has_value()};
  const auto n_samples = static_cast<std::size_t>(study.n_samples());
  for (std::size_t p = 0; p < n_profiles; ++p) {
    study.profile[p].has_table = has_table[p];
    study.profile[p].assay.assign(n_samples, no_entry);
    study.profile[p].has_rows.assign(n_samples, 0);
  }
  std::array<bool, n_profiles> in_matrix{};
  if (layout.panel_matrix) {
    MatrixReader matrix(study, options);
    matrix.read();
    in_matrix = matrix.has_column;
  }
  for (std::size_t p = 0; p < n_profiles; ++p) {
    ProfileState& state = study.profile[p];
    const std::string_view name = name_of(static_cast<Profile>(p));
    std::vector<std::uint8_t> listed;
    if (layout.case_list[p]) listed = read_case_list(study, p, options.drop_invalid);
    if (!state.has_table) {
      state.assay.assign(n_samples, not_profiled);
    } else if (recipe.profiled == ProfiledRule::everyone) {
      state.assay.assign(n_samples, genes_seen);
      study.notes.push_back(
          fmt::format("{}: by the recipe, every sample counts as profiled for every gene seen", name));
    } else if (in_matrix[p]) {
      apply_na_rule(state, recipe.panel_na, listed);
      study.notes.push_back(fmt::format("{}: profiled by the panel matrix; NA or no row means {}", name,
                                        words_for(recipe.panel_na)));
    } else if (!listed.empty()) {
      for (std::size_t s = 0; s < n_samples; ++s)
        state.assay[s] = listed[s] != 0 ? whole_exome : not_profiled;
      study.notes.push_back(
          fmt::format("{}: profiled, whole exome, are the samples of {}", name, layout.case_list_file[p]));
    } else {
      state.assay.assign(n_samples, genes_seen);
      study.notes.push_back(fmt::format(
          "{}: neither panel matrix nor case list: every sample counts as profiled for every gene seen",
          name));
    }
  }
}

void settle_assays(Study& study) {
  for (ProfileState& state : study.profile)
    for (std::size_t s = 0; s < state.assay.size(); ++s)
      if (state.assay[s] == as_rows_say) state.assay[s] = state.has_rows[s] != 0 ? whole_exome : not_profiled;
}

}  // namespace chorale::io::study
