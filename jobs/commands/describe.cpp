// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <algorithm>

#include <fmt/format.h>

#include "engine/job_config.hpp"
#include "jobs/commands/commands.hpp"
#include "jobs/commands/recipe.hpp"
#include "jobs/commands/site.hpp"
#include "jobs/registry.hpp"
#include "jobs/simulate/spec.hpp"

namespace chorale::jobs {
namespace {

using Writer = std::string (*)(const std::string&, const std::string&, const std::vector<io::FieldInfo>&);

/// The head, the shared tables and the job's own, each by the same writer.
std::string job_text(const engine::AnalysisEntry& job, Writer write, std::string_view between) {
  auto head = engine::head_schema().fields();
  for (auto& field : head)
    if (field.key == "job") field.default_value = '"' + job.name + '"';
  std::string text = write("", "", head);
  const auto add = [&](const auto& schema) {
    text += between;
    text += write(schema.name(), schema.help(), schema.fields());
  };
  add(engine::select_schema());
  add(engine::features_schema());
  add(engine::outcome_schema());
  add(engine::run_schema());
  text += between;
  return text + write(job.name, job.help, job.fields);
}

template <class Config>
std::string table_text(const io::Schema<Config>& schema, Writer write) {
  return write(schema.name(), schema.help(), schema.fields());
}

}  // namespace

int list_jobs(const Context& context) {
  std::string text;
  for (const auto& job : registry()) text += fmt::format("{:<20} {}\n", job.name, job.help);
  if (context.comm.is_root())
    context.console.out(text + "\n'chorale describe JOB' prints a config to start from.\n");
  return 0;
}

int describe(const Context& context, const std::string& name, bool markdown) {
  together(context, [&] {
    const Writer write = markdown ? io::reference_section : io::toml_template;
    std::string text;
    if (name == "ingest") {
      text = table_text(recipe_schema(), write);
    } else if (name == "simulate") {
      text = table_text(simulate_schema(), write);
    } else if (name == "site") {
      text = table_text(site_schema(), write);
    } else {
      std::vector<std::string> names;
      for (const auto& job : registry()) names.push_back(job.name);
      names.insert(names.end(), {"ingest", "simulate", "site"});
      const auto at = std::find_if(registry().begin(), registry().end(),
                                   [&](const auto& job) { return job.name == name; });
      if (at == registry().end()) {
        std::string list;
        for (const auto& known : names) list += (list.empty() ? "one of " : ", ") + known;
        const std::string near = io::nearest(name, names);
        throw ConfigError({.what = "nothing has this name",
                           .found = name,
                           .expected = list,
                           .in = "chorale describe",
                           .remedy = near.empty() ? "choose one of these" : "did you mean " + near + "?"});
      }
      text = job_text(*at, write, "\n");
    }
    if (context.comm.is_root()) context.console.out(text);
  });
  return 0;
}

}  // namespace chorale::jobs
