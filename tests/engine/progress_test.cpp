// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "engine/progress.hpp"

#include <thread>

#include <gtest/gtest.h>

namespace chorale::engine {
namespace {

using namespace std::chrono_literals;

ProgressSink into(std::string& text, bool terminal) {
  return {.write = [&text](std::string_view more) { text += more; }, .terminal = terminal};
}

TEST(Progress, TerminalGetsOneLineThatIsRewritten) {
  std::string text;
  Progress progress(into(text, true), "screen", 10, 4);
  std::this_thread::sleep_for(250ms);
  progress.update(6);
  EXPECT_EQ(text.rfind("\r\x1b[Kscreen: 6 of 10 units, ", 0), 0U) << text;
  EXPECT_NE(text.find(" left"), std::string::npos) << text;
  EXPECT_EQ(text.find('\n'), std::string::npos) << "the line stays open";
  progress.finish();
  EXPECT_NE(text.find("\r\x1b[Kscreen: 6 units in 0 s\n"), std::string::npos) << text;  // 10 - 4 of this run
}

TEST(Progress, TerminalIsNotFlooded) {
  std::string text;
  Progress progress(into(text, true), "screen", 1000, 0);
  for (Index unit = 0; unit < 1000; ++unit) progress.update(unit);
  EXPECT_LT(std::count(text.begin(), text.end(), '\r'), 10);
}

TEST(Progress, RateCountsOnlyUnitsOfThisRun) {
  std::string text;
  Progress progress(into(text, true), "screen", 10, 4);
  std::this_thread::sleep_for(250ms);
  progress.update(4);
  EXPECT_NE(text.find("4 of 10 units, 0.0 units/s, starting"), std::string::npos) << text;
}

TEST(Progress, LogGetsPlainLinesNowAndThen) {
  std::string text;
  Progress progress(into(text, false), "screen", 10, 0);
  progress.update(5);
  EXPECT_EQ(text, "");  // the first 30 seconds say nothing
  progress.finish();
  EXPECT_EQ(text, "screen: 10 units in 0 s\n");
}

TEST(Progress, WithoutASinkIsSilent) {
  Progress progress({}, "screen", 10, 0);
  progress.update(5);
  EXPECT_NO_THROW(progress.finish());
}

}  // namespace
}  // namespace chorale::engine
