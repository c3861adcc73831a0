// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "io/file.hpp"

#include <gtest/gtest.h>

#include <iterator>

#include <sched.h>
#include <sys/mount.h>

#include "kernels/error.hpp"
#include "tests/io/message.hpp"
#include "tests/io/temporary_folder.hpp"

namespace chorale::io {
namespace {

std::ptrdiff_t n_files(const std::filesystem::path& folder) {
  return std::distance(std::filesystem::directory_iterator(folder), {});
}

TEST(File, WhatIsWrittenIsReadBack) {
  const TemporaryFolder folder;
  const std::string text("line\0two\n", 9);
  write_file(folder / "a", text);
  EXPECT_EQ(read_text(folder / "a"), text);
  EXPECT_EQ(read_file(folder / "a").size(), text.size());
}

TEST(File, WritingReplacesAndLeavesNoTemporaryBehind) {
  const TemporaryFolder folder;
  write_file(folder / "a", "a longer first content");
  write_file(folder / "a", "second");
  EXPECT_EQ(read_text(folder / "a"), "second");
  EXPECT_EQ(n_files(folder.path()), 1);
}

TEST(File, AnEmptyFileIsEmpty) {
  const TemporaryFolder folder;
  write_file(folder / "a", "");
  EXPECT_TRUE(read_text(folder / "a").empty());
}

TEST(File, AMissingFileIsNamedWithTheReason) {
  const TemporaryFolder folder;
  const auto message = message_of<StoreError>([&] { read_file(folder / "gone"); });
  EXPECT_NE(message.find("gone"), std::string::npos) << message;
  EXPECT_NE(message.find("No such file"), std::string::npos) << message;
}

TEST(File, AFolderIsNoFile) {
  const TemporaryFolder folder;
  const auto message = message_of<StoreError>([&] { read_file(folder.path()); });
  EXPECT_NE(message.find("not a regular file"), std::string::npos) << message;
}

TEST(File, WritingIntoAMissingFolderIsRefused) {
  const TemporaryFolder folder;
  const auto message = message_of<StoreError>([&] { write_file(folder / "no/such", "text"); });
  EXPECT_NE(message.find("file cannot be written"), std::string::npos) << message;
}

TEST(File, AFolderCannotTakeTheNameOfAFile) {
  const TemporaryFolder folder;
  write_file(folder / "taken", "text");
  const auto message = message_of<StoreError>([&] { make_folder(folder / "taken/below"); });
  EXPECT_NE(message.find("folder cannot be made"), std::string::npos) << message;
}

TEST(File, FoldersAreMadeWithTheirParentsAndMayExist) {
  const TemporaryFolder folder;
  make_folder(folder / "a/b/c");
  make_folder(folder / "a/b/c");
  EXPECT_TRUE(std::filesystem::is_directory(folder / "a/b/c"));
}

TEST(File, RemovingIsDoneOnceAndRepeatedInPeace) {
  const TemporaryFolder folder;
  write_file(folder / "a", "text");
  remove_file(folder / "a");
  remove_file(folder / "a");
  EXPECT_EQ(n_files(folder.path()), 0);
}

TEST(File, AFullDiskIsSaidAndLeavesTheOldFileAlone) {
  const TemporaryFolder folder;
  // a private mount namespace: the small disk vanishes with this process, whatever happens
  if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      ::mount("chorale", folder.path().c_str(), "tmpfs", 0, "size=64k") != 0) {
    GTEST_SKIP() << "a small disk can only be mounted by root";
  }
  write_file(folder / "a", "old");
  const std::string large(1 << 20, 'x');
  const auto message = message_of<StoreError>([&] { write_file(folder / "a", large); });
  EXPECT_NE(message.find("No space left"), std::string::npos) << message;
  EXPECT_NE(message.find("free some space"), std::string::npos) << message;
  EXPECT_EQ(read_text(folder / "a"), "old");
  EXPECT_EQ(n_files(folder.path()), 1);
  ::umount2(folder.path().c_str(), MNT_DETACH);
}

}  // namespace
}  // namespace chorale::io
