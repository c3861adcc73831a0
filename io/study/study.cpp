// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "io/study/study.hpp"

#include <fmt/format.h>

#include "io/study/profiled.hpp"

namespace chorale::io::study {
namespace {

void make_one_sample_per_patient(Study& study) {
  study.samples.file = study.patients.file;
  for (Index p = 0; p < study.patients.n_rows(); ++p) {
    study.samples.id.insert(study.patients.id[p]);
    study.samples.patient.emplace_back(study.patients.id[p]);
  }
  study.notes.emplace_back("no sample table: every patient has one sample of the same name");
}

// Whose each sample is; patients whom only the sample table names follow those of the patient table.
void link(Study& study, SampleRule rule) {
  study.patient_id = study.patients.id;
  for (Index s = 0; s < study.n_samples(); ++s)
    study.patient_of.push_back(study.patient_id.insert(study.samples.patient[static_cast<std::size_t>(s)]));
  std::vector<std::string>().swap(study.samples.patient);
  study.first_sample.assign(static_cast<std::size_t>(study.n_patients()), -1);
  study.used.assign(static_cast<std::size_t>(study.n_samples()), 1);
  Index n_further = 0, n_without = 0;
  for (std::size_t s = 0; s < study.patient_of.size(); ++s) {
    std::int32_t& first = study.first_sample[static_cast<std::size_t>(study.patient_of[s])];
    if (first < 0) {
      first = static_cast<std::int32_t>(s);
      continue;
    }
    ++n_further;
    if (rule == SampleRule::first) study.used[s] = 0;
  }
  for (const std::int32_t first : study.first_sample) n_without += first < 0;
  if (n_further > 0)
    study.notes.push_back(
        fmt::format("{} further samples of patients with several: {}; sample attributes are those of the "
                    "first sample in the table",
                    n_further,
                    rule == SampleRule::any ? "a patient carries what any sample carries"
                                            : "only the first sample counts"));
  if (n_without > 0)
    study.notes.push_back(fmt::format("{} patients have no sample: not profiled", n_without));
  if (const Index n = study.n_patients() - study.patients.n_rows(); n > 0 && study.layout.patients)
    study.notes.push_back(fmt::format(
        "{} patients have samples but no row in the patient table: their patient attributes are missing", n));
}

}  // namespace

Study read_study(const Delivery& delivery, const IngestRecipe& recipe, const ReadOptions& options) {
  Study study;
  study.layout = read_layout(delivery.path);
  study.site = delivery.site.empty() ? study.layout.study : delivery.site;
  if (study.layout.patients)
    study.patients = read_clinical(*study.layout.patients, ClinicalKind::patients, options);
  if (study.layout.samples)
    study.samples = read_clinical(*study.layout.samples, ClinicalKind::samples, options);
  else
    make_one_sample_per_patient(study);
  link(study, recipe.sample_rule);
  for (const ClinicalTable* table : {&study.patients, &study.samples})
    if (!table->report.file.empty()) study.tables.push_back(table->report);
  for (const std::string& reason : study.layout.not_read) study.notes.push_back("not read: " + reason);
  find_assays(study, recipe, options);
  return study;
}

}  // namespace chorale::io::study
