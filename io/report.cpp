// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "io/file.hpp"
#include "io/report/charts.hpp"
#include "io/report/page.hpp"
#include "io/report/svg.hpp"
#include "io/results.hpp"

namespace chorale::io {
namespace {

using report::escaped;
using report::readable;

std::string section(const std::string& id, const std::string& heading, const std::string& content) {
  return fmt::format("<section id=\"{}\">\n<h2>{}</h2>\n{}</section>\n", escaped(id), escaped(heading),
                     content);
}

/// "vaf_quartiles" as a heading: "Vaf quartiles".
std::string heading_of(std::string name) {
  for (char& c : name)
    if (c == '_') c = ' ';
  if (!name.empty() && name[0] >= 'a' && name[0] <= 'z') name[0] = static_cast<char>(name[0] - 'a' + 'A');
  return name;
}

std::string opening(const Results& results, const RunRecord& run, bool with_complete) {
  std::string html = "<header>\n<h1>" + escaped(results.title) + "</h1>\n<p class=\"note\">" +
                     escaped(fmt::format("{} on cohort {}, {}", run.job, run.cohort_name, run.finished)) +
                     "</p>\n";
  for (const auto& sentence : results.summary) html += "<p class=\"lead\">" + escaped(sentence) + "</p>\n";
  html += "<nav>";
  for (const ResultTable& table : results.tables)
    if (table.in_text)
      html += fmt::format("<a href=\"#{}\">{}</a>", escaped(table.name), escaped(heading_of(table.name)));
  if (with_complete) html += "<a href=\"#complete\">Complete tables</a>";
  return html + "<a href=\"#settings\">Settings</a><a href=\"#run\">Run record</a></nav>\n</header>\n";
}

constexpr Index n_unfolded = 12;

std::string table_section(const ResultTable& table) {
  // a long list of steps or cells tells a reader nothing that these pictures do not
  const std::string pictures = report::survival_chart(table) + report::heat_map(table) +
                               report::p_value_chart(table) + report::path_chart(table);
  // and these say most of what theirs do
  const std::string charts =
      report::calibration_chart(table) + report::left_out_chart(table) + report::stability_chart(table);
  std::string html = report::frequency_chart(table) + pictures + report::volcano_chart(table) +
                     report::forest_chart(table) + report::landmark_chart(table) +
                     report::coefficient_chart(table) + report::performance_chart(table) +
                     report::scheme_chart(table) + charts;
  if (!pictures.empty())
    html += fmt::format("<p class=\"note\">{} All of it, {}: {}.</p>\n", escaped(table.caption),
                        report::counted(table.n_rows(), "row"), report::link_to_file(table));
  else if (!charts.empty() && table.n_rows() > n_unfolded)
    html += "<details><summary>The numbers</summary>\n" + report::html_table(table) + "</details>\n";
  else
    html += report::html_table(table);
  return section(table.name, heading_of(table.name), html);
}

/// Tables too large for the page or a text file: those in pieces, and those of results.h5 alone.
std::vector<JoinedTable> large_tables(const std::filesystem::path& folder, const Results& results) {
  std::vector<JoinedTable> tables = read_joined(folder);
  for (const ResultTable& table : results.tables) {
    if (table.in_text) continue;
    JoinedTable large{.name = table.name, .caption = table.caption, .columns = {}, .n_rows = table.n_rows()};
    for (const ResultColumn& column : table.columns) large.columns.push_back(column.name);
    tables.push_back(std::move(large));
  }
  return tables;
}

std::string complete_section(const std::vector<JoinedTable>& tables) {
  std::string html;
  for (const JoinedTable& table : tables) {
    html += fmt::format(
        "<p>{} The complete table, {}, is in <a href=\"results.h5\"><code>results.h5</code></a>, group "
        "<code>/{}</code>, with the columns {}.</p>\n",
        escaped(table.caption), report::counted(table.n_rows, "row"), escaped(table.name),
        escaped(fmt::format("{}", fmt::join(table.columns, ", "))));
  }
  return section("complete", "Complete tables", html);
}

std::string run_section(const RunRecord& run) {
  std::string stages;
  for (const auto& [stage, seconds] : run.stage_seconds)
    stages += (stages.empty() ? "" : ", ") + fmt::format("{} {} s", stage, readable(seconds));
  std::string html = report::fact_list({
      {"program", "Chorale " + run.version},
      {"job", run.job},
      {"cohort", fmt::format("{} ({})", run.cohort_name, run.cohort)},
      {"cohort fingerprint", run.cohort_fingerprint},
      {"started, finished (UTC)", run.started + ", " + run.finished},
      {"user, host", run.user + ", " + run.host},
      {"ranks × threads", fmt::format("{} × {}", run.n_ranks, run.n_threads)},
      {"instruction level", run.level},
      {"units", fmt::format("{}, of which {} were read from a checkpoint", run.n_units, run.n_units_resumed)},
      {"seconds per stage", stages},
      {"peak memory of a rank", fmt::format("{} MiB", readable(run.peak_rss_bytes / (1 << 20)))},
      {"peak memory of a node", fmt::format("{} MiB", readable(run.peak_node_bytes / (1 << 20)))},
  });
  std::string toml;
  for (const auto& [key, value] : run.config) toml += key + " = " + value + "\n";
  html += "<details><summary>Config as run</summary>\n<pre>" + escaped(toml) + "</pre></details>\n";
  return section("run", "Run record", html);
}

}  // namespace

void write_report(const std::filesystem::path& folder) {
  write_report(folder, read_results(folder), read_run_record(folder));
}

void write_report(const std::filesystem::path& folder, const Results& results, const RunRecord& run) {
  const auto large = large_tables(folder, results);
  std::string body = opening(results, run, !large.empty()) + "<main>\n";
  for (const ResultTable& table : results.tables)
    if (table.in_text) body += table_section(table);
  if (!large.empty()) body += complete_section(large);
  body +=
      section("settings", "Settings", report::fact_list(results.settings)) + run_section(run) + "</main>\n";
  body +=
      "<footer class=\"note\"><p>Made from <code>results.h5</code> and <code>run.json</code> alone. "
      "<code>DONE</code> "
      "lists the SHA-256 of every file.</p></footer>\n";
  write_file(folder / "report.html", report::page(results.title, body));
}

}  // namespace chorale::io
