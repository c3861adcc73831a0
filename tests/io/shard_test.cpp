// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "io/shard.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <random>

#include "io/checksum.hpp"
#include "io/file.hpp"
#include "tests/io/h5py.hpp"
#include "tests/io/message.hpp"
#include "tests/io/sample_cohort.hpp"
#include "tests/io/temporary_folder.hpp"

namespace chorale::io {
namespace {

template <class T>
void expect_same(const std::vector<T>& found, const std::vector<T>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    if constexpr (std::is_floating_point_v<T>) {
      if (std::isnan(expected[i])) {
        EXPECT_TRUE(std::isnan(found[i])) << i;
        continue;
      }
    }
    EXPECT_EQ(found[i], expected[i]) << i;
  }
}

void expect_same(const ShardData& found, const ShardData& expected) {
  EXPECT_EQ(found.id, expected.id);
  EXPECT_EQ(found.site, expected.site);
  ASSERT_EQ(found.clinical.size(), expected.clinical.size());
  for (std::size_t f = 0; f < found.clinical.size(); ++f) {
    expect_same(found.clinical[f].number, expected.clinical[f].number);
    expect_same(found.clinical[f].code, expected.clinical[f].code);
    expect_same(found.clinical[f].bound, expected.clinical[f].bound);
  }
  ASSERT_EQ(found.survival.size(), expected.survival.size());
  for (std::size_t e = 0; e < found.survival.size(); ++e) {
    expect_same(found.survival[e].entry, expected.survival[e].entry);
    expect_same(found.survival[e].time, expected.survival[e].time);
    expect_same(found.survival[e].event, expected.survival[e].event);
  }
  EXPECT_EQ(found.alteration.offset, expected.alteration.offset);
  EXPECT_EQ(found.alteration.value, expected.alteration.value);
  EXPECT_EQ(found.untested.offset, expected.untested.offset);
  EXPECT_EQ(found.untested.value, expected.untested.value);
  EXPECT_EQ(found.variant.offset, expected.variant.offset);
  EXPECT_EQ(found.variant.gene, expected.variant.gene);
  EXPECT_EQ(found.variant.variant_class, expected.variant.variant_class);
  EXPECT_EQ(found.variant.protein_change, expected.variant.protein_change);
  expect_same(found.variant.vaf, expected.variant.vaf);
  EXPECT_EQ(found.variant.protein_changes, expected.variant.protein_changes);
  EXPECT_EQ(found.panel, expected.panel);
}

/// The sample cohort, shard 0 of which can be replaced by other bytes.
class ShardOnDisk : public testing::Test {
 protected:
  void SetUp() override {
    catalogue = write_sample_cohort(folder.path());
    original = read_text(folder / "shard-00000.h5");
  }
  std::string complaint() {
    return message_of<StoreError>([&] { ShardReader(catalogue, 0).read_all(); });
  }
  std::string complaint_about(const std::string& bytes) {
    std::ofstream(folder / "shard-00000.h5", std::ios::binary)
        << bytes;  // thousands of times, so without a sync
    return complaint();
  }

  TemporaryFolder folder;
  Catalogue catalogue;
  std::string original;
};

TEST_F(ShardOnDisk, RoundTripKeepsEveryColumn) {
  expect_same(ShardReader(catalogue, 0).read_all(), sample_shard());
  expect_same(ShardReader(catalogue, 1).read_all(), sample_shard("P-1001"));
}

TEST_F(ShardOnDisk, ColumnsAreReadOneByOneToo) {
  ShardReader reader(catalogue, 0);
  const ShardReader moved = std::move(reader);
  EXPECT_EQ(moved.n_patients(), 3);
  EXPECT_EQ(moved.read_site(), sample_shard().site);
  EXPECT_EQ(moved.read_clinical(1).code, sample_shard().clinical[1].code);
  EXPECT_EQ(moved.read_survival(0).time[0], 365.25);
  EXPECT_EQ(moved.read_panel(Profile::mutation), sample_shard().panel[0]);
}

TEST_F(ShardOnDisk, ColumnsAreReadFromTheFileToo) {
  expect_same(ShardReader(catalogue, 0, ShardAccess::columns).read_all(), sample_shard());
  EXPECT_EQ(ShardReader(catalogue, 0, ShardAccess::columns).read_variant_offset(),
            sample_shard().variant.offset);
  EXPECT_EQ(ShardReader(catalogue, 0, ShardAccess::columns).read_alteration_offset(),
            sample_shard().alteration.offset);
  std::ofstream(folder / "shard-00000.h5", std::ios::binary) << "no HDF5";
  EXPECT_NE(message_of<StoreError>([&] {
              ShardReader(catalogue, 0, ShardAccess::columns);
            }).find("not a readable HDF5 file"),
            std::string::npos);
}

TEST_F(ShardOnDisk, EqualDataGiveEqualBytes) {
  const TemporaryFolder other;
  write_sample_cohort(other.path());
  EXPECT_EQ(read_text(other / "shard-00000.h5"), original);
}

TEST_F(ShardOnDisk, AnEmptyShardIsAShard) {
  ShardData nobody{.id = {},
                   .site = {},
                   .clinical = {{}, {}},
                   .survival = {{}},
                   .alteration = {},
                   .untested = {},
                   .variant = {},
                   .panel = {}};
  catalogue.shards[0] = write_shard(folder.path(), 0, catalogue, nobody);
  EXPECT_EQ(catalogue.shards[0].n_patients, 0);
  expect_same(ShardReader(catalogue, 0).read_all(), nobody);
}

TEST_F(ShardOnDisk, ColumnsLongerThanAChunkAreRead) {
  // chunks hold 2^20 elements: three of them, the last with one element
  const Index n = 2 * (Index{1} << 20) + 1;
  ShardData data = sample_shard();
  data.alteration.value.assign(static_cast<std::size_t>(n), 1);
  data.alteration.value.back() = 2;
  data.alteration.offset = {0, n, n, n};
  catalogue.shards[0] = write_shard(folder.path(), 0, catalogue, data);
  expect_same(ShardReader(catalogue, 0).read_all(), data);
}

TEST_F(ShardOnDisk, EveryFlippedBitIsRefused) {
  std::mt19937_64 random(20);
  for (int i = 0; i < 500; ++i) {
    std::string bytes = original;
    char& byte = bytes[random() % bytes.size()];
    byte = static_cast<char>(byte ^ (1 << random() % 8));
    const auto message = complaint_about(bytes);
    ASSERT_NE(message.find("checksum differs"), std::string::npos) << message;
    ASSERT_NE(message.find("shard-00000.h5"), std::string::npos) << message;
  }
}

TEST_F(ShardOnDisk, AFlippedBitOfADatasetIsRefusedEvenWhenTheManifestAgrees) {
  // the values themselves: a manifest made anew from damaged bytes is still caught by fletcher32
  const double age = 61.5;
  const std::string stored(reinterpret_cast<const char*>(&age), sizeof age);
  int n_flipped = 0;
  for (const std::string& value : {std::string("P-0001"), stored, std::string("p.D835Y")}) {
    for (std::size_t i = 0; i < value.size(); ++i, ++n_flipped) {
      std::string bytes = original;
      const auto at = bytes.find(value);
      ASSERT_NE(at, std::string::npos);
      bytes[at + i] = static_cast<char>(bytes[at + i] ^ 4);
      catalogue.shards[0].xxh3 = xxh3_128(bytes);
      const auto message = complaint_about(bytes);
      EXPECT_NE(message.find("dataset cannot be read"), std::string::npos) << message;
    }
  }
  EXPECT_EQ(n_flipped, 6 + 8 + 7);
}

TEST_F(ShardOnDisk, DamageThatTheManifestAgreesWithNeverCrashes) {
  // a forged manifest over random damage anywhere: every outcome but an error of ours or a full read is a bug
  std::mt19937_64 random(21);
  int n_refused = 0;
  for (int i = 0; i < 300; ++i) {
    std::string bytes = original;
    for (int k = 0; k < 3; ++k) bytes[random() % bytes.size()] = static_cast<char>(random());
    catalogue.shards[0].xxh3 = xxh3_128(bytes);
    if (!complaint_about(bytes).empty()) ++n_refused;
  }
  EXPECT_GT(n_refused, 0);
}

TEST_F(ShardOnDisk, ATruncatedShardIsRefusedWithBothSizes) {
  for (const std::size_t n : {std::size_t{0}, std::size_t{1}, original.size() / 2, original.size() - 1}) {
    const auto message = complaint_about(original.substr(0, n));
    EXPECT_NE(message.find("found " + std::to_string(n) + " bytes"), std::string::npos) << message;
    EXPECT_NE(message.find("expected " + std::to_string(original.size()) + " bytes"), std::string::npos)
        << message;
  }
}

TEST_F(ShardOnDisk, AMissingShardIsNamed) {
  remove_file(folder / "shard-00000.h5");
  const auto message = complaint();
  EXPECT_NE(message.find("shard-00000.h5"), std::string::npos) << message;
  EXPECT_NE(message.find("No such file"), std::string::npos) << message;
}

TEST_F(ShardOnDisk, SwappedShardsAreRefused) {
  const auto message = complaint_about(read_text(folder / "shard-00001.h5"));
  EXPECT_NE(message.find("not the one in the manifest"), std::string::npos) << message;
}

TEST_F(ShardOnDisk, AManifestThatCountsOtherPatientsIsRefused) {
  catalogue.shards[0].n_patients = 4;
  const auto message = complaint();
  EXPECT_NE(message.find("another length than the manifest says (found 3, expected 4)"), std::string::npos)
      << message;
}

TEST_F(ShardOnDisk, AFileThatIsNoHdf5IsRefused) {
  const std::string text(original.size(), 'x');
  catalogue.shards[0].xxh3 = xxh3_128(text);
  const auto message = complaint_about(text);
  EXPECT_NE(message.find("not a readable HDF5 file"), std::string::npos) << message;
}

TEST_F(ShardOnDisk, OpensInH5pyWithNamesUnitsLevelsAndChecksums) {
  const std::string python = python_with_h5py();
  if (python.empty()) GTEST_SKIP() << "no Python with h5py here";
  const auto lines = describe_hdf5(python, folder / "shard-00000.h5");
  const auto has = [&](const std::string& line) {
    return std::find(lines.begin(), lines.end(), line) != lines.end();
  };
  EXPECT_TRUE(has("format=chorale-shard"));
  EXPECT_TRUE(has("/patient/id n=3 fletcher32=True : P-0001,P-0002,P-0003"));
  EXPECT_TRUE(has("/patient/site n=3 fletcher32=True levels=Berlin,Wien : 0,1,1"));
  EXPECT_TRUE(
      has("/clinical/AGE n=3 fletcher32=True description=age at diagnosis kind=number unit=years"
          " : 61.5,nan,89.0"));
  EXPECT_TRUE(has(
      "/clinical/SEX n=3 fletcher32=True description=sex kind=category levels=Female,Male unit= : 1,0,-1"));
  EXPECT_TRUE(has("/survival/OS/time n=3 fletcher32=True unit=days : 365.25,nan,730.0"));
  EXPECT_TRUE(has("/dictionary/feature n=3 fletcher32=True : BCR::ABL1,FLT3,NPM1"));
  int n_datasets = 0;
  for (const auto& line : lines) {
    if (!line.starts_with("/")) continue;
    ++n_datasets;
    EXPECT_NE(line.find(" fletcher32=True"), std::string::npos) << line;
  }
  // id, site; AGE, SEX; bound of AGE; entry, time, event; 5 dictionaries; alteration 2, untested 2, variant 5; 3 panels
  EXPECT_EQ(n_datasets, 2 + 2 + 1 + 3 + 5 + 2 + 2 + 5 + 3);
}

TEST(WriteShard, RefusesDataThatDoNotFitTheCatalogue) {
  const TemporaryFolder folder;
  const Catalogue catalogue = sample_catalogue();
  const std::vector<std::function<void(ShardData&)>> mistakes{
      [](ShardData& d) { d.site.pop_back(); },
      [](ShardData& d) { d.site[0] = 2; },
      [](ShardData& d) { d.site[0] = -1; },
      [](ShardData& d) { d.clinical.pop_back(); },
      [](ShardData& d) { d.clinical[0].number.pop_back(); },
      [](ShardData& d) { d.clinical[0].bound.pop_back(); },
      [](ShardData& d) {
        d.clinical[1].bound = {0, 0, 0};
      },
      [](ShardData& d) { d.clinical[1].code[0] = 2; },
      [](ShardData& d) { d.survival.clear(); },
      [](ShardData& d) { d.survival[0].event.pop_back(); },
      [](ShardData& d) {
        d.alteration.offset = {0, 3, 2, 3};
      },
      [](ShardData& d) {
        d.alteration.offset = {0, 3, 3, 4};
      },
      [](ShardData& d) { d.alteration.value[0] = 3; },
      [](ShardData& d) { d.untested.value[0] = -1; },
      [](ShardData& d) { d.variant.vaf.pop_back(); },
      [](ShardData& d) { d.variant.gene[0] = 4; },
      [](ShardData& d) { d.variant.variant_class[0] = 3; },
      [](ShardData& d) { d.variant.protein_change[0] = 2; },
      [](ShardData& d) { d.panel[1].pop_back(); },
      [](ShardData& d) { d.panel[1][0] = 2; },
  };
  for (std::size_t i = 0; i < mistakes.size(); ++i) {
    ShardData data = sample_shard();
    mistakes[i](data);
    EXPECT_THROW(write_shard(folder.path(), 0, catalogue, data), ShapeError) << "mistake " << i;
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(EvenShards, AreEvenWhateverTheNumbers) {
  EXPECT_EQ(even_shards(10, 4),
            (std::vector<Index>{0, 3, 6, 10}));  // ceil(10/4) = 3 shards: 10·s/3 rounded down
  EXPECT_EQ(even_shards(8, 4), (std::vector<Index>{0, 4, 8}));
  EXPECT_EQ(even_shards(1, 4), (std::vector<Index>{0, 1}));
  EXPECT_EQ(even_shards(0, 4), (std::vector<Index>{0, 0}));
}

TEST(ShardFileName, SortsAsItCounts) {
  EXPECT_EQ(shard_file_name(7), "shard-00007.h5");
  EXPECT_EQ(shard_file_name(12345), "shard-12345.h5");
}

}  // namespace
}  // namespace chorale::io
