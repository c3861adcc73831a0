// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "engine/ledger.hpp"

#include <gtest/gtest.h>

#include "kernels/error.hpp"

namespace chorale::engine {
namespace {

using Counts = std::vector<std::int64_t>;
using Words = std::vector<std::string>;

Ledger ledger_of(Index n_start, Index first, Index second) {
  Ledger ledger{.n_start = n_start, .lines = {}};
  ledger.leave("select", "AGE at least 18: no value", first);
  ledger.leave("select", "AGE at least 18: does not hold", second);
  return ledger;
}

TEST(Ledger, ShowsWhoLeftAndWhoRemainsLineByLine) {
  const io::ResultTable table = ledger_of(10, 3, 1).table();
  EXPECT_EQ(table.name, "attrition");
  EXPECT_EQ(std::get<Words>(table.find("step")->values), (Words{"cohort", "select", "select"}));
  EXPECT_EQ(std::get<Counts>(table.find("left")->values), (Counts{0, 3, 1}));
  EXPECT_EQ(std::get<Counts>(table.find("remaining")->values), (Counts{10, 10 - 3, 10 - 3 - 1}));
  EXPECT_EQ(ledger_of(10, 3, 1).n_remaining(), 10 - 3 - 1);
}

TEST(Ledger, LedgersOfDisjointPatientsAddUp) {
  Ledger total;
  total.add(ledger_of(10, 3, 1));  // an empty ledger takes the lines of the other
  total.add(ledger_of(5, 0, 2));
  EXPECT_EQ(total.n_start, 10 + 5);
  ASSERT_EQ(total.lines.size(), 2U);
  EXPECT_EQ(total.lines[0].n_left, 3 + 0);
  EXPECT_EQ(total.lines[1].n_left, 1 + 2);
}

TEST(Ledger, LedgersOfDifferentSelectionsDoNotAddUp) {
  Ledger total = ledger_of(10, 3, 1);
  Ledger other = ledger_of(5, 0, 2);
  other.leave("outcome", "time missing", 1);
  EXPECT_THROW(total.add(other), ShapeError);
}

}  // namespace
}  // namespace chorale::engine
