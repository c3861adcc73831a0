// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/cox_firth.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/cox_firth_engine.hpp"
#include "kernels/kaplan_meier_limits.hpp"

namespace chorale::kernels {
namespace {

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

/// max l* with one coefficient held, on the scaled columns.
class Profiles {
 public:
  Profiles(CoxFirthEngine& engine, const FirthPeak& peak, int max_iterations)
      : engine_(engine),
        peak_(peak),
        max_iterations_(max_iterations),
        inverse_(inverse_of(peak.place.information, engine.kept())) {}

  /// 2 (l* − max l* with β_j = value); NaN where that did not converge. Starts where the other coefficients would go
  /// if l* were a parabola.
  double lost(Index j, double value) {
    const Eigen::VectorXd& best = peak_.place.beta;
    const Eigen::VectorXd slope = inverse_.col(j) / inverse_(j, j);
    Eigen::VectorXd start = best + (value - best(j)) * slope;
    start(j) = value;
    std::vector<Index> free;
    for (const Index k : engine_.kept())
      if (k != j) free.push_back(k);
    const auto at = [this](const Eigen::VectorXd& beta) { return engine_.at(beta); };
    FirthPlace from = at(start);
    if (!std::isfinite(from.loglik)) {
      start = best;
      start(j) = value;
      from = at(start);
    }
    const FirthPeak held = firth_maximum(at, std::move(from), free, max_iterations_);
    return held.converged ? std::max(0.0, 2 * (peak_.place.loglik - held.place.loglik)) : missing;
  }

  /// Where √lost reaches z, on the side of `sign`; NaN where it was not found. √lost is nearly a line, so secants from
  /// inside and outside close in on it.
  double limit(Index j, double z, double sign) {
    constexpr int max_steps = 60;
    constexpr double close_enough = 1e-10;
    const double best = peak_.place.beta(j), se = std::sqrt(inverse_(j, j));
    double inside = 0, at_inside = 0, outside = missing, at_outside = missing, away = z * se;
    for (int step = 0; step < max_steps; ++step) {
      const double root = std::sqrt(lost(j, best + sign * away));
      if (std::isnan(root)) return missing;
      if (std::abs(root - z) < close_enough * z) return best + sign * away;
      (root < z ? inside : outside) = away;
      (root < z ? at_inside : at_outside) = root;
      if (std::isnan(outside)) {
        away *= std::clamp(z / root, 1.1, 3.0);
        continue;
      }
      away = inside + (outside - inside) * (z - at_inside) / (at_outside - at_inside);
      // where one end stays, the secant creeps: halve now and then
      if (step % 8 == 7) away = (inside + outside) / 2;
      if (outside - inside < 1e-12 * outside) return best + sign * away;
    }
    return missing;
  }

 private:
  CoxFirthEngine& engine_;
  const FirthPeak& peak_;
  int max_iterations_;
  Eigen::MatrixXd inverse_;
};

void add_profiles(CoxFirthEngine& engine, const CoxRows& rows, const FirthPeak& peak,
                  const CoxFirthOptions& options, CoxFirthFit& result) {
  const double z = half_width(options.level);
  Profiles profiles(engine, peak, options.max_iterations);
  for (const Index j : engine.kept()) {
    const double scale = rows.scale[size(j)];
    result.lrt_chi2[size(j)] = profiles.lost(j, 0);
    result.lower[size(j)] = profiles.limit(j, z, -1) / scale;
    result.upper[size(j)] = profiles.limit(j, z, 1) / scale;
    if (std::isnan(result.lrt_chi2[size(j)] + result.lower[size(j)] + result.upper[size(j)]))
      result.unprofiled.push_back(j);
  }
}

void report(const CoxFirthEngine& engine, const CoxRows& rows, const FirthPeak& peak, CoxFit& fit) {
  const Index p = rows.n_columns;
  const Eigen::VectorXd scale = Eigen::Map<const Eigen::VectorXd>(rows.scale.data(), p);
  Eigen::VectorXd beta = peak.place.beta.cwiseQuotient(scale);
  const Eigen::VectorXd unit = scale.cwiseInverse();
  const Eigen::MatrixXd covariance =
      unit.asDiagonal() * inverse_of(peak.place.information, engine.kept()) * unit.asDiagonal();
  for (const Index j : fit.aliased) beta(j) = missing;
  fit.beta.assign(beta.data(), beta.data() + p);
  fit.covariance.assign(covariance.data(), covariance.data() + p * p);
  fit.iterations = peak.iterations;
  fit.df = static_cast<double>(engine.kept().size());
}

}  // namespace

CoxFirthFit cox_firth(const CoxDesign& design, const CoxFirthOptions& options) {
  half_width(options.level);  // refuses what is no level
  CoxFirthFit result;
  CoxFit& fit = result.fit;
  const CoxRows& rows = *design.rows;
  const std::size_t p = size(design.n_columns);
  fit.n_analysed = design.n_analysed;
  fit.n_events = design.n_events;
  fit.beta.assign(p, missing);
  fit.covariance.assign(p * p, missing);
  if (options.profiles) result.lrt_chi2 = result.lower = result.upper = fit.beta;
  if (design.n_events == 0) return result;

  CoxFirthEngine engine(design, options.ties);
  fit.aliased = engine.aliased();
  // |I| on the scale of the columns
  double log_scales = 0;
  for (const Index j : engine.kept()) log_scales += std::log(rows.scale[size(j)]);
  const auto at = [&](const Eigen::VectorXd& beta) { return engine.at(beta); };
  FirthPlace start = at(Eigen::VectorXd::Zero(design.n_columns));
  fit.loglik_null = start.loglik + log_scales;
  const FirthPeak peak = firth_maximum(at, std::move(start), engine.kept(), options.max_iterations);
  fit.loglik = peak.place.loglik + log_scales;
  report(engine, rows, peak, fit);
  fit.verdict = !peak.converged       ? CoxVerdict::not_converged
                : fit.aliased.empty() ? CoxVerdict::converged
                                      : CoxVerdict::singular;
  if (options.profiles && peak.converged) add_profiles(engine, rows, peak, options, result);
  return result;
}

}  // namespace chorale::kernels
