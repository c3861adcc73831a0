// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/cox_path_body.hpp"
#include "kernels/simd/vector.hpp"

namespace chorale::kernels::simd::CHORALE_LEVEL {
namespace {

constexpr bool many_registers = width == 8;
constexpr Index rows_together = many_registers ? 16 : 8;

/// count x count2 products of columns over the panels begin … end - 1.
template <int n_left, int n_right>
void products(const Panels& panels, Index begin, Index end, const std::int32_t* left,
              const std::int32_t* right, const double* factor, double* found) {
  Vector sums[n_left][n_right] = {};
  for (Index p = begin; p < end; ++p) {
    const double* panel = panels.values + p * panels.n_columns * panel_rows;
    for (Index i = 0; i < panel_rows; i += width) {
      Vector scaled[n_left];
      for (int a = 0; a < n_left; ++a) {
        scaled[a] = load<Vector>(panel + left[a] * panel_rows + i);
        if (factor != nullptr) scaled[a] *= load<Vector>(factor + p * panel_rows + i);
      }
      for (int b = 0; b < n_right; ++b) {
        const Vector x = load<Vector>(panel + right[b] * panel_rows + i);
        for (int a = 0; a < n_left; ++a) sums[a][b] += scaled[a] * x;
      }
    }
  }
  for (int a = 0; a < n_left; ++a) {
    for (int b = 0; b < n_right; ++b) *found++ = sum(sums[a][b]);
  }
}

double soft(double value, double threshold) {
  return value > threshold ? value - threshold : value < -threshold ? value + threshold : 0;
}

/// One coordinate; returns |change| in log hazards.
double descend_one(const PathModel& model, Index j, double* beta, double* slope) {
  const double* row = model.hessian + j * model.stride;
  const double curve = row[j];
  if (!(curve > 1e-12)) return 0;  // alike in every risk set
  const double next = soft(slope[j] + curve * beta[j], model.l1[j]) / (curve + model.l2[j]);
  const double change = next - beta[j];
  if (change == 0) return 0;
  beta[j] = next;
#pragma omp simd
  for (Index k = 0; k < model.n; ++k) slope[k] -= change * row[k];
  return model.reach[j] * __builtin_fabs(change);
}

/// Hazard and what the dying are spared at one time, and its share of the sum of logarithms.
template <class V>
V time_terms(const PathRows& rows, Index t, V at_risk, V dying, V& hazard, V& spared) {
  const double weight = rows.dead_weight[t], deaths = rows.n_deaths[t];
  // late entries are subtracted: far away nothing but rounding may be left, and that is no likelihood
  at_risk = at_risk > 0.999999 * dying ? at_risk : V{} + __builtin_nan("");
  if (!rows.efron || deaths == 1) {
    hazard = weight / at_risk;
    return weight * log_of(at_risk) + (at_risk - at_risk);
  }
  const double each = weight / deaths;
  V logs{};
  for (double l = 0; l < deaths; ++l) {
    const V left = at_risk - (l / deaths) * dying;
    const V rate = each / left;
    hazard += rate;
    spared += (l / deaths) * rate;
    logs += each * log_of(left) + (left - left);
  }
  return logs;
}

}  // namespace

void cox_path_linear(const Panels& panels, const std::int32_t* columns, Index n_columns, const double* beta,
                     double* eta) {
  for (Index p = 0; p < panels.n_panels; ++p) {
    const double* panel = panels.values + p * panels.n_columns * panel_rows;
    for (Index lane = 0; lane < path_lanes; lane += width) {
      for (Index first = 0; first < panel_rows; first += rows_together) {
        double* to = eta + (p * panel_rows + first) * path_lanes + lane;
        Vector sums[rows_together];
        for (Index r = 0; r < rows_together; ++r) sums[r] = load<Vector>(to + r * path_lanes);
        for (Index c = 0; c < n_columns; ++c) {
          const Vector b = load<Vector>(beta + c * path_lanes + lane);
          const double* x = panel + columns[c] * panel_rows + first;
          for (Index r = 0; r < rows_together; ++r) sums[r] += x[r] * b;
        }
        for (Index r = 0; r < rows_together; ++r) store(to + r * path_lanes, sums[r]);
      }
    }
  }
}

void cox_path_gradient(const Panels& panels, const std::int32_t* columns, Index n_columns,
                       const double* residual, double* gradient) {
  for (Index p = 0; p < panels.n_panels; ++p) {
    const double* panel = panels.values + p * panels.n_columns * panel_rows;
    for (Index lane = 0; lane < path_lanes; lane += width) {
      for (Index first = 0; first < panel_rows; first += rows_together) {
        const double* from = residual + (p * panel_rows + first) * path_lanes + lane;
        Vector u[rows_together];
        for (Index r = 0; r < rows_together; ++r) u[r] = load<Vector>(from + r * path_lanes);
        for (Index c = 0; c < n_columns; ++c) {
          const double* x = panel + columns[c] * panel_rows + first;
          Vector even = load<Vector>(gradient + c * path_lanes + lane), odd{};
          for (Index r = 0; r < rows_together; r += 2) {
            even += x[r] * u[r];
            odd += x[r + 1] * u[r + 1];
          }
          store(gradient + c * path_lanes + lane, even + odd);
        }
      }
    }
  }
}

void cox_path_add_to(const std::int32_t* rows, Index n, const double* beta, double* eta) {
  for (Index lane = 0; lane < path_lanes; lane += width) {
    const Vector b = load<Vector>(beta + lane);
    for (Index k = 0; k < n; ++k) {
      double* to = eta + rows[k] * path_lanes + lane;
      store(to, load<Vector>(to) + b);
    }
  }
}

void cox_path_sum_of(const std::int32_t* rows, Index n, const double* residual, double* gradient) {
  for (Index lane = 0; lane < path_lanes; lane += width) {
    Vector even{}, odd{};
    Index k = 0;
    for (; k + 1 < n; k += 2) {
      even += load<Vector>(residual + rows[k] * path_lanes + lane);
      odd += load<Vector>(residual + rows[k + 1] * path_lanes + lane);
    }
    if (k < n) even += load<Vector>(residual + rows[k] * path_lanes + lane);
    store(gradient + lane, load<Vector>(gradient + lane) + even + odd);
  }
}

void cox_path_residuals(const PathRows& rows, const PathLanes& lanes, double* loglik) {
  for (Index k = 0; k < (rows.n_times + 1) * path_lanes; ++k) {
    lanes.at_risk[k] = lanes.dying[k] = lanes.hazard[k] = lanes.spared[k] = 0;
  }
  for (Index lane = 0; lane < path_lanes; lane += width) {
    Vector found{};
    for (Index i = 0; i < rows.n_rows; ++i) {
      const Vector eta = load<Vector>(lanes.eta + i * path_lanes + lane);
      const Vector risk = rows.weight[i] * exp_of(eta);
      store(lanes.risk + i * path_lanes + lane, risk);
      double* to = lanes.at_risk + rows.exit[i] * path_lanes + lane;
      store(to, load<Vector>(to) + risk);
      if (rows.dead[i] > 0) {
        found += rows.dead[i] * eta;
        double* dying = lanes.dying + rows.exit[i] * path_lanes + lane;
        store(dying, load<Vector>(dying) + risk);
      }
    }
    for (Index i = 0; rows.enter != nullptr && i < rows.n_rows; ++i) {
      if (rows.enter[i] < 0) continue;
      double* from = lanes.at_risk + rows.enter[i] * path_lanes + lane;
      store(from, load<Vector>(from) - load<Vector>(lanes.risk + i * path_lanes + lane));
    }
    for (Index s = 0; s < rows.n_strata; ++s) {
      Vector at_risk{}, hazard{};
      for (Index t = rows.stratum_begin[s + 1] - 1; t >= rows.stratum_begin[s]; --t) {
        at_risk += load<Vector>(lanes.at_risk + t * path_lanes + lane);
        store(lanes.at_risk + t * path_lanes + lane, at_risk);
      }
      for (Index t = rows.stratum_begin[s]; t < rows.stratum_begin[s + 1]; ++t) {
        const Index at = t * path_lanes + lane;
        if (rows.dead_weight[t] > 0) {
          Vector more{}, spared{};
          found -= time_terms(rows, t, load<Vector>(lanes.at_risk + at), load<Vector>(lanes.dying + at), more,
                              spared);
          hazard += more;
          store(lanes.spared + at, spared);
        }
        store(lanes.hazard + at, hazard);
      }
    }
    for (Index i = 0; i < rows.n_rows; ++i) {
      const Index at = rows.exit[i] * path_lanes + lane;
      Vector hazard = load<Vector>(lanes.hazard + at);
      if (rows.dead[i] > 0) hazard -= load<Vector>(lanes.spared + at);
      if (rows.enter != nullptr && rows.enter[i] >= 0) {
        hazard -= load<Vector>(lanes.hazard + rows.enter[i] * path_lanes + lane);
      }
      const Vector risk = load<Vector>(lanes.risk + i * path_lanes + lane);
      store(lanes.eta + i * path_lanes + lane, rows.dead[i] - risk * hazard);
    }
    store(loglik + lane, found);
  }
}

void cox_path_bin_sums(const Panels& panels, const std::int32_t* columns, Index n_columns,
                       const std::int32_t* bin, const double* risk, const double* part, Index n_bins,
                       double* sums, double* parts) {
  for (Index p = 0; p < panels.n_panels; ++p) {
    const double* panel = panels.values + p * panels.n_columns * panel_rows;
    const Index first = p * panel_rows;
    const bool alike = bin[first] == bin[first + panel_rows - 1];
    for (Index c = 0; c < n_columns; ++c) {
      const double* x = panel + columns[c] * panel_rows;
      double* to = sums + c * n_bins;
      double* to_part = parts + c * n_bins;
      if (alike) {
        Vector all{}, some{};
        for (Index i = 0; i < panel_rows; i += width) {
          all += load<Vector>(x + i) * load<Vector>(risk + first + i);
          some += load<Vector>(x + i) * load<Vector>(part + first + i);
        }
        to[bin[first]] += sum(all);
        to_part[bin[first]] += sum(some);
        continue;
      }
      for (Index i = 0; i < panel_rows; ++i) {
        to[bin[first + i]] += x[i] * risk[first + i];
        to_part[bin[first + i]] += x[i] * part[first + i];
      }
    }
  }
}

void cox_path_gram(const Panels& panels, const std::int32_t* columns, Index n_columns, const double* factor,
                   double sign, Index stride, double* gram) {
  constexpr Index panels_together = 32;  // 512 rows of 200 columns stay in the second cache
  constexpr int n_left = many_registers ? 4 : 2, n_right = many_registers ? 6 : 4;
  for (Index begin = 0; begin < panels.n_panels; begin += panels_together) {
    const Index end = begin + panels_together < panels.n_panels ? begin + panels_together : panels.n_panels;
    for (Index a = 0; a < n_columns; a += n_left) {
      for (Index b = a; b < n_columns; b += n_right) {
        std::int32_t left[n_left], right[n_right];  // beyond the last column its copies, left out below
        for (int k = 0; k < n_left; ++k) left[k] = columns[a + k < n_columns ? a + k : n_columns - 1];
        for (int k = 0; k < n_right; ++k) right[k] = columns[b + k < n_columns ? b + k : n_columns - 1];
        double found[n_left * n_right];
        products<n_left, n_right>(panels, begin, end, left, right, factor, found);
        for (int i = 0; i < n_left && a + i < n_columns; ++i) {
          for (int k = 0; k < n_right && b + k < n_columns; ++k) {
            if (b + k >= a + i) gram[(a + i) * stride + b + k] += sign * found[i * n_right + k];
          }
        }
      }
    }
  }
}

Index cox_path_descend(const PathModel& model, double tolerance, Index max_sweeps, double* beta,
                       double* slope) {
  Index sweeps = 0;
  while (sweeps < max_sweeps) {
    double most = 0;
    ++sweeps;
    for (Index j = 0; j < model.n; ++j) {
      const double moved = descend_one(model, j, beta, slope);
      most = moved > most ? moved : most;
    }
    if (!(most > tolerance)) break;
    // the nonzero ones among themselves, which is where most of the work is
    while (sweeps < max_sweeps && most > tolerance) {
      most = 0;
      ++sweeps;
      for (Index j = 0; j < model.n; ++j) {
        if (beta[j] == 0) continue;
        const double moved = descend_one(model, j, beta, slope);
        most = moved > most ? moved : most;
      }
    }
  }
  return sweeps;
}

}  // namespace chorale::kernels::simd::CHORALE_LEVEL
