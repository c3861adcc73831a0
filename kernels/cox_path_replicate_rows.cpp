// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <algorithm>
#include <cmath>

#include "kernels/cox_path_replicate.hpp"

namespace chorale::kernels {
namespace {

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

}  // namespace

void CoxPathRoom::Arrays::take(const CoxPathGuideData& guide, std::span<const double> of_patients) {
  take_rows(guide, of_patients);
  if (n_events == 0) return;
  deviation.clear();
  unit.clear();
  take_dense(guide);
  take_sparse(guide);
  count_deaths(guide);
  start_from_nothing(guide);
}

void CoxPathRoom::Arrays::take_rows(const CoxPathGuideData& guide, std::span<const double> of_patients) {
  const CoxPathData& data = guide.rows();
  for (auto* of_rows : {&source, &exit, &enter}) of_rows->clear();
  for (auto* of_rows : {&weight, &dead, &offset}) of_rows->clear();
  row_of.assign(size(data.n_rows), -1);
  total_weight = dead_offset = 0;
  n_events = 0;
  for (std::size_t row = 0; row < data.patient.size(); ++row) {
    const auto patient = static_cast<std::size_t>(data.patient[row]);
    const double w =
        of_patients[patient] * data.weight[row] * (guide.weight.empty() ? 1 : guide.weight[patient]);
    if (!(w > 0)) continue;
    row_of[row] = static_cast<std::int32_t>(source.size());
    source.push_back(static_cast<std::int32_t>(row));
    exit.push_back(data.exit[row]);
    if (!data.enter.empty()) enter.push_back(data.enter[row]);
    if (!data.offset.empty()) {
      offset.push_back(data.offset[row]);
      if (data.died[row]) dead_offset += w * data.offset[row];
    }
    weight.push_back(w);
    dead.push_back(data.died[row] ? w : 0);
    total_weight += w;
    n_events += data.died[row];
  }
  n_analysed = static_cast<Index>(source.size());
  const std::size_t padded = size((n_analysed + panel_rows - 1) / panel_rows * panel_rows);
  exit.resize(padded, static_cast<std::int32_t>(data.n_times));
  if (!enter.empty()) enter.resize(padded, -1);
  if (!offset.empty()) offset.resize(padded, 0.0);
  weight.resize(padded, 0.0);
  dead.resize(padded, 0.0);
}

void CoxPathRoom::Arrays::take_dense(const CoxPathGuideData& guide) {
  const Index n = guide.rows().n_dense;
  make_room(panels, weight.size() * size(n));
  std::vector<double> of_x(size(n), 0.0), of_squares(size(n), 0.0);
  moments.resize(size(3 * n * panel_rows));
  died.assign(size(n), 0.0);
  CHORALE_AT_LEVEL(cox_path_wide_pack, guide.panels.data(), n, source.data(), n_analysed, weight.data(),
                   dead.data(), panels.data(), moments.data(), of_x.data(), of_squares.data(), died.data());
  for (double& of_column : died) of_column /= total_weight;
  for (Index j = 0; j < n; ++j) {
    double mean = of_x[size(j)] / total_weight, square = of_squares[size(j)] / total_weight,
           variance = square - mean * mean;
    if (variance < 1e-2 * square) {  // the rest of a difference: once more, in double precision
      const auto x = [&](Index i) {
        return static_cast<double>(panels[size((i / panel_rows * n + j) * panel_rows + i % panel_rows)]);
      };
      mean = variance = 0;
      for (Index i = 0; i < n_analysed; ++i) mean += weight[size(i)] * x(i) / total_weight;
      for (Index i = 0; i < n_analysed; ++i)
        variance += weight[size(i)] * (x(i) - mean) * (x(i) - mean) / total_weight;
    }
    const double scale = guide.scale[size(j)];
    const bool constant = !(variance > 1e-13 * square) || scale == 0;
    deviation.push_back(constant ? 0 : !guide.options.standardise ? 1 : std::sqrt(variance) * scale);
    unit.push_back(constant ? 0 : deviation.back() / scale);
  }
}

void CoxPathRoom::Arrays::take_sparse(const CoxPathGuideData& guide) {
  const CoxPathData& data = guide.rows();
  struct Sums {
    double weight = 0, dead = 0, n = 0;
  };
  std::vector<Sums> of_columns(size(data.carriers.n()));
  for (std::size_t i = 0; !of_columns.empty() && i < size(n_analysed); ++i) {
    for (const std::int32_t c : data.carried[source[i]]) {
      Sums& of_column = of_columns[static_cast<std::size_t>(c)];
      of_column.weight += weight[i];
      of_column.dead += dead[i];
      of_column.n += 1;
    }
  }
  for (const Sums& of_column : of_columns) {
    const bool constant = of_column.n == 0 || of_column.n == static_cast<double>(n_analysed);
    const double share = of_column.weight / total_weight;
    deviation.push_back(constant ? 0 : guide.options.standardise ? std::sqrt(share * (1 - share)) : 1);
    unit.push_back(deviation.back());
    died.push_back(of_column.dead / total_weight);
  }
}

void CoxPathRoom::Arrays::count_deaths(const CoxPathGuideData& guide) {
  n_deaths.assign(size(guide.rows().n_times) + 1, 0.0);
  dead_weight = n_deaths;
  for (std::size_t row = 0; row < dead.size(); ++row) {
    if (!(dead[row] > 0)) continue;
    n_deaths[static_cast<std::size_t>(exit[row])] += 1;
    dead_weight[static_cast<std::size_t>(exit[row])] += dead[row];
  }
  loglik_saturated = path_loglik_saturated(n_deaths, dead_weight, guide.options.ties);
}

void CoxPathRoom::Arrays::start_from_nothing(const CoxPathGuideData& guide) {
  const CoxPathData& data = guide.rows();
  std::vector<double> at_risk(n_deaths.size(), 0.0), dying(at_risk);
  for (std::size_t row = 0; row < weight.size(); ++row) {
    const double risk = offset.empty() ? weight[row] : weight[row] * std::exp(offset[row]);
    at_risk[static_cast<std::size_t>(exit[row])] += risk;
    if (!enter.empty() && enter[row] >= 0) at_risk[static_cast<std::size_t>(enter[row])] -= risk;
    if (dead[row] > 0) dying[static_cast<std::size_t>(exit[row])] += risk;
  }
  loglik_null = dead_offset;
  for (std::size_t s = 0; s + 1 < data.stratum_begin.size(); ++s) {
    double alive = 0;
    for (Index t = data.stratum_begin[s + 1] - 1; t >= data.stratum_begin[s]; --t) {
      const auto at = static_cast<std::size_t>(t);
      alive += at_risk[at];
      const double deaths = n_deaths[at];
      for (double l = 0; guide.options.ties == Ties::efron && l < deaths; ++l)
        loglik_null -= dead_weight[at] / deaths * std::log(alive - l / deaths * dying[at]);
      if (guide.options.ties != Ties::efron && deaths > 0) loglik_null -= dead_weight[at] * std::log(alive);
    }
  }
}

PathRows CoxPathRoom::Arrays::path_rows(const CoxPathGuideData& guide) const {
  const CoxPathData& data = guide.rows();
  return {.n_rows = static_cast<Index>(weight.size()),
          .n_times = data.n_times,
          .n_strata = static_cast<Index>(data.stratum_begin.size()) - 1,
          .stratum_begin = data.stratum_begin.data(),
          .exit = exit.data(),
          .enter = enter.empty() ? nullptr : enter.data(),
          .weight = weight.data(),
          .dead = dead.data(),
          .n_deaths = n_deaths.data(),
          .dead_weight = dead_weight.data(),
          .efron = guide.options.ties == Ties::efron};
}

WideRows CoxPathRoom::Arrays::wide(const CoxPathGuideData& guide) const {
  const CoxPathData& data = guide.rows();
  return {.rows = path_rows(guide),
          .panels = panels.data(),
          .n_panels = static_cast<Index>(weight.size()) / panel_rows,
          .n_dense = data.n_dense,
          .offset = offset.empty() ? nullptr : offset.data(),
          .source = source.data(),
          .n_drawn = n_analysed,
          .n_carrying = data.carriers.n() > 0 ? n_analysed : 0,
          .carried_begin = data.carried.begin.data(),
          .carried = data.carried.values.data(),
          .n_sparse = data.carriers.n()};
}

template <class Real>
void CoxPathBlock<Real>::clear(const WideRows& rows) {
  const auto zero = [this](auto& values, Index n) { values.assign(size(n * n_lanes), 0); };
  const Index n_times = rows.rows.n_times + 1;
  zero(at_risk, n_times);
  hazard.resize(at_risk.size());
  std::fill_n(hazard.end() - n_lanes, n_lanes, 0.0);  // of rows that are never at risk
  const bool deaths_apart = rows.rows.efron || rows.rows.enter != nullptr;
  zero(dying, deaths_apart ? n_times : 0);
  zero(spared, rows.rows.efron ? n_times : 0);
  make_room(risk, size(rows.rows.n_rows * n_lanes));
  zero(part, static_cast<Index>(asked.size()));
  zero(slopes, static_cast<Index>(asked.size()));
  zero(checked_part, static_cast<Index>(checked.size()));
  zero(checked_slopes, static_cast<Index>(checked.size()));
  zero(sparse_part, rows.n_sparse);
  zero(sparse_slopes, rows.n_sparse);
  logs.assign(size(n_lanes), 0.0);
}

template <class Real>
WideBlock<Real> CoxPathBlock<Real>::view() {
  return {.n_lanes = n_lanes,
          .columns = columns.data(),
          .n_columns = static_cast<Index>(columns.size()),
          .n_wide = n_wide,
          .beta = beta.data(),
          .sparse_beta = sparse_beta.data(),
          .asked = asked.data(),
          .n_asked = static_cast<Index>(asked.size()),
          .n_asked_wide = n_asked_wide,
          .checked = checked.data(),
          .n_checked = static_cast<Index>(checked.size()),
          .risk = risk.data(),
          .at_risk = at_risk.data(),
          .dying = dying.data(),
          .hazard = hazard.data(),
          .spared = spared.data(),
          .part = part.data(),
          .checked_part = checked_part.data(),
          .sparse_part = sparse_part.data(),
          .slopes = slopes.data(),
          .checked_slopes = checked_slopes.data(),
          .sparse_slopes = sparse_slopes.data(),
          .logs = logs.data()};
}

template struct CoxPathBlock<float>;
template struct CoxPathBlock<double>;

}  // namespace chorale::kernels
