// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/cox_scores.hpp"

#include <algorithm>
#include <vector>

#include "kernels/aligned.hpp"

namespace chorale::kernels {

Index score_stride(Index n_columns) {
  constexpr Index widest = 8;
  return (n_columns + widest - 1) / widest * widest;
}

Eigen::MatrixXd score_products(const ColumnTable& columns, const double* factor,
                               std::span<const ScoreTerm> terms, Index n_rows) {
  constexpr Index rows_per_block = 4096;
  const Index p = columns.n_columns, n_products = p * (p + 1) / 2;
  const Index n_blocks = (n_rows + rows_per_block - 1) / rows_per_block;
  std::vector<double> products(static_cast<std::size_t>(n_blocks * n_products));
#pragma omp parallel if (n_blocks > 1)
  {
    AlignedDoubles room(static_cast<std::size_t>(score_stride(p) * score_room));
#pragma omp for schedule(dynamic)
    for (Index b = 0; b < n_blocks; ++b) {
      CHORALE_AT_LEVEL(cox_score_products, columns, factor, terms.data(), static_cast<Index>(terms.size()),
                       b * rows_per_block, std::min(n_rows, (b + 1) * rows_per_block), room.data(),
                       products.data() + b * n_products);
    }
  }
  Eigen::MatrixXd total = Eigen::MatrixXd::Zero(p, p);
  const double* product = products.data();
  for (Index b = 0; b < n_blocks; ++b) {
    for (Index j = 0; j < p; ++j) {
      for (Index k = j; k < p; ++k) total(j, k) += *product++;
    }
  }
  return total.selfadjointView<Eigen::Upper>();
}

}  // namespace chorale::kernels
