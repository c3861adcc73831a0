// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "engine/rank_times.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <numeric>
#include <type_traits>

#include <fmt/format.h>

namespace chorale::engine {
namespace {

static_assert(std::is_trivially_copyable_v<RankTimes>);

struct Account {
  const char* name;
  double RankTimes::*seconds;
};
constexpr std::array accounts{Account{"load", &RankTimes::load}, Account{"work", &RankTimes::work},
                              Account{"checkpoint", &RankTimes::checkpoint},
                              Account{"idle", &RankTimes::idle},
                              Account{"communication", &RankTimes::communication}};

}  // namespace

std::vector<RankTimes> gather_times(const RankTimes& mine, Comm& comm) {
  std::string bytes(sizeof mine, '\0');
  std::memcpy(bytes.data(), &mine, sizeof mine);
  std::vector<RankTimes> all;
  for (const std::string& from : comm.gather(bytes))
    std::memcpy(&all.emplace_back(), from.data(), sizeof mine);
  return all;
}

std::vector<io::RankShare> shares(const std::vector<RankTimes>& ranks) {
  std::vector<io::RankShare> all;
  for (const Account& account : accounts) {
    io::RankShare share{.name = account.name, .mean = 0, .max = 0};
    for (const RankTimes& rank : ranks) {
      share.mean += rank.*account.seconds / static_cast<double>(ranks.size());
      share.max = std::max(share.max, rank.*account.seconds);
    }
    all.push_back(share);
  }
  return all;
}

std::string ranks_text(const std::vector<RankTimes>& ranks) {
  std::string text = "rank\tunits";
  for (const Account& account : accounts) text += fmt::format("\t{}_seconds", account.name);
  for (std::size_t r = 0; r < ranks.size(); ++r) {
    text += fmt::format("\n{}\t{:.0f}", r, ranks[r].n_units);
    for (const Account& account : accounts) text += fmt::format("\t{:.6f}", ranks[r].*account.seconds);
  }
  return text + "\n";
}

}  // namespace chorale::engine
