// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <gtest/gtest.h>

#include "jobs/mutation_landscape/stages.hpp"
#include "jobs/mutation_landscape/tables.hpp"

namespace chorale::jobs::landscape {
namespace {

using Wholes = std::vector<std::int64_t>;

/// Texts one after the other, each ended as in a part.
std::string ended(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) all += text + '\0';
  return all;
}

/// Five genes, which are the features too; two classes; two shards of 10 and 20 patients.
class LandscapeShares : public ::testing::Test {
 protected:
  LandscapeShares() {
    for (const char* gene : {"A", "B", "C", "D", "E"}) {
      catalogue_.genes.emplace_back(gene);
      features_.features.emplace_back().name = gene;
    }
    catalogue_.variant_classes = {"missense", "nonsense"};
    design_.config.top_changes = 3;

    Counts& one = shard(0, 10);
    one.carriers = {1, 2, 3, 4, 5};
    one.class_variants = {1, 0, 2, 0, 0, 3, 4, 0, 0, 5};
    one.fractions = {.n = {2, 0, 1, 0, 1}, .values = {0.5F, 0.25F, 0.75F, 0.125F}};
    one.changes = {
        .n = {2, 0, 0, 1, 1}, .patients = {1, 2, 1, 3}, .texts = ended({"p.K2", "p.R1", "p.Q9", "p.Y1"})};
    Counts& other = shard(1, 20);
    other.carriers = {10, 20, 30, 40, 50};
    other.class_variants = {10, 0, 0, 0, 0, 0, 0, 0, 0, 50};
    other.fractions = {.n = {1, 0, 0, 0, 2}, .values = {1, 0.5F, 0.25F}};
    other.changes = {.n = {2, 1, 0, 1, 1},
                     .patients = {1, 4, 2, 5, 1},
                     .texts = ended({"p.K", "p.K2", "p.M1", "p.Q9", "p.Y1"})};
  }

  /// As on n ranks that made the parts in turn, then on rank 0.
  Totals totals(Index n) const {
    const engine::Setup setup{catalogue_, config_, features_};
    std::vector<std::vector<Part>> by_rank(static_cast<std::size_t>(n)), shares(static_cast<std::size_t>(n));
    for (std::size_t s = 0; s < parts_.size(); ++s) by_rank[s % by_rank.size()].push_back(parts_[s]);
    for (const auto& made : by_rank) {
      auto out = share_out(setup, made, n);
      for (std::size_t i = 0; i < out.size(); ++i) shares[i].push_back(std::move(out[i]));
    }
    std::vector<Part> joined;
    for (auto& of_rank : shares) joined.insert(joined.begin(), join(design_, std::move(of_rank)));
    return put_together(design_, setup, joined);
  }

 private:
  Counts& shard(std::size_t s, std::int64_t n_patients) {
    Counts& counts = parts_[s].shards.emplace_back();
    counts.ledger.n_start = n_patients;
    counts.patients = {n_patients};
    counts.tested.assign(5, n_patients);
    counts.class_patients.assign(10, 1);
    counts.burden = {{n_patients}};
    return counts;
  }

  io::Catalogue catalogue_;
  engine::JobConfig config_;
  engine::FeatureSet features_;
  Design design_;
  std::vector<Part> parts_{2};
};

TEST_F(LandscapeShares, AddUpToTheSameForAnyNumberOfRanks) {
  for (const Index n : {1, 2}) {
    const Totals all = totals(n);
    EXPECT_EQ(all.ledger.n_start, 30);
    EXPECT_EQ(all.patients, (Wholes{30}));
    EXPECT_EQ(all.burden, (std::vector<Wholes>{{30}}));
    EXPECT_EQ(all.carriers, (Wholes{11, 22, 33, 44, 55}));
    EXPECT_EQ(all.tested, Wholes(5, 30));
    EXPECT_EQ(all.class_variants, (Wholes{11, 0, 2, 0, 0, 3, 4, 0, 0, 55}));
    EXPECT_EQ(all.class_patients, Wholes(10, 2));
  }
}

TEST_F(LandscapeShares, QuartilesAreOfAllShards) {
  for (const Index n : {1, 2}) {
    const Totals all = totals(n);
    ASSERT_EQ(all.fractions.size(), 3U) << "genes B and D have none";
    // A: 0.25, 0.5, 1; type 7 puts the quartiles half way to the neighbours of the median
    EXPECT_EQ(all.fractions[0].gene, 0);
    EXPECT_EQ(all.fractions[0].n, 3);
    EXPECT_EQ(all.fractions[0].lower, 0.375);
    EXPECT_EQ(all.fractions[0].median, 0.5);
    EXPECT_EQ(all.fractions[0].upper, 0.75);
    // C: one value; E: 0.125, 0.25, 0.5
    EXPECT_EQ(all.fractions[1].gene, 2);
    EXPECT_EQ(all.fractions[1].median, 0.75);
    EXPECT_EQ(all.fractions[2].gene, 4);
    EXPECT_EQ(all.fractions[2].median, 0.25);
  }
}

TEST_F(LandscapeShares, ChangesOfOneTextAreOne) {
  for (const Index n : {1, 2}) {
    const Totals all = totals(n);
    // D p.Q9: 1 + 5; A p.K2: 1 + 4; E p.Y1: 3 + 1; then A p.R1 and B p.M1 with 2, and A p.K, whose text begins p.K2
    ASSERT_EQ(all.changes.size(), 3U);
    EXPECT_EQ(all.changes[0].gene, 3);
    EXPECT_EQ(all.changes[0].n_patients, 6);
    EXPECT_EQ(all.changes[1].gene, 0);
    EXPECT_EQ(all.changes[1].protein_change, "p.K2");
    EXPECT_EQ(all.changes[1].n_patients, 5);
    EXPECT_EQ(all.changes[2].gene, 4);
    EXPECT_EQ(all.changes[2].n_patients, 4);
  }
}

}  // namespace
}  // namespace chorale::jobs::landscape
