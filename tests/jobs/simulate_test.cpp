// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "jobs/simulate/simulate.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "io/file.hpp"
#include "io/shard.hpp"
#include "io/study/ingest.hpp"
#include "kernels/error.hpp"
#include "tests/io/h5py.hpp"
#include "tests/io/temporary_folder.hpp"

namespace chorale::jobs {
namespace {

SimulateSpec small_default(Index patients, Index patients_per_shard) {
  SimulateSpec spec = load_simulate_spec(CHORALE_SOURCE_DIR "/jobs/simulate/default.toml");
  spec.patients = patients;
  spec.patients_per_shard = patients_per_shard;
  spec.genes = 200;
  return spec;
}

void run(const SimulateSpec& spec, const std::filesystem::path& out, SimulateOptions options = {}) {
  simulate(spec, *engine::solo_comm(), out, options);
}

/// Deals shards from the last to the first, as a rank might that others outrun.
class BackwardComm : public engine::Comm {
 public:
  explicit BackwardComm(Index n_shards) : n_shards_(n_shards) {}
  int rank() const override { return solo_->rank(); }
  int size() const override { return solo_->size(); }
  int node_rank() const override { return solo_->node_rank(); }
  int node_size() const override { return solo_->node_size(); }
  std::string host() const override { return solo_->host(); }
  void barrier() override { solo_->barrier(); }
  void broadcast(std::string& bytes) override { solo_->broadcast(bytes); }
  std::vector<std::string> gather(const std::string& bytes) override { return solo_->gather(bytes); }
  void sum(std::span<std::int64_t> values) override { solo_->sum(values); }
  void node_sum(std::span<std::int64_t> values) override { solo_->node_sum(values); }
  void largest(std::span<std::int64_t> values) override { solo_->largest(values); }
  std::vector<double> in_rank_order(std::span<const double> mine) override {
    return {mine.begin(), mine.end()};
  }
  std::vector<std::string> exchange(std::vector<std::string> to) override { return to; }
  std::unique_ptr<engine::SharedBlock> node_shared(Index n_bytes) override {
    return solo_->node_shared(n_bytes);
  }
  std::unique_ptr<engine::Counter> counter(Index) override { return std::make_unique<Backward>(n_shards_); }
  bool claim_error() override { return solo_->claim_error(); }
  [[noreturn]] void abort(int exit_code) override { std::_Exit(exit_code); }

 private:
  class Backward : public engine::Counter {
   public:
    explicit Backward(Index n) : n_(n), left_(n) {}
    Index next(Index step, Index) override {
      left_ -= step;
      return left_ >= 0 ? left_ : n_;
    }

   private:
    Index n_, left_;
  };
  std::unique_ptr<engine::Comm> solo_ = engine::solo_comm();
  Index n_shards_;
};

/// A patient as a reader of the cohort sees them, names instead of codes.
struct Seen {
  std::string site;
  std::map<std::string, std::string> fields;  // missing ones are left out
  std::map<std::string, std::vector<double>> outcome;
  std::set<std::string> carried, tested;
  std::multiset<std::string> variants;
};

std::map<std::string, Seen> seen(const std::filesystem::path& folder) {
  const io::Catalogue c = io::load_catalogue(folder);
  std::map<std::string, Seen> all;
  for (Index s = 0; s < static_cast<Index>(c.shards.size()); ++s) {
    const io::ShardData data = io::ShardReader(c, s).read_all();
    for (std::size_t i = 0; i < data.id.size(); ++i) {
      Seen& patient = all[data.id[i]];
      patient.site = c.sites.at(static_cast<std::size_t>(data.site[i]));
      for (std::size_t f = 0; f < c.fields.size(); ++f) {
        const io::ColumnData& column = data.clinical[f];
        if (c.fields[f].kind == io::FieldKind::category) {
          if (column.code[i] >= 0)
            patient.fields[c.fields[f].name] =
                c.fields[f].levels.at(static_cast<std::size_t>(column.code[i]));
        } else if (!std::isnan(column.number[i])) {
          patient.fields[c.fields[f].name] = std::to_string(column.number[i]);
        }
      }
      for (std::size_t e = 0; e < c.endpoints.size(); ++e)
        if (data.survival[e].event[i] >= 0)
          patient.outcome[c.endpoints[e].name] = {data.survival[e].entry[i], data.survival[e].time[i],
                                                  static_cast<double>(data.survival[e].event[i])};
      for (auto k = data.alteration.offset[i]; k < data.alteration.offset[i + 1]; ++k)
        patient.carried.insert(
            c.features.at(static_cast<std::size_t>(data.alteration.value[static_cast<std::size_t>(k)])).name);
      if (const auto panel = data.panel[0][i]; panel >= 0) {
        const io::Panel& p = c.panels.at(static_cast<std::size_t>(panel));
        if (p.whole_exome) patient.tested.insert(c.genes.begin(), c.genes.end());
        for (const auto gene : p.genes) patient.tested.insert(c.genes.at(static_cast<std::size_t>(gene)));
      }
      for (auto k = data.variant.offset[i]; k < data.variant.offset[i + 1]; ++k) {
        const auto v = static_cast<std::size_t>(k);
        patient.variants.insert(
            c.genes.at(static_cast<std::size_t>(data.variant.gene[v])) + " " +
            c.variant_classes.at(static_cast<std::size_t>(data.variant.variant_class[v])) + " " +
            data.variant.protein_changes.at(static_cast<std::size_t>(data.variant.protein_change[v])) + " " +
            std::to_string(data.variant.vaf[v]));
      }
    }
  }
  return all;
}

void expect_equal(const std::map<std::string, Seen>& a, const std::map<std::string, Seen>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (const auto& [id, patient] : a) {
    ASSERT_EQ(b.count(id), 1u) << id;
    const Seen& other = b.at(id);
    ASSERT_EQ(patient.site, other.site) << id;
    ASSERT_EQ(patient.fields, other.fields) << id;
    ASSERT_EQ(patient.carried, other.carried) << id;
    ASSERT_EQ(patient.tested, other.tested) << id;
    ASSERT_EQ(patient.variants, other.variants) << id;
    ASSERT_EQ(patient.outcome.size(), other.outcome.size()) << id;
    for (const auto& [endpoint, values] : patient.outcome)
      for (std::size_t k = 0; k < 3; ++k)
        ASSERT_NEAR(other.outcome.at(endpoint)[k], values[k], 1e-9 * values[k]) << id << " " << endpoint;
  }
}

TEST(Simulate, WritesACohortThatReadsBack) {
  const TemporaryFolder folder;
  run(small_default(500, 200), folder / "c");
  const io::Catalogue c = io::load_catalogue(folder / "c");
  EXPECT_EQ(c.n_patients(), 500);
  EXPECT_EQ(c.shards.size(), 3u);
  EXPECT_EQ(c.genes.size(), 200u);
  EXPECT_EQ(seen(folder / "c").size(), 500u);
}

TEST(Simulate, PatientsDoNotDependOnShards) {
  const TemporaryFolder folder;
  run(small_default(700, 700), folder / "one");
  run(small_default(700, 64), folder / "many");
  expect_equal(seen(folder / "one"), seen(folder / "many"));
}

TEST(Simulate, ALargerCohortBeginsWithTheSamePatients) {
  const TemporaryFolder folder;
  run(small_default(100, 1000), folder / "small");
  run(small_default(300, 1000), folder / "large");
  auto large = seen(folder / "large");
  large.erase(large.find("SIM000000100"), large.end());
  expect_equal(seen(folder / "small"), large);
}

TEST(Simulate, BytesDoNotDependOnWhoWritesWhichShardWhen) {
  const TemporaryFolder folder;
  const SimulateSpec spec = small_default(900, 200);
  run(spec, folder / "forward");
  BackwardComm backward(5);
  simulate(spec, backward, folder / "backward");
  for (const char* file : {"cohort.json", "shard-00000.h5", "shard-00004.h5", "truth/effects.tsv"})
    EXPECT_EQ(io::read_file(folder / "forward" / file), io::read_file(folder / "backward" / file)) << file;
}

TEST(Simulate, AnotherSeedGivesOtherPatients) {
  const TemporaryFolder folder;
  SimulateSpec spec = small_default(50, 50);
  run(spec, folder / "a");
  spec.seed += 1;
  run(spec, folder / "b");
  EXPECT_NE(seen(folder / "a").begin()->second.fields, seen(folder / "b").begin()->second.fields);
}

TEST(Simulate, OneAndNoPatientAreCohortsToo) {
  const TemporaryFolder folder;
  run(small_default(1, 100), folder / "one");
  run(small_default(0, 100), folder / "none");
  EXPECT_EQ(seen(folder / "one").size(), 1u);
  EXPECT_EQ(io::load_catalogue(folder / "none").n_patients(), 0);
}

TEST(Simulate, ReplacesACohortOnlyWhenAsked) {
  const TemporaryFolder folder;
  run(small_default(500, 100), folder / "c");
  EXPECT_THROW(run(small_default(100, 100), folder / "c"), ConfigError);
  EXPECT_EQ(io::load_catalogue(folder / "c").n_patients(), 500);
  run(small_default(100, 100), folder / "c", {.overwrite = true});
  EXPECT_EQ(io::load_catalogue(folder / "c").n_patients(), 100);
  EXPECT_FALSE(std::filesystem::exists(folder / "c" / "shard-00004.h5"));
}

TEST(Simulate, ReportsProgressToTheEnd) {
  const TemporaryFolder folder;
  std::vector<Index> done;
  run(small_default(250, 100), folder / "c", {.progress = [&](Index n, Index total) {
        EXPECT_EQ(total, 250);
        done.push_back(n);
      }});
  ASSERT_EQ(done.size(), 3u);
  EXPECT_EQ(done.back(), 250);
}

TEST(Simulate, TruthStandsBesideTheCohort) {
  const TemporaryFolder folder;
  run(small_default(10, 10), folder / "c");
  // log 0.58 and log 1.5, as default.toml says of NPM1 and of DNMT3A with FLT3-ITD in AML
  EXPECT_NE(io::read_text(folder / "c/truth/effects.tsv").find("AML\tNPM1\tcarrier\t-0.544727175"),
            std::string::npos);
  EXPECT_NE(io::read_text(folder / "c/truth/interactions.tsv").find("AML\tDNMT3A\tFLT3-ITD\t0.405465108"),
            std::string::npos);
  EXPECT_NE(io::read_text(folder / "c/truth/frequencies.tsv").find("AML\tNPM1\tgene\t0.28\n"),
            std::string::npos);
  const SimulateSpec as_run = load_simulate_spec(folder / "c/truth/spec.toml");
  EXPECT_EQ(as_run.patients, 10);
}

TEST(SimulateStudy, IngestsToTheSamePatients) {
  const TemporaryFolder folder;
  const SimulateSpec spec = small_default(3000, 1000);
  run(spec, folder / "cohort");
  run(spec, folder / "study", {.as_study = true});
  io::IngestRecipe recipe = io::recipe_for(folder / "study");
  recipe.site_field = "SITE";
  io::ingest(recipe, folder / "ingested");
  auto ingested = seen(folder / "ingested");
  // the study says the site in a column of its own
  for (auto& [id, patient] : ingested) patient.fields.erase("SITE");
  expect_equal(seen(folder / "cohort"), ingested);
}

TEST(SimulateStudy, IsFoundByItsMetaFilesAndReplacedOnlyWhenAsked) {
  const TemporaryFolder folder;
  run(small_default(5, 5), folder / "study", {.as_study = true});
  EXPECT_TRUE(std::filesystem::exists(folder / "study/meta_study.txt"));
  EXPECT_TRUE(std::filesystem::exists(folder / "study/case_lists/cases_sequenced.txt"));
  EXPECT_THROW(run(small_default(5, 5), folder / "study", {.as_study = true}), ConfigError);
  run(small_default(6, 5), folder / "study", {.as_study = true, .overwrite = true});
  EXPECT_NE(io::read_text(folder / "study/data_clinical_sample.txt").find("SIM000000005-T"),
            std::string::npos);
}

TEST(SimulateCohort, ReadsInH5pyAndAddsUp) {
  const std::string python = python_with_h5py();
  if (python.empty()) GTEST_SKIP() << "no Python with h5py here";
  const TemporaryFolder folder;
  run(small_default(2000, 700), folder / "c");
  const auto answer =
      output_of(python + " " CHORALE_SOURCE_DIR "/tests/jobs/check_cohort.py " + (folder / "c").string());
  EXPECT_EQ(answer.value_or("(the script failed)"), "2000 patients add up\n");
}

}  // namespace
}  // namespace chorale::jobs
