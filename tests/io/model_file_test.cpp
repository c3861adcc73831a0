// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "io/model_file.hpp"

#include <gtest/gtest.h>

#include "io/file.hpp"
#include "kernels/error.hpp"
#include "tests/io/message.hpp"
#include "tests/io/sample_model.hpp"
#include "tests/io/temporary_folder.hpp"

namespace chorale::io {
namespace {

ModelFile again(const ModelFile& model) {
  return parse_model(to_text(model), "model.json");
}

/// The text of the sample with one passage replaced.
std::string damaged(const std::string& passage, const std::string& by) {
  std::string text = to_text(sample_model());
  const auto at = text.find(passage);
  if (at == std::string::npos) throw std::runtime_error("the sample does not hold " + passage);
  return text.replace(at, passage.size(), by);
}
std::string complaint(const std::string& text) {
  return message_of<InputError>([&] { parse_model(text, "here/model.json"); });
}
std::string complaint(const ModelFile& model) {
  return complaint(to_text(model));
}

TEST(ModelFile, ComesBackAsItWas) {
  const TemporaryFolder folder;
  const ModelFile model = sample_model();
  write_file(folder / "model.json", to_text(model));
  const ModelFile back = read_model(folder / "model.json");
  EXPECT_EQ(to_text(back), to_text(model));
  EXPECT_EQ(back.terms[2].coefficient, 1.0 / 3);  // to the last bit
  EXPECT_EQ(back.variables[1].kind, ModelFile::Kind::log10);
  EXPECT_EQ(back.terms[1].when_missing, std::nullopt);
  EXPECT_EQ(back.terms[4].when_missing, 1.0);
  EXPECT_TRUE(back.terms[4].indicates_missing);
  EXPECT_EQ(back.baselines[1].cumulative, (std::vector<double>{0.2}));
  EXPECT_EQ(back.performance[0].horizon, std::nullopt);
  EXPECT_EQ(back.performance[1].corrected, std::nullopt);
}

TEST(ModelFile, AModelOfNothingIsAModel) {
  ModelFile model = sample_model();
  model.variables.clear();
  model.terms.clear();
  model.strata.clear();
  model.baselines = {{.stratum = "", .time = {}, .cumulative = {}}};
  model.group_cuts.clear();
  EXPECT_EQ(to_text(again(model)), to_text(model));
}

TEST(ModelFile, OtherFilesAreRefused) {
  for (const std::string text :
       {"", "no JSON", "[1, 2]", "{}", "3", R"({"format": 3})", R"({"format": "other"})"}) {
    const std::string said = complaint(text);
    EXPECT_NE(said.find("not a prognostic model"), std::string::npos) << text;
    EXPECT_NE(said.find("here/model.json"), std::string::npos);
    EXPECT_NE(said.find("model.json of a finished prognosis job"), std::string::npos);
  }
  const std::string whole = to_text(sample_model());
  EXPECT_NE(complaint(whole.substr(0, whole.size() / 2)).find("no JSON, or a part of it"), std::string::npos);
  EXPECT_NE(complaint(damaged("\"version\": 1", "\"version\": 2")).find("version 2"), std::string::npos);
  EXPECT_NE(complaint(damaged("\"version\": 1", "\"version\": \"1\"")).find("another version"),
            std::string::npos);
}

TEST(ModelFile, MissingKeysAndWrongTypesAreNamed) {
  EXPECT_NE(complaint(damaged("\"centre\"", "\"center\"")).find("centre"), std::string::npos);
  EXPECT_NE(complaint(damaged("\"centre\": 6.0", "\"centre\": \"6\"")).find("not complete"),
            std::string::npos);
  EXPECT_NE(complaint(damaged("\"centre\": 6.0", "\"centre\": null")).find("not complete"),
            std::string::npos);
  EXPECT_NE(complaint(damaged("\"coefficient\": 0.1", "\"coefficient\": null")).find("not complete"),
            std::string::npos);
  EXPECT_NE(complaint(damaged("\"kind\": \"log10\"", "\"kind\": \"log2\"")).find("log2"), std::string::npos);
}

TEST(ModelFile, PartsThatDoNotFitAreNamed) {
  const auto refused = [](const char* why, auto change) {
    ModelFile model = sample_model();
    change(model);
    EXPECT_NE(complaint(model).find(why), std::string::npos) << why << ": " << complaint(model);
  };
  refused("term of a variable that is not there", [](auto& m) { m.terms[0].variable = 4; });
  refused("term of a variable that is not there", [](auto& m) { m.terms[0].variable = -1; });
  refused("level that its variable does not have", [](auto& m) { m.terms[2].level = "C"; });
  refused("level that its variable does not have", [](auto& m) { m.terms[0].level = "A"; });
  refused("without a value for them", [](auto& m) { m.terms[4].when_missing.reset(); });
  refused("no name, or the same one", [](auto& m) { m.variables[1].name = "AGE"; });
  refused("there is no baseline hazard", [](auto& m) { m.baselines.clear(); });
  refused("do not fit the strata", [](auto& m) { m.baselines[1].stratum = "TRIAL=X"; });
  refused("do not fit the strata", [](auto& m) { m.baselines[1].stratum = ""; });
  refused("do not fit the strata", [](auto& m) { m.strata.clear(); });
  refused("does not ascend", [](auto& m) { m.baselines[0].cumulative = {0.3, 0.1}; });
  refused("does not ascend", [](auto& m) { m.baselines[0].cumulative = {-0.1, 0.1}; });
  refused("does not ascend", [](auto& m) { m.baselines[0].time = {100, 50}; });
  refused("does not ascend", [](auto& m) { m.baselines[0].time = {50}; });
  refused("cut points", [](auto& m) { m.group_cuts = {6, 5}; });
  refused("horizons do not ascend", [](auto& m) { m.horizons = {150, 75}; });
}

}  // namespace
}  // namespace chorale::io
