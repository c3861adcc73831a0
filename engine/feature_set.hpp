// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/job_config.hpp"
#include "io/catalogue.hpp"

namespace chorale::engine {

/// A feature of a job: an entry of the cohort's dictionary, or a 0/1 clinical field.
struct JobFeature {
  std::string name;
  std::string kind;              ///< "mutation", "copy_number", "structural", "field"
  std::int32_t dictionary = -1;  ///< position in Catalogue::features, -1 for a field
  std::int32_t field = -1;       ///< position in Catalogue::fields, -1 otherwise
};

/// [features] checked against a catalogue: the features of a job in dictionary order, then fields as listed.
struct FeatureSet {
  std::vector<JobFeature> features;
  std::string class_set;             ///< name, printed in results
  std::vector<std::string> classes;  ///< the classes in the set
  bool from_variants = false;  ///< the set differs from the cohort's own: genes are derived from /variant

  Index size() const { return static_cast<Index>(features.size()); }

  /// Throws   ConfigError when a name in `include` or `fields` or the class set is unknown, or nothing is left
  static FeatureSet resolve(const FeaturesConfig& config, const io::Catalogue& catalogue);

  /// Only the features at these positions, which ascend.
  FeatureSet keep(const std::vector<Index>& positions) const;
};

}  // namespace chorale::engine
