// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "io/checksum.hpp"

#include <gtest/gtest.h>

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
