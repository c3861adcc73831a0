// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "jobs/simulate/study_writer.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <vector>

#include <fmt/format.h>

#include "io/file.hpp"
#include "io/text_file.hpp"
#include "jobs/simulate/shard_data.hpp"

namespace chorale::jobs {
namespace {

using Text = std::string;

constexpr double days_per_month = 30.4375;
constexpr Index patients_per_block = 8192;
constexpr Index patients_per_piece = 256;  ///< what one thread formats at a time

template <class... Args>
void put(Text& text, fmt::format_string<Args...> format, Args&&... args) {
  fmt::format_to(std::back_inserter(text), format, std::forward<Args>(args)...);
}

/// Text of some patients for each of the files that grow with the cohort.
struct Piece {
  Text patients, samples, matrix, variants, cases;
};

class StudyText {
 public:
  explicit StudyText(const CohortModel& model) : model_(model), catalogue_(model.catalogue()) {
    for (const char c : catalogue_.name) {
      const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
      identifier_ += plain ? c : c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : '_';
    }
  }

  const Text& identifier() const { return identifier_; }

  /// The four rows above a clinical table (display name, description, type, priority), then its header.
  Text patient_header() const {
    Text names = "PATIENT_ID\tSITE";
    Text descriptions = "patient\tdelivering site";
    Text types = "STRING\tSTRING";
    Text priorities = "1\t1";
    const auto add = [&](const Text& name, const Text& description, const char* type) {
      names += "\t" + name;
      descriptions += "\t" + description;
      types += Text("\t") + type;
      priorities += "\t1";
    };
    for (const io::Field& field : catalogue_.fields)
      add(field.name, field.description + (field.unit.empty() ? "" : " (" + field.unit + ")"),
          field.kind == io::FieldKind::number ? "NUMBER" : "STRING");
    for (const io::Endpoint& endpoint : catalogue_.endpoints) {
      add(endpoint.name + "_STATUS", endpoint.description, "STRING");
      add(endpoint.name + "_MONTHS", endpoint.description + " (months of 30.4375 days)", "NUMBER");
    }
    return "#" + names + "\n#" + descriptions + "\n#" + types + "\n#" + priorities + "\n" + names + "\n";
  }
  static Text sample_header() {
    return "#PATIENT_ID\tSAMPLE_ID\n#patient\tsample\n#STRING\tSTRING\n#1\t1\nPATIENT_ID\tSAMPLE_ID\n";
  }
  static Text matrix_header() { return "SAMPLE_ID\tmutations\n"; }
  static Text variant_header() {
    return "Hugo_Symbol\tEntrez_Gene_Id\tNCBI_Build\tChromosome\tStart_Position\tEnd_Position\tVariant_"
           "Classification\t"
           "Reference_Allele\tTumor_Seq_Allele2\tTumor_Sample_Barcode\tHGVSp_Short\tt_alt_count\tt_ref_"
           "count\n";
  }
  Text case_header() const {
    return "cancer_study_identifier: " + identifier_ + "\nstable_id: " + identifier_ +
           "_sequenced\ncase_list_name: sequenced\ncase_list_description: samples with mutation "
           "data\ncase_list_ids:";
  }

  void add(const SimulatedPatient& patient, Piece& piece) const {
    const Text id = patient_id(patient.index);
    add_clinical(id, patient, piece.patients);
    put(piece.samples, "{}\t{}-T\n", id, id);
    put(piece.matrix, "{}-T\t{}\n", id,
        patient.panel < 0 ? "NA" : catalogue_.panels[static_cast<std::size_t>(patient.panel)].name);
    if (patient.panel >= 0) put(piece.cases, "\t{}-T", id);
    for (const SimulatedVariant& variant : patient.variants) {
      const auto gene = static_cast<std::size_t>(variant.gene);
      // 16 bits of the packed change are its position; hotspots lie at their number
      const Index position = 1000 + 3 * static_cast<Index>(variant.change.code & 0xffff);
      put(piece.variants, "{}\t\tGRCh37\t{}\t{}\t{}\t{}\tC\tT\t{}-T\t{}\t{}\t{}\n", catalogue_.genes[gene],
          1 + gene % 22, position, position,
          variant_class_names[static_cast<std::size_t>(variant.variant_class)], id,
          variant.change.text(model_.hotspots()), variant.n_alt, variant.n_reads - variant.n_alt);
    }
  }

 private:
  void add_clinical(const Text& id, const SimulatedPatient& patient, Text& text) const {
    put(text, "{}\t{}", id, catalogue_.sites[static_cast<std::size_t>(patient.site)]);
    for (std::size_t f = 0; f < catalogue_.fields.size(); ++f) {
      const io::Field& field = catalogue_.fields[f];
      const double value = patient.values[f];
      text += '\t';
      if (std::isnan(value)) continue;
      if (field.kind == io::FieldKind::number)
        put(text, "{}", value);
      else
        text += field.levels[static_cast<std::size_t>(value)];
    }
    for (const io::Endpoint& endpoint : catalogue_.endpoints) {
      const bool os = endpoint.name == "OS";
      const SimulatedOutcome& outcome = os ? patient.os : patient.efs;
      if (outcome.event < 0) {
        text += "\t\t";
        continue;
      }
      const char* status =
          outcome.event == 0 ? (os ? "0:LIVING" : "0:NO EVENT") : (os ? "1:DECEASED" : "1:EVENT");
      put(text, "\t{}\t{:.15g}", status, static_cast<double>(outcome.days) / days_per_month);
    }
    text += '\n';
  }

  const CohortModel& model_;
  const io::Catalogue& catalogue_;
  Text identifier_;
};

/// The files that grow with the cohort.
struct StudyFiles {
  io::TextFile patients, samples, matrix, variants, cases;

  explicit StudyFiles(const std::filesystem::path& folder)
      : patients(folder / "data_clinical_patient.txt"),
        samples(folder / "data_clinical_sample.txt"),
        matrix(folder / "data_gene_panel_matrix.txt"),
        variants(folder / "data_mutations.txt"),
        cases(folder / "case_lists" / "cases_sequenced.txt") {}

  void append(const Piece& piece) {
    patients.append(piece.patients);
    samples.append(piece.samples);
    matrix.append(piece.matrix);
    variants.append(piece.variants);
    cases.append(piece.cases);
  }
  void close() {
    for (io::TextFile* file : {&patients, &samples, &matrix, &variants, &cases}) file->close();
  }
};

void write_panels(const CohortModel& model, const std::filesystem::path& folder) {
  const io::Catalogue& catalogue = model.catalogue();
  for (std::size_t p = 0; p < catalogue.panels.size(); ++p) {
    Text text = "stable_id: " + catalogue.panels[p].name + "\ndescription: simulated panel\ngene_list:";
    for (std::size_t g = 0; g < catalogue.genes.size(); ++g)
      if (model.is_tested(static_cast<Index>(p), static_cast<Index>(g))) text += "\t" + catalogue.genes[g];
    io::write_file(folder / ("data_gene_panel_" + catalogue.panels[p].name + ".txt"), text + "\n");
  }
}

void write_meta(const io::Catalogue& catalogue, const Text& identifier, const std::filesystem::path& folder) {
  const Text study = "cancer_study_identifier: " + identifier + "\n";
  const auto meta = [&](const char* name, const Text& rest) { io::write_file(folder / name, study + rest); };
  meta("meta_clinical_patient.txt",
       "genetic_alteration_type: CLINICAL\ndatatype: PATIENT_ATTRIBUTES\ndata_filename: "
       "data_clinical_patient.txt\n");
  meta("meta_clinical_sample.txt",
       "genetic_alteration_type: CLINICAL\ndatatype: SAMPLE_ATTRIBUTES\ndata_filename: "
       "data_clinical_sample.txt\n");
  meta("meta_gene_panel_matrix.txt",
       "genetic_alteration_type: GENE_PANEL_MATRIX\ndatatype: GENE_PANEL_MATRIX\ndata_filename: "
       "data_gene_panel_matrix.txt\n");
  meta("meta_mutations.txt",
       "genetic_alteration_type: MUTATION_EXTENDED\ndatatype: MAF\nstable_id: mutations\n"
       "show_profile_in_analysis_tab: true\nprofile_name: Mutations\nprofile_description: simulated\n"
       "data_filename: data_mutations.txt\n");
  io::write_file(folder / "meta_study.txt", "type_of_cancer: mixed\n" + study + "name: " + catalogue.name +
                                                "\ndescription: " + catalogue.provenance.front() + "\n");
}

}  // namespace

void write_simulated_study(const CohortModel& model, const std::filesystem::path& folder,
                           const std::function<void(Index done, Index total)>& progress) {
  io::make_folder(folder / "case_lists");
  const StudyText text(model);
  StudyFiles files(folder);
  files.append({.patients = text.patient_header(),
                .samples = StudyText::sample_header(),
                .matrix = StudyText::matrix_header(),
                .variants = StudyText::variant_header(),
                .cases = text.case_header()});
  const Index n_patients = model.spec().patients;
  for (Index first = 0; first < n_patients; first += patients_per_block) {
    const Index n = std::min(patients_per_block, n_patients - first);
    std::vector<Piece> pieces(static_cast<std::size_t>((n + patients_per_piece - 1) / patients_per_piece));
#pragma omp parallel for schedule(dynamic)
    for (std::size_t k = 0; k < pieces.size(); ++k) {
      SimulatedPatient patient;
      const Index from = static_cast<Index>(k) * patients_per_piece;
      for (Index i = from; i < std::min(from + patients_per_piece, n); ++i) {
        model.draw(first + i, patient);
        text.add(patient, pieces[k]);
      }
    }
    for (const Piece& piece : pieces) files.append(piece);
    if (progress) progress(first + n, n_patients);
  }
  files.append({.patients = {}, .samples = {}, .matrix = {}, .variants = {}, .cases = "\n"});
  files.close();
  write_panels(model, folder);
  write_meta(model.catalogue(), text.identifier(), folder);
}

}  // namespace chorale::jobs
