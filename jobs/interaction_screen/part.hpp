// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/serialization/array.hpp>
#include <boost/serialization/is_bitwise_serializable.hpp>
#include <boost/serialization/split_member.hpp>
#include <boost/serialization/string.hpp>
#include <boost/serialization/vector.hpp>

#include "engine/ledger.hpp"
#include "io/results.hpp"
#include "jobs/common/kernel_archives.hpp"
#include "jobs/interaction_screen/outcome.hpp"
#include "kernels/item_sets.hpp"
#include "kernels/log_linear.hpp"
#include "kernels/max_t.hpp"
#include "kernels/pair_cox.hpp"
#include "kernels/pair_cox_reri.hpp"
#include "kernels/set_cox.hpp"
#include "kernels/two_by_two.hpp"

namespace chorale::jobs::interaction {

/// A p of one pair.
struct KeptP {
  std::int32_t a = 0, b = 0;
  double log10_p = 0;

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& a& b& log10_p;
  }
};

}  // namespace chorale::jobs::interaction

// by the million: copied as bytes
BOOST_IS_BITWISE_SERIALIZABLE(chorale::jobs::interaction::KeptP)

namespace chorale::jobs::interaction {

/// Counts of 0 and above as bytes, seven bits in each, the lowest first; the eighth says that more follow (LEB128).
std::string to_bytes(std::span<const std::int64_t> counts);
std::vector<std::int64_t> to_counts(std::string_view bytes);

/// The p of many pairs from one test: all of them counted, the small ones kept.
struct PTally {
  static constexpr Index n_bins = 2000;  ///< of equal width in p

  std::int64_t n_tested = 0;
  std::vector<std::int64_t>
      bins;  ///< (n_bins) of the tested, or of those drawn for it; none once they are added up
  std::vector<KeptP> kept;
  double smallest = kernels::missing;  ///< log10 of the smallest p

  // bins hold few pairs each, and there are thousands of units: a byte for a small number instead of eight
  template <class Archive>
  void save(Archive& archive, unsigned) const {
    const std::string small = to_bytes(bins);
    archive << n_tested << small << kept << smallest;
  }
  template <class Archive>
  void load(Archive& archive, unsigned) {
    std::string small;
    archive >> n_tested >> small >> kept >> smallest;
    bins = to_counts(small);
  }
  BOOST_SERIALIZATION_SPLIT_MEMBER()
};

/// What one unit of the pairs stage found.
struct PairsPart {
  std::int64_t n_pairs = 0, n_untested = 0, n_uninformative = 0;  ///< nobody tested for both; an empty margin
  std::vector<PTally> tests;                  ///< of association, in the order of the design
  PTally interaction;                         ///< by the screen
  std::int64_t n_rare = 0;                    ///< fewer double carriers than min_both
  std::int64_t n_not_fitted = 0;              ///< without p: nobody dies, an empty group, …
  std::int64_t n_proven = 0;                  ///< proven above the bound without a fit
  std::vector<kernels::FeaturePair> checked;  ///< beyond the screen's bound, drawn for the check

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& n_pairs& n_untested& n_uninformative& tests& interaction& n_rare& n_not_fitted& n_proven&
        checked;
  }
};

/// Why a pair is looked at in detail.
enum PairFlag : std::uint8_t { by_association = 1, by_screen = 2, by_check = 4, by_matrix = 8 };

struct ChosenPair {
  std::int32_t a = 0, b = 0;
  std::uint8_t flags = 0;

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& a& b& flags;
  }
};

/// Everything about one pair.
struct PairRow {
  ChosenPair pair;
  kernels::TwoByTwo cells;
  std::vector<kernels::TwoByTwo> strata;
  std::vector<double> log10_p;  ///< by test
  kernels::Ratio odds_ratio{};
  kernels::Ratio cmh_odds_ratio{}, exact_odds_ratio{};
  double homogeneity_log10_p = kernels::missing;
  double burden_expected = kernels::missing;

  double screen_log10_p = kernels::missing;
  bool asked = false;  ///< about outcome
  kernels::PairCoxFit fit;
  kernels::Reri reri;
  PairCurves curves;
  double association_z = kernels::missing, interaction_z = kernels::missing;  ///< what maxT compares

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& pair& cells& strata& log10_p& odds_ratio& cmh_odds_ratio& exact_odds_ratio& homogeneity_log10_p&
        burden_expected& screen_log10_p& asked& fit& reri& curves& association_z& interaction_z;
  }
};

/// Of a pair looked at in detail, what is needed even where it is in no table.
struct LightRow {
  std::int32_t a = 0, b = 0;
  bool asked = false;                 ///< about outcome
  bool together = false;              ///< odds ratio above 1
  double log10_p = kernels::missing;  ///< of the first test
  double screen_log10_p = kernels::missing, lrt_log10_p = kernels::missing;

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& a& b& asked& together& log10_p& screen_log10_p& lrt_log10_p;
  }
};

/// A set of three or four features that enough patients carry, the most frequent feature first.
struct FoundSet {
  std::int32_t order = 0;
  std::array<std::int32_t, kernels::max_item_set_order> feature{};
  std::int32_t n_all = 0;  ///< patients who carry all of them

  std::span<const std::int32_t> features() const {
    return std::span(feature).first(static_cast<std::size_t>(order));
  }
  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& order& feature& n_all;
  }
};

/// A set with what was estimated of it.
struct SetRow {
  FoundSet set;
  /// Patients tested for all, by what they carry: bit j of the subscript is set where feature j is carried.
  std::array<std::int32_t, 1 << kernels::max_item_set_order> cell{};
  kernels::LogLinear association;
  kernels::SetCoxFit fit;

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& set& cell& association& fit;
  }
};

/// What a unit yields; the members of the other stages stay empty.
struct Part {
  PairsPart pairs;
  std::vector<std::int64_t> carriers, tested;  ///< (n_features), from the first unit
  std::vector<std::int32_t> most_frequent;     ///< features of the matrix, from the first unit
  std::vector<std::string> strata_labels;      ///< from the first unit
  engine::Ledger ledger;                       ///< from the first unit
  std::vector<PairRow> rows;
  std::vector<LightRow>
      light;  ///< every row, once parts are joined; then `rows` has only those that tables may show
  std::array<std::int64_t, kernels::max_item_set_order + 1> n_sets{};  ///< found, by order
  std::vector<FoundSet> sets;                                          ///< those with most carriers
  std::vector<SetRow> set_rows;
  std::vector<kernels::Extremes> association_extremes, interaction_extremes;  ///< by permutation
  Index n_permuted_associations = 0, n_permuted_interactions = 0;             ///< pairs, from the first unit
  std::vector<std::int32_t> own_effects;  ///< features in the model of the residuals, from the first unit
  std::optional<io::ResultTable> piece;   ///< written where it is made

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& pairs& carriers& tested& most_frequent& strata_labels& ledger& rows& light& n_sets& sets&
        set_rows& association_extremes& interaction_extremes& n_permuted_associations&
            n_permuted_interactions& own_effects;
  }
};

}  // namespace chorale::jobs::interaction
