// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <array>
#include <vector>

#include "io/shard.hpp"
#include "io/study/features.hpp"
#include "io/study/fields.hpp"
#include "io/study/panels.hpp"
#include "io/study/study.hpp"

namespace chorale::io::study {

/// Everything that a shard is put together from; const while shards are.
struct Plan {
  const std::vector<Study>& studies;
  const Catalogue& catalogue;
  const FieldPlan& fields;
  const PanelCodes& panels;
  const FeaturePlan& features;
  std::vector<std::vector<std::string>> pseudonym;  ///< [study][patient]
};

/// What became of a study's records.
struct Kept {
  Index kept = 0;
  Index off_panel = 0;     ///< gene is not on the patient's panel
  Index duplicate = 0;     ///< the same variant, in the same sample, stood before
  Index other_sample = 0;  ///< the same variant was found in another sample of the patient
  void add(const Kept& more);
};
using KeptByStudy = std::vector<std::array<Kept, n_profiles>>;  ///< [study][profile]

/// Puts together the patients [first, last) of the cohort from the clinical tables and the shard's records.
///
/// A variant, event or fusion of a gene that is not on the patient's panel is dropped, so carriers are always
/// tested. A variant that several samples have is kept once, with the allele fraction of the first sample in the
/// sample table. A copy number is untested when no profiled sample of the patient has a value.
/// Threads  shards may be assembled side by side
ShardData assemble_shard(const Plan& plan, Index first, Index last, const std::vector<char>& records,
                         KeptByStudy& kept);

}  // namespace chorale::io::study
