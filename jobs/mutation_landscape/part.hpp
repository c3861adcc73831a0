// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <boost/serialization/vector.hpp>

#include "engine/ledger.hpp"
#include "jobs/common/kernel_archives.hpp"
#include "kernels/cox.hpp"
#include "kernels/kaplan_meier.hpp"
#include "kernels/log_rank.hpp"
#include "kernels/two_by_two.hpp"
#include "kernels/two_group.hpp"

namespace chorale::jobs::landscape {

/// Protein changes of genes, without a text object each: a cohort has as many as variants.
struct ChangeLists {
  std::vector<std::int32_t> n;  ///< (n_genes) changes of each gene, which follow each other in order of text
  std::vector<std::int32_t> patients;  ///< of each change
  std::string texts;                   ///< of each change, ended by '\0'

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& n& patients& texts;
  }
};

/// Allele fractions of genes, one gene's after the other's.
struct FractionLists {
  std::vector<std::int32_t> n;  ///< (n_genes)
  std::vector<float> values;

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& n& values;
  }
};

/// What one shard counts: of all features and genes, or of those that were shared out to one rank. "Groups" are all
/// patients (0) and each group of the grouping (1 …).
struct Counts {
  engine::Ledger ledger;               ///< this and the next three empty in all shares but the first
  std::vector<std::int64_t> patients;  ///< (n_groups)
  std::vector<std::vector<std::int64_t>>
      burden;  ///< per group: patients with 0, 1, … altered genes, of those profiled
  std::vector<std::int64_t> carriers;        ///< (n_groups × n_features)
  std::vector<std::int64_t> tested;          ///< (n_groups × n_features)
  std::vector<std::int32_t> class_variants;  ///< (n_genes × n_classes) variants
  std::vector<std::int32_t> class_patients;  ///< (n_genes × n_classes) patients with such a variant
  FractionLists fractions;                   ///< of the classes that make a carrier
  ChangeLists changes;                       ///< likewise; n is empty when none are listed

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& ledger& patients& burden& carriers& tested& class_variants& class_patients& fractions& changes;
  }
};

/// A protein change and the patients that carry it.
struct Change {
  std::int32_t gene = 0;
  std::string protein_change;
  std::int64_t n_patients = 0;

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& gene& protein_change& n_patients;
  }
};

/// Most patients first, then by gene and text.
inline bool comes_first(const Change& a, const Change& b) {
  if (a.n_patients != b.n_patients) return a.n_patients > b.n_patients;
  return a.gene != b.gene ? a.gene < b.gene : a.protein_change < b.protein_change;
}

/// Allele fractions of a gene.
struct FractionRow {
  std::int32_t gene = 0;
  std::int64_t n = 0;
  double lower = 0, median = 0, upper = 0;  ///< quartiles

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& gene& n& lower& median& upper;
  }
};

/// All shards together: of features and genes first, first + step, …
struct Totals {
  Index first = 0, step = 0;  ///< step 0: nothing, the part is of another stage
  engine::Ledger ledger;      ///< this and the next two empty but where first is 0
  std::vector<std::int64_t> patients;
  std::vector<std::vector<std::int64_t>> burden;
  std::vector<std::int64_t> carriers;  ///< (n_groups × n_features)
  std::vector<std::int64_t> tested;
  std::vector<std::int64_t> class_variants;  ///< (n_genes × n_classes)
  std::vector<std::int64_t> class_patients;
  std::vector<FractionRow> fractions;  ///< genes with fractions, ascending
  std::vector<Change> changes;         ///< those that most patients share, in the order of comes_first

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& first& step& ledger& patients& burden& carriers& tested& class_variants& class_patients&
        fractions& changes;
  }
};

/// One feature in two groups.
struct ComparisonRow {
  std::int32_t feature = 0, group_a = 0, group_b = 0;  ///< group_b -1: all others
  std::int64_t a_carriers = 0, a_tested = 0, b_carriers = 0, b_tested = 0;
  double log10_p = 0, odds_ratio = 0, lower = 0, upper = 0;
  std::int32_t n_strata = 0;  ///< informative ones
  double cmh_odds_ratio = 0, cmh_lower = 0, cmh_upper = 0, cmh_chi2 = 0, cmh_log10_p = 0;
  std::int32_t bd_df = 0;
  double bd_chi2 = 0, bd_log10_p = 0;

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& feature& group_a& group_b& a_carriers& a_tested& b_carriers& b_tested& log10_p& odds_ratio&
        lower& upper& n_strata& cmh_odds_ratio& cmh_lower& cmh_upper& cmh_chi2& cmh_log10_p& bd_df& bd_chi2&
            bd_log10_p;
  }
};

/// One feature's outcome in one group.
struct OutcomeRow {
  std::int32_t feature = 0, group = 0;
  kernels::TwoGroupFit crude;
  kernels::AdjustedFit adjusted;
  kernels::TwoGroupCurves curves;

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& feature& group& crude& adjusted& curves;
  }
};

/// A group's own survival.
struct GroupCurve {
  std::int32_t group = 0;
  kernels::KmCurve curve;
  kernels::KmMedian median{};
  std::vector<kernels::KmPoint> landmarks;

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& group& curve& median& landmarks;
  }
};

/// What a unit yields; the members of the other stages stay empty.
struct Part {
  Index first = 0, step = 1;   ///< of the features and genes in `shards`: a share of the counting stage
  std::vector<Counts> shards;  ///< one, or in a share as many as a rank has counted
  Totals totals;               ///< the shares of all ranks, joined
  std::vector<ComparisonRow> comparison;
  std::vector<OutcomeRow> outcome;
  std::vector<GroupCurve> curves;
  kernels::LogRankResult log_rank;
  engine::Ledger outcome_ledger;

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& first& step& shards& totals& comparison& outcome& curves& log_rank& outcome_ledger;
  }
};

}  // namespace chorale::jobs::landscape
