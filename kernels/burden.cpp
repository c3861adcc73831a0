// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/burden.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>
#include <string>

#include "kernels/burden_body.hpp"
#include "kernels/burden_fit.hpp"
#include "kernels/error.hpp"

namespace chorale::kernels {
namespace {

[[noreturn]] void refuse(std::string what, std::string found, std::string expected) {
  throw ShapeError({.what = std::move(what), .found = std::move(found), .expected = std::move(expected)});
}

void check_margins(const BurdenMargins& margins, Index n_features) {
  if (static_cast<Index>(margins.carriers.size()) != n_features) {
    refuse("strata differ in their number of features", fmt::format("{}", margins.carriers.size()),
           fmt::format("{}", n_features));
  }
  Index n_patients = 0, by_row = 0, by_column = 0, n_tested = 0;
  for (std::size_t r = 0; r < margins.patients_with.size(); ++r) {
    if (margins.patients_with[r] < 0) refuse("negative number of patients", "", "a count");
    n_patients += margins.patients_with[r];
    by_row += margins.patients_with[r] * static_cast<Index>(r);
  }
  for (const Index carriers : margins.carriers) {
    if (carriers < -1 || carriers > n_patients) {
      refuse("carriers do not fit the stratum", fmt::format("{} of {} patients", carriers, n_patients),
             "a count, or -1 where not tested");
    }
    by_column += std::max<Index>(0, carriers);
    n_tested += carriers >= 0 ? 1 : 0;
  }
  if (by_row != by_column || static_cast<Index>(margins.patients_with.size()) > n_tested + 1) {
    refuse("row and column sums of a stratum do not belong together",
           fmt::format("{} by patient (up to {} each), {} by feature", by_row,
                       static_cast<Index>(margins.patients_with.size()) - 1, by_column),
           fmt::format("the same sum, and no patient with more than {} features", n_tested));
  }
}

}  // namespace

std::string_view name_of(BackgroundVerdict verdict) {
  switch (verdict) {
    case BackgroundVerdict::fitted:
      return "fitted";
    case BackgroundVerdict::empty:
      return "empty";
    case BackgroundVerdict::not_converged:
      return "not_converged";
  }
  refuse("background verdict out of range", std::to_string(static_cast<int>(verdict)), "a BackgroundVerdict");
}

std::vector<BurdenMargins> burden_margins(const SparseRowsView& rows, const Groups& strata, Index n_features,
                                          std::span<const std::uint8_t> tested) {
  const Index n_cells = strata.n_groups * n_features;
  if (!tested.empty() && static_cast<Index>(tested.size()) != n_cells) {
    refuse("stratum × feature mask has the wrong size", fmt::format("{}", tested.size()),
           fmt::format("{}", n_cells));
  }
  std::vector<std::int64_t> carriers(static_cast<std::size_t>(n_cells));
  carrier_counts(rows, strata, n_features, carriers);
  std::vector<BurdenMargins> margins(static_cast<std::size_t>(strata.n_groups));
  auto cell = carriers.begin();
  auto holds = tested.begin();
  for (BurdenMargins& stratum : margins) {
    stratum.carriers.assign(cell, cell + n_features);
    cell += n_features;
    Index n_tested = n_features;
    for (std::size_t f = 0; !tested.empty() && f < stratum.carriers.size(); ++f, ++holds) {
      if (*holds != 0) continue;
      if (stratum.carriers[f] > 0) {
        refuse("patients carry a feature that their stratum is not tested for",
               fmt::format("{} carriers of feature {}", stratum.carriers[f], f), "none");
      }
      stratum.carriers[f] = -1;
      --n_tested;
    }
    stratum.patients_with.assign(static_cast<std::size_t>(n_tested) + 1, 0);
  }
  for (std::size_t i = 0; i < strata.code.size(); ++i) {
    const std::int32_t code = strata.code[i];
    if (code < 0) continue;
    std::vector<Index>& patients_with = margins[static_cast<std::size_t>(code)].patients_with;
    ++patients_with.at(static_cast<std::size_t>(rows.offset[i + 1] - rows.offset[i]));
  }
  return margins;
}

BurdenBackground::BurdenBackground(std::span<const BurdenMargins> strata) {
  if (!strata.empty()) n_features_ = static_cast<Index>(strata.front().carriers.size());
  for (const BurdenMargins& margins : strata) {
    check_margins(margins, n_features_);
    add(margins);
  }
}

void BurdenBackground::add(const BurdenMargins& margins) {
  Stratum stratum;
  BackgroundFit result{};
  std::vector<MarginClass> rows, columns;
  for (std::size_t r = 0; r < margins.patients_with.size(); ++r) {
    if (margins.patients_with[r] == 0) continue;
    stratum.burden.push_back(static_cast<Index>(r));
    rows.push_back({static_cast<double>(r), static_cast<double>(margins.patients_with[r])});
    result.n_patients += margins.patients_with[r];
  }
  std::vector<Index> distinct = margins.carriers;
  std::sort(distinct.begin(), distinct.end());
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  std::erase(distinct, -1);
  for (const Index carriers : distinct) columns.push_back({static_cast<double>(carriers), 0});
  for (const Index carriers : margins.carriers) {
    const auto found = std::lower_bound(distinct.begin(), distinct.end(), carriers) - distinct.begin();
    stratum.class_of.push_back(carriers < 0 ? -1 : static_cast<std::int32_t>(found));
    if (carriers >= 0) columns[static_cast<std::size_t>(found)].size += 1;
  }

  const MarginFit fit = fit_margins(rows, columns);
  const std::size_t stride = (rows.size() + 7) / 8 * 8;
  stratum.n_patients.assign(stride, 0.0);
  stratum.probability.assign(stride * columns.size(), 0.0);
  stratum.spread.assign(stride, 0.0);
  for (std::size_t r = 0; r < rows.size(); ++r) {
    stratum.n_patients[r] = rows[r].size;
    for (std::size_t c = 0; c < columns.size(); ++c) {
      const double p = fit.probability[c * rows.size() + r];
      stratum.probability[c * stride + r] = p;
      stratum.spread[r] += columns[c].size * p * (1 - p);
    }
  }
  result.verdict = rows.empty() || columns.empty() ? BackgroundVerdict::empty
                   : fit.converged                 ? BackgroundVerdict::fitted
                                                   : BackgroundVerdict::not_converged;
  result.n_burdens = static_cast<Index>(rows.size());
  result.n_classes = static_cast<Index>(columns.size());
  result.iterations = fit.iterations;
  result.margin_error = fit.error;
  fits_.push_back(result);
  strata_.push_back(std::move(stratum));
}

double BurdenBackground::probability(Index stratum, Index burden, Index feature) const {
  const Stratum& of = strata_.at(static_cast<std::size_t>(stratum));
  const auto found = std::lower_bound(of.burden.begin(), of.burden.end(), burden);
  const std::int32_t in_class = of.class_of.at(static_cast<std::size_t>(feature));
  if (found == of.burden.end() || *found != burden || in_class < 0) return std::nan("");
  return of.of_class(in_class)[static_cast<std::size_t>(found - of.burden.begin())];
}

Index BurdenBackground::pair_trials(Index a, Index b, PairModel model, PoissonBinomial& trials) const {
  trials.clear();
  Index n_tested = 0;
  for (std::size_t s = 0; s < strata_.size(); ++s) {
    const Stratum& stratum = strata_[s];
    const std::int32_t class_a = stratum.class_of[static_cast<std::size_t>(a)];
    const std::int32_t class_b = stratum.class_of[static_cast<std::size_t>(b)];
    if (class_a < 0 || class_b < 0) continue;
    const double* of_a = stratum.of_class(class_a).data();
    const double* of_b = stratum.of_class(class_b).data();
    const std::span<double> of_both = trials.add(stratum.n_patients);
    const auto size = static_cast<Index>(of_both.size());
    if (model == PairModel::given_burden) {
      CHORALE_AT_LEVEL(probability_of_both, of_a, of_b, stratum.spread.data(), size, of_both.data());
    } else {
      std::transform(of_a, of_a + size, of_b, of_both.begin(), std::multiplies<>());
    }
    n_tested += fits_[s].n_patients;
  }
  return n_tested;
}

void burden_tests(const BurdenBackground& background, std::span<const ObservedPair> pairs,
                  std::span<BurdenTest> tests, PairModel model) {
  if (pairs.size() != tests.size()) {
    refuse("pairs and tests differ in length", fmt::format("{} tests", tests.size()),
           fmt::format("{}", pairs.size()));
  }
  for (const ObservedPair& pair : pairs) {
    if (std::min(pair.a, pair.b) >= 0 && std::max(pair.a, pair.b) < background.n_features()) continue;
    refuse("feature out of range", fmt::format("{} and {}", pair.a, pair.b),
           fmt::format("0 to {}", background.n_features() - 1));
  }
  const auto n_pairs = static_cast<Index>(pairs.size());
  Index n_impossible = 0;
#pragma omp parallel if (n_pairs > 256) reduction(+ : n_impossible)
  {
    PoissonBinomial trials;
#pragma omp for schedule(dynamic, 64)
    for (Index i = 0; i < n_pairs; ++i) {
      const ObservedPair& pair = pairs[static_cast<std::size_t>(i)];
      const Index n_tested = background.pair_trials(pair.a, pair.b, model, trials);
      if (pair.n_both < 0 || pair.n_both > n_tested) {
        ++n_impossible;
        continue;
      }
      const PoissonBinomialTails tails = trials.tails(pair.n_both);
      const double smaller = std::min(tails.log10_less, tails.log10_greater);
      tests[static_cast<std::size_t>(i)] = {
          .n_tested = n_tested,
          .expected = tails.mean,
          .variance = tails.variance,
          .log10_p_co_occurrence = tails.log10_greater,
          .log10_p_exclusivity = tails.log10_less,
          .log10_p = std::min(0.0, smaller + std::numbers::ln2 * std::numbers::log10e),
          .method = tails.method};
    }
  }
  if (n_impossible > 0) {
    refuse("pairs with impossible counts of patients who carry both", fmt::format("{} pairs", n_impossible),
           "0 to the patients tested for both");
  }
}

}  // namespace chorale::kernels
