// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/aligned.hpp"
#include "kernels/cox_path.hpp"
#include "kernels/cox_path_body.hpp"

namespace chorale::kernels {

/// Leaves new values as they are: a hundred megabytes that are filled at once need no zeros before.
template <class T>
struct UnsetAllocator : CacheLineAllocator<T> {
  UnsetAllocator() = default;
  template <class U>
  explicit UnsetAllocator(const UnsetAllocator<U>&) {}
  template <class U>
  void construct(U* p) {
    ::new (static_cast<void*>(p)) U;
  }
};

/// Lists of different lengths, one after the other.
struct Lists {
  std::vector<std::int32_t> begin{0}, values;

  Index n() const { return static_cast<Index>(begin.size()) - 1; }
  std::span<const std::int32_t> operator[](Index k) const {
    const auto at = static_cast<std::size_t>(k);
    return std::span(values).subspan(static_cast<std::size_t>(begin[at]),
                                     static_cast<std::size_t>(begin[at + 1] - begin[at]));
  }
  void close() { begin.push_back(static_cast<std::int32_t>(values.size())); }
};

/// The analysed patients of a design, ordered by their last event time at risk.
struct CoxPathData {
  Index n_rows = 0;
  Index n_times = 0;
  Index n_dense = 0;
  std::vector<Index> stratum_begin;
  std::vector<std::int32_t> patient, exit;
  std::vector<std::int32_t> enter;  ///< see PathRows; empty without left truncation
  std::vector<std::uint8_t> died;
  std::vector<double> weight, offset;
  AlignedDoubles panels;      ///< dense columns, centred and scaled; padded with zeros
  std::vector<double> scale;  ///< n_dense, what the columns were divided by; 0 = constant
  Lists carriers;             ///< rows by sparse column
  Lists carried;              ///< sparse columns by row

  Index n_columns() const { return n_dense + carriers.n(); }
  Index n_panels() const { return (n_rows + panel_rows - 1) / panel_rows; }
};

/// Nobody at risk but those who die: deaths and their weight per event time.
double path_loglik_saturated(std::span<const double> n_deaths, std::span<const double> dead_weight,
                             Ties ties);

/// The rows of a design that weigh more than 0, with what depends on their weights. Refers to the design.
struct CoxPathSample {
  /// weight: per patient, empty = 1
  CoxPathSample(const CoxPathData& design, std::span<const double> weight, bool standardise, Ties ties);

  PathRows rows() const;
  Panels panels() const;

  const CoxPathData* data;
  Ties ties;
  Index n_analysed = 0;
  Index n_events = 0;
  double total_weight = 0;
  double loglik_saturated = 0;
  std::vector<std::int32_t> source;  ///< row of the design
  std::vector<std::int32_t> exit, enter;
  std::vector<double> weight, dead, offset;
  std::vector<double> n_deaths, dead_weight;               ///< per event time
  std::vector<double, UnsetAllocator<double>> own_panels;  ///< empty where all rows weigh something
  Lists carriers;                                          ///< rows by sparse column
  std::vector<double> deviation;  ///< per column; 0 = constant. 1 where not standardised
  std::vector<double> ratio;      ///< per column, what its values are multiplied with to be standardised

 private:
  void take_rows(std::span<const double> of_patients);
  void take_panels();
  void take_carriers();
  void set_scales(bool standardise);
  void count_deaths();
};

}  // namespace chorale::kernels
