// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "kernels/aligned.hpp"
#include "kernels/carrier_counts.hpp"
#include "kernels/poisson_binomial.hpp"
#include "kernels/types.hpp"

namespace chorale::kernels {

/// The margins of one stratum: patients of one panel (who are tested for the same features), of one entity if wanted.
struct BurdenMargins {
  std::vector<Index> patients_with;  ///< [r]: patients who carry r of the tested features; r = 0 … n_tested
  std::vector<Index> carriers;       ///< by feature; -1 where the stratum is not tested for it
};

/// Counts the margins of every stratum. Sums of shards: add element by element.
///
/// Shapes   rows (n_patients), strata (n_patients) with code -1 for patients to leave out,
///          tested (n_groups, n_features) 0 or 1, or empty when everyone is tested for everything
/// Throws   ShapeError as carrier_counts(), and when a patient carries a feature that the stratum is not tested for
/// Cost     two passes over the alterations, 3 ns each
/// Oracle   counted patient by patient in the test
std::vector<BurdenMargins> burden_margins(const SparseRowsView& rows, const Groups& strata, Index n_features,
                                          std::span<const std::uint8_t> tested = {});

/// What became of the background of one stratum.
enum class BackgroundVerdict : std::int8_t {
  fitted,
  empty,         ///< no patient, or no feature tested: the stratum adds nothing
  not_converged  ///< the margins could not be met to 1e-9: its probabilities are the closest found
};
std::string_view name_of(BackgroundVerdict verdict);

struct BackgroundFit {
  BackgroundVerdict verdict;
  Index n_patients;
  Index n_burdens;  ///< distinct row sums: patients of one row sum share their probabilities
  Index n_classes;  ///< distinct column sums: so do features of one column sum
  int iterations;
  double margin_error;  ///< largest |expected - observed| / min(observed, possible - observed) of any margin
};

/// How the probability that a patient carries both a and b follows from those of a and of b.
enum class PairModel : std::int8_t {
  given_burden,  ///< P_a P_b - v_a v_b / (V - (v_a + v_b)/2), v = P (1-P), V = Σ_g v: the row sum is what it is
  independent,  ///< P_a P_b, as DISCOVER has it
};

/// The probability that a patient carries a feature, given how many features the patient carries and how many
/// patients carry the feature: the model of maximum entropy with these expected margins.
///
///   logit P(i carries g) = α(row sum of i) + β(column sum of g)
///   Σ_g P = row sum of i for every patient,  Σ_i P = column sum of g for every feature, within each stratum
///
/// As many unknowns as distinct sums. Rows and columns that are empty or full are taken out first (their P is 0 or 1);
/// the rest maximises a concave likelihood by Newton's method with the larger half of the unknowns eliminated.
///
/// Throws   ShapeError when margins do not fit each other: lengths, negative counts, or unequal sums of rows and columns
/// Cost     per stratum and iteration (3 to 10): n_burdens² · n_classes multiplications with the shorter side squared;
///          of 100,000 patients 500 features (150 distinct row sums) take 5 ms, 4,000 features (810) take 0.6 s
/// Memory   8 bytes · n_burdens · n_classes, per stratum
/// Threads  construction is serial; reading is safe from many threads
/// Source   Canisius, Martens, Wessels 2016, Genome Biology 17:261 (DISCOVER)
/// Oracle   R stats::glm(carries ~ patient + feature, binomial), which meets the same margins, tests/oracle/burden.R
class BurdenBackground {
 public:
  explicit BurdenBackground(std::span<const BurdenMargins> strata);

  Index n_features() const { return n_features_; }
  std::span<const BackgroundFit> fits() const { return fits_; }

  /// P of a patient with `burden` tested features; NaN when nobody in the stratum has that burden, or the stratum is not
  /// tested for the feature.
  double probability(Index stratum, Index burden, Index feature) const;

  /// Replaces what `trials` holds by the patients tested for both features, each a trial that succeeds with
  /// P(carries both); returns how many there are.
  Index pair_trials(Index a, Index b, PairModel model, PoissonBinomial& trials) const;

 private:
  struct Stratum {
    std::vector<Index> burden;           // the distinct row sums, rising
    AlignedDoubles n_patients;           // by row sum, padded with 0 to a multiple of 8
    std::vector<std::int32_t> class_of;  // by feature; -1 not tested
    AlignedDoubles probability;          // (n_classes, row sums padded with 0)
    AlignedDoubles spread;               // Σ_g P (1 - P) by row sum

    std::span<const double> of_class(std::int32_t code) const {
      return std::span(probability)
          .subspan(static_cast<std::size_t>(code) * n_patients.size(), n_patients.size());
    }
  };

  void add(const BurdenMargins& margins);

  Index n_features_ = 0;
  std::vector<Stratum> strata_;
  std::vector<BackgroundFit> fits_;
};

/// Two features and the patients who carry both, among those of all strata that are tested for both.
struct ObservedPair {
  std::int32_t a, b;
  Index n_both;
};

/// Whether two features go together or avoid each other, beyond what the burdens of the patients explain.
struct BurdenTest {
  Index n_tested;   ///< patients tested for both; 0: nothing to say, every log10 p is 0
  double expected;  ///< patients who would carry both
  double variance;
  double log10_p_co_occurrence;  ///< P(X ≥ n_both)
  double log10_p_exclusivity;    ///< P(X ≤ n_both)
  double log10_p;                ///< two-sided: twice the smaller one, at most 1
  TailMethod method;
};

/// Tests pairs against the background: X = Σ_i Bernoulli(P(i carries a and b)), a and b independent but for the row sum.
///
/// Fisher's test takes every patient for equal, so that a few hypermutated patients make all features co-occur.
/// PairModel::independent expects about one part in (row sum) too many double carriers: a patient's own features are
/// part of the burden. PairModel::given_burden takes that out by the covariance that a fixed sum imposes, which is
/// exact for features of one frequency. Column sums are met in the mean only, so both models are cautious (p too near
/// the middle) for features that more than one patient in ten carries.
/// The tails and their accuracy are those of PoissonBinomial.
///
/// Shapes   pairs (n), tests (n)
/// Throws   ShapeError when the spans differ in length, a feature is out of range, or n_both is negative or above the
///          patients tested for both
/// Cost     0.3 µs a pair with 50 distinct row sums, 1 µs with 150, whatever the number of patients
/// Threads  over pairs; each is computed by one thread alone, so equal for any thread count
/// Source   as above; the covariance of independent trials given their sum, to first order
/// Oracle   kernels/reference/poisson_binomial.cpp, patient by patient; uniform p-values under the null
void burden_tests(const BurdenBackground& background, std::span<const ObservedPair> pairs,
                  std::span<BurdenTest> tests, PairModel model = PairModel::given_burden);

}  // namespace chorale::kernels
