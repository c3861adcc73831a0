// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <span>

#include "kernels/two_by_two.hpp"

namespace chorale::kernels {

/// What a stratified comparison could say.
enum class MantelHaenszelVerdict {
  estimated,               ///< every number is there
  no_interval,             ///< the odds ratio is 0 or +inf, and its interval is [0, +inf]; the test stands
  no_informative_stratum,  ///< every stratum has an empty row or column: all numbers are NaN
};

/// Association within strata, pooled over them.
struct MantelHaenszel {
  MantelHaenszelVerdict verdict;
  Index n_informative;  ///< strata without an empty row or column; the others change no number here
  Ratio odds_ratio;     ///< common to all strata, with the Robins-Breslow-Greenland interval
  double chi2;          ///< Cochran-Mantel-Haenszel, one degree of freedom
  double log10_p;
  double
      chi2_corrected;  ///< the same less ½ for continuity: what mantelhaen.test shows unless told otherwise
  double log10_p_corrected;
};

/// Cochran-Mantel-Haenszel over K 2x2 tables, one per site, panel or other stratum.
///
///   odds ratio      Σ n11 n00 / n  /  Σ n10 n01 / n  =  R / S
///   log variance    Σ P R_k / 2R² + Σ (P S_k + Q R_k) / 2RS + Σ Q S_k / 2S²,
///                   P = (n11 + n00) / n, Q = (n10 + n01) / n, R_k = n11 n00 / n, S_k = n10 n01 / n
///   interval        odds ratio · exp(± z √(log variance))
///   chi2            (|Σ n11 - row1 col1 / n| - c)² / Σ row1 row2 col1 col2 / n² (n - 1)
///                   c = 0, or ½ when corrected and |Σ …| ≥ ½
///
/// Shapes   strata (K), counts in patients
/// level    of the interval, in (0, 1)
/// Throws   ShapeError for bad counts, as check_counts(), or a level outside (0, 1)
/// Cost     about 20 ns a stratum; allocates nothing
/// Threads  pure; sums in the order of strata
/// Source   Mantel and Haenszel 1959, J Natl Cancer Inst 22:719; Robins, Breslow, Greenland 1986, Biometrics
/// 42:311 Oracle   R stats::mantelhaen.test, tests/oracle/mantel_haenszel.R
MantelHaenszel mantel_haenszel(std::span<const TwoByTwo> strata, double level = 0.95);

enum class HomogeneityVerdict {
  tested,                ///< every number is there
  one_stratum,           ///< fewer than two informative strata: nothing to compare, all numbers are NaN
  no_common_odds_ratio,  ///< the pooled odds ratio is 0 or +inf: nothing to compare with, all numbers are NaN
};

/// Whether the odds ratio is the same in all strata.
struct Homogeneity {
  HomogeneityVerdict verdict;
  Index df;            ///< informative strata less one, at least 0
  double chi2;         ///< Breslow-Day
  double chi2_tarone;  ///< with Tarone's correction, the one to report
  double log10_p;      ///< of chi2_tarone
};

/// Breslow and Day's test with Tarone's correction.
///
///   ψ       the Mantel-Haenszel odds ratio
///   a_k     the n11 that stratum k would have at odds ratio ψ and its own margins:
///           a (row2 - col1 + a) = ψ (row1 - a) (col1 - a)
///   v_k     1 / (1/a + 1/(row1 - a) + 1/(col1 - a) + 1/(row2 - col1 + a))
///   chi2    Σ (n11 - a)² / v
///   Tarone  chi2 - (Σ n11 - a)² / Σ v
///
/// Shapes, throws and threads as above
/// Cost     about 35 ns a stratum
/// Source   Breslow and Day 1980, Statistical Methods in Cancer Research I, §4.4; Tarone 1985, Biometrika
/// 72:91 Oracle   the formulas in R, tests/oracle/mantel_haenszel.R
Homogeneity breslow_day(std::span<const TwoByTwo> strata);

}  // namespace chorale::kernels
