// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <filesystem>
#include <functional>

#include "jobs/simulate/model.hpp"

namespace chorale::jobs {

/// Writes the model's patients as a cBioPortal study: clinical patient and sample tables, a MAF, gene panels, the panel
/// matrix and the _sequenced case list. One sample per patient. Times are months of 30.4375 days with 15 significant
/// digits; a whole exome is written as a panel of all genes, so that genes nobody carries keep their place. Entrez ids
/// are empty and positions are made up: three bases per residue, on a chromosome per gene.
///
/// The meta files, by which a study is found, are written last. Blocks of patients are drawn and formatted on all
/// threads and appended in order, so memory does not grow with the study and bytes do not depend on threads.
/// Throws   StoreError when the disk refuses
/// Source   docs.cbioportal.org, File Formats
void write_simulated_study(const CohortModel& model, const std::filesystem::path& folder,
                           const std::function<void(Index done, Index total)>& progress);

}  // namespace chorale::jobs
