// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "engine/job_config.hpp"

#include <gtest/gtest.h>

#include "kernels/error.hpp"
#include "tests/io/message.hpp"

namespace chorale::engine {
namespace {

using Words = std::vector<std::string>;

constexpr const char* head = "job = \"tally\"\ncohort = \"c\"\noutput = \"o\"\n";

JobConfig parse(const std::string& text, const Words& overrides = {}) {
  return parse_job_config(io::parse_config(text, "job.toml", overrides));
}
std::string refusal(const std::string& text, const Words& overrides = {}) {
  return message_of<ConfigError>([&] { parse(text, overrides); });
}
std::string value_of(const std::vector<std::pair<std::string, std::string>>& keys, const std::string& key) {
  for (const auto& [name, value] : keys)
    if (name == key) return value;
  return "absent";
}

TEST(JobConfig, DefaultsSayNothingAboutPatientsOrOutcome) {
  const JobConfig config = parse(head);
  EXPECT_EQ(config.job, "tally");
  EXPECT_EQ(config.seed, 1);
  EXPECT_TRUE(config.select.where.empty());
  EXPECT_EQ(config.features.classes, "cohort");
  EXPECT_TRUE(config.outcome.endpoint.empty());
  EXPECT_EQ(config.outcome.ties, kernels::Ties::efron);
}

TEST(JobConfig, ReadsEverySharedTable) {
  const JobConfig config = parse(std::string(head) + R"(
[select]
where = [{ field = "AGE", at_least = 18, keep_missing = true }, { field = "SITE", is_not = ["Graz"] }]
[features]
classes = "truncating"
fields = ["FLAG"]
min_carriers = 20
[outcome]
endpoint = "OS"
covariates = ["AGE"]
strata = ["SITE"]
ties = "breslow"
[run]
threads = 2
[tally]
anything = 1
)");
  ASSERT_EQ(config.select.where.size(), 2U);
  EXPECT_EQ(config.select.where[0].at_least, 18);
  EXPECT_TRUE(config.select.where[0].keep_missing);
  EXPECT_EQ(config.select.where[1].is_not, Words{"Graz"});
  EXPECT_EQ(config.features.min_carriers, 20);
  EXPECT_EQ(config.outcome.strata, Words{"SITE"});
  EXPECT_EQ(config.outcome.ties, kernels::Ties::breslow);
  EXPECT_EQ(config.run.threads, 2);
}

TEST(JobConfig, OverridesWinOverTheFile) {
  const JobConfig config =
      parse(head, {"output=elsewhere", "run.threads=3", "outcome.ties=breslow", "run.threads=4"});
  EXPECT_EQ(config.output, "elsewhere");
  EXPECT_EQ(config.run.threads, 4);  // the later one
  EXPECT_EQ(config.outcome.ties, kernels::Ties::breslow);
}

TEST(JobConfig, JobCohortAndOutputMustBeGiven) {
  EXPECT_NE(refusal("cohort = \"c\"\noutput = \"o\"\n").find("job is not given"), std::string::npos);
  EXPECT_NE(refusal("job = \"tally\"\noutput = \"o\"\n").find("cohort is not given"), std::string::npos);
  const std::string output = refusal("job = \"tally\"\ncohort = \"c\"\n");
  EXPECT_NE(output.find("output is not given"), std::string::npos) << output;
  EXPECT_NE(output.find("--set output=FOLDER"), std::string::npos) << output;
  EXPECT_NE(refusal("job = \"tally\"\ncohort = \"c\"\noutput = \"\"\n").find("job.toml, line 3"),
            std::string::npos);
}

TEST(JobConfig, UnknownKeysAndTablesAreRefusedWithLineAndNearest) {
  const std::string key = refusal(std::string(head) + "[outcome]\nendpiont = \"OS\"\n");
  EXPECT_NE(key.find("endpiont"), std::string::npos) << key;
  EXPECT_NE(key.find("job.toml, line 5"), std::string::npos) << key;
  EXPECT_NE(key.find("endpoint"), std::string::npos) << key;
  const std::string table = refusal(std::string(head) + "[feature]\nclasses = \"all\"\n");
  EXPECT_NE(table.find("feature"), std::string::npos) << table;
  EXPECT_NE(table.find("job.toml, line 4"), std::string::npos) << table;
  EXPECT_NE(table.find("features"), std::string::npos) << table;
  const std::string top = refusal(std::string(head) + "sede = 4\n");
  EXPECT_NE(top.find("seed"), std::string::npos) << top;
  EXPECT_NE(refusal(head, {"run.thread=2"}).find("--set run.thread=2"), std::string::npos);
  EXPECT_NE(refusal(std::string(head) + "[select]\nwhere = [{ feild = \"AGE\" }]\n").find("field"),
            std::string::npos);
}

TEST(JobConfig, ATableWhereAValueBelongsAndTheReverseAreRefused) {
  EXPECT_NE(refusal("job = \"tally\"\ncohort = \"c\"\n[output]\nx = 1\n"), "");
  EXPECT_NE(refusal(std::string(head) + "select = 3\n"), "");
}

TEST(JobConfig, DecidingKeysLeavePathsAndRunOut) {
  const JobConfig config =
      parse(std::string(head) + "[select]\nwhere = [{ field = \"AGE\", at_least = 18 }]\n");
  const auto keys = deciding_keys(config);
  EXPECT_EQ(value_of(keys, "job"), "tally");
  EXPECT_EQ(value_of(keys, "select.where"),
            "[{ field = \"AGE\", is = [], is_not = [], at_least = 18, keep_missing = false }]");
  EXPECT_EQ(value_of(keys, "outcome.ties"), "\"efron\"");
  for (const char* absent : {"cohort", "output", "run.threads"}) EXPECT_EQ(value_of(keys, absent), "absent");
  for (const char* present : {"cohort", "output", "run.threads"})
    EXPECT_NE(value_of(all_keys(config), present), "absent");
}

}  // namespace
}  // namespace chorale::engine
