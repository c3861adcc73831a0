// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include "io/study/study.hpp"

namespace chorale::io::study {

/// Decides for each sample and profile how it was assayed, from the panel matrix and the case lists:
///
///   panel matrix has a column for the profile   the panel that it names; NA or no row: by recipe.panel_na, where
///                                               by_rows leaves it to the case list, or to the table's rows
///   otherwise a case list of the profile        whole exome for its samples, not profiled for the others
///   otherwise                                   every sample, for every gene seen in the table
///
/// A profile without a table is not profiled. Copy number additionally needs a value: see copy_number.hpp.
/// Throws   InputError for a panel that no file defines, and, unless dropped, for samples that the sample table
///          does not know
void find_assays(Study& study, const IngestRecipe& recipe, const ReadOptions& options);

/// Turns as_rows_say into whole_exome or not_profiled once the tables were read.
void settle_assays(Study& study);

}  // namespace chorale::io::study
