// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "jobs/commands/submit.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "io/file.hpp"
#include "jobs/commands/shell.hpp"
#include "jobs/registry.hpp"

namespace chorale::jobs {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t most_elements = 10'000;

/// Shell words that check a result folder, or a cohort, without a word when all is well.
constexpr const char* verify_results =
    R"(bash -c 'cd "$0" && [ -s DONE ] && sha256sum --status -c DONE' "$output")";
constexpr const char* verify_cohort =
    R"(bash -c '"$0" inspect --verify "$1" >/dev/null' "${command[0]}" "$output")";

/// One value of one swept key: "outcome.endpoint" and "\"OS\"".
struct Choice {
  std::string key, value;
};

std::vector<Choice> choices_of(const std::string& sweep) {
  const std::string in = "--sweep " + sweep;
  const io::Node root = io::parse_config("", in, std::vector{sweep});
  const std::string key = sweep.substr(0, sweep.find('='));
  const io::Node* node = &root;
  while (node->is_table() && node->table().size() == 1) node = &node->table().front().second;
  const auto* values = std::get_if<io::Node::Array>(&node->value);
  if (values == nullptr || values->empty()) {
    throw ConfigError({.what = "a sweep needs a list of values",
                       .found = io::to_text(*node),
                       .expected = "key=[value, value, …]",
                       .in = in,
                       .remedy = "write it as --sweep 'seed=[1, 2, 3]'"});
  }
  std::vector<Choice> choices;
  for (const auto& value : *values) {
    const auto* text = std::get_if<std::string>(&value.value);
    choices.push_back({key, text != nullptr ? io::value_text(*text) : io::to_text(value)});
  }
  return choices;
}

/// "seed=3", as a folder may be called.
std::string label_of(const Choice& choice) {
  std::string label = choice.key.substr(choice.key.rfind('.') + 1) + "=";
  for (const char c : choice.value)
    if (c != '"')
      label += std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-' || c == '+' ? c : '_';
  return label;
}

/// Every combination of the swept values has a folder of its own below the job's output.
std::vector<Element> elements_of(const std::vector<std::string>& sweeps, const fs::path& output) {
  std::vector<Element> elements{{.output = {}, .arguments = {}}};
  for (const auto& sweep : sweeps) {
    std::vector<Element> all;
    for (const Element& element : elements)
      for (const Choice& choice : choices_of(sweep)) {
        Element more = element;
        more.output += (more.output.empty() ? "" : ",") + label_of(choice);
        more.arguments.insert(more.arguments.end(), {"--set", choice.key + "=" + choice.value});
        all.push_back(std::move(more));
      }
    elements = std::move(all);
  }
  std::set<std::string> folders;
  for (Element& element : elements) {
    if (!folders.insert(element.output).second || elements.size() > most_elements) {
      throw ConfigError(
          {.what = elements.size() > most_elements ? "a sweep has too many combinations"
                                                   : "two combinations of a sweep have one folder",
           .found = elements.size() > most_elements ? std::to_string(elements.size()) : element.output,
           .in = "--sweep",
           .remedy = "sweep over fewer values, or submit twice with outputs of their own"});
    }
    element.output = (sweeps.empty() ? output : output / element.output).string();
    element.arguments.insert(element.arguments.end(), {"--set", "output=" + io::value_text(element.output)});
  }
  return elements;
}

/// What is submitted, understood: jobs are checked as they will run.
struct Submission {
  Site site;
  engine::JobConfig config;
  fs::path output, notes;
  std::vector<Element> elements;
  std::vector<engine::PreparedJob> jobs;  // none: the cohort is not there yet
  bool ingest = false;
  Layout layout;

  Submission(const Context& context, const SubmitOptions& options) : site(load_site(options.site)) {
    if (!options.partition.empty()) site.partition = options.partition;
    if (!options.account.empty()) site.account = options.account;
    ask_slurm(site);
    config = engine::parse_job_config(io::load_config(options.config, context.overrides));
    output = fs::absolute(config.output).lexically_normal();
    notes = output / "slurm";
    elements = elements_of(options.sweeps, output);
    ingest = !options.ingest.empty() && !fs::exists(fs::path(config.cohort) / "cohort.json");
    if (!ingest) {
      const auto alone = engine::solo_comm();
      for (const Element& element : elements) {
        auto overrides = context.overrides;
        for (std::size_t a = 1; a < element.arguments.size(); a += 2)
          overrides.push_back(element.arguments[a]);
        // min_carriers decides how large the job is; a sweep is not worth a pass over the patients for each element
        jobs.push_back(engine::prepare(io::load_config(options.config, overrides), registry(),
                                       elements.size() == 1 ? alone.get() : nullptr));
      }
    }
    std::optional<ForecastOf> forecast;
    if (!jobs.empty()) forecast = [this](Index threads) { return largest(threads); };
    layout = lay_out(site, options.wishes, forecast);
  }

  /// Enough for every element.
  engine::Forecast largest(Index threads) const {
    engine::Forecast all;
    for (const auto& job : jobs) all.include(engine::forecast(job, threads));
    return all;
  }
};

std::string forecast_text(const Submission& of) {
  const Layout& layout = of.layout;
  std::string text = fmt::format("  layout     {} × {} × {} (nodes × ranks × threads)\n", layout.nodes,
                                 layout.ranks_per_node, layout.threads);
  if (of.jobs.empty())
    return text +
           "  forecast   none: the cohort is not there yet; the job asks for all memory of its nodes\n" +
           fmt::format("  time       {} asked for\n", layout.time);
  const engine::Forecast forecast = of.largest(layout.threads);
  const auto n_cores = static_cast<double>(layout.nodes * layout.ranks_per_node * layout.threads);
  text += fmt::format("  units      {}\n", forecast.n_units);
  text += fmt::format("  memory     about {} on a node; {} MB asked for\n",
                      engine::bytes_text(forecast.node_bytes(layout.ranks_per_node, layout.nodes)),
                      layout.megabytes);
  text += fmt::format("  time       about {:.0f} s; {} asked for, checkpoint {} s before its end\n",
                      std::ceil(forecast.seconds / n_cores), layout.time, layout.warning_seconds);
  return text;
}

std::string program() {
  return fs::read_symlink("/proc/self/exe").string();
}

std::vector<Step> steps_of(const Context& context, const SubmitOptions& options, const Submission& of) {
  const std::string name = "chorale-" + of.output.filename().string();
  const std::string source = options.config.string();
  const bool array = !options.sweeps.empty();
  std::vector<Step> steps;
  if (of.ingest) {
    steps.push_back({.name = "ingest",
                     .job_name = name + "-ingest",
                     .about = options.ingest + " to " + of.config.cohort,
                     .command = {program(), "ingest", options.ingest, of.config.cohort},
                     .elements = {{.output = of.config.cohort, .arguments = {}}},
                     .verify = verify_cohort,
                     .notes = of.notes.string()});
  }
  Step run{.name = "run",
           .job_name = name,
           .about = fmt::format("{} of {} on {}", of.config.job, source, of.config.cohort),
           .command = {program(), "run", (of.notes / "job.toml").string()},
           .elements = of.elements,
           .verify = verify_results,
           .notes = of.notes.string(),
           .on_ranks = true,
           .array = array};
  for (const auto& text : context.overrides) run.command.insert(run.command.end(), {"--set", text});
  steps.push_back(std::move(run));
  if (options.report) {
    Step report{.name = "report",
                .job_name = name + "-report",
                .about = "report of " + of.output.string(),
                .command = {program(), "report"},
                .elements = {},
                .verify = verify_results,
                .notes = of.notes.string(),
                .array = array};
    for (const Element& element : of.elements)
      report.elements.push_back({.output = element.output, .arguments = {element.output}});
    steps.push_back(std::move(report));
  }
  return steps;
}

/// The job's number.
std::string hand_to_slurm(const Step& step, const std::string& before, bool one_by_one) {
  std::vector<std::string> command{"sbatch", "--parsable"};
  if (!before.empty())
    command.insert(command.end(),
                   {"--dependency=" + std::string(one_by_one ? "aftercorr:" : "afterok:") + before,
                    "--kill-on-invalid-dep=yes"});
  command.push_back(step.notes + "/" + step.name + ".sbatch");
  const Said said = ask(command);
  if (said.code == 0) return said.text.substr(0, said.text.find_first_of(";\n"));
  throw ConfigError({.what = "Slurm does not take the job",
                     .found = said.text,
                     .in = quoted(command),
                     .remedy = said.code == 127 ? "submit where sbatch is installed, or look at --dry-run"
                                                : "change the options, or slurm/site.toml"});
}

std::string log_of(const Step& step, const std::string& id) {
  return fmt::format("{}/{}-{}{}.log", step.notes, step.name, id, step.array ? "_N" : "");
}

}  // namespace

int submit(const Context& context, const SubmitOptions& options) {
  together(context, [&] {
    if (!context.comm.is_root()) return;
    const Submission submission(context, options);
    const auto steps = steps_of(context, options, submission);
    std::string text = fmt::format(
        "{} on {}{}\n\n", submission.config.job, submission.config.cohort,
        options.sweeps.empty() ? "" : fmt::format(", {} combinations", submission.elements.size()));
    text += forecast_text(submission);
    if (!options.ingest.empty() && !submission.ingest)
      text += "  ingest     not needed: the cohort is there\n";
    if (options.dry_run) {
      for (const Step& step : steps)
        text += fmt::format("\n--- {}/{}.sbatch\n{}", step.notes, step.name,
                            batch_text(step, submission.layout, submission.site));
      context.console.out(text);
      return;
    }
    io::make_folder(submission.notes);
    io::write_file(submission.notes / "job.toml", io::read_text(options.config));
    for (const Step& step : steps)
      io::write_file(submission.notes / (step.name + ".sbatch"),
                     batch_text(step, submission.layout, submission.site));
    std::string before = options.after;
    bool after_array = false;
    for (const Step& step : steps) {
      before = hand_to_slurm(step, before, after_array && step.array);
      after_array = step.array;
      text += fmt::format("  {:<10} job {}, log {}\n", step.name, before, log_of(step, before));
    }
    context.console.out(text);
  });
  return 0;
}

}  // namespace chorale::jobs
