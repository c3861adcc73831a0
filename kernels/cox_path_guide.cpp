// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/cox_path_guide.hpp"

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <algorithm>
#include <cmath>

#include "kernels/cox_path_engine.hpp"
#include "kernels/cox_path_replicate.hpp"

namespace chorale::kernels {
namespace {

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

constexpr Index most_curves = 16;
constexpr double most_bytes = 512e6;  ///< of all curves
constexpr double most_bend = 0.1;     ///< of a slope between knots, as a share of its bound
constexpr Index beyond_end = 3;       ///< lambdas that replicates look at behind the full path's end
constexpr Index most_bins = 256;
constexpr Index lambdas_ahead = 12;
constexpr double most_amplified = 30;

/// Columns in single precision, and the units in which they are closest to the double ones.
void round_columns(CoxPathGuideData& guide) {
  const CoxPathData& data = guide.rows();
  make_room(guide.panels, data.panels.size());
  for (std::size_t i = 0; i < data.panels.size(); ++i) guide.panels[i] = static_cast<float>(data.panels[i]);
  for (Index j = 0; j < data.n_dense; ++j) {
    double products = 0, squares = 0;
    float largest = 0;
    for (Index i = 0; i < data.n_rows; ++i) {
      const std::size_t at = size((i / panel_rows * data.n_dense + j) * panel_rows + i % panel_rows);
      const double rounded = static_cast<double>(guide.panels[at]);
      products += rounded * data.panels[at];
      squares += rounded * rounded;
      largest = std::max(largest, std::abs(guide.panels[at]));
    }
    guide.largest.push_back(largest);
    guide.scale.push_back(squares > 0 ? data.scale[size(j)] * products / squares : 0);
  }
  guide.scale.resize(size(guide.n_columns()), 1.0);
}

void pool_times(CoxPathGuideData& guide) {
  const CoxPathData& data = guide.rows();
  const Index times_per_bin = (data.n_times + most_bins - 1) / most_bins;
  for (std::size_t s = 0; s + 1 < data.stratum_begin.size(); ++s) {
    for (Index t = data.stratum_begin[s]; t < data.stratum_begin[s + 1]; ++t) {
      if ((t - data.stratum_begin[s]) % times_per_bin == 0) {
        ++guide.n_bins;
        guide.ends_stratum.push_back(0);
      }
      guide.ends_stratum.back() = t + 1 == data.stratum_begin[s + 1];
      guide.bin_of_time.push_back(static_cast<std::int32_t>(guide.n_bins - 1));
    }
  }
  guide.bin_of_time.push_back(static_cast<std::int32_t>(guide.n_bins));  // never at risk
}

/// Curvature at the full path's solutions at lambdas `at`.
void keep_curves(CoxPathGuideData& guide, std::span<const Index> at) {
  const CoxPathData& data = guide.rows();
  const CoxPathSample sample(data, guide.weight, true, guide.options.ties);
  CoxPathEngine engine(sample);
  std::vector<std::int32_t> columns;
  for (Index j = 0; j < guide.n_columns(); ++j) {
    if (sample.deviation[size(j)] > 0) columns.push_back(static_cast<std::int32_t>(j));
  }
  std::vector<double> died(size(guide.n_columns()), 0.0);
  for (Index c = 0; c < sample.carriers.n(); ++c) {
    for (const std::int32_t row : sample.carriers[c])
      died[size(data.n_dense + c)] += sample.dead[static_cast<std::size_t>(row)] / sample.total_weight;
  }
  const Index n = static_cast<Index>(columns.size()), p = guide.n_columns();
  std::vector<double> beta(size(n * path_lanes)), slopes(beta.size()), found(size(n * guide.stride));
  for (std::size_t first = 0; first < at.size(); first += size(path_lanes)) {
    const std::size_t n_here = std::min(size(path_lanes), at.size() - first);
    for (std::size_t c = 0; c < columns.size(); ++c) {
      const auto j = static_cast<std::size_t>(columns[c]);
      for (std::size_t k = 0; k < size(path_lanes); ++k)
        beta[c * size(path_lanes) + k] = guide.start[size(at[first + std::min(k, n_here - 1)] * p) + j] *
                                         sample.deviation[j] / guide.scale[j];
    }
    engine.evaluate(columns, beta, columns, slopes);
    for (std::size_t k = 0; k < n_here; ++k) {
      engine.hessian(static_cast<Index>(k), columns, guide.stride, found);
      std::vector<double> unit;  // what standardised rows and columns are multiplied by
      for (std::size_t c = 0; c < columns.size(); ++c) {
        const auto j = static_cast<std::size_t>(columns[c]);
        const double standard = sample.deviation[j] / guide.scale[j];
        const double expected = died[j] - slopes[c * size(path_lanes) + k] * standard;
        unit.push_back(columns[c] < data.n_dense ? standard
                                                 : standard / std::sqrt(std::max(expected, 1e-12)));
      }
      Aligned<float>& curve = guide.curves.emplace_back(size(p * guide.stride), 0.0f);
      for (std::size_t a = 0; a < columns.size(); ++a) {
        for (std::size_t b = 0; b < columns.size(); ++b)
          curve[size(columns[a] * guide.stride + columns[b])] =
              static_cast<float>(found[a * size(guide.stride) + b] * unit[a] * unit[b]);
      }
    }
  }
}

/// Standard deviation of the difference of linear predictors, about.
double distance(const CoxPathGuideData& guide, Index a, Index b) {
  const Index p = guide.n_columns();
  const Aligned<float>& curve = guide.curves[static_cast<std::size_t>(guide.curve_below(b))];
  std::vector<double> change;
  for (Index j = 0; j < p; ++j) change.push_back(guide.start[size(b * p + j)] - guide.start[size(a * p + j)]);
  double sum = 0;
  for (Index j = 0; j < guide.rows().n_dense; ++j) {
    for (Index k = 0; k < guide.rows().n_dense; ++k)
      sum += change[size(j)] * change[size(k)] * static_cast<double>(curve[size(j * guide.stride + k)]);
  }
  for (Index c = 0; c < guide.rows().carriers.n(); ++c) {
    const double share =
        static_cast<double>(guide.rows().carriers[c].size()) / static_cast<double>(guide.rows().n_rows);
    sum += share * change[size(guide.rows().n_dense + c)] * change[size(guide.rows().n_dense + c)];
  }
  return std::sqrt(std::max(sum, 0.0));
}

/// How far it may be from one knot to the next: lambdas, and the standard deviation of what linear predictors change by.
struct Reach {
  Index lambdas;
  double stride;
};
constexpr Reach reaches[] = {{2, 0.03}, {3, 0.03}, {4, 0.03}, {4, 0.04}, {4, 0.05}, {4, 0.06}, {4, 0.08}};

void place_knots(CoxPathGuideData& guide, Reach reach) {
  const auto n = static_cast<Index>(guide.lambda.size());
  guide.knot.assign(size(n), 0);
  for (Index k = 0; k < n;) {
    guide.knot[size(k)] = 1;
    Index next = k + 1;
    const auto close = [&](Index to) {
      const double stride = distance(guide, k, to);
      return stride <= reach.stride && stride * stride / 4 <= most_bend * guide.lambda[size(to)];
    };
    while (next + 1 < n && next + 1 - k <= reach.lambdas && close(next + 1)) ++next;
    k = next;
  }
  guide.knot[size(n - 1)] = guide.knot[size(guide.measured_lambda)] = guide.knot[size(guide.first_end - 1)] =
      1;
}

/// As many as one block holds, if there is a way.
void choose_knots(CoxPathGuideData& guide) {
  for (const Reach& reach : reaches) {
    place_knots(guide, reach);
    if (std::count(guide.knot.begin(), guide.knot.begin() + guide.first_end, 1) <= 2 * wide_lanes) return;
  }
  place_knots(guide, {4, 0.03});
}

/// What an error of a slope may move coefficients by: the diagonal of the inverse of the curvature of the columns that
/// are nonzero at the last lambda that replicates look at first.
bool is_well_conditioned(const CoxPathGuideData& guide) {
  const Index p = guide.n_columns(), last = guide.first_end - 1;
  std::vector<Index> columns;
  for (Index j = 0; j < p; ++j) {
    if (guide.start[size(last * p + j)] != 0) columns.push_back(j);
  }
  if (columns.empty()) return true;
  const Aligned<float>& curve = guide.curves[static_cast<std::size_t>(guide.curve_below(last))];
  const auto n = static_cast<Eigen::Index>(columns.size());
  Eigen::MatrixXd chosen(n, n);
  for (Eigen::Index a = 0; a < n; ++a) {
    for (Eigen::Index b = 0; b < n; ++b)
      chosen(a, b) = static_cast<double>(curve[size(columns[static_cast<std::size_t>(a)] * guide.stride +
                                                    columns[static_cast<std::size_t>(b)])]);
  }
  const Eigen::LLT<Eigen::MatrixXd> root(chosen);
  return root.info() == Eigen::Success &&
         root.solve(Eigen::MatrixXd::Identity(n, n)).diagonal().maxCoeff() <= most_amplified;
}

/// Columns nonzero some lambdas further down; all of them where those are many.
void look_ahead(CoxPathGuideData& guide) {
  const auto n = static_cast<Index>(guide.lambda.size());
  const Index p = guide.n_columns();
  for (Index k = 0; k < n; ++k) {
    const double* here = guide.start.data() + k * p;
    const double* there = guide.start.data() + std::min(k + lambdas_ahead, n - 1) * p;
    const bool all = std::count_if(there, there + p, [](double b) { return b != 0; }) * 20 > p;
    for (Index j = 0; j < p; ++j) guide.ahead.push_back(all || here[j] != 0 || there[j] != 0);
  }
}

/// e^η of every row at the knots that replicates walk first, if they fit one block.
void keep_risks(CoxPathGuideData& guide) {
  const CoxPathData& data = guide.rows();
  const CoxPathSample sample(data, guide.weight, true, guide.options.ties);
  std::vector<Index> knots;
  for (Index k = 0; k < guide.first_end; ++k) {
    if (guide.is_knot(k, 0, guide.first_end)) knots.insert(knots.begin(), k);
  }
  if (sample.n_analysed < data.n_rows || static_cast<Index>(knots.size()) > 2 * wide_lanes) return;
  CoxPathBlock<float> block;
  block.n_lanes = static_cast<Index>(knots.size()) > wide_lanes ? 2 * wide_lanes : wide_lanes;
  for (Index j = 0; j < guide.n_columns(); ++j) {
    std::vector<float> beta(size(block.n_lanes), 0.0f);
    for (std::size_t i = 0; i < knots.size(); ++i)
      beta[i] = static_cast<float>(guide.start[size(knots[i] * guide.n_columns() + j)]);
    if (j < data.n_dense) block.columns.push_back(static_cast<std::int32_t>(j));
    auto& to = j < data.n_dense ? block.beta : block.sparse_beta;
    to.insert(to.end(), beta.begin(), beta.end());
  }
  const std::vector<double> ones(sample.weight.size(), 1.0);
  PathRows rows = sample.rows();
  rows.weight = ones.data();
  const WideRows wide{.rows = rows,
                      .panels = guide.panels.data(),
                      .n_panels = rows.n_rows / panel_rows,
                      .n_dense = data.n_dense,
                      .offset = sample.offset.empty() ? nullptr : sample.offset.data(),
                      .source = sample.source.data(),
                      .n_drawn = data.n_rows,
                      .n_carrying = data.carriers.n() > 0 ? data.n_rows : 0,
                      .carried_begin = data.carried.begin.data(),
                      .carried = data.carried.values.data(),
                      .n_sparse = data.carriers.n()};
  block.n_wide = static_cast<Index>(block.columns.size());
  block.clear(wide);
  const WideBlock<float> view = block.view();
  for (Index tile = 0; tile < wide.n_panels; tile += tile_panels)
    CHORALE_AT_LEVEL(cox_path_wide_risks, wide, view, tile, std::min(wide.n_panels, tile + tile_panels));
  guide.start_risk = std::move(block.risk);
}

/// Where the full path would have ended, had it been allowed to.
Index end_of(const CoxPath& full, const CoxPathOptions& options) {
  CoxPath again;
  again.n_columns = full.n_columns;
  again.loglik_null = full.loglik_null;
  again.loglik_saturated = full.loglik_saturated;
  CoxPathRecorder recorder(options, again);
  Index k = 0;
  while (k < full.n_lambda() && recorder.take(full.lambda[size(k)], full.loglik[size(k)], full.beta_at(k)))
    ++k;
  return std::min(full.n_lambda(), k + 1 + beyond_end);
}

void prepare(CoxPathGuideData& guide, const CoxPath& full) {
  const Index p = guide.n_columns(), n = full.n_lambda();
  guide.stride = (p + 15) / 16 * 16;
  const Index n_curves = std::min(n, most_curves);
  if (n == 0 || p == 0 || static_cast<double>(p * guide.stride * n_curves) * 4 > most_bytes) return;
  round_columns(guide);
  pool_times(guide);
  for (Index k = 0; k < n; ++k) {
    for (Index j = 0; j < p; ++j) guide.start.push_back(full.beta_at(k)[size(j)] * guide.scale[size(j)]);
  }
  guide.first_end = end_of(full, guide.options);
  guide.measured_lambda = (guide.first_end - 1) * 6 / 7;
  std::vector<Index> at;
  for (Index c = 0; c < n_curves; ++c) at.push_back((2 * c + 1) * n / (2 * n_curves));
  for (Index& k : at) {  // one of them where replicates measure their own
    if (std::abs(k - guide.measured_lambda) * 2 * n_curves <= n) {
      k = guide.measured_lambda;
      break;
    }
  }
  at.erase(std::unique(at.begin(), at.end()), at.end());
  guide.curve_at = at;
  guide.measured_lambda = at[size(guide.curve_below(guide.measured_lambda))];
  keep_curves(guide, at);
  choose_knots(guide);
  look_ahead(guide);
  keep_risks(guide);
  guide.single = is_well_conditioned(guide);
  guide.usable = true;
}

}  // namespace

Index CoxPathGuideData::curve_below(Index k) const {
  const auto above = std::upper_bound(curve_at.begin() + 1, curve_at.end(), k);
  return above - curve_at.begin() - 1;
}

float CoxPathGuideData::share_above(Index k) const {
  const auto below = size(curve_below(k));
  if (below + 1 == curve_at.size() || k <= curve_at[below]) return 0;
  return static_cast<float>(k - curve_at[below]) / static_cast<float>(curve_at[below + 1] - curve_at[below]);
}

CoxPathGuide make_cox_path_guide(const CoxPathDesign& design, const CoxPathOptions& options) {
  check_path(design, options);
  const auto data = std::make_shared<CoxPathGuideData>();
  data->design = design;
  data->options = options;
  data->lambda.assign(options.lambda.begin(), options.lambda.end());
  data->factor.assign(options.penalty_factor.begin(), options.penalty_factor.end());
  data->weight.assign(options.weight.begin(), options.weight.end());
  CoxPathOptions all = options;
  all.stop_after_worse = 0;
  all.stop_early = false;
  if (!options.lambda.empty()) all.max_nonzero = all.max_ever_nonzero = 0;
  CoxPathGuide guide{.full = cox_path(design, all), .data = data};
  const bool complete = options.lambda.empty() ? guide.full.verdict != CoxPathVerdict::not_converged
                                               : guide.full.verdict == CoxPathVerdict::complete;
  if (options.lambda.empty()) data->lambda = guide.full.lambda;
  data->options.lambda = data->lambda;
  data->options.penalty_factor = data->factor;
  data->options.weight = data->weight;
  if (complete && guide.full.n_events > 0) prepare(*data, guide.full);
  return guide;
}

}  // namespace chorale::kernels
