// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <algorithm>
#include <cctype>

#include "io/catalogue.hpp"
#include "io/checksum.hpp"
#include "io/config/value.hpp"
#include "io/model_file.hpp"
#include "jobs/commands/commands.hpp"
#include "jobs/score/design.hpp"

namespace chorale::jobs {
namespace {

/// A name as part of a folder's: letters, digits, dots, dashes and underscores stay.
std::string in_path(std::string name) {
  for (char& c : name)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '.' && c != '_') c = '-';
  return name;
}

/// The job that applies a model to a cohort, as TOML. What the cohort lacks is left for the job to complain about.
std::string job_text(const std::filesystem::path& path, const io::ModelFile& model,
                     const std::filesystem::path& folder, std::string output) {
  const io::Catalogue catalogue = io::load_catalogue(folder);
  if (output.empty()) output = "results/score-" + in_path(model.cohort) + "-" + in_path(catalogue.name);
  std::vector<std::string> fields, include;
  for (const auto& variable : model.variables) {
    if (variable.kind != io::ModelFile::Kind::feature) continue;
    const bool in_dictionary = catalogue.feature_index(variable.name) >= 0;
    const Index f = in_dictionary ? -1 : catalogue.field_index(variable.name);
    const bool field = f >= 0 && catalogue.fields[static_cast<std::size_t>(f)].kind == io::FieldKind::number;
    if (field) fields.push_back(variable.name);
    if (in_dictionary || field) include.push_back(variable.name);
  }
  const bool cohorts_own =
      score::classes_apart(model, catalogue.class_set, catalogue.classes, catalogue).empty();
  std::string text;
  const auto line = [&](const char* key, const auto& value) {
    text += std::string(key) + " = " + io::value_text(value) + "\n";
  };
  line("job", std::string("score"));
  line("cohort", folder.string());
  line("output", output);
  text += "[features]\n";
  line("classes", include.empty() || cohorts_own ? std::string("cohort") : model.class_set);
  line("fields", fields);
  line("include", include);
  text += "[outcome]\n";
  line("endpoint", model.endpoint);
  line("strata", model.strata);
  text += "[score]\n";
  line("model", path.string());
  line("model_sha256", io::sha256_of_file(path));
  return text;
}

}  // namespace

int apply_model(const Context& context, const std::filesystem::path& model,
                const std::filesystem::path& cohort, const std::filesystem::path& output, bool fresh) {
  const auto read = [&] {
    return io::parse_config(job_text(model, io::read_model(model), cohort, output.string()), "chorale score",
                            context.overrides);
  };
  return run_job(context, read, fresh);
}

}  // namespace chorale::jobs
