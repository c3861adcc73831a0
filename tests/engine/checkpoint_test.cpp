// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "engine/checkpoint.hpp"

#include <gtest/gtest.h>

#include "engine/output_folder.hpp"
#include "io/file.hpp"
#include "kernels/error.hpp"
#include "tests/io/message.hpp"
#include "tests/io/temporary_folder.hpp"

namespace chorale::engine {
namespace {

namespace fs = std::filesystem;
using Parts = std::map<Index, std::string>;

const Fingerprint fingerprint{{"program version", "0.1.0"}, {"seed", "7"}, {"select.where", "[]"}};

class CheckpointTest : public ::testing::Test {
 protected:
  CheckpointTest() {
    fs::create_directories(run_folder(out()));
    Checkpoint::agree(out(), fingerprint);
  }
  const fs::path& out() const { return folder_.path(); }

  void write(int rank, const Parts& parts) const {
    Checkpoint checkpoint(out(), fingerprint, rank, 0);
    for (const auto& [unit, part] : parts) checkpoint.append(unit, part);
  }
  fs::path only_file() const {
    for (const auto& path : list_folder(run_folder(out())))
      if (path.extension() == ".parts") return path;
    return {};
  }
  Parts load() const { return Checkpoint::load(out(), fingerprint).parts; }
  std::string notices() const {
    std::string all;
    for (const auto& notice : Checkpoint::load(out(), fingerprint).notices) all += notice + "\n";
    return all;
  }

  TemporaryFolder folder_;
};

TEST_F(CheckpointTest, PartsComeBackWhateverTheirBytesAndRanks) {
  write(0, {{0, "first"}, {7, ""}});
  write(1, {{3, std::string("\0\n\t\xff", 4)}});
  EXPECT_EQ(load(), (Parts{{0, "first"}, {3, std::string("\0\n\t\xff", 4)}, {7, ""}}));
  EXPECT_EQ(notices(), "");
}

TEST_F(CheckpointTest, UnitsThatWereFinishedTwiceAreCounted) {
  write(0, {{0, "zero"}, {1, "one"}});
  write(1, {{1, "one"}, {2, "two"}});
  EXPECT_EQ(Checkpoint::load(out(), fingerprint).n_repeated, 1);
  EXPECT_EQ(load().size(), 3U);
}

TEST_F(CheckpointTest, AnyCutLeavesTheRecordsBeforeIt) {
  write(0, {{1, "one"}, {2, "two-two"}});
  const fs::path file = only_file();
  const std::string whole = io::read_text(file);
  const std::size_t header = 16 + 32, head = 2 * 8 + 32;  // magic and digest; unit, length and digest
  const std::size_t end_of_first = header + head + 3;
  ASSERT_EQ(whole.size(), end_of_first + head + 7);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    io::write_file(file, whole.substr(0, size));
    EXPECT_EQ(load(), size < end_of_first ? Parts{} : (Parts{{1, "one"}})) << size;
    if (size >= header && size != header && size != end_of_first) {
      EXPECT_NE(notices().find("is cut short or damaged after"), std::string::npos) << size;
    }
    fs::remove(file.string() + ".set-aside");
  }
}

TEST_F(CheckpointTest, AnyFlippedBitLosesItsRecordAndTellsNoLie) {
  write(0, {{1, "one"}, {2, "two-two"}});
  const fs::path file = only_file();
  const std::string whole = io::read_text(file);
  const Parts both = load();
  ASSERT_EQ(both.size(), 2U);
  for (std::size_t byte = 0; byte < whole.size(); ++byte) {
    std::string damaged = whole;
    damaged[byte] = static_cast<char>(damaged[byte] ^ (1 << (byte % 8)));
    io::write_file(file, damaged);
    const Parts left = load();
    EXPECT_LT(left.size(), 2U) << byte;
    EXPECT_EQ(fs::exists(file), byte >= 16 + 32) << "a damaged header sets the file aside, byte " << byte;
    for (const auto& [unit, part] : left) EXPECT_EQ(part, both.at(unit)) << byte;
  }
}

TEST_F(CheckpointTest, PartsOfAnotherRunAreSetAsideWithAMessage) {
  write(0, {{1, "one"}});
  const Fingerprint other{{"program version", "0.1.0"}, {"seed", "8"}, {"select.where", "[]"}};
  const auto loaded = Checkpoint::load(out(), other);
  EXPECT_TRUE(loaded.parts.empty());
  ASSERT_EQ(loaded.notices.size(), 1U);
  EXPECT_NE(loaded.notices[0].find("is of another run: set aside"), std::string::npos) << loaded.notices[0];
  EXPECT_TRUE(only_file().empty());
  EXPECT_TRUE(Checkpoint::load(out(), other).notices.empty()) << "it is said once";
}

TEST_F(CheckpointTest, PartsOfAnotherVersionAreSetAsideWithAMessage) {
  write(0, {{1, "one"}});
  std::string bytes = io::read_text(only_file());
  bytes.replace(0, 16, "chorale-parts-2 ");
  io::write_file(only_file(), bytes);
  EXPECT_NE(notices().find("is of another version or no checkpoint: set aside"), std::string::npos);
  EXPECT_TRUE(load().empty());
}

TEST_F(CheckpointTest, ADamagedFingerprintIsRefused) {
  const fs::path file = run_folder(out()) / "fingerprint.tsv";
  const std::string whole = io::read_text(file);
  for (std::size_t byte = 0; byte < whole.size(); ++byte) {
    std::string damaged = whole;
    damaged[byte] = static_cast<char>(damaged[byte] ^ (1 << (byte % 8)));
    io::write_file(file, damaged);
    const auto message = message_of<StoreError>([&] { Checkpoint::agree(out(), fingerprint); });
    EXPECT_NE(message.find("run with --fresh to start over"), std::string::npos) << byte << message;
  }
  io::write_file(file, std::string_view());
  EXPECT_THROW(Checkpoint::agree(out(), fingerprint), StoreError);
}

TEST_F(CheckpointTest, AFileThatVanishesIsAStoreErrorAtTheNextSync) {
  Checkpoint checkpoint(out(), fingerprint, 0, 1000);
  checkpoint.append(1, "one");
  EXPECT_NO_THROW(checkpoint.sync());
  fs::remove(only_file());
  const auto message = message_of<StoreError>([&] { checkpoint.sync(); });
  EXPECT_NE(message.find("checkpoint cannot be written (found No such file or directory)"), std::string::npos)
      << message;
}

TEST_F(CheckpointTest, SameRunAgreesAndAnyOtherIsRefusedByName) {
  EXPECT_NO_THROW(Checkpoint::agree(out(), fingerprint));
  const auto refusal = [&](const Fingerprint& other) {
    return message_of<ConfigError>([&] { Checkpoint::agree(out(), other); });
  };
  const std::string seed = refusal({{"program version", "0.1.0"}, {"seed", "8"}, {"select.where", "[]"}});
  EXPECT_NE(seed.find("output folder holds a run that differs in: seed (found 7, expected 8)"),
            std::string::npos)
      << seed;
  EXPECT_NE(seed.find("run with --fresh to start over"), std::string::npos) << seed;
  EXPECT_NE(
      refusal({{"program version", "0.1.0"}, {"seed", "7"}}).find("select.where (found [], expected absent)"),
      std::string::npos);
  Fingerprint more = fingerprint;
  more.emplace_back("screen.fdr", "0.05");
  EXPECT_NE(refusal(more).find("screen.fdr (found absent, expected 0.05)"), std::string::npos);
}

TEST_F(CheckpointTest, AnotherInstructionLevelSaysHowToSetIt) {
  TemporaryFolder other;
  fs::create_directories(run_folder(other.path()));
  Checkpoint::agree(other.path(), {{"instruction level", "v4"}});
  const std::string message = message_of<ConfigError>([&] {
    Checkpoint::agree(other.path(), {{"instruction level", "v3"}});
  });
  EXPECT_NE(message.find("set CHORALE_LEVEL=v4"), std::string::npos) << message;
}

TEST_F(CheckpointTest, ClearedPartsAreGoneAndTheFingerprintStays) {
  write(0, {{1, "one"}});
  Checkpoint::clear(out());
  EXPECT_TRUE(load().empty());
  EXPECT_THROW(Checkpoint::agree(out(), {{"seed", "8"}}), ConfigError);
}

TEST_F(CheckpointTest, AForgottenRunMakesRoomForAnyOther) {
  write(0, {{1, "one"}});
  Checkpoint::forget(out());
  EXPECT_NO_THROW(Checkpoint::agree(out(), {{"seed", "8"}}));
  EXPECT_TRUE(load().empty());
}

TEST_F(CheckpointTest, AFolderThatIsGoneIsAStoreError) {
  TemporaryFolder other;
  const std::string message =
      message_of<StoreError>([&] { Checkpoint(other / "nowhere", fingerprint, 0, 0); });
  EXPECT_NE(message.find("checkpoint cannot be written (found No such file or directory)"), std::string::npos)
      << message;
  EXPECT_NE(message.find("run again to resume"), std::string::npos) << message;
}

}  // namespace
}  // namespace chorale::engine
