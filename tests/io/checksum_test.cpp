// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "io/checksum.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "io/file.hpp"
#include "kernels/error.hpp"
#include "tests/io/message.hpp"
#include "tests/io/temporary_folder.hpp"

namespace chorale::io {
namespace {

TEST(Sha256, MatchesThePublishedExamples) {
  // FIPS 180-4, "abc" and the empty message (NIST example values)
  EXPECT_EQ(sha256(std::as_bytes(std::span("abc", 3))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256({}), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Sha256, OfAFileIsThatOfItsBytesWhateverTheBlocks) {
  const TemporaryFolder folder;
  // files are read in blocks of a mebibyte: one byte less, exactly one, one more
  for (const std::size_t n : {std::size_t{0}, (1UL << 20) - 1, 1UL << 20, (1UL << 20) + 1}) {
    const std::string text(n, 'x');
    write_file(folder / "block", text);
    EXPECT_EQ(sha256_of_file(folder / "block"), sha256(std::as_bytes(std::span(text)))) << n;
  }
}

TEST(Sha256, OfAMissingFileNamesTheFile) {
  const TemporaryFolder folder;
  const auto message = message_of<StoreError>([&] { sha256_of_file(folder / "nowhere"); });
  EXPECT_NE(message.find("nowhere"), std::string::npos) << message;
}

/// fletcher32 as HDF5 defines it, word by word.
std::uint32_t plain_fletcher32(const std::vector<std::byte>& bytes) {
  std::uint32_t s1 = 0, s2 = 0;
  const auto fold = [](std::uint32_t sum) { return (sum & 0xffff) + (sum >> 16); };
  for (std::size_t i = 0; i < bytes.size(); i += 2) {
    const auto low = i + 1 < bytes.size() ? std::to_integer<std::uint32_t>(bytes[i + 1]) : 0;
    s1 = fold(s1 + (std::to_integer<std::uint32_t>(bytes[i]) << 8 | low));
    s2 = fold(s2 + s1);
  }
  return fold(s2) << 16 | fold(s1);
}

TEST(Fletcher32, MatchesItsDefinitionOnEverySize) {
  std::mt19937_64 random(5);
  // around a word, a round (64 bytes) and the longest run of rounds (360 · 64 = 23,040 bytes)
  for (const std::size_t n :
       {0, 1, 2, 3, 31, 63, 64, 65, 127, 128, 129, 1009, 23039, 23040, 23041, 23104, 100003}) {
    for (const int fill : {-1, 0x00, 0xff}) {  // random, all zeros, all ones
      std::vector<std::byte> bytes(n);
      for (auto& b : bytes) b = static_cast<std::byte>(fill < 0 ? random() : static_cast<unsigned>(fill));
      EXPECT_EQ(fletcher32(bytes), plain_fletcher32(bytes)) << n << " bytes of " << fill;
    }
  }
}

TEST(Fletcher32, BySmallHand) {
  // words 0x0102, 0x0300: s1 = 0x0402; s2 = 0x0102 + 0x0402 = 0x0504
  const std::vector<std::byte> bytes{std::byte{1}, std::byte{2}, std::byte{3}};
  EXPECT_EQ(fletcher32(bytes), 0x05040402U);
}

TEST(HmacSha256, MatchesRfc4231) {
  // RFC 4231, test case 2
  EXPECT_EQ(hmac_sha256("Jefe", "what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST(Xxh3, MatchesItsDocumentation) {
  // XXH128("") with seed 0 in canonical order: the value that `xxhsum -H128 /dev/null` prints (xxHash 0.8.1)
  EXPECT_EQ(xxh3_128(std::string_view{}), "99aa06d3014798d86001c324468d497f");
}

TEST(Xxh3, TextAndItsBytesAgreeAndOneBitMatters) {
  EXPECT_EQ(xxh3_128("chorale"), xxh3_128(std::as_bytes(std::span("chorale", 7))));
  EXPECT_NE(xxh3_128("chorale"), xxh3_128("chorald"));  // e and d differ in the last bit
}

}  // namespace
}  // namespace chorale::io
