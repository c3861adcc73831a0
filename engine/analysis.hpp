// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <concepts>
#include <functional>
#include <memory>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/archive/binary_iarchive.hpp>
#include <boost/archive/binary_oarchive.hpp>
#include <boost/serialization/string.hpp>
#include <boost/serialization/vector.hpp>

#include "engine/plan.hpp"
#include "io/config/schema.hpp"
#include "io/results.hpp"

namespace chorale::engine {

/// What a job is: a plain class. Because run() is pure, the engine alone gives distribution, load balance, restart
/// and answers that do not depend on ranks or threads.
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

/// A job with its types forgotten; parts are Boost.Serialization archives.
class AnyAnalysis {
 public:
  virtual ~AnyAnalysis() = default;
  virtual std::vector<Stage> stages(const Setup& setup) const = 0;
  virtual std::string run(const Setup& setup, const Cohort& cohort, Unit unit) const = 0;
  virtual io::Results finish(const Setup& setup, const std::vector<std::string>& parts) const = 0;
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

  std::string run(const Setup& setup, const Cohort& cohort, Unit unit) const override {
    std::ostringstream out;
    boost::archive::binary_oarchive archive(out, boost::archive::no_header);
    const typename Job::Part part = job_.run(setup, cohort, unit);
    archive << part;
    return std::move(out).str();
  }

  io::Results finish(const Setup& setup, const std::vector<std::string>& bytes) const override {
    std::vector<typename Job::Part> parts(bytes.size());
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      std::istringstream in(bytes[i]);
      boost::archive::binary_iarchive archive(in, boost::archive::no_header);
      archive >> parts[i];
    }
    return job_.finish(setup, parts);
  }

  std::vector<std::pair<std::string, std::string>> config() const override {
    return Job::schema().dump(config_);
  }

 private:
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
            return std::make_unique<detail::Erased<Job>>(Job::schema().parse(table));
          }};
}

}  // namespace chorale::engine
