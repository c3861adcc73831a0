// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <filesystem>

#include "io/study/recipe.hpp"
#include "io/study/report.hpp"

namespace chorale::io {

/// Reads deliveries (cBioPortal study folders) and writes a cohort: OUT/shard-NNNNN.h5, ingest.json, ingest.txt and,
/// last of all, cohort.json.
///
/// What is read is in molecular.hpp, clinical.hpp, outcome.hpp and profiled.hpp. Patients stand in the order of the
/// deliveries and of their patient tables. A study is refused by one message that lists everything wrong in a
/// file; with drop_invalid wrong rows are dropped and wrong values blanked, and both are counted.
///
/// Memory   clinical tables and sample identifiers grow with the patients; molecular tables are streamed and
///          spilled beyond recipe.spill_bytes, so memory does not grow with them
/// Threads  recipe.n_threads; the same bytes for any number
/// Throws   InputError for what is wrong in a study, ConfigError for what is wrong in the recipe or when OUT holds a
///          cohort that may not be overwritten, StoreError when the disk refuses
/// Cost     measured beside data.table::fread on the same text in perf/jobs/ingest_vs_fread.sh
IngestReport ingest(const IngestRecipe& recipe, const std::filesystem::path& out);

/// The recipe for one study folder, everything else as by default.
IngestRecipe recipe_for(const std::filesystem::path& study_folder);

}  // namespace chorale::io
