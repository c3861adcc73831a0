// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <functional>

#include "engine/cohort.hpp"
#include "engine/slice.hpp"

namespace chorale::engine {

/// Sizes of what is packed.
struct Extent {
  Index n_patients = 0;
  Index n_carried = 0;   ///< (patient, feature) carried
  Index n_untested = 0;  ///< (patient, feature) individually untested
};

/// Lays a cohort out in one block of memory and fills it slice by slice.
class Packer {
 public:
  Packer(const Reading& reading, Extent extent);
  Index n_bytes() const { return static_cast<Index>(n_bytes_); }

  /// The memory, n_bytes() of it, before anything else.
  void use(std::shared_ptr<SharedBlock> block);
  /// Copies a slice whose first patient, carried and untested entry have these positions.
  void fill(Slice& slice, Extent before);
  /// Carriers and gaps by feature, from the rows of all slices; collective over the node, whose ranks take a range of
  /// patients each.
  void transpose(Comm& comm);
  Cohort finish(Ledger ledger, io::VariantData variants = {});

 private:
  template <class T>
  Cohort::Section reserve(Index n);
  template <class T>
  T* at(Cohort::Section section);
  void transpose(Comm& comm, Cohort::Section row_offset, Cohort::Section row_feature, Cohort::Section offset,
                 Cohort::Section patient);
  void describe_panels();

  Reading reading_;
  Extent extent_;
  std::size_t n_bytes_ = 0;
  Cohort cohort_;
  Cohort::Section gap_row_offset_, gap_row_feature_;
};

}  // namespace chorale::engine
