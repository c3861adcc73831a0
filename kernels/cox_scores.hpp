// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <Eigen/Dense>
#include <span>

#include "kernels/cox_body.hpp"

namespace chorale::kernels {

/// Columns of a table that a ScoreTerm points to: as many numbers as whole vectors hold, zeros behind the n_columns.
Index score_stride(Index n_columns);

/// Σ_i u_i u_i' of n_rows patients' scores, of which none are kept:
///
///   u_ij = factor[i] x_ij + Σ_terms term.factor[i] · term.table[term.row[i]][j]
///
/// Shapes   factor (n_rows), null: without x; every table (rows, score_stride(n_columns))
/// Cost     n_rows · n_columns · (n_columns/2 + terms + 3)
/// Threads  over fixed blocks of patients, summed in block order
Eigen::MatrixXd score_products(const ColumnTable& columns, const double* factor,
                               std::span<const ScoreTerm> terms, Index n_rows);

}  // namespace chorale::kernels
