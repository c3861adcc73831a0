// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <filesystem>
#include <functional>

#include "engine/comm.hpp"
#include "jobs/simulate/spec.hpp"
#include "kernels/types.hpp"

namespace chorale::jobs {

struct SimulateOptions {
  bool as_study = false;  ///< a cBioPortal study folder instead of shards
  bool overwrite = false;
  /// Called on every rank with the patients this rank has written and those the cohort will have.
  std::function<void(Index done, Index total)> progress = {};
};

/// Makes an in-silico cohort in OUT, and the truth behind it in OUT/truth (see truth.hpp). Collective.
///
/// Patient i is a pure function of (spec, i), so the shards' bytes do not depend on ranks or threads. Shards are dealt
/// by the communicator's counter and written where they are drawn; rank 0 writes cohort.json last. A study is text in
/// one piece, so rank 0 writes it alone, block by block, with all its threads; the meta files come last.
///
/// Throws   ConfigError when OUT holds a cohort or study already and overwrite is false, or when the spec cannot be
///          met; StoreError when the disk refuses
/// Cost     see jobs/README.md; memory: one shard per rank
void simulate(const SimulateSpec& spec, engine::Comm& comm, const std::filesystem::path& out,
              const SimulateOptions& options = {});

}  // namespace chorale::jobs
