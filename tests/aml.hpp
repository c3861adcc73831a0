// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

/// 1,540 real patients with acute myeloid leukaemia and what R computes on them. They are not part of the project: tests
/// skip where the folder named by CHORALE_SHARED, or shared/ beside the project, does not hold them.
namespace chorale::aml {

using nlohmann::json;

inline std::filesystem::path shared() {
  const char* folder = std::getenv("CHORALE_SHARED");
  return folder != nullptr ? folder : CHORALE_SOURCE_DIR "/../shared";
}
inline std::filesystem::path study() {
  return shared() / "data" / "aml_knowledge_bank";
}

inline bool are_here() {
  return std::filesystem::exists(study()) && std::filesystem::exists(shared() / "reference");
}
inline std::string why_skipped() {
  return "no patients at " + study().string() +
         "; set CHORALE_SHARED to the folder that holds data/ and reference/";
}

/// A file of reference/.
inline json reference(const std::string& name) {
  std::ifstream in(shared() / "reference" / name);
  if (!in) throw std::runtime_error("no " + name + " under " + (shared() / "reference").string());
  return json::parse(in);
}

/// R's numbers that are not finite were written as text.
inline double real(const json& value) {
  return value.is_string() ? std::stod(value.get<std::string>()) : value.get<double>();
}

using Table = std::map<std::string, std::vector<std::string>>;

/// A tab-separated table of the study with comment lines above its header: cells by column name.
inline Table table(const std::string& file) {
  std::ifstream in(study() / file);
  std::vector<std::string> header;
  Table columns;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with('#')) continue;
    std::istringstream cells(line);
    std::vector<std::string> row;
    for (std::string cell; std::getline(cells, cell, '\t');) row.push_back(cell);
    if (header.empty()) {
      header = row;
      continue;
    }
    row.resize(header.size());
    for (std::size_t c = 0; c < header.size(); ++c) columns[header[c]].push_back(row[c]);
  }
  return columns;
}
inline Table patients() {
  return table("data_clinical_patient.txt");
}

/// NaN where the cell is empty.
inline double number(const std::string& cell) {
  return cell.empty() ? std::numeric_limits<double>::quiet_NaN() : std::stod(cell);
}

/// Rows of patients() by gene.
inline std::map<std::string, std::set<std::int32_t>> carriers() {
  const Table clinical = patients();
  std::map<std::string, std::int32_t> row_of;
  for (const std::string& id : clinical.at("PATIENT_ID"))
    row_of.emplace(id, static_cast<std::int32_t>(row_of.size()));
  const Table mutations = table("data_mutations.txt");
  std::map<std::string, std::set<std::int32_t>> of_gene;
  for (std::size_t m = 0; m < mutations.at("Hugo_Symbol").size(); ++m)
    of_gene[mutations.at("Hugo_Symbol")[m]].insert(row_of.at(mutations.at("Tumor_Sample_Barcode")[m]));
  return of_gene;
}

}  // namespace chorale::aml
