// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
//
// Every call of the communicator among real processes:  mpirun -n N comm_check
// Each rank checks what it sees; the first that sees something wrong says what and ends all.
#include <chrono>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "engine/comm.hpp"

namespace {

using namespace chorale;

void require(engine::Comm& comm, bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "rank %d of %d: %s\n", comm.rank(), comm.size(), what);
  comm.abort(1);
}

/// Proportional set size: a page that k processes share counts 1/k in each.
std::int64_t pss_bytes() {
  std::ifstream in("/proc/self/smaps_rollup");
  for (std::string word; in >> word;)
    if (word == "Pss:") {
      std::int64_t kilobytes = 0;
      in >> kilobytes;
      return kilobytes * 1024;
    }
  return -1;
}

void check_numbers(engine::Comm& comm) {
  const std::int64_t n = comm.size(), me = comm.rank();
  std::vector<std::int64_t> values{1, me, -me};
  comm.sum(values);
  require(comm, values == std::vector<std::int64_t>{n, n * (n - 1) / 2, -n * (n - 1) / 2}, "sum is wrong");
  values = {me, -me};
  comm.largest(values);
  require(comm, values == std::vector<std::int64_t>{n - 1, 0}, "largest is wrong");
  values = {1};
  comm.node_sum(values);
  require(comm, values[0] == comm.node_size(), "node_sum is wrong");
  require(comm, comm.node_size() == comm.size(), "ranks of one machine do not share a node");
}

void check_bytes(engine::Comm& comm) {
  const std::string large(3'000'000, 'x');
  std::string bytes = comm.is_root() ? large : "something else";
  comm.broadcast(bytes);
  require(comm, bytes == large, "broadcast is wrong");
  bytes.clear();
  comm.broadcast(bytes);
  require(comm, bytes.empty(), "broadcast of nothing is wrong");

  // long ones, which go straight to rank 0; short ones, which are passed on; one of each
  for (const auto& [even, odd] :
       {std::pair{700'000, 700'000}, std::pair{700, 700}, std::pair{700'000, 700}}) {
    const auto text_of = [even = even, odd = odd](int rank) {
      const auto n = static_cast<std::size_t>(rank) * static_cast<std::size_t>(rank % 2 == 0 ? even : odd);
      return std::string(n, static_cast<char>('a' + rank));
    };
    const auto all = comm.gather(text_of(comm.rank()));
    require(comm, all.size() == (comm.is_root() ? static_cast<std::size_t>(comm.size()) : 0),
            "gather gives something to others than rank 0");
    for (std::size_t rank = 0; rank < all.size(); ++rank)
      require(comm, all[rank] == text_of(static_cast<int>(rank)), "gather is wrong");
  }
}

void check_routes(engine::Comm& comm) {
  // rank r gives r numbers: 0 | 1 | 2 2 | …
  const std::vector<double> mine(static_cast<std::size_t>(comm.rank()), comm.rank());
  std::vector<double> expected;
  for (int rank = 0; rank < comm.size(); ++rank)
    expected.insert(expected.end(), static_cast<std::size_t>(rank), rank);
  require(comm, comm.in_rank_order(mine) == expected, "in_rank_order is wrong");

  const auto letter = [&](int from, int to) {  // one of another length for each way, some empty
    return std::string(static_cast<std::size_t>(from * 300'000 + to * 7), static_cast<char>('a' + from));
  };
  std::vector<std::string> out;
  for (int to = 0; to < comm.size(); ++to) out.push_back(letter(comm.rank(), to));
  const auto in = comm.exchange(out);
  require(comm, in.size() == out.size(), "exchange gives another number of texts");
  for (int from = 0; from < comm.size(); ++from)
    require(comm, in[static_cast<std::size_t>(from)] == letter(from, comm.rank()), "exchange is wrong");
}

void check_counter(engine::Comm& comm) {
  constexpr std::int64_t n = 5000;
  const auto counter = comm.counter();
  std::vector<std::int64_t> drawn(n);
  for (auto value = counter->next(); value < n; value = counter->next())
    ++drawn[static_cast<std::size_t>(value)];
  comm.sum(drawn);
  require(comm, drawn == std::vector<std::int64_t>(n, 1), "the counter does not deal each value once");
  const auto stepped = comm.counter();
  std::int64_t largest[] = {stepped->next(10)};
  comm.largest(largest);
  require(comm, largest[0] == 10 * (comm.size() - 1), "the counter does not add its step");
}

void check_shared(engine::Comm& comm) {
  const auto nothing = comm.node_shared(0);
  require(comm, nothing->bytes().empty(), "an empty block is not empty");

  constexpr std::int64_t n = 64 << 20;
  std::int64_t grown[] = {-pss_bytes()};
  comm.barrier();
  const auto block = comm.node_shared(n);
  const auto bytes = block->bytes();
  require(comm, bytes.size() == n, "the block has another size");
  const auto me = static_cast<std::size_t>(comm.node_rank()),
             all = static_cast<std::size_t>(comm.node_size());
  for (std::size_t i = me; i < bytes.size(); i += all) {
    if (bytes[i] != std::byte{0}) require(comm, false, "the block is not zero-filled");
    bytes[i] = static_cast<std::byte>(i % 251);
  }
  block->publish();
  for (std::size_t i = 0; i < bytes.size(); ++i)
    if (bytes[i] != static_cast<std::byte>(i % 251))
      require(comm, false, "what a rank wrote is not seen by another");
  comm.barrier();
  grown[0] += pss_bytes();
  comm.sum(grown);
  // one copy is n bytes; a copy per rank would be size() times that
  require(comm, grown[0] > n / 2 && grown[0] < n + n / 2, "the block is not one copy per node");
}

void check_claim(engine::Comm& comm) {
  std::int64_t n[] = {comm.claim_error() ? 1 : 0};
  comm.sum(n);
  require(comm, n[0] == 1, "not exactly one rank may speak");
}

/// A barrier costs processor time by how often it looks, not by how long it waits.
void check_waiting(engine::Comm& comm) {
  comm.barrier();
  const std::clock_t before = std::clock();
  if (comm.is_root()) std::this_thread::sleep_for(std::chrono::milliseconds(500));
  comm.barrier();
  require(comm, static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC < 0.25,
          "waiting keeps a core busy");
}

}  // namespace

int main(int argc, char** argv) {
  const auto comm = engine::open_comm(argc, argv);
  const int expected = argc > 1 ? std::stoi(argv[1]) : 1;
  require(*comm, comm->size() == expected, "another number of ranks was started");
  check_numbers(*comm);
  check_bytes(*comm);
  check_routes(*comm);
  check_counter(*comm);
  check_shared(*comm);
  check_claim(*comm);
  check_waiting(*comm);
  comm->barrier();
  if (comm->is_root()) std::printf("%d ranks agree\n", comm->size());
  return 0;
}
