// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "io/study/layout.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "io/study/keyed_file.hpp"
#include "io/study/text_source.hpp"
#include "io/study/values.hpp"

namespace chorale::io::study {
namespace {

namespace fs = std::filesystem;

// Names in order, so that nothing depends on how the file system lists a folder.
std::vector<fs::path> text_files(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code status;
  for (const auto& entry : fs::directory_iterator(folder, status))
    if (entry.is_regular_file(status) && entry.path().extension() == ".txt") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

bool is_meta(const fs::path& path) {
  const std::string name = path.filename().string();
  return name.starts_with("meta_") || name.starts_with("meta.") || name.ends_with("_meta.txt");
}

// Panels have no meta file: a file that no meta file names and whose first key is one of a panel's is one.
bool is_panel(const fs::path& path, std::vector<std::string>& not_read) {
  const std::string name = path.filename().string();
  try {
    TextSource source(path, name, 1024);
    std::string line;
    while (source.next_line(line) && trimmed(line).empty()) {
    }
    if (line.starts_with("stable_id:") || line.starts_with("gene_list:")) return true;
    not_read.push_back(name + ": named by no meta file");
  } catch (const InputError& error) {
    not_read.push_back(name + ": named by no meta file, and " + error.text().what);
  }
  return false;
}

std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> list;
  while (!text.empty()) {
    const std::size_t start = text.find_first_not_of(" \t");
    if (start == std::string_view::npos) break;
    text.remove_prefix(start);
    const std::size_t stop = std::min(text.find_first_of(" \t"), text.size());
    list.emplace_back(text.substr(0, stop));
    text.remove_prefix(stop);
  }
  return list;
}

TableFile locate(const Layout& layout, const KeyedFile& meta) {
  const std::string& file = meta.need("data_filename");
  const fs::path relative = fs::path(file).lexically_normal();
  if (relative.is_absolute() || relative.empty() || *relative.begin() == "..")
    throw InputError({.what = "meta file names a table outside the study folder",
                      .found = file,
                      .expected = "a file in the study folder",
                      .in = meta.name + ", key data_filename",
                      .remedy = "put the table into the study folder"});
  TableFile table{.path = layout.folder / relative,
                  .name = relative.string(),
                  .stable_id = meta.get("stable_id"),
                  .datatype = meta.get("datatype")};
  std::error_code status;
  if (!fs::exists(table.path, status))
    throw InputError({.what = "file is missing",
                      .found = file,
                      .expected = {},
                      .in = meta.name + ", key data_filename",
                      .remedy = "deliver the file, or take out its meta file"});
  return table;
}

void set_once(std::optional<TableFile>& slot, TableFile table, const KeyedFile& meta) {
  if (slot)
    throw InputError(
        {.what = "two tables of one kind in one study",
         .found = slot->name + " and " + table.name,
         .expected = "one table for " + meta.get("genetic_alteration_type") + " " + meta.get("datatype"),
         .in = meta.name,
         .remedy = "join them, or take out one of the meta files"});
  slot = std::move(table);
}

void read_meta(Layout& layout, const KeyedFile& meta) {
  if (layout.study.empty()) layout.study = meta.get("cancer_study_identifier");
  if (!meta.has("genetic_alteration_type")) {
    if (meta.has("type_of_cancer") || meta.has("name")) {
      layout.study = meta.need("cancer_study_identifier");
      layout.description = meta.get("name");
    } else {
      layout.not_read.push_back(meta.name + ": no genetic_alteration_type");
    }
    return;
  }
  const std::string type = meta.get("genetic_alteration_type"), datatype = meta.get("datatype");
  const auto is = [&](std::string_view t, std::string_view d) {
    return same_word(type, t) && same_word(datatype, d);
  };
  if (is("CLINICAL", "PATIENT_ATTRIBUTES"))
    set_once(layout.patients, locate(layout, meta), meta);
  else if (is("CLINICAL", "SAMPLE_ATTRIBUTES"))
    set_once(layout.samples, locate(layout, meta), meta);
  else if (is("MUTATION_EXTENDED", "MAF") && !same_word(meta.get("stable_id"), "mutations_uncalled"))
    layout.mutations.push_back(locate(layout, meta));
  else if (is("GENE_PANEL_MATRIX", "GENE_PANEL_MATRIX"))
    set_once(layout.panel_matrix, locate(layout, meta), meta);
  else if (is("COPY_NUMBER_ALTERATION", "DISCRETE") || is("COPY_NUMBER_ALTERATION", "DISCRETE_LONG"))
    set_once(layout.copy_number, locate(layout, meta), meta);
  else if (is("STRUCTURAL_VARIANT", "SV"))
    set_once(layout.structural, locate(layout, meta), meta);
  else
    layout.not_read.push_back(fmt::format("{}: {} {} is not read", meta.name, type, datatype));
}

void read_panel(Layout& layout, const fs::path& path) {
  const KeyedFile file = read_keyed_file(path, path.filename().string());
  PanelFile panel{.name = file.need("stable_id"), .genes = words(file.need("gene_list")), .file = file.name};
  for (const PanelFile& other : layout.panels)
    if (other.name == panel.name)
      throw InputError({.what = "two files define one gene panel",
                        .found = panel.name,
                        .expected = "one file a panel",
                        .in = other.file + " and " + panel.file,
                        .remedy = "remove one of them, or give it another stable_id"});
  layout.panels.push_back(std::move(panel));
}

void read_case_list(Layout& layout, const fs::path& path) {
  const std::string shown = "case_lists/" + path.filename().string();
  const KeyedFile file = read_keyed_file(path, shown);
  const std::string& id = file.need("stable_id");
  constexpr std::array<std::string_view, n_profiles> suffix{"_sequenced", "_cna", "_sv"};
  for (std::size_t p = 0; p < suffix.size(); ++p) {
    if (!id.ends_with(suffix[p])) continue;
    if (layout.case_list[p])
      throw InputError({.what = "two case lists of one kind",
                        .found = id,
                        .expected = fmt::format("one list that ends in {}", suffix[p]),
                        .in = layout.case_list_file[p] + " and " + shown,
                        .remedy = "remove one of them"});
    layout.case_list[p] = words(file.need("case_list_ids"));
    layout.case_list_file[p] = shown;
  }
}

}  // namespace

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t stop = std::min(text.find(separator, start), text.size());
    parts.emplace_back(text.substr(start, stop - start));
    start = stop + 1;
  }
  return parts;
}

Layout read_layout(const fs::path& folder) {
  std::error_code status;
  const auto refuse = [&](const char* what, const char* expected, const char* remedy) {
    throw InputError(
        {.what = what, .found = {}, .expected = expected, .in = folder.string(), .remedy = remedy});
  };
  if (!fs::is_directory(folder, status))
    refuse("study folder is missing", "a folder with meta_*.txt files", "correct the path of the delivery");
  Layout layout;
  layout.folder = folder;
  const std::vector<fs::path> files = text_files(folder);
  for (const fs::path& path : files)
    if (is_meta(path)) read_meta(layout, read_keyed_file(path, path.filename().string()));
  if (std::none_of(files.begin(), files.end(), is_meta))
    refuse("folder holds no meta file", "meta_*.txt files of a cBioPortal study",
           "write a meta file for each table: cancer_study_identifier, genetic_alteration_type, datatype, "
           "data_filename");
  if (!layout.patients && !layout.samples)
    refuse("study has no clinical table",
           "a meta file with CLINICAL and PATIENT_ATTRIBUTES or SAMPLE_ATTRIBUTES",
           "deliver the clinical table with its meta file");
  if (layout.study.empty()) layout.study = folder.filename().string();

  std::set<fs::path> tables;
  for (const auto* table :
       {&layout.patients, &layout.samples, &layout.panel_matrix, &layout.copy_number, &layout.structural})
    if (*table) tables.insert((*table)->path);
  for (const TableFile& table : layout.mutations) tables.insert(table.path);
  for (const fs::path& path : files)
    if (!is_meta(path) && !tables.contains(path) && is_panel(path, layout.not_read)) read_panel(layout, path);
  for (const fs::path& path : text_files(folder / "case_lists")) read_case_list(layout, path);
  return layout;
}

}  // namespace chorale::io::study
