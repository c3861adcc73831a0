// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <concepts>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/serialization/string.hpp>
#include <boost/serialization/vector.hpp>

#include "engine/archive.hpp"
#include "engine/memory_watch.hpp"
#include "engine/plan.hpp"
#include "engine/time_slice.hpp"
#include "io/config/schema.hpp"
#include "io/pieces.hpp"
#include "io/results.hpp"
#include "kernels/error.hpp"
#include "kernels/parallel.hpp"

namespace chorale::engine {

/// What a job is: a plain class. Because run() is pure, the engine alone gives distribution, load balance, restart
/// and answers that do not depend on ranks or threads.
///
/// A job may have more:
///   Part run_together(setup, const TimeSlice& slice, unit) const
///       a unit of a by_time stage, called by all ranks at once: patients of this rank, sums over all of them by
///       slice.of_all(). The part must be the same on all ranks; that of rank 0 is kept
///   static Config settled(Config config)
///       before anything else: what a config leaves to files that it names, such as their checksums, so that a run whose
///       files changed is known as another run
///   std::string brief(setup, Index stage, std::span<const Part> parts) const
///       on rank 0 when a stage is finished, with its parts in unit order; later stages find the text in setup.briefs
///   std::vector<std::int64_t> count(setup, Index stage, std::span<const Part> parts) const, and
///   void condense(setup, Index stage, std::vector<Part>& parts) const
///       on every rank when a stage is finished, of the parts that it made. The counts, of a length that parts do not
///       decide, are added over the ranks; then everyone finds the sums in setup.counts, condense() leaves out what they
///       show nobody to need, and may join parts into fewer. brief() and finish() see what is left, so they must not
///       depend on which parts were joined.
///   std::vector<Part> share_out(setup, Index stage, std::vector<Part> parts, Index n) const, and
///   Part join(setup, Index stage, std::vector<Part> shares) const
///       for stages that are `shared_out`, on every rank that made parts, once the stage is finished: its parts as n
///       shares, of every n-th feature, say. The i-th of the n ranks that made parts then joins all i-th shares into the
///       one part that it keeps, so that no rank alone has room and time for all of them. brief() and finish() get the n
///       joined parts in any order, and what they make must not depend on n
///   std::optional<io::ResultTable> Part::piece, which is not serialized
///       rows too many to travel: they are written to OUTPUT/pieces by the rank that made them (io/pieces.hpp)
///   double result_bytes(setup) const
///       forecast of what rank 0 holds when it makes and writes the results
///   void complete(setup, io::Pieces& pieces) const
///       on rank 0 before finish(), to add columns to the pieces that need all of them
template <class Job>
concept Analysis = requires(const Job job, typename Job::Config config, const Setup& setup,
                            const Cohort& cohort, Unit unit, std::span<const typename Job::Part> parts) {
  { Job::name } -> std::convertible_to<std::string_view>;
  { Job::schema() } -> std::same_as<io::Schema<typename Job::Config>>;
  Job(config);
  { job.stages(setup) } -> std::same_as<std::vector<Stage>>;  // throws ConfigError when setup does not fit
  { job.run(setup, cohort, unit) } -> std::same_as<typename Job::Part>;  // pure
  { job.finish(setup, parts) } -> std::same_as<io::Results>;             // on rank 0, parts in unit order
};

/// What a unit leaves: an archive that travels, and rows that do not.
struct UnitOutput {
  std::string part;
  std::optional<io::ResultTable> piece;
};

/// A job with its types forgotten; parts are Boost.Serialization archives.
class AnyAnalysis {
 public:
  virtual ~AnyAnalysis() = default;
  virtual std::vector<Stage> stages(const Setup& setup) const = 0;
  virtual UnitOutput run(const Setup& setup, const Cohort& cohort, Unit unit) const = 0;
  virtual UnitOutput run_together(const Setup& setup, const TimeSlice& slice, Unit unit) const = 0;
  /// sum   adds over all ranks, in place; it returns the setup that tells the sums
  using Sum = std::function<Setup(std::vector<std::int64_t>& counts)>;
  /// Collective. The parts of this rank, as they travel: at most as many.
  virtual std::vector<std::string> condense(const Setup& setup, Index stage, std::vector<std::string> parts,
                                            const Sum& sum) const = 0;
  /// to[i] goes to the i-th rank that shares; returns what came from each of them, in that order.
  using Exchange = std::function<std::vector<std::string>(std::vector<std::string> to)>;
  /// The parts of this rank, the `mine`-th of `n` that share, shared out among them; and all that came here, as one.
  virtual std::string regroup(const Setup& setup, Index stage, std::vector<std::string> parts, Index mine,
                              Index n, const Exchange& exchange) const = 0;
  virtual std::string brief(const Setup& setup, Index stage, const std::vector<std::string>& parts) const = 0;
  virtual void complete(const Setup& setup, io::Pieces& pieces) const = 0;
  virtual io::Results finish(const Setup& setup, std::vector<std::string> parts) const = 0;
  virtual double result_bytes(const Setup& setup) const = 0;
  virtual std::vector<std::pair<std::string, std::string>> config() const = 0;
};

/// A line of the registry.
struct AnalysisEntry {
  std::string name;
  std::string help;
  std::vector<io::FieldInfo> fields;
  std::function<std::unique_ptr<AnyAnalysis>(const io::Node* table)> make;
};

namespace detail {

template <Analysis Job>
class Erased : public AnyAnalysis {
 public:
  explicit Erased(typename Job::Config config) : config_(config), job_(std::move(config)) {}

  std::vector<Stage> stages(const Setup& setup) const override { return job_.stages(setup); }

  UnitOutput run(const Setup& setup, const Cohort& cohort, Unit unit) const override {
    return output_of(job_.run(setup, cohort, unit));
  }

  UnitOutput run_together(const Setup& setup, const TimeSlice& slice, Unit unit) const override {
    if constexpr (requires { job_.run_together(setup, slice, unit); }) {
      return output_of(job_.run_together(setup, slice, unit));
    } else {
      throw ShapeError({.what = "a job has a stage by time and no run_together",
                        .found = std::string(Job::name),
                        .remedy = "report this as a bug"});
    }
  }

  std::vector<std::string> condense(const Setup& setup, Index stage, std::vector<std::string> bytes,
                                    const Sum& sum) const override {
    std::vector<std::int64_t> counts;
    if constexpr (requires(std::vector<typename Job::Part> & parts) { job_.condense(setup, stage, parts); }) {
      std::vector<typename Job::Part> parts = parts_of(std::move(bytes));
      counts = job_.count(setup, stage, parts);
      job_.condense(sum(counts), stage, parts);
      bytes.clear();
      for (const auto& part : parts) bytes.push_back(bytes_of(part));
    } else {
      sum(counts);
    }
    return bytes;
  }

  std::string regroup(const Setup& setup, Index stage, std::vector<std::string> bytes, Index mine, Index n,
                      const Exchange& exchange) const override {
    if constexpr (requires(std::vector<typename Job::Part> parts) { job_.join(setup, stage, parts); }) {
      std::vector<typename Job::Part> shares = job_.share_out(setup, stage, parts_of(std::move(bytes)), n);
      give_back_freed_memory();  // of the parts that were cut up; archives take new memory
      std::vector<std::string> away(shares.size());
      for (std::size_t i = 0; i < shares.size(); ++i)
        if (i != static_cast<std::size_t>(mine)) away[i] = bytes_of(std::exchange(shares[i], {}));
      away = exchange(std::move(away));
      for (std::size_t i = 0; i < shares.size(); ++i)
        if (i != static_cast<std::size_t>(mine)) shares[i] = part_of(std::exchange(away[i], {}));
      return bytes_of(job_.join(setup, stage, std::move(shares)));
    } else {
      throw ShapeError({.what = "a job has a stage that is shared out and no join",
                        .found = std::string(Job::name),
                        .remedy = "report this as a bug"});
    }
  }

  std::string brief(const Setup& setup, Index stage, const std::vector<std::string>& bytes) const override {
    if constexpr (requires(std::span<const typename Job::Part> parts) { job_.brief(setup, stage, parts); })
      return job_.brief(setup, stage, parts_of(bytes));
    else
      return {};
  }

  void complete(const Setup& setup, io::Pieces& pieces) const override {
    if constexpr (requires { job_.complete(setup, pieces); }) job_.complete(setup, pieces);
  }

  io::Results finish(const Setup& setup, std::vector<std::string> bytes) const override {
    return job_.finish(setup, parts_of(std::move(bytes)));
  }

  double result_bytes(const Setup& setup) const override {
    if constexpr (requires { job_.result_bytes(setup); })
      return job_.result_bytes(setup);
    else
      return 0;
  }

  std::vector<std::pair<std::string, std::string>> config() const override {
    return Job::schema().dump(config_);
  }

 private:
  static UnitOutput output_of(typename Job::Part part) {
    UnitOutput output{.part = bytes_of(part), .piece = {}};
    if constexpr (requires { part.piece; }) output.piece = std::move(part.piece);
    return output;
  }

  static std::string bytes_of(const typename Job::Part& part) { return to_archive(part); }
  static typename Job::Part part_of(std::string bytes) {
    return from_archive<typename Job::Part>(std::move(bytes));
  }

  static std::vector<typename Job::Part> parts_of(std::vector<std::string> bytes) {
    std::vector<typename Job::Part> parts(bytes.size());
    kernels::in_parallel(bytes.size(), [&](std::size_t i) { parts[i] = part_of(std::move(bytes[i])); });
    return parts;
  }

  typename Job::Config config_;
  Job job_;
};

}  // namespace detail

/// The registry line of a job.
template <Analysis Job>
AnalysisEntry entry_of() {
  return {.name = std::string(Job::name),
          .help = Job::schema().help(),
          .fields = Job::schema().fields(),
          .make = [](const io::Node* table) -> std::unique_ptr<AnyAnalysis> {
            typename Job::Config config = Job::schema().parse(table);
            if constexpr (requires { Job::settled(config); }) config = Job::settled(std::move(config));
            return std::make_unique<detail::Erased<Job>>(std::move(config));
          }};
}

}  // namespace chorale::engine
