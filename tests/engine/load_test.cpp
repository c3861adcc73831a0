// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "engine/load.hpp"

#include <cmath>
#include <map>

#include <gtest/gtest.h>

#include "io/file.hpp"
#include "kernels/error.hpp"
#include "tests/engine/drawn_cohort.hpp"
#include "tests/io/message.hpp"
#include "tests/io/temporary_folder.hpp"

namespace chorale::engine {
namespace {

const Columns everything{
    .fields = {"AGE", "SEX", "SITE"}, .endpoint = "OS", .alterations = true, .variants = true};

/// One patient as the shards hold them, by whatever way they were loaded.
struct Patient {
  double age, time;
  std::int32_t sex, site;
  std::int8_t event;
  std::vector<std::int32_t> carried;
  std::vector<std::uint8_t> tested;  // per feature of the job

  bool operator==(const Patient& other) const {
    const auto same = [](double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); };
    return same(age, other.age) && same(time, other.time) && sex == other.sex && site == other.site &&
           event == other.event && carried == other.carried && tested == other.tested;
  }
};

/// By hand, from what was written: patients of a shard that `stays` keeps; dictionary features, then FLAG.
std::vector<Patient> by_hand(const DrawnCohort& cohort, std::size_t shard_number,
                             const std::vector<std::string>& classes, const auto& stays) {
  const io::Catalogue& catalogue = cohort.catalogue;
  const io::ShardData& shard = cohort.shards[shard_number];
  std::vector<Patient> patients;
  for (std::size_t i = 0; i < shard.id.size(); ++i) {
    if (!stays(shard, i)) continue;
    Patient patient{.age = shard.clinical[0].number[i],
                    .time = shard.survival[0].time[i],
                    .sex = shard.clinical[2].code[i],
                    .site = shard.site[i],
                    .event = shard.survival[0].event[i],
                    .carried = carried_under(catalogue, shard, i, classes),
                    .tested = {}};
    const auto gap = [&](std::size_t f) {
      for (auto k = shard.untested.offset[i]; k < shard.untested.offset[i + 1]; ++k)
        if (shard.untested.value[static_cast<std::size_t>(k)] == static_cast<std::int32_t>(f)) return true;
      return false;
    };
    for (std::size_t f = 0; f < catalogue.features.size(); ++f) {
      const auto panel = shard.panel[static_cast<std::size_t>(catalogue.features[f].profile)][i];
      patient.tested.push_back(panel_tests(catalogue, panel, catalogue.features[f]) && !gap(f));
    }
    const double flag = shard.clinical[1].number[i];
    if (flag == 1) patient.carried.push_back(static_cast<std::int32_t>(catalogue.features.size()));
    patient.tested.push_back(!std::isnan(flag));
    patients.push_back(std::move(patient));
  }
  return patients;
}

std::vector<Patient> patients_of(const Cohort& cohort) {
  std::vector<Patient> patients;
  std::vector<std::vector<std::uint8_t>> masks;
  for (Index f = 0; f < cohort.n_features(); ++f) {
    masks.emplace_back(static_cast<std::size_t>(cohort.n_patients()));
    cohort.tested(f, masks.back());
  }
  for (Index i = 0; i < cohort.n_patients(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    const auto carried = cohort.features_of(i);
    Patient patient{.age = cohort.numbers("AGE")[at],
                    .time = cohort.survival().time[at],
                    .sex = cohort.codes("SEX")[at],
                    .site = cohort.codes("SITE")[at],
                    .event = cohort.survival().event[at],
                    .carried = {carried.begin(), carried.end()},
                    .tested = {}};
    for (const auto& mask : masks) patient.tested.push_back(mask[at]);
    patients.push_back(std::move(patient));
  }
  return patients;
}

class LoadTest : public ::testing::Test {
 protected:
  explicit LoadTest(std::vector<Index> sizes = {30, 1, 17}) : cohort_(draw_cohort(folder_.path(), sizes)) {}

  FeatureSet features(const std::string& classes = "cohort") const {
    return FeatureSet::resolve({.classes = classes, .fields = {"FLAG"}, .include = {}}, cohort_.catalogue);
  }
  static bool everyone(const io::ShardData&, std::size_t) { return true; }
  Selection select(const SelectConfig& config = {}) const { return {config, cohort_.catalogue}; }

  TemporaryFolder folder_;
  DrawnCohort cohort_;
};

TEST_F(LoadTest, AShardHoldsWhatWasWritten) {
  const Selection all = select();
  const FeatureSet set = features();
  for (std::size_t s = 0; s < 3; ++s) {
    const Cohort cohort = load_shard({cohort_.catalogue, all, set, everything}, static_cast<Index>(s));
    EXPECT_EQ(patients_of(cohort), by_hand(cohort_, s, cohort_.catalogue.classes, everyone)) << s;
    EXPECT_EQ(cohort.variants().gene, cohort_.shards[s].variant.gene);
  }
}

TEST_F(LoadTest, TheReplicatedCohortIsTheShardsInOrder) {
  const Selection all = select();
  const FeatureSet set = features();
  Columns columns = everything;
  columns.variants = false;
  const auto comm = solo_comm();
  const Cohort cohort = load_replicated({cohort_.catalogue, all, set, columns}, *comm);
  std::vector<Patient> expected;
  for (std::size_t s = 0; s < 3; ++s)
    for (auto& patient : by_hand(cohort_, s, cohort_.catalogue.classes, everyone))
      expected.push_back(std::move(patient));
  EXPECT_EQ(patients_of(cohort), expected);
  EXPECT_EQ(cohort.ledger().n_start, 30 + 1 + 17);
}

TEST_F(LoadTest, ShardsThatAreReadTwiceGiveTheSameCohort) {
  const Selection all = select();
  const FeatureSet set = features();
  Columns columns = everything;
  columns.variants = false;
  const Reading reading{cohort_.catalogue, all, set, columns};
  const auto comm = solo_comm();
  const Cohort held = load_replicated(reading, *comm);
  for (const Index most_held : {Index{0}, Index{2000}}) {  // none; the one of 1 patient
    const Cohort streamed = load_replicated(reading, *comm, most_held);
    EXPECT_EQ(patients_of(streamed), patients_of(held)) << most_held;
    EXPECT_EQ(streamed.ledger().n_start, held.ledger().n_start) << most_held;
  }
}

TEST_F(LoadTest, ColumnsOfCarriersAreTheRowsTurned) {
  const Selection all = select();
  const FeatureSet set = features();
  const auto comm = solo_comm();
  const Cohort cohort = load_replicated({cohort_.catalogue, all, set, everything}, *comm);
  std::vector<std::vector<std::int32_t>> carriers(static_cast<std::size_t>(cohort.n_features()));
  for (Index i = 0; i < cohort.n_patients(); ++i)
    for (const auto f : cohort.features_of(i))
      carriers[static_cast<std::size_t>(f)].push_back(static_cast<std::int32_t>(i));
  for (Index f = 0; f < cohort.n_features(); ++f) {
    const auto column = cohort.carriers(f);
    EXPECT_EQ(std::vector(column.begin(), column.end()), carriers[static_cast<std::size_t>(f)]) << f;
  }
  EXPECT_EQ(count_carriers({cohort_.catalogue, all, set, everything}, *comm), [&] {
    std::vector<std::int64_t> n;
    for (const auto& list : carriers) n.push_back(static_cast<std::int64_t>(list.size()));
    return n;
  }());
}

TEST_F(LoadTest, SelectionLeavesOnlyTheChosenAndSaysWhoLeft) {
  Filter male;
  male.field = "SEX";
  male.is = {"Male"};
  const Selection chosen = select({.where = {male}});
  const FeatureSet set = features();
  const auto is_male = [](const io::ShardData& shard, std::size_t i) {
    return shard.clinical[2].code[i] == 1;
  };
  std::vector<Patient> expected;
  for (std::size_t s = 0; s < 3; ++s) {
    const auto of_shard = by_hand(cohort_, s, cohort_.catalogue.classes, is_male);
    const Cohort cohort = load_shard({cohort_.catalogue, chosen, set, everything}, static_cast<Index>(s));
    EXPECT_EQ(patients_of(cohort), of_shard) << s;
    EXPECT_EQ(cohort.variants().offset.size(), of_shard.size() + 1);
    EXPECT_EQ(cohort.variants().gene.size(), static_cast<std::size_t>(cohort.variants().offset.back()));
    expected.insert(expected.end(), of_shard.begin(), of_shard.end());
  }
  const auto comm = solo_comm();
  Columns columns = everything;
  columns.variants = false;
  const Cohort cohort = load_replicated({cohort_.catalogue, chosen, set, columns}, *comm);
  EXPECT_EQ(patients_of(cohort), expected);
  EXPECT_EQ(cohort.ledger().n_remaining(), static_cast<Index>(expected.size()));
}

TEST_F(LoadTest, NobodySelectedIsAnEmptyCohort) {
  Filter old;
  old.field = "AGE";
  old.above = 1000;
  const Selection nobody = select({.where = {old}});
  const FeatureSet set = features();
  const auto comm = solo_comm();
  const Cohort cohort = load_replicated({cohort_.catalogue, nobody, set, everything}, *comm);
  EXPECT_EQ(cohort.n_patients(), 0);
  EXPECT_EQ(cohort.n_features(), 8);
  EXPECT_TRUE(cohort.carriers(0).empty());
  EXPECT_EQ(cohort.ledger().n_remaining(), 0);
  EXPECT_EQ(load_shard({cohort_.catalogue, nobody, set, everything}, 1).n_patients(), 0);
}

TEST_F(LoadTest, OtherClassSetsGiveWhatIngestWouldHaveStored) {
  const Selection all = select();
  const std::map<std::string, std::vector<std::string>> sets{
      {"truncating", {"Nonsense_Mutation"}}, {"all", {"Missense_Mutation", "Nonsense_Mutation", "Silent"}}};
  for (const auto& [name, classes] : sets) {
    const FeatureSet set = features(name);
    EXPECT_EQ(patients_of(load_shard({cohort_.catalogue, all, set, everything}, 0)),
              by_hand(cohort_, 0, classes, everyone))
        << name;
  }
}

TEST_F(LoadTest, EqualTestedKeysMeanEqualTestedPatients) {
  const Selection all = select();
  const FeatureSet set = features();
  const auto comm = solo_comm();
  const Cohort cohort = load_replicated({cohort_.catalogue, all, set, everything}, *comm);
  std::map<std::string, std::vector<std::uint8_t>> seen;
  for (Index f = 0; f < cohort.n_features(); ++f) {
    std::vector<std::uint8_t> mask(static_cast<std::size_t>(cohort.n_patients()));
    cohort.tested(f, mask);
    const auto [at, is_new] = seen.emplace(cohort.tested_key(f), mask);
    EXPECT_TRUE(is_new || at->second == mask) << f;
  }
}

TEST_F(LoadTest, WithoutGapsFeaturesOnTheSamePanelsShareAKey) {
  io::Catalogue catalogue = drawn_catalogue();
  io::ShardData shard = cohort_.shards[0];
  shard.untested = {.offset = std::vector<std::int64_t>(31, 0), .value = {}};
  TemporaryFolder other;
  catalogue.shards = {io::write_shard(other.path(), 0, catalogue, shard)};
  io::save_catalogue(catalogue, other.path());
  const io::Catalogue loaded = io::load_catalogue(other.path());
  const Selection all({}, loaded);
  const FeatureSet set = FeatureSet::resolve({}, loaded);
  const Cohort cohort = load_shard({loaded, all, set, everything}, 0);
  EXPECT_EQ(cohort.tested_key(0), cohort.tested_key(2));  // A and B: exome, left
  EXPECT_NE(cohort.tested_key(0), cohort.tested_key(4));  // C: exome, left, right
  EXPECT_NE(cohort.tested_key(0), cohort.tested_key(1));  // A:AMP asks the copy-number panel
}

TEST_F(LoadTest, OnlyTheColumnsAskedForAreThere) {
  const Selection all = select();
  const FeatureSet set = features();
  const Columns age{.fields = {"AGE"}, .endpoint = {}, .alterations = false, .variants = false};
  const Cohort cohort = load_shard({cohort_.catalogue, all, set, age}, 0);
  EXPECT_EQ(cohort.numbers("AGE").size(), 30U);
  EXPECT_TRUE(cohort.survival().time.empty());
  EXPECT_EQ(cohort.n_features(), 0);
  EXPECT_NE(message_of<ShapeError>([&] { (void)cohort.codes("AGE"); }).find("did not ask for"),
            std::string::npos);
  EXPECT_THROW((void)cohort.codes("SEX"), ShapeError);
}

TEST_F(LoadTest, AFieldThatIsNot0Or1CannotBeCarried) {
  const Selection all = select();
  const FeatureSet set = FeatureSet::resolve({.fields = {"AGE"}, .include = {}}, cohort_.catalogue);
  const std::string message = message_of<InputError>([&] {
    load_shard({cohort_.catalogue, all, set, everything}, 2);
  });
  EXPECT_NE(message.find("holds another number than 0 and 1"), std::string::npos) << message;
  EXPECT_NE(message.find("shard-00002.h5, field AGE"), std::string::npos) << message;
}

TEST_F(LoadTest, ADamagedShardIsRefused) {
  std::string bytes = io::read_text(folder_ / "shard-00001.h5");
  bytes[bytes.size() / 2] ^= 1;
  io::write_file(folder_ / "shard-00001.h5", bytes);
  const Selection all = select();
  const FeatureSet set = features();
  const auto comm = solo_comm();
  EXPECT_THROW(load_replicated({cohort_.catalogue, all, set, everything}, *comm), StoreError);
}

TEST_F(LoadTest, TheForecastIsNoSmallerThanTheCohort) {
  const Selection all = select();
  FeatureSet set = FeatureSet::resolve({}, cohort_.catalogue);
  Columns columns = everything;
  columns.variants = false;
  Index n_carried = 0;
  for (const auto& shard : cohort_.shards) n_carried += static_cast<Index>(shard.alteration.value.size());
  // 48 patients: AGE 8, SEX 4, SITE 4, entry 8, time 8, event 1, three panels of 2, two row offsets of 8 bytes each;
  // each carried entry twice at 4 bytes; the rest is offsets and padding
  const Index least = 48 * (8 + 4 + 4 + 8 + 8 + 1 + 3 * 2 + 2 * 8) + 2 * 4 * n_carried;
  const CohortBytes forecast =
      forecast_bytes({cohort_.catalogue, all, set, columns}, cohort_.catalogue.shards);
  EXPECT_GE(forecast.packed, least);
  EXPECT_LT(forecast.packed, least + 2000);
}

}  // namespace
}  // namespace chorale::engine
