// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <vector>

#include "kernels/types.hpp"

namespace chorale::kernels {

/// Rows (or columns) of a 0/1 table that share their sum.
struct MarginClass {
  double sum;   ///< ones in each of them
  double size;  ///< how many of them
};

/// The table of largest entropy with given margins; see BurdenBackground for the model.
struct MarginFit {
  std::vector<double> probability;  ///< (n_columns, n_rows) by class
  int iterations;
  double error;  ///< largest |expected - observed| / min(observed, possible - observed)
  bool converged;
};

/// Throws nothing: the caller has checked that Σ rows sum · size = Σ columns sum · size.
MarginFit fit_margins(const std::vector<MarginClass>& rows, const std::vector<MarginClass>& columns);

}  // namespace chorale::kernels
