// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "engine/comm.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <thread>
#include <utility>

#include <mpi.h>
#include <unistd.h>

#include "kernels/error.hpp"

namespace chorale::engine {
namespace {

constexpr Index largest_message = Index{1} << 30;  // MPI 3 counts are int
constexpr Index most_relayed = 1 << 16;            // bytes of a text that others pass on to rank 0
constexpr Index most_held = Index{1} << 25;        // bytes of such texts in one rank, about
constexpr int gather_tag = 1, exchange_tag = 2;

void check(int code, const char* call) {
  if (code == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING] = "";
  int length = 0;
  MPI_Error_string(code, text, &length);
  throw CommError({.what = "ranks cannot talk to each other",
                   .found = text,
                   .in = call,
                   .remedy = "run again to resume; if it happens again, show this to the operator"});
}

/// Closes a window. Freeing is collective: a rank that unwinds from an error must not wait in it for ranks that are
/// well, so it leaves the window to MPI_Abort, which follows.
class Window {
 public:
  MPI_Win* address() { return &window_; }
  MPI_Win get() const { return window_; }
  Window() = default;
  Window(const Window&) = delete;
  Window& operator=(const Window&) = delete;
  ~Window() {
    if (window_ == MPI_WIN_NULL || std::uncaught_exceptions() > n_exceptions_) return;
    MPI_Win_unlock_all(window_);
    MPI_Win_free(&window_);
  }

 private:
  MPI_Win window_ = MPI_WIN_NULL;
  int n_exceptions_ = std::uncaught_exceptions();
};

class MpiBlock : public SharedBlock {
 public:
  MpiBlock(MPI_Comm node, Index n_bytes) : node_(node) {
    int rank = 0, n_ranks = 1;
    MPI_Comm_rank(node, &rank);
    MPI_Comm_size(node, &n_ranks);
    void* mine = nullptr;
    if (MPI_Win_allocate_shared(rank == 0 ? n_bytes : 0, 1, MPI_INFO_NULL, node, &mine, window_.address()) !=
        MPI_SUCCESS) {
      throw CommError(
          {.what = "the node has no room for the cohort in shared memory",
           .expected = std::to_string(n_bytes) + " bytes free in /dev/shm",
           .in = "MPI_Win_allocate_shared",
           .remedy = "enlarge /dev/shm (containers: --shm-size), or select fewer patients or features"});
    }
    MPI_Win_set_errhandler(window_.get(), MPI_ERRORS_RETURN);
    MPI_Aint size = 0;
    int unit = 0;
    void* base = nullptr;
    check(MPI_Win_shared_query(window_.get(), 0, &size, &unit, &base), "MPI_Win_shared_query");
    bytes_ = {static_cast<std::byte*>(base), static_cast<std::size_t>(n_bytes)};
    check(MPI_Win_lock_all(MPI_MODE_NOCHECK, window_.get()), "MPI_Win_lock_all");
    // each rank a share: pages are made by all, and where there are several memories, in all of them
    const Index begin = n_bytes * rank / n_ranks, end = n_bytes * (rank + 1) / n_ranks;
    if (begin < end) std::memset(bytes_.data() + begin, 0, static_cast<std::size_t>(end - begin));
    publish();
  }
  std::span<std::byte> bytes() override { return bytes_; }
  void publish() override {
    check(MPI_Win_sync(window_.get()), "MPI_Win_sync");
    check(MPI_Barrier(node_), "MPI_Barrier");
    check(MPI_Win_sync(window_.get()), "MPI_Win_sync");
  }

 private:
  MPI_Comm node_;
  Window window_;
  std::span<std::byte> bytes_;
};

class MpiCounter : public Counter {
 public:
  MpiCounter(MPI_Comm world, Index n_slots) {
    int rank = 0;
    MPI_Comm_rank(world, &rank);
    void* base = nullptr;
    const auto n = static_cast<std::size_t>(rank == 0 ? n_slots : 0);
    check(MPI_Win_allocate(static_cast<MPI_Aint>(n * sizeof(std::int64_t)), sizeof(std::int64_t),
                           MPI_INFO_NULL, world, &base, window_.address()),
          "MPI_Win_allocate");
    MPI_Win_set_errhandler(window_.get(), MPI_ERRORS_RETURN);
    check(MPI_Win_lock_all(0, window_.get()), "MPI_Win_lock_all");
    if (rank == 0) {
      std::fill_n(static_cast<std::int64_t*>(base), n, 0);
      check(MPI_Win_sync(window_.get()), "MPI_Win_sync");
    }
    check(MPI_Barrier(world), "MPI_Barrier");
  }
  Index next(Index step, Index slot) override {
    std::int64_t add = step;
    std::int64_t before = 0;
    check(MPI_Fetch_and_op(&add, &before, MPI_INT64_T, 0, slot, MPI_SUM, window_.get()), "MPI_Fetch_and_op");
    check(MPI_Win_flush(0, window_.get()), "MPI_Win_flush");
    return before;
  }

 private:
  Window window_;
};

class MpiComm : public Comm {
 public:
  MpiComm(int& argc, char**& argv) {
    // Debian's settings leave out the one component that has one-sided calls over TCP; the user's own word stays
    ::setenv("OMPI_MCA_osc", "^ucx", 0);
    int provided = 0;
    if (MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided) != MPI_SUCCESS) {
      throw CommError({.what = "MPI does not start", .remedy = "show this to the operator"});
    }
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank_);
    MPI_Comm_size(MPI_COMM_WORLD, &size_);
    check(MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, rank_, MPI_INFO_NULL, &node_),
          "MPI_Comm_split_type");
    MPI_Comm_rank(node_, &node_rank_);
    MPI_Comm_size(node_, &node_size_);
    errors_ = std::make_unique<MpiCounter>(MPI_COMM_WORLD, 1);
  }
  ~MpiComm() override {
    errors_.reset();
    MPI_Comm_free(&node_);
    MPI_Finalize();
  }

  int rank() const override { return rank_; }
  int size() const override { return size_; }
  int node_rank() const override { return node_rank_; }
  int node_size() const override { return node_size_; }
  std::string host() const override {
    char name[MPI_MAX_PROCESSOR_NAME] = "";
    int length = 0;
    MPI_Get_processor_name(name, &length);
    return {name, static_cast<std::size_t>(length)};
  }

  /// MPI_Barrier would keep a core busy, or with yielding the kernel, for as long as rank 0 makes the results. Who waits
  /// here sleeps for an eighth of what it has waited, so that it goes on soon after the last one came.
  void barrier() override {
    using namespace std::chrono_literals;
    using Clock = std::chrono::steady_clock;
    MPI_Request request = MPI_REQUEST_NULL;
    check(MPI_Ibarrier(MPI_COMM_WORLD, &request), "MPI_Ibarrier");
    const auto begun = Clock::now();
    for (int all_here = 0;;) {
      check(MPI_Test(&request, &all_here, MPI_STATUS_IGNORE), "MPI_Test");
      if (all_here != 0) return;
      const auto waited = Clock::now() - begun;
      if (waited > 50us) std::this_thread::sleep_for(std::clamp<Clock::duration>(waited / 8, 20us, 500us));
    }
  }

  void broadcast(std::string& bytes) override {
    auto n = static_cast<std::int64_t>(bytes.size());
    check(MPI_Bcast(&n, 1, MPI_INT64_T, 0, MPI_COMM_WORLD), "MPI_Bcast");
    bytes.resize(static_cast<std::size_t>(n));
    for (Index at = 0; at < n; at += largest_message)
      check(MPI_Bcast(bytes.data() + at, piece(n, at), MPI_BYTE, 0, MPI_COMM_WORLD), "MPI_Bcast");
  }

  /// Short texts go up a binomial tree, each rank passing on what it was sent: rank 0 takes log2(ranks) messages. Long
  /// ones go straight to rank 0, so that no rank holds much of what is not for it.
  std::vector<std::string> gather(const std::string& bytes) override {
    const bool is_short = static_cast<Index>(bytes.size()) <= std::min(most_relayed, most_held / size_);
    std::string held;
    append(held, rank_, is_short ? bytes : std::string(), !is_short);
    for (int step = 1; step < size_; step *= 2) {
      if ((rank_ & step) != 0) {
        send(held, rank_ - step);
        if (!is_short) send(bytes, 0);
        return {};
      }
      if (rank_ + step < size_) held += receive(rank_ + step);
    }
    std::vector<std::string> all(static_cast<std::size_t>(size_));
    std::vector<int> straight;
    for (std::size_t at = 0; at < held.size();) {
      Entry entry{};
      std::memcpy(&entry, held.data() + at, sizeof entry);
      at += sizeof entry;
      all[static_cast<std::size_t>(entry.rank)] = held.substr(at, static_cast<std::size_t>(entry.n_bytes));
      at += static_cast<std::size_t>(entry.n_bytes);
      if (entry.goes_straight != 0) straight.push_back(static_cast<int>(entry.rank));
    }
    for (const int from : straight) all[static_cast<std::size_t>(from)] = from == 0 ? bytes : receive(from);
    return all;
  }

  void sum(std::span<std::int64_t> values) override { reduce(values, MPI_SUM, MPI_COMM_WORLD); }
  void node_sum(std::span<std::int64_t> values) override { reduce(values, MPI_SUM, node_); }
  void largest(std::span<std::int64_t> values) override { reduce(values, MPI_MAX, MPI_COMM_WORLD); }

  std::vector<double> in_rank_order(std::span<const double> mine) override {
    const int n_mine = static_cast<int>(mine.size());
    std::vector<int> n(static_cast<std::size_t>(size_)), before(n.size(), 0);
    check(MPI_Allgather(&n_mine, 1, MPI_INT, n.data(), 1, MPI_INT, MPI_COMM_WORLD), "MPI_Allgather");
    for (std::size_t r = 1; r < n.size(); ++r) before[r] = before[r - 1] + n[r - 1];
    std::vector<double> all(static_cast<std::size_t>(before.back() + n.back()));
    check(MPI_Allgatherv(mine.data(), n_mine, MPI_DOUBLE, all.data(), n.data(), before.data(), MPI_DOUBLE,
                         MPI_COMM_WORLD),
          "MPI_Allgatherv");
    return all;
  }

  /// In step d each rank sends to the one d after it: every pair meets once, nobody is sent to by two at a time.
  std::vector<std::string> exchange(std::vector<std::string> to) override {
    std::vector<std::string> from(static_cast<std::size_t>(size_));
    from[static_cast<std::size_t>(rank_)] = std::move(to[static_cast<std::size_t>(rank_)]);
    for (int d = 1; d < size_; ++d) {
      const int after = (rank_ + d) % size_, before = (rank_ - d + size_) % size_;
      auto& out = to[static_cast<std::size_t>(after)];
      swap_bytes(out, after, from[static_cast<std::size_t>(before)], before);
      std::string().swap(out);
    }
    return from;
  }

  std::unique_ptr<SharedBlock> node_shared(Index n_bytes) override {
    return std::make_unique<MpiBlock>(node_, n_bytes);
  }
  std::unique_ptr<Counter> counter(Index n_slots) override {
    return std::make_unique<MpiCounter>(MPI_COMM_WORLD, n_slots);
  }

  bool claim_error() override { return errors_->next(1, 0) == 0; }

  [[noreturn]] void abort(int exit_code) override {
    MPI_Abort(MPI_COMM_WORLD, exit_code);
    std::_Exit(exit_code);
  }

 private:
  static int piece(Index n, Index at) { return static_cast<int>(std::min(largest_message, n - at)); }

  /// Before each text that is gathered.
  struct Entry {
    std::int64_t rank, n_bytes, goes_straight;
  };
  static void append(std::string& held, int rank, const std::string& bytes, bool goes_straight) {
    const Entry entry{.rank = rank,
                      .n_bytes = static_cast<std::int64_t>(bytes.size()),
                      .goes_straight = goes_straight ? 1 : 0};
    held.append(reinterpret_cast<const char*>(&entry), sizeof entry);
    held += bytes;
  }

  static void send(const std::string& bytes, int to) {
    const auto n = static_cast<std::int64_t>(bytes.size());
    check(MPI_Send(&n, 1, MPI_INT64_T, to, gather_tag, MPI_COMM_WORLD), "MPI_Send");
    for (Index at = 0; at < n; at += largest_message)
      check(MPI_Send(bytes.data() + at, piece(n, at), MPI_BYTE, to, gather_tag, MPI_COMM_WORLD), "MPI_Send");
  }

  std::string receive(int from) {
    std::int64_t n = 0;
    check(MPI_Recv(&n, 1, MPI_INT64_T, from, gather_tag, MPI_COMM_WORLD, MPI_STATUS_IGNORE), "MPI_Recv");
    std::string bytes(static_cast<std::size_t>(n), '\0');
    for (Index at = 0; at < n; at += largest_message)
      check(MPI_Recv(bytes.data() + at, piece(n, at), MPI_BYTE, from, gather_tag, MPI_COMM_WORLD,
                     MPI_STATUS_IGNORE),
            "MPI_Recv");
    return bytes;
  }

  static void swap_bytes(const std::string& out, int to, std::string& in, int from) {
    const auto n_out = static_cast<std::int64_t>(out.size());
    std::int64_t n_in = 0;
    check(MPI_Sendrecv(&n_out, 1, MPI_INT64_T, to, exchange_tag, &n_in, 1, MPI_INT64_T, from, exchange_tag,
                       MPI_COMM_WORLD, MPI_STATUS_IGNORE),
          "MPI_Sendrecv");
    in.resize(static_cast<std::size_t>(n_in));
    for (Index at = 0; at < std::max<Index>(n_out, n_in); at += largest_message) {
      // MPI_PROC_NULL: where one way has nothing left, the other goes on alone
      const Index out_at = std::min<Index>(at, n_out), in_at = std::min<Index>(at, n_in);
      const bool sends = out_at < n_out, receives = in_at < n_in;
      check(MPI_Sendrecv(out.data() + out_at, sends ? piece(n_out, out_at) : 0, MPI_BYTE,
                         sends ? to : MPI_PROC_NULL, exchange_tag, in.data() + in_at,
                         receives ? piece(n_in, in_at) : 0, MPI_BYTE, receives ? from : MPI_PROC_NULL,
                         exchange_tag, MPI_COMM_WORLD, MPI_STATUS_IGNORE),
            "MPI_Sendrecv");
    }
  }

  static void reduce(std::span<std::int64_t> values, MPI_Op op, MPI_Comm over) {
    const auto n = static_cast<Index>(values.size());
    constexpr Index step = largest_message / 8;
    for (Index at = 0; at < n; at += step) {
      const int count = static_cast<int>(std::min(step, n - at));
      check(MPI_Allreduce(MPI_IN_PLACE, values.data() + at, count, MPI_INT64_T, op, over), "MPI_Allreduce");
    }
  }

  int rank_ = 0;
  int size_ = 1;
  int node_rank_ = 0;
  int node_size_ = 1;
  MPI_Comm node_ = MPI_COMM_NULL;
  std::unique_ptr<MpiCounter> errors_;
};

bool launched() {
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK"})
    if (std::getenv(name) != nullptr) return true;
  return false;
}

}  // namespace

std::unique_ptr<Comm> open_comm(int& argc, char**& argv) {
  if (launched()) return std::make_unique<MpiComm>(argc, argv);
  return solo_comm();
}

}  // namespace chorale::engine
