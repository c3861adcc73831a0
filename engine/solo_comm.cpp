// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <cstdlib>
#include <utility>

#include <unistd.h>

#include "engine/comm.hpp"

namespace chorale::engine {
namespace {

class SoloBlock : public SharedBlock {
 public:
  explicit SoloBlock(Index n_bytes) : bytes_(static_cast<std::size_t>(n_bytes)) {}
  std::span<std::byte> bytes() override { return bytes_; }
  void publish() override {}

 private:
  std::vector<std::byte> bytes_;
};

class SoloCounter : public Counter {
 public:
  explicit SoloCounter(Index n_slots) : values_(static_cast<std::size_t>(n_slots)) {}
  Index next(Index step, Index slot) override {
    return std::exchange(values_[static_cast<std::size_t>(slot)],
                         values_[static_cast<std::size_t>(slot)] + step);
  }

 private:
  std::vector<Index> values_;
};

class SoloComm : public Comm {
 public:
  int rank() const override { return 0; }
  int size() const override { return 1; }
  int node_rank() const override { return 0; }
  int node_size() const override { return 1; }
  std::string host() const override {
    char name[256] = "localhost";
    ::gethostname(name, sizeof name - 1);
    return name;
  }
  void barrier() override {}
  void broadcast(std::string&) override {}
  std::vector<std::string> gather(const std::string& bytes) override { return {bytes}; }
  void sum(std::span<std::int64_t>) override {}
  void node_sum(std::span<std::int64_t>) override {}
  void largest(std::span<std::int64_t>) override {}
  std::vector<double> in_rank_order(std::span<const double> mine) override {
    return {mine.begin(), mine.end()};
  }
  std::vector<std::string> exchange(std::vector<std::string> to) override { return to; }
  std::unique_ptr<SharedBlock> node_shared(Index n_bytes) override {
    return std::make_unique<SoloBlock>(n_bytes);
  }
  std::unique_ptr<Counter> counter(Index n_slots) override { return std::make_unique<SoloCounter>(n_slots); }
  bool claim_error() override { return true; }
  [[noreturn]] void abort(int exit_code) override { std::_Exit(exit_code); }
};

}  // namespace

std::unique_ptr<Comm> solo_comm() {
  return std::make_unique<SoloComm>();
}

}  // namespace chorale::engine
