// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "jobs/simulate/spec.hpp"
#include "kernels/error.hpp"

namespace chorale::jobs {
namespace {

constexpr const char* small = R"(
sites = [{ name = "S", panels = ["P"] }]
panels = [{ name = "P", genes = ["NPM1"] }]
[[entities]]
name = "AML"
alterations = [
  { name = "NPM1", frequency = 0.3 },
  { name = "FLT3", frequency = 0.2 },
]
pairs = [
  { a = "NPM1", b = "FLT3", odds_ratio = 2 },
]
[[fields]]
name = "AGE"
values = [{ mean = 60, sd = 10 }]
)";

std::string with(const std::string& more) {
  return small + more;
}

std::string replaced(const std::string& what, const std::string& by) {
  std::string text = small;
  text.replace(text.find(what), what.size(), by);
  return text;
}

/// The message of the ConfigError that a spec draws.
ErrorText refusal(const std::string& text) {
  try {
    parse_simulate_spec(text, "spec.toml");
  } catch (const ConfigError& error) {
    return error.text();
  }
  ADD_FAILURE() << "accepted:\n" << text;
  return {};
}

void expect_refusal(const std::string& text, const std::string& what, const std::string& in,
                    const std::string& remedy) {
  const ErrorText error = refusal(text);
  EXPECT_NE(error.what.find(what), std::string::npos) << error.what;
  EXPECT_EQ(error.in, in);
  EXPECT_NE(error.remedy.find(remedy), std::string::npos) << error.remedy;
}

TEST(SimulateSpec, ReadsWhatIsWritten) {
  const SimulateSpec spec = parse_simulate_spec(small, "spec.toml");
  ASSERT_EQ(spec.entities.size(), 1u);
  EXPECT_EQ(spec.entities[0].alterations[1].frequency, 0.2);
  EXPECT_EQ(spec.entities[0].pairs[0].odds_ratio, 2);
  EXPECT_EQ(spec.fields[0].values[0].mean, 60);
}

TEST(SimulateSpec, AsRunReadsBackEqual) {
  const SimulateSpec spec = load_simulate_spec(CHORALE_SOURCE_DIR "/jobs/simulate/default.toml");
  const std::string text = simulate_spec_text(spec);
  EXPECT_EQ(simulate_spec_text(parse_simulate_spec(text, "again")), text);
}

TEST(SimulateSpec, OverridesReachEveryKey) {
  const std::vector<std::string> overrides{"patients=7", "seed=3"};
  const SimulateSpec spec = parse_simulate_spec(small, "spec.toml", overrides);
  EXPECT_EQ(spec.patients, 7);
  EXPECT_EQ(spec.seed, 3);
}

TEST(SimulateSpec, UnknownAlterationInAPairGivesTheLineAndTheNearestName) {
  expect_refusal(replaced("a = \"NPM1\"", "a = \"NPM2\""), "unknown alteration of AML", "spec.toml, line 11",
                 "\"NPM1\"");
}

TEST(SimulateSpec, PairsNameTwoAlterationsOnce) {
  expect_refusal(replaced("b = \"FLT3\"", "b = \"NPM1\""), "with itself", "spec.toml, line 11",
                 "another one");
  expect_refusal(replaced("pairs = [", "pairs = [{ a = \"FLT3\", b = \"NPM1\", odds_ratio = 3 },"),
                 "stands twice", "spec.toml, line 11", "remove one");
  expect_refusal(replaced("frequency = 0.2", "frequency = 1"), "all or none carry", "spec.toml, line 11",
                 "remove the pair");
}

TEST(SimulateSpec, NumbersStayInTheirRanges) {
  expect_refusal(replaced("frequency = 0.2", "frequency = 1.2"), "frequency is out of range",
                 "spec.toml, line 8", "");
  expect_refusal(replaced("odds_ratio = 2", "odds_ratio = 0"), "odds_ratio is out of range",
                 "spec.toml, line 11", "");
  expect_refusal(with("missing = -0.1\n"), "missing is out of range", "spec.toml, line 16", "");
}

TEST(SimulateSpec, NeedsEntitiesAndSitesWithPatients) {
  expect_refusal("sites = [{ name = \"S\" }]", "no entity", "spec.toml", "add an entity");
  expect_refusal("entities = [{ name = \"AML\" }]", "no site", "spec.toml", "add a site");
  expect_refusal(replaced("name = \"S\",", "name = \"S\", weight = 0,"), "no site", "spec.toml",
                 "weight = 1");
  expect_refusal(replaced("name = \"AML\"", "name = \"AML\"\nshare = 0"), "no entity", "spec.toml",
                 "share = 1");
  expect_refusal(replaced("name = \"AML\"", "name = \"\""), "no name", "spec.toml, line 4", "name");
}

TEST(SimulateSpec, NamesReferToWhatIsDeclared) {
  expect_refusal(replaced("genes = [\"NPM1\"]", "genes = [\"NPM3\"]"), "unknown gene", "spec.toml, line 3",
                 "\"NPM1\"");
  expect_refusal(replaced("panels = [\"P\"]", "panels = [\"Q\"]"), "unknown panel", "spec.toml, line 2", "");
  expect_refusal(replaced("panels = [\"P\"]", "panels = [\"P\"], entities = [\"AMLL\"]"), "unknown entity",
                 "spec.toml, line 2", "\"AML\"");
  expect_refusal(replaced("pairs = [", "interactions = [{ a = \"NPM1\", b = \"KIT\" }]\npairs = ["),
                 "unknown alteration", "spec.toml, line 10", "");
  expect_refusal(replaced("pairs = [", "shifts = [{ alteration = \"NPM1\", field = \"AGR\" }]\npairs = ["),
                 "unknown field", "spec.toml, line 10", "\"AGE\"");
  expect_refusal(with("[[gene_details]]\nname = \"KIT\"\n"), "unknown gene", "spec.toml, line 16", "");
}

TEST(SimulateSpec, NamesAreUniqueAndFree) {
  expect_refusal(with("[[fields]]\nname = \"AGE\"\n"), "stands twice", "spec.toml, line 16", "rename");
  expect_refusal(with("[[fields]]\nname = \"ENTITY\"\n"), "name is taken", "spec.toml, line 16", "itself");
  expect_refusal(with("[[aberrations]]\nname = \"AGE\"\n"), "share a name", "spec.toml, line 13", "rename");
  expect_refusal(replaced("name = \"S\"", "name = \"S/T\""), "cannot be written", "spec.toml, line 2",
                 "another name");
}

TEST(SimulateSpec, LevelsWeightsAndSharesFit) {
  const std::string field = "[[fields]]\nname = \"SEX\"\nshape = \"levels\"\n";
  expect_refusal(with(field), "needs levels", "spec.toml, line 16", "levels");
  const std::string levels = field + "levels = [\"F\", \"M\"]\n";
  expect_refusal(with(levels + "values = [{ weights = [1] }]\n"), "weights do not fit", "spec.toml, line 20",
                 "one weight");
  expect_refusal(with(levels + "values = [{ weights = [1, 1], hazard_ratios = [2] }]\n"),
                 "hazard_ratios do not fit", "spec.toml, line 20", "one hazard ratio");
  expect_refusal(with("[[gene_details]]\nname = \"NPM1\"\nhotspots = [\"p.A1C\"]\n"), "shares do not fit",
                 "spec.toml, line 16", "shares");
  expect_refusal(
      with("[[gene_details]]\nname = \"NPM1\"\nhotspots = [\"p.A1C\", \"p.A1D\"]\nshares = [0.6, 0.6]\n"),
      "shares do not fit", "spec.toml, line 16", "shares");
  expect_refusal(with("at_least = 9\nat_most = 3\n"), "no room", "spec.toml, line 13", "bounds");
}

TEST(SimulateSpec, TheWholeMakesSense) {
  expect_refusal("genes = 1\n" + with(""), "more genes than it asks for", "spec.toml", "raise genes");
  expect_refusal("age_groups = [40, 18]\n" + with(""), "rising order", "spec.toml", "sort");
  expect_refusal("background_lowest = 0.5\n" + with(""), "more frequent", "spec.toml", "swap");
  expect_refusal(replaced("name = \"AGE\"", "name = \"YEARS\"").insert(0, "age_groups = [18]\n"),
                 "without ages", "spec.toml", "remove age_groups");
  expect_refusal(replaced("name = \"AML\"", "name = \"AML\"\nefs_at_5_years = 0.9"),
                 "without event than alive", "spec.toml, line 4", "lower");
  expect_refusal(replaced("panels = [\"P\"]", "panels = [\"P\"], entities = [\"B\"]") +
                     "[[entities]]\nname = \"B\"\nshare = 0\n",
                 "only entities without patients", "spec.toml, line 2", "leave entities out");
}

TEST(SimulateSpec, WithoutAFileThePathStandsInTheMessage) {
  SimulateSpec spec = parse_simulate_spec(small, "spec.toml");
  spec.entities[0].pairs[0].a = "KIT";
  try {
    check_simulate_spec(spec, nullptr);
    FAIL() << "expected a ConfigError";
  } catch (const ConfigError& error) {
    EXPECT_EQ(error.text().in, "entities[0].pairs[0]");
  }
}

}  // namespace
}  // namespace chorale::jobs
