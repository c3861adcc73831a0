// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <gtest/gtest.h>

#include "io/config/node.hpp"
#include "io/config/schema.hpp"
#include "io/file.hpp"
#include "tests/io/message.hpp"
#include "tests/io/temporary_folder.hpp"

namespace chorale::io {

enum class Ties { efron, breslow };
template <>
struct ConfigWords<Ties> {
  static constexpr std::array words{std::pair{"efron", Ties::efron}, std::pair{"breslow", Ties::breslow}};
};

namespace {

struct Filter {
  std::string field;
  std::optional<double> at_least;
};

struct Settings {
  Index min_carriers = 20;
  double fdr = 0.05;
  bool adjusted = true;
  std::string endpoint = "OS";
  std::vector<std::string> covariates{"AGE"};
  std::vector<double> horizons{365.25, 730.5};
  std::optional<Index> limit;
  Ties ties = Ties::efron;
  std::vector<Filter> where;
};

Schema<Settings> schema() {
  Schema<Filter> filter("where", "one filter");
  filter.field("field", &Filter::field).help("clinical field");
  filter.field("at_least", &Filter::at_least).help("lower bound");
  Schema<Settings> all("screen", "A made-up job.");
  all.field("min_carriers", &Settings::min_carriers)
      .unit("patients")
      .at_least(1)
      .help("rarer ones are left out");
  all.field("fdr", &Settings::fdr).above(0).below(1).help("false discovery rate");
  all.field("adjusted", &Settings::adjusted).help("fit covariates too");
  all.field("endpoint", &Settings::endpoint).help("which outcome");
  all.field("covariates", &Settings::covariates).one_of({"AGE", "SEX"}).help("adjust for these");
  all.field("horizons", &Settings::horizons).unit("days").at_least(0).at_most(36525).help("landmarks");
  all.field("limit", &Settings::limit).at_least(1).help("keep so many");
  all.field("ties", &Settings::ties).help("how ties are broken");
  all.tables("where", &Settings::where, filter, "which patients");
  return all;
}

Settings parsed(const std::string& text, const std::vector<std::string>& overrides = {}) {
  const Node root = parse_config(text, "job.toml", overrides);
  return schema().parse(root.find("screen"));
}

std::string complaint(const std::string& text, const std::vector<std::string>& overrides = {}) {
  return message_of<ConfigError>([&] { parsed(text, overrides); });
}

void expect_in(const std::string& part, const std::string& message) {
  EXPECT_NE(message.find(part), std::string::npos) << "looked for: " << part << "\nin: " << message;
}

TEST(Config, AnAbsentTableKeepsEveryDefault) {
  const Settings s = parsed("job = 'x'");
  EXPECT_EQ(s.min_carriers, 20);
  EXPECT_EQ(s.covariates, std::vector<std::string>{"AGE"});
  EXPECT_FALSE(s.limit.has_value());
}

TEST(Config, ValuesOfEveryTypeAreRead) {
  const Settings s = parsed(R"(
[screen]
min_carriers = 5
fdr = 0.1
adjusted = false
endpoint = "RFS"
covariates = ["AGE", "SEX"]
horizons = [30, 60.5]
limit = 7
ties = "breslow"
where = [ { field = "AGE", at_least = 18 }, { field = "SEX" } ]
)");
  EXPECT_EQ(s.min_carriers, 5);
  EXPECT_EQ(s.fdr, 0.1);
  EXPECT_FALSE(s.adjusted);
  EXPECT_EQ(s.endpoint, "RFS");
  EXPECT_EQ(s.covariates, (std::vector<std::string>{"AGE", "SEX"}));
  EXPECT_EQ(s.horizons, (std::vector<double>{30, 60.5}));
  EXPECT_EQ(s.limit, 7);
  EXPECT_EQ(s.ties, Ties::breslow);
  ASSERT_EQ(s.where.size(), 2U);
  EXPECT_EQ(s.where[0].at_least, 18.0);
  EXPECT_FALSE(s.where[1].at_least.has_value());
}

TEST(Config, AnUnknownKeyIsNamedWithItsLineAndTheNearestOne) {
  const auto message = complaint("job = 'x'\n[screen]\nfdr = 0.1\nmin_carrier = 5\n");
  expect_in("unknown key in [screen] (found min_carrier", message);
  expect_in("job.toml, line 4", message);
  expect_in("did you mean \"min_carriers\"?", message);
}

TEST(Config, AnUnknownKeyNearToNothingGetsTheList) {
  const auto message = complaint("[screen]\nxyzzyplugh = 5\n");
  expect_in("min_carriers, fdr, adjusted", message);
  expect_in("choose one of these", message);
}

TEST(Config, AnUnknownKeyOfAListItemIsNamedToo) {
  expect_in("did you mean \"at_least\"?",
            complaint("[screen]\nwhere = [ { field = 'AGE', atleast = 18 } ]\n"));
}

TEST(Config, WrongTypesAreRefusedWithWhatWasFound) {
  for (const auto& [line, expected] : std::vector<std::pair<std::string, std::string>>{
           {"min_carriers = 2.5", "min_carriers has the wrong type (found 2.5, expected a whole number)"},
           {"min_carriers = '5'", "found \"5\", expected a whole number"},
           {"fdr = 'small'", "fdr has the wrong type (found \"small\", expected a number)"},
           {"adjusted = 1", "adjusted has the wrong type (found 1, expected true or false)"},
           {"endpoint = 3", "endpoint has the wrong type (found 3, expected text in quotes)"},
           {"covariates = true", "covariates has the wrong type (found true, expected text)"},
           {"horizons = 365", "horizons has the wrong type (found 365, expected a list of numbers)"},
           {"where = { field = 'AGE' }", "where has the wrong type"},
           {"where = [ 3 ]", "[where] is not a table (found 3"},
           {"ties = true", "ties has the wrong type"}}) {
    const auto message = complaint("[screen]\n" + line + "\n");
    expect_in(expected, message);
    expect_in("job.toml, line 2", message);
  }
}

TEST(Config, ATableThatIsNoneIsRefused) {
  expect_in("[screen] is not a table (found 3, expected keys and values)", complaint("screen = 3\n"));
}

TEST(Config, ValuesOutOfRangeAreRefusedWithTheRange) {
  for (const auto& [line, expected] : std::vector<std::pair<std::string, std::string>>{
           {"min_carriers = 0", "min_carriers is out of range (found 0, expected ≥ 1)"},
           {"fdr = 0", "fdr is out of range (found 0, expected > 0)"},
           {"fdr = 1.0", "fdr is out of range (found 1, expected < 1)"},
           {"fdr = nan", "fdr is out of range (found nan"},
           {"horizons = [1, -1]", "horizons is out of range (found -1, expected ≥ 0)"},
           {"horizons = [1e9]", "expected ≤ 36525"},
           {"limit = 0", "limit is out of range (found 0, expected ≥ 1)"}}) {
    expect_in(expected, complaint("[screen]\n" + line + "\n"));
  }
}

TEST(Config, UnknownWordsAreRefusedWithTheNearest) {
  const auto message = complaint("[screen]\nties = 'efrom'\n");
  expect_in("ties has an unknown word (found \"efrom\", expected one of efron, breslow)", message);
  expect_in("did you mean \"efron\"?", message);
  expect_in("covariates has an unknown word (found \"AGEE\"",
            complaint("[screen]\ncovariates = ['SEX', 'AGEE']\n"));
}

TEST(Config, InvalidTomlIsRefusedWithLineAndColumn) {
  const auto message = complaint("[screen]\nfdr = = 3\n");
  expect_in("config is not valid TOML", message);
  expect_in("job.toml, line 2, column", message);
}

TEST(Config, DatesAreRefused) {
  expect_in("dates and times", complaint("[screen]\nendpoint = 2020-01-01\n"));
}

TEST(Config, OverridesReplaceValuesOfEveryType) {
  const Settings s = parsed("[screen]\nmin_carriers = 5\n",
                            {"screen.min_carriers=9", "screen.fdr=0.2", "screen.covariates=['SEX']",
                             "screen.endpoint=RFS", "screen.adjusted=false", "screen.min_carriers=11"});
  EXPECT_EQ(s.min_carriers, 11);  // the later one
  EXPECT_EQ(s.fdr, 0.2);
  EXPECT_EQ(s.covariates, std::vector<std::string>{"SEX"});
  EXPECT_EQ(s.endpoint, "RFS");  // a bare word is text
  EXPECT_FALSE(s.adjusted);
}

TEST(Config, AnOverrideMakesATableThatIsNotThere) {
  EXPECT_EQ(parsed("", {"screen.min_carriers=3"}).min_carriers, 3);
}

TEST(Config, MistakesInOverridesNameTheOverride) {
  expect_in("--set screen.min_carriers=0", complaint("", {"screen.min_carriers=0"}));
  expect_in("override has no '='", complaint("", {"screen.fdr"}));
  expect_in("override has no '='", complaint("", {"=3"}));
  expect_in("unknown key in [screen] (found fdrr", complaint("", {"screen.fdrr=0.1"}));
  expect_in("override reaches into a value that is no table",
            complaint("[screen]\nfdr = 0.1\n", {"screen.fdr.x=1"}));
}

TEST(Config, WhatIsDumpedReadsBackEqual) {
  const std::string text =
      "[screen]\nfdr = 0.30000000000000004\nendpoint = 'a\"b\\c'\nlimit = 3\nties = 'breslow'\n"
      "where = [ { field = 'AGE', at_least = 18 } ]\n";
  const auto dump = schema().dump(parsed(text));
  std::string again = "[screen]\n";
  for (const auto& [key, value] : dump)
    if (!value.empty()) again += key + " = " + value + "\n";
  EXPECT_EQ(schema().dump(parsed(again)), dump);
}

TEST(Config, ATemplateParsesToTheDefaults) {
  const auto text = toml_template(schema().name(), schema().help(), schema().fields());
  EXPECT_EQ(schema().dump(parsed(text)), schema().dump(Settings{}));
  for (const char* part : {"# A made-up job.", "[screen]", "min_carriers = 20", "patients", "≥ 1",
                           "rarer ones", "one of efron, breslow", "> 0 and < 1"}) {
    expect_in(part, text);
  }
}

TEST(Config, TheReferenceHasARowForEachKey) {
  const auto text = reference_section(schema().name(), schema().help(), schema().fields());
  for (const FieldInfo& field : schema().fields()) expect_in("| `" + field.key + "` |", text);
  expect_in("| `where.at_least` |", text);
}

TEST(Config, FilesAreReadAndMissingOnesNamed) {
  const TemporaryFolder folder;
  write_file(folder / "job.toml", "[screen]\nfdr = 0.5\n");
  EXPECT_EQ(schema().parse(load_config(folder / "job.toml").find("screen")).fdr, 0.5);
  expect_in("none.toml", message_of<StoreError>([&] { load_config(folder / "none.toml"); }));
}

TEST(Nearest, IsTheOneWithFewestEditsOrNothing) {
  const std::vector<std::string> words{"replicates", "covariates", "strata"};
  EXPECT_EQ(nearest("replicate", words), "replicates");   // one letter missing
  EXPECT_EQ(nearest("covaraites", words), "covariates");  // two swapped: two edits
  EXPECT_EQ(nearest("zzzzzzzzzz", words), "");
}

}  // namespace
}  // namespace chorale::io
