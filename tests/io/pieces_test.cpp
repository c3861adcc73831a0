// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "io/pieces.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "io/file.hpp"
#include "kernels/error.hpp"
#include "tests/io/h5py.hpp"
#include "tests/io/message.hpp"
#include "tests/io/temporary_folder.hpp"

namespace chorale::io {
namespace {

namespace fs = std::filesystem;
using Reals = std::vector<double>;
using Small = std::vector<std::int32_t>;

ResultTable piece_of(Small codes, Reals values) {
  ResultTable table{.name = "rows", .caption = "A row is a row.", .columns = {}};
  table.add("code", "", "a small number", std::move(codes));
  table.add("value", "days", "a number", std::move(values));
  return table;
}

class PiecesTest : public testing::Test {
 protected:
  PiecesTest() {
    write_piece(folder_.path(), 0, piece_of({1, 2}, {0.5, 1.5}));
    write_piece(folder_.path(), 1, piece_of({}, {}));
    write_piece(folder_.path(), 2, piece_of({-3}, {2.5}));
  }
  TemporaryFolder folder_;
};

TEST_F(PiecesTest, ReadBackAsTheyWereWritten) {
  const Pieces pieces(folder_.path());
  ASSERT_EQ(pieces.tables().size(), 1u);
  EXPECT_EQ(pieces.tables().at("rows"), 3);
  EXPECT_EQ(pieces.reals("rows", 0, "value"), (Reals{0.5, 1.5}));
  EXPECT_EQ(pieces.reals("rows", 1, "value"), Reals{});
  const ResultTable last = pieces.read("rows", 2);
  EXPECT_EQ(last.caption, "A row is a row.");
  EXPECT_EQ(std::get<Small>(last.find("code")->values), Small{-3});
  EXPECT_EQ(last.find("value")->unit, "days");
}

TEST_F(PiecesTest, AColumnIsAddedOrReplacedAndTheOthersStayAsTheyWere) {
  const Pieces pieces(folder_.path());
  const auto column = [](Reals values) {
    return ResultColumn{.name = "q", .unit = "", .description = "added later", .values = std::move(values)};
  };
  pieces.put("rows", 0, column({7, 8}));
  pieces.put("rows", 0, column({9, 10}));
  const ResultTable piece = pieces.read("rows", 0);
  ASSERT_EQ(piece.columns.size(), 3u);
  EXPECT_EQ(std::get<Reals>(piece.find("q")->values), (Reals{9, 10}));
  EXPECT_EQ(std::get<Small>(piece.find("code")->values), (Small{1, 2})) << "32 bits stay 32 bits";
  EXPECT_THROW(pieces.put("rows", 2, column({1, 2})), ShapeError);
}

TEST_F(PiecesTest, ResultsJoinThemByPlacesRelativeToTheFile) {
  write_results(folder_.path(),
                {.title = "Pieces", .summary = {}, .tables = {}, .settings = {}, .numbers = {}});
  const std::string python = python_with_h5py();
  if (python.empty()) GTEST_SKIP() << "no Python with h5py here";
  fs::create_directories(folder_ / "elsewhere");
  for (const char* name : {"results.h5", "pieces"})
    fs::rename(folder_ / name, folder_ / "elsewhere" / name);  // the folder may move as a whole
  const auto lines = describe_hdf5(python, folder_ / "elsewhere" / "results.h5");
  const auto has = [&](const std::string& line) {
    return std::find(lines.begin(), lines.end(), line) != lines.end();
  };
  EXPECT_TRUE(has("/rows/code n=3 fletcher32=False description=a small number unit= : 1,2,-3"));
  EXPECT_TRUE(has("/rows/value n=3 fletcher32=False description=a number unit=days : 0.5,1.5,2.5"));
  EXPECT_TRUE(has("/about/joined n=1 fletcher32=True : rows"));
  EXPECT_TRUE(read_results(folder_ / "elsewhere").tables.empty());
}

TEST_F(PiecesTest, AMissingOneIsRefused) {
  remove_file(folder_ / "pieces/rows-00002.h5");
  EXPECT_NO_THROW(Pieces(folder_.path())) << "nothing says yet how many there were";
  const auto last = message_of<StoreError>([&] { Pieces(folder_.path()).require("rows", 3); });
  EXPECT_NE(last.find("a piece of a table is missing"), std::string::npos) << last;
  EXPECT_NE(last.find("rows-00002.h5"), std::string::npos) << last;
  EXPECT_NE(last.find("--fresh"), std::string::npos) << last;
  remove_file(folder_ / "pieces/rows-00000.h5");
  EXPECT_THROW(Pieces(folder_.path()), StoreError);
}

TEST_F(PiecesTest, ADamagedOneIsRefused) {
  const fs::path path = folder_ / "pieces/rows-00000.h5";
  const std::string bytes = read_text(path);
  write_file(path, bytes.substr(0, bytes.size() / 2));
  EXPECT_THROW(Pieces(folder_.path()).reals("rows", 0, "value"), StoreError);
}

TEST_F(PiecesTest, OfAnEarlierRunGoAllTogetherAndHalfWrittenOnesAlone) {
  write_file(folder_ / "pieces/rows-00001.h5.part-7", std::string_view("half"));
  remove_unfinished_pieces(folder_.path());
  EXPECT_FALSE(fs::exists(folder_ / "pieces/rows-00001.h5.part-7"));
  EXPECT_EQ(Pieces(folder_.path()).tables().at("rows"), 3);
  remove_pieces(folder_.path());
  EXPECT_TRUE(Pieces(folder_.path()).tables().empty());
  EXPECT_NO_THROW(remove_pieces(folder_.path()));
  EXPECT_NO_THROW(remove_unfinished_pieces(folder_.path()));
}

TEST_F(PiecesTest, DoneListsThem) {
  write_results(folder_.path(),
                {.title = "Pieces", .summary = {}, .tables = {}, .settings = {}, .numbers = {}});
  write_done(folder_.path());
  EXPECT_TRUE(is_done(folder_.path()));
  write_piece(folder_.path(), 1, piece_of({4}, {4.5}));
  EXPECT_FALSE(is_done(folder_.path()));
}

}  // namespace
}  // namespace chorale::io
