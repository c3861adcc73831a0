// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <gtest/gtest.h>

#include "engine/analysis.hpp"
#include "engine/load.hpp"
#include "engine/runner.hpp"
#include "kernels/error.hpp"
#include "tests/engine/drawn_cohort.hpp"
#include "tests/engine/tally_job.hpp"
#include "tests/io/message.hpp"
#include "tests/io/temporary_folder.hpp"

namespace chorale::engine {
namespace {

using Wholes = std::vector<std::int64_t>;
using Texts = std::vector<std::string>;

/// An analysis whose parts are as long as there are features: carriers of each, added up by who has a share of them.
class Carried {
 public:
  static constexpr std::string_view name = "carried";
  struct Config {};
  struct Part {
    Index first = 0, step = 1;  ///< features first, first + step, …
    Wholes carriers;

    template <class Archive>
    void serialize(Archive& archive, unsigned) {
      archive& first& step& carriers;
    }
  };
  static io::Schema<Config> schema() { return io::Schema<Config>("carried", "Counts carriers."); }
  explicit Carried(Config) {}

  std::vector<Stage> stages(const Setup&) const {
    return {{.name = "carriers",
             .layout = Layout::by_shard,
             .columns = {.fields = {}, .endpoint = {}, .alterations = true, .variants = false},
             .shared_out = true}};
  }
  Part run(const Setup& setup, const Cohort& cohort, Unit) const {
    Part part;
    part.carriers.resize(static_cast<std::size_t>(setup.features.size()));
    for (Index i = 0; i < cohort.n_patients(); ++i)
      for (const auto f : cohort.features_of(i)) ++part.carriers[static_cast<std::size_t>(f)];
    return part;
  }
  std::vector<Part> share_out(const Setup&, Index, std::vector<Part> parts, Index n) const {
    std::vector<Part> shares(static_cast<std::size_t>(n));
    for (std::size_t i = 0; i < shares.size(); ++i) {
      shares[i] = {.first = static_cast<Index>(i), .step = n, .carriers = {}};
      for (std::size_t f = i; f < parts.front().carriers.size(); f += shares.size()) {
        shares[i].carriers.push_back(0);
        for (const Part& part : parts) shares[i].carriers.back() += part.carriers[f];
      }
    }
    return shares;
  }
  Part join(const Setup&, Index, std::vector<Part> shares) const {
    Part sum = shares.front();
    for (std::size_t s = 1; s < shares.size(); ++s)
      for (std::size_t k = 0; k < sum.carriers.size(); ++k) sum.carriers[k] += shares[s].carriers[k];
    return sum;
  }
  io::Results finish(const Setup& setup, std::span<const Part> parts) const {
    Wholes carriers(static_cast<std::size_t>(setup.features.size()));
    for (const Part& part : parts)
      for (std::size_t k = 0; k < part.carriers.size(); ++k)
        carriers[static_cast<std::size_t>(part.first) + k * static_cast<std::size_t>(part.step)] +=
            part.carriers[k];
    io::ResultTable table{.name = "carried", .caption = "One row per feature.", .columns = {}};
    table.add("carriers", "patients", "who carry it", std::move(carriers));
    table.add(
        "parts", "", "that reached rank 0",
        Wholes(static_cast<std::size_t>(setup.features.size()), static_cast<std::int64_t>(parts.size())));
    return {.title = "Carried", .summary = {}, .tables = {std::move(table)}, .settings = {}, .numbers = {}};
  }
};
static_assert(Analysis<Carried>);

class SharedOut : public ::testing::Test {
 protected:
  SharedOut() : cohort_(draw_cohort(folder_ / "cohort", {20, 10, 15})) {
    expected_.resize(cohort_.catalogue.features.size());
    for (const auto& shard : cohort_.shards)
      for (const auto f : shard.alteration.value) ++expected_[static_cast<std::size_t>(f)];
  }
  PreparedJob job(const std::vector<AnalysisEntry>& registry) const {
    const Texts overrides{"cohort=\"" + (folder_ / "cohort").string() + "\"",
                          "output=\"" + (folder_ / "out").string() + "\""};
    return prepare(io::parse_config("job = \"" + registry.front().name + "\"\n", "job.toml", overrides),
                   registry, nullptr);
  }
  static const Wholes& column(const io::Results& results, const std::string& name) {
    return std::get<Wholes>(results.tables[0].find(name)->values);
  }

  TemporaryFolder folder_;
  DrawnCohort cohort_;
  Wholes expected_;
};

TEST_F(SharedOut, FinishGetsOneJoinedPart) {
  const auto comm = solo_comm();
  const RunSummary summary = run(job({entry_of<Carried>()}), *comm, {.fresh = true, .progress = {}});
  EXPECT_EQ(column(*summary.results, "carriers"), expected_);
  EXPECT_EQ(column(*summary.results, "parts").front(), 1);
}

TEST_F(SharedOut, EveryRankJoinsItsShareOfAllParts) {
  const PreparedJob prepared = job({entry_of<Carried>()});
  const engine::Setup setup = prepared.setup();
  // three ranks, one shard each; everyone's letters are written first, then read
  Texts parts;
  for (Index shard = 0; shard < 3; ++shard)
    parts.push_back(prepared.analysis
                        ->run(setup,
                              load_shard({prepared.catalogue, *prepared.selection, prepared.features,
                                          prepared.plan.stages[0].columns},
                                         shard),
                              {.stage = 0, .index = shard})
                        .part);
  struct Posted {};
  std::vector<Texts> letters;
  const auto regroup = [&](std::size_t rank, const AnyAnalysis::Exchange& exchange) {
    return prepared.analysis->regroup(setup, 0, {parts[rank]}, static_cast<Index>(rank), 3, exchange);
  };
  for (std::size_t rank = 0; rank < 3; ++rank) {
    const auto post = [&](const Texts& to) -> Texts {
      EXPECT_TRUE(to[rank].empty()) << "its own share stays";
      letters.push_back(to);
      throw Posted();
    };
    EXPECT_THROW(regroup(rank, post), Posted);
  }
  Texts joined;
  for (std::size_t rank = 0; rank < 3; ++rank)
    joined.push_back(regroup(rank, [&](const Texts&) {
      return Texts{letters[0][rank], letters[1][rank], letters[2][rank]};
    }));
  const io::Results results = prepared.analysis->finish(setup, joined);
  EXPECT_EQ(column(results, "carriers"), expected_);
  EXPECT_EQ(column(results, "parts").front(), 3);
}

TEST_F(SharedOut, AJobWithoutJoinIsABug) {
  const PreparedJob prepared = job({entry_of<Tally>()});
  const std::string message = message_of<ShapeError>(
      [&] { prepared.analysis->regroup(prepared.setup(), 0, {}, 0, 1, [](Texts to) { return to; }); });
  EXPECT_NE(message.find("shared out and no join"), std::string::npos) << message;
}

}  // namespace
}  // namespace chorale::engine
