// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
//
// The small parts that the readers are made of: hash table, values, rows, text source, buckets, problems.
#include <sys/socket.h>
#include <sys/un.h>

#include <cmath>
#include <set>

#include "io/study/clinical.hpp"
#include "io/study/problems.hpp"
#include "io/study/records.hpp"
#include "io/study/rows.hpp"
#include "io/study/string_table.hpp"
#include "io/study/summary.hpp"
#include "io/study/text_source.hpp"
#include "io/study/values.hpp"
#include "study_folder.hpp"

namespace chorale::io::study {
namespace {

TEST(StringTable, GivesCodesInOrderOfArrivalAndFindsThemAgain) {
  StringTable table;
  std::vector<std::string> texts;
  for (int i = 0; i < 10'000; ++i)
    texts.push_back(std::string(static_cast<std::size_t>(i % 40), 'x') + std::to_string(i));
  for (std::size_t i = 0; i < texts.size(); ++i)
    EXPECT_EQ(table.insert(texts[i]), static_cast<std::int32_t>(i));
  for (std::size_t i = 0; i < texts.size(); ++i) {
    EXPECT_EQ(table.insert(texts[i]), static_cast<std::int32_t>(i));
    EXPECT_EQ(table.find(texts[i]), static_cast<std::int32_t>(i));
    EXPECT_EQ(table[static_cast<Index>(i)], texts[i]);
  }
  EXPECT_EQ(table.find("absent"), -1);
  EXPECT_EQ(table.insert(""), 10'000);
  table.clear();
  EXPECT_EQ(table.size(), 0);
  EXPECT_EQ(table.find(texts[3]), -1);
}

TEST(StringTable, HashTellsEveryByteAndLengthApart) {
  // one text of each length up to 40, and each with each of its bytes changed: 41 + (0 + 1 + … + 40) = 861 texts
  std::set<std::uint64_t> hashes;
  for (std::size_t n = 0; n <= 40; ++n) {
    std::string text(n, 'a');
    hashes.insert(hash_text(text));
    for (char& c : text) {
      c = 'b';
      hashes.insert(hash_text(text));
      c = 'a';
    }
  }
  EXPECT_EQ(hashes.size(), 861U);
}

TEST(Values, NullTokensAreCaseInsensitive) {
  for (const char* text : {"", " ", "NA", "na", "N/A", "[Not Available]", "[NOT APPLICABLE]", "[unknown]",
                           "[Pending]", "[Discrepancy]", "[Completed]", "[Not Evaluated]", "[null]"})
    EXPECT_TRUE(is_null(text)) << text;
  for (const char* text : {"NaN", "none", "No", "[x]", "0", "unknown"}) EXPECT_FALSE(is_null(text)) << text;
}

TEST(Values, NumbersAndBoundsAndWhatIsNeither) {
  const auto expect = [](const char* text, NumberKind kind, double value, int bound) {
    const Number number = parse_number(text);
    EXPECT_EQ(number.kind, kind) << text;
    if (kind == NumberKind::value) {
      EXPECT_EQ(number.value, value) << text;
    }
    EXPECT_EQ(number.bound, bound) << text;
  };
  expect("61", NumberKind::value, 61, 0);
  expect(" -2.5e3 ", NumberKind::value, -2500, 0);
  expect("+7", NumberKind::value, 7, 0);
  expect(".5", NumberKind::value, 0.5, 0);
  expect(">89", NumberKind::value, 89, 1);
  expect("<18", NumberKind::value, 18, -1);
  expect("<=18", NumberKind::value, 18, -1);
  expect(">= 90", NumberKind::value, 90, 1);
  expect("≥90", NumberKind::value, 90, 1);
  expect("≤18", NumberKind::value, 18, -1);
  expect(">32485", NumberKind::value, 32485, 1);
  expect("[Not Available]", NumberKind::missing, 0, 0);
  for (const char* text : {"NaN", "nan", "-inf", "INF", "Infinity", "1e999", "1.#QNAN", "#DIV/0!", ">inf"})
    expect(text, NumberKind::not_finite, 0, 0);
  expect("12,5", NumberKind::decimal_comma, 0, 0);
  for (const char* text : {"x", "12x", "1.2.3", ">", "1,2,3", "0x10", "--1", ">>5", "nano", "1 2"})
    expect(text, NumberKind::not_a_number, 0, 0);
}

TEST(Values, StatusCodes) {
  for (const char* text : {"1:DECEASED", "1", "deceased", "1:Event", "Recurred/Progressed", "1:whatever"})
    EXPECT_EQ(parse_status(text), std::int8_t{1}) << text;
  for (const char* text : {"0:LIVING", "0", "Living", "DiseaseFree", "0:No event", "alive"})
    EXPECT_EQ(parse_status(text), std::int8_t{0}) << text;
  for (const char* text : {"2:LOST", "maybe", "10", ""}) EXPECT_EQ(parse_status(text), std::nullopt) << text;
}

TEST(Rows, SplitLinesOfEveryLengthLikeAPlainLoop) {
  // cells of 0 … 20 bytes put tabs and line ends at every place of an 8-byte word
  std::string text;
  std::vector<std::vector<std::string>> expected;
  for (std::size_t a = 0; a <= 20; ++a)
    for (std::size_t b = 0; b <= 20; ++b) {
      expected.push_back({std::string(a, 'x'), std::string(b, 'y'), "z"});
      text += expected.back()[0] + '\t' + expected.back()[1] + "\tz\n";
    }
  Problems problems("file");
  Rows rows(text, 3, problems);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    ASSERT_TRUE(rows.next());
    EXPECT_EQ(rows.line(), static_cast<Index>(i) + 1);
    for (Index c = 0; c < 3; ++c) EXPECT_EQ(rows.cell(c), expected[i][static_cast<std::size_t>(c)]);
  }
  EXPECT_FALSE(rows.next());
  EXPECT_EQ(rows.n_read(), 441);
}

TEST(Rows, AcceptUtf8AndNothingLike) {
  for (const char* text : {"plain", "Zürich", "≥", "\xf0\x9f\xa7\xac", "\xed\x9f\xbf", "\xf4\x8f\xbf\xbf"})
    EXPECT_TRUE(is_utf8(text)) << text;
  // lone continuation, overlong forms, surrogate, beyond U+10FFFF, cut short (RFC 3629)
  for (const char* text : {"\x80", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                           "\xf5\x80\x80\x80", "\xe2\x89", "M\xfcnchen"})
    EXPECT_FALSE(is_utf8(text)) << text;
  EXPECT_FALSE(is_utf8(std::string_view("a\0b", 3)));
}

TEST(TextSource, GivesTheSameTextInBlocksOfAnySize) {
  const StudyFolder folder;
  std::string text;
  for (int i = 0; i < 500; ++i) text += std::string(static_cast<std::size_t>(i * 7 % 83), 'a') + "\n";
  text += "last line without an end";
  folder.write("text", text);
  for (const Index block_bytes : {Index{16}, Index{17}, Index{1000}, Index{1} << 20}) {
    TextSource source(folder.study() / "text", "text", block_bytes);
    std::string line, read;
    ASSERT_TRUE(source.next_line(line));
    EXPECT_EQ(line, "");
    std::vector<char> block;
    while (source.next_block(block)) {
      EXPECT_EQ(block.back(), '\n');
      read.append(block.begin(), block.end());
    }
    EXPECT_EQ("\n" + read, text + "\n");
  }
}

TEST(TextSource, SaysThatTheDiskRefuses) {
  const StudyFolder folder;
  const auto refusal_of = [](const std::filesystem::path& path) {
    try {
      TextSource(path, "shown", 1024);
    } catch (const StoreError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  // a socket exists and cannot be opened; page zero of one's own memory can be opened and not read
  const int handle = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string name = (folder.study() / "socket").string();
  ASSERT_LT(name.size(), sizeof address.sun_path);
  name.copy(address.sun_path, name.size());
  ASSERT_EQ(bind(handle, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  EXPECT_NE(refusal_of(name).find("file cannot be opened"), std::string::npos);
  close(handle);
  EXPECT_NE(refusal_of("/proc/self/mem").find("file cannot be read"), std::string::npos);
}

TEST(ShardBuckets, GiveBackWhatWasSpilledInOrder) {
  const StudyFolder folder;
  const auto temporary = folder.study() / "spill";
  {
    ShardBuckets buckets(temporary, 2, 100);
    for (std::int32_t i = 0; i < 50; ++i) buckets.append(i % 2, {.sample = i, .text_size = 2}, "ab");
    for (std::int32_t shard = 0; shard < 2; ++shard) {
      const std::vector<char> bytes = buckets.take(shard);
      std::int32_t expected = shard;
      for_each_record(bytes, [&](const Record& record, std::string_view text) {
        EXPECT_EQ(record.sample, expected);
        EXPECT_EQ(text, "ab");
        expected += 2;
      });
      EXPECT_EQ(expected, 50 + shard);
    }
    EXPECT_TRUE(std::filesystem::exists(temporary));
  }
  EXPECT_FALSE(std::filesystem::exists(temporary));
}

TEST(ShardBuckets, SayThatATemporaryFileFails) {
  const StudyFolder folder;
  const auto temporary = folder.study() / "spill";
  ShardBuckets lost(temporary, 1, 10);
  lost.append(0, {}, {});
  std::filesystem::remove(temporary / "shard-0.records");
  EXPECT_THROW(lost.take(0), StoreError);
  ShardBuckets blocked(temporary, 1, 10);
  std::filesystem::create_directories(temporary / "shard-0.records");
  EXPECT_THROW(blocked.append(0, {}, {}), StoreError);
}

TEST(Problems, BeyondManyKindsColumnsAreNoLongerToldApart) {
  Problems problems("file", true);
  for (int i = 0; i < 1000; ++i)
    problems.add({.what = "wrong",
                  .column = "C" + std::to_string(i),
                  .expected = {},
                  .remedy = {},
                  .value = "x",
                  .line = i,
                  .effect = Effect::blank_value});
  Index n = 0;
  for (const Count& count : problems.blanked()) n += count.n;
  EXPECT_EQ(n, 1000);
  EXPECT_EQ(problems.blanked().size(), 65U);  // 64 columns, and "(several)"
}

TEST(Summary, RefusesRowsThatAreNotAccountedFor) {
  std::vector<Study> studies(1);
  studies[0].tables.emplace_back();
  studies[0].tables[0].n_read = 1;
  const Plan plan{
      .studies = studies, .catalogue = {}, .fields = {}, .panels = {}, .features = {}, .pseudonym = {}};
  EXPECT_THROW(summarise({}, plan, empty_sums(plan)), ShapeError);
}

}  // namespace
}  // namespace chorale::io::study
