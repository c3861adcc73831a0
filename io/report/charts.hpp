// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <string>
#include <vector>

#include "io/results.hpp"

/// Charts are chosen by the columns a table has, not by the job that made it: each function returns figures (HTML)
/// for a table that suits it and nothing for any other.
namespace chorale::io::report {

/// Features by frequency, most frequent first: bars with their intervals, or a grid of numbers when groups are many.
/// Columns  feature, frequency; used when there: freq_lower, freq_upper, group, carriers, tested
std::string frequency_chart(const ResultTable& table);

/// Kaplan-Meier curves with confidence bands and the numbers at risk below.
/// Columns  group, time (days), at_risk, survival, events, and no feature; used when there: lower, upper
std::string survival_chart(const ResultTable& table);

/// Strongest effects as hazard ratios with 95 % intervals, crude and adjusted side by side. The terms of a model that was
/// bootstrapped have coefficient_chart.
/// Columns  feature or term or feature_a and feature_b, log_hazard and se (or adj_log_hazard and adj_se, or
///          log_hazard_ab and se_ab; for triples log_hazard_abc and se_abc, and so on); used when there: log10_p
///          (adj_log10_p, lrt_log10_p), group
std::string forest_chart(const ResultTable& table);

/// Effect against significance, a picture for each kind of effect: odds ratio, ratio of odds ratios, hazard ratio of the
/// interaction.
/// Columns  feature or feature_a and feature_b; odds_ratio or log_ratio, and log10_p; log_hazard_ab (log_hazard_abc, …)
///          and lrt_log10_p; used when there: q, lrt_q, group_a and group_b
std::string volcano_chart(const ResultTable& table);

/// The terms of a model as hazard ratios: the interval by the standard error beside that of the bootstrap, or that of the
/// bootstrap alone where coefficients are penalised. Most selected first, then strongest. Numbers count per standard
/// deviation, which stands beside their name; a coefficient without bound ends in an arrow.
/// Columns  term, log_hazard, boot_lower, boot_upper; used when there: lower, upper, boot_mean, selected, log10_p, rank,
///          mean and sd of the column
std::string coefficient_chart(const ResultTable& table);

/// How well a model predicts, on its own patients and on others: concordances, Brier scores and slopes, an axis each.
/// Columns  measure, apparent, corrected; used when there: horizon (days), lower, upper
std::string performance_chart(const ResultTable& table);

/// Survival observed against predicted, a square for each horizon, with the diagonal where they agree.
/// Columns  horizon (days), predicted, observed; used when there: lower, upper, corrected, n
std::string calibration_chart(const ResultTable& table);

/// What a model is worth on patients whose site, trial or other level was left out: concordance, and events over
/// those expected, by level.
/// Columns  level, measure, value; used when there: lower, upper, n, horizon (days)
std::string left_out_chart(const ResultTable& table);

/// Concordance of a model and its risk groups beside that of other schemes, and the differences.
/// Columns  scheme, predictor, measure, concordance, scheme_concordance, difference, lower, upper; used when there: n
std::string scheme_chart(const ResultTable& table);

/// The criterion along a path of penalties, the number of terms above it, the chosen penalty marked.
/// Columns  lambda, n_terms, criterion, chosen; used when there: criterion_se
std::string path_chart(const ResultTable& table);

/// How often terms are chosen from half samples: bars with the line from which they count as stable.
/// Columns  term, frequency, stable; used when there: cutoff
std::string stability_chart(const ResultTable& table);

/// A square of features against features, up to 500 of them, like beside like: association below the diagonal,
/// interaction with outcome above it.
/// Columns  row, column, log2_odds_ratio; used when there: n11, log10_p, q, log_hazard_ab, lrt_log10_p, lrt_q
std::string heat_map(const ResultTable& table);

/// How p-values are spread, a small picture per test, with the line where they would lie if nothing were going on.
/// Columns  test, p_lower, p_upper, n, expected
std::string p_value_chart(const ResultTable& table);

/// Survival at landmarks of the groups that a pair makes, for the first pairs of the table.
/// Columns  feature_a, feature_b, group, survival_T, survival_T_lower, survival_T_upper with T in days, for one or
///          more T; used when there: n_analysed, events, median
std::string landmark_chart(const ResultTable& table);

/// An order of n things in which those that go together stand together: the two groups with the highest average
/// similarity are joined, their most similar ends touching, until one is left.
/// Shapes   similarity (n · n), symmetric; the diagonal is not read
/// Cost     n³ at worst
std::vector<std::size_t> order_by_similarity(const std::vector<double>& similarity, std::size_t n);

/// A figure: the picture and the sentence below it.
std::string figure(const std::string& picture, const std::string& caption);

/// Colour-blind safe looks for up to this many series, classes s0, s1, …
inline constexpr std::size_t n_looks = 8;

/// A column of whole or real numbers as numbers, NaN for missing; empty when the table has none of that name.
std::vector<double> numbers(const ResultTable& table, const std::string& column);

/// A column of texts; empty when the table has none of that name.
std::vector<std::string> texts(const ResultTable& table, const std::string& column);

/// What a row is about: feature, term, or "feature_a × feature_b × …"; empty when the table has none of these.
std::vector<std::string> subjects(const ResultTable& table);

/// "ab" for a table of pairs (feature_a, feature_b), "abc" for one of triples, and so on; empty for any other. The
/// columns log_hazard_ab, se_abc, … of the highest interaction end with it.
std::string set_letters(const ResultTable& table);

/// The different values of a column in the order in which they first stand.
std::vector<std::string> in_order(const std::vector<std::string>& values);

/// For people: 3 or 4 significant digits, thousands apart; "10^-12.3" style for tiny p-values given as log10.
std::string readable(double value);
std::string readable_count(std::int64_t value);
std::string readable_p(double log10_p);
/// "5 years", "1 year", "90 days": whole years of 365.25 days as years.
std::string readable_time(double days);
/// "1 pair", "1,234 pairs".
std::string counted(std::int64_t n, const std::string& thing);

}  // namespace chorale::io::report
