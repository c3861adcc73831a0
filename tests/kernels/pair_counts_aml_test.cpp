// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
//
// The four cells of all pairs of genes of a real cohort of 1,540 patients with acute myeloid leukaemia, as R
// counted them from the same table of mutations; everyone was tested for every gene.
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "kernels/pair_counts_tables.hpp"
#include "tests/aml.hpp"

namespace chorale::kernels {
namespace {

TEST(PairTablesAml, EveryCellMatchesR) {
  if (!aml::are_here()) GTEST_SKIP() << aml::why_skipped();
  std::vector<std::string> genes;
  std::vector<std::vector<std::int32_t>> lists;
  for (const auto& [gene, of_gene] : aml::carriers()) {
    genes.push_back(gene);
    lists.emplace_back(of_gene.begin(), of_gene.end());
  }
  const std::vector<std::span<const std::int32_t>> views(lists.begin(), lists.end());
  const auto n_patients = static_cast<Index>(aml::patients().at("PATIENT_ID").size());
  const PairOrder order = pair_order(views, n_patients);
  const PairLists packed = make_pair_lists(order, views, n_patients);
  const PairCounter counter(packed);
  const PairTables pairs(packed, {});
  std::map<std::pair<std::string, std::string>, TwoByTwo> found;
  for (const PairTile& tile : pair_tiles(order)) {
    std::vector<std::int32_t> n11(static_cast<std::size_t>(tile.n_cells()));
    std::vector<TwoByTwo> tables(n11.size());
    counter.count(tile, n11);
    pairs.fill(tile, n11, tables);
    const auto gene = [&](Index rank) {
      return genes[static_cast<std::size_t>(order.feature[static_cast<std::size_t>(rank)])];
    };
    for (Index r = 0; r < tile.n_rows(); ++r) {
      for (Index c = 0; c < tile.n_pairs_of(r); ++c) {
        const TwoByTwo& table = tables[static_cast<std::size_t>(r * tile.n_columns() + c)];
        found[{gene(tile.row_begin + r), gene(tile.column_begin + c)}] = table;
        found[{gene(tile.column_begin + c), gene(tile.row_begin + r)}] = {table.n11, table.n01, table.n10,
                                                                          table.n00};
      }
    }
  }

  const auto expected = aml::reference("aml_comutation.json");
  ASSERT_EQ(expected.size(), 703u);  // 38 genes, 38 · 37 / 2 pairs
  for (const auto& pair : expected) {
    EXPECT_EQ((found.at({pair["a"], pair["b"]})),
              (TwoByTwo{pair["n11"], pair["n10"], pair["n01"], pair["n00"]}))
        << pair["a"] << " with " << pair["b"];
  }
}

}  // namespace
}  // namespace chorale::kernels
