// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "io/catalogue.hpp"
#include "io/shard.hpp"
#include "io/study/ingest.hpp"
#include "kernels/error.hpp"

namespace chorale::io {

/// A folder of its own for each test, removed afterwards, that starts as a small valid study: four patients, five
/// samples (two of P4), a panel of three genes, four variants. Tests change single files of it.
class StudyFolder {
 public:
  StudyFolder() {
    static int n_made = 0;
    root_ = std::filesystem::temp_directory_path() /
            ("chorale-study-" + std::to_string(getpid()) + "-" + std::to_string(n_made++));
    std::filesystem::create_directories(study() / "case_lists");
    write("meta_study.txt",
          "type_of_cancer: aml\ncancer_study_identifier: tiny\nname: Tiny study\ndescription: x\n");
    meta("patient", "CLINICAL", "PATIENT_ATTRIBUTES", "patients.tsv");
    meta("sample", "CLINICAL", "SAMPLE_ATTRIBUTES", "samples.tsv");
    meta("mutations", "MUTATION_EXTENDED", "MAF", "variants.tsv", "mutations");
    patients(
        "P1\t61\tAML\t12\t1:DECEASED\nP2\t>89\tMDS\t24.5\t0:LIVING\nP3\t[Not "
        "Available]\tAML\t\t\nP4\t40\t\t1\t0:LIVING\n");
    samples("P1\tS1\tblood\nP2\tS2\tmarrow\nP3\tS3\tmarrow\nP4\tS4\tblood\nP4\tS4b\tmarrow\n");
    variants(
        "NPM1\tFrame_Shift_Ins\tS1\tp.W288Cfs*12\t40\t60\n"
        "FLT3\tMissense_Mutation\tS1\tp.D835Y\t10\t30\n"
        "NPM1\tFrame_Shift_Ins\tS2\tp.W288Cfs*12\t\t\n"
        "FLT3\tSilent\tS4\tp.L561=\t5\t5\n");
    write("panel_small.txt", "stable_id: SMALL\ndescription: three genes\ngene_list: NPM1\tFLT3\tTP53\n");
    matrix("S1\tSMALL\nS2\tSMALL\nS3\tNA\nS4\tSMALL\nS4b\tSMALL\n");
  }
  ~StudyFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(root_, ignored);
  }
  StudyFolder(const StudyFolder&) = delete;
  StudyFolder& operator=(const StudyFolder&) = delete;

  std::filesystem::path study() const { return root_ / "study"; }
  std::filesystem::path out() const { return root_ / "cohort"; }

  void write(const std::string& name, std::string_view text) const {
    std::ofstream(study() / name, std::ios::binary) << text;
  }
  void remove(const std::string& name) const { std::filesystem::remove(study() / name); }
  std::string read(const std::string& name) const {
    std::ifstream file(study() / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  void meta(const std::string& name, const std::string& type, const std::string& datatype,
            const std::string& file, const std::string& stable_id = {}) const {
    write("meta_" + name + ".txt", "cancer_study_identifier: tiny\ngenetic_alteration_type: " + type +
                                       "\ndatatype: " + datatype + "\n" +
                                       (stable_id.empty() ? "" : "stable_id: " + stable_id + "\n") +
                                       "data_filename: " + file + "\n");
  }
  void patients(std::string_view rows) const {
    write("patients.tsv", std::string(patient_head) + std::string(rows));
  }
  void samples(std::string_view rows) const {
    write("samples.tsv",
          "#Patient\tSample\tTissue\n#p\ts\ttissue of the sample\n#STRING\tSTRING\tSTRING\n#1\t1\t1\n"
          "PATIENT_ID\tSAMPLE_ID\tTISSUE\n" +
              std::string(rows));
  }
  void variants(std::string_view rows) const {
    write(
        "variants.tsv",
        "#version 2.4\nHugo_Symbol\tVariant_Classification\tTumor_Sample_Barcode\tHGVSp_Short\tt_alt_count\t"
        "t_ref_count\n" +
            std::string(rows));
  }
  void matrix(std::string_view rows) const {
    meta("matrix", "GENE_PANEL_MATRIX", "GENE_PANEL_MATRIX", "matrix.tsv");
    write("matrix.tsv", "SAMPLE_ID\tmutations\n" + std::string(rows));
  }
  void no_matrix() const {
    remove("meta_matrix.txt");
    remove("matrix.tsv");
  }
  void case_list(const std::string& suffix, const std::string& ids) const {
    write("case_lists/cases" + suffix + ".txt", "cancer_study_identifier: tiny\nstable_id: tiny" + suffix +
                                                    "\ncase_list_name: x\ncase_list_ids: " + ids + "\n");
  }

  IngestRecipe recipe() const {
    IngestRecipe recipe = recipe_for(study());
    recipe.overwrite = true;
    return recipe;
  }
  IngestReport ingest(const IngestRecipe& recipe) const { return io::ingest(recipe, out()); }
  IngestReport ingest() const { return ingest(recipe()); }

  Catalogue catalogue() const { return load_catalogue(out()); }
  ShardData shard(Index i = 0) const { return ShardReader(catalogue(), i).read_all(); }

  static constexpr std::string_view patient_head =
      "#Patient\tAge\tEntity\tOS\tOS status\n#id\tage in years\tdisease\tmonths\tstatus\n"
      "#STRING\tNUMBER\tSTRING\tNUMBER\tSTRING\n#1\t1\t1\t1\t1\nPATIENT_ID\tAGE\tENTITY\tOS_MONTHS\tOS_"
      "STATUS\n";

 private:
  std::filesystem::path root_;
};

/// The text of the InputError that an ingest throws; fails when it throws none.
inline std::string refusal(const StudyFolder& folder, const IngestRecipe& recipe) {
  try {
    folder.ingest(recipe);
  } catch (const InputError& error) {
    return error.what();
  }
  ADD_FAILURE() << "the study was accepted";
  return {};
}
inline std::string refusal(const StudyFolder& folder) {
  return refusal(folder, folder.recipe());
}

/// Names of the features that a patient carries, in order.
inline std::vector<std::string> carried(const Catalogue& catalogue, const ShardData& shard, std::size_t row) {
  std::vector<std::string> names;
  for (std::int64_t i = shard.alteration.offset[row]; i < shard.alteration.offset[row + 1]; ++i)
    names.push_back(
        catalogue.features[static_cast<std::size_t>(shard.alteration.value[static_cast<std::size_t>(i)])]
            .name);
  return names;
}

inline const TableReport& table(const IngestReport& report, std::string_view file, std::size_t study = 0) {
  for (const TableReport& table : report.studies.at(study).tables)
    if (table.file == file) return table;
  throw std::out_of_range("the report has no table " + std::string(file));
}

}  // namespace chorale::io
