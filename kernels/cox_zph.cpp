// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/cox_zph.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "kernels/cox_sums.hpp"
#include "kernels/error.hpp"
#include "kernels/kaplan_meier.hpp"
#include "kernels/tail.hpp"

namespace chorale::kernels {
namespace {

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

/// Follow-up of the patients in the model, without weights and strata.
Timeline plain_follow_up(const Timeline& timeline, const CoxRows& rows) {
  Timeline plain;
  plain.n_patients = timeline.n_patients;
  plain.exit = timeline.exit;
  plain.entry = timeline.entry;
  plain.event = timeline.event;
  plain.analysed.resize(size(timeline.n_patients));
  const auto place = rows.efron.place();
  for (std::size_t i = 0; i < plain.analysed.size(); ++i)
    plain.analysed[i] = rows.row_of[i] >= 0 || place[i] == 2 * rows.efron.n_times();
  return plain;
}

/// g at each event time, before it is centred.
std::vector<double> transformed(const Timeline& timeline, const CoxRows& rows, ZphTransform transform) {
  const auto time = rows.efron.time();
  std::vector<double> g(time.begin(), time.end());
  if (transform == ZphTransform::log) {
    for (double& value : g) value = std::log(value);
  }
  if (transform == ZphTransform::km) {
    const KmCurve curve = kaplan_meier(plain_follow_up(timeline, rows), {});
    for (double& value : g) {
      const auto at = std::lower_bound(curve.time.begin(), curve.time.end(), value) - curve.time.begin();
      value = at == 0 ? 0 : 1 - curve.survival[size(at - 1)];
    }
  }
  if (transform == ZphTransform::rank) {
    const Timeline plain = plain_follow_up(timeline, rows);
    std::vector<double> all;
    for (std::size_t i = 0; i < plain.exit.size(); ++i)
      if (plain.analysed[i]) all.push_back(plain.exit[i]);
    std::sort(all.begin(), all.end());
    for (double& value : g) {
      const auto [begin, end] = std::equal_range(all.begin(), all.end(), value);
      value = static_cast<double>((begin - all.begin()) + (end - all.begin()) + 1) / 2;
    }
  }
  return g;
}

/// Sums over event times of powers of g times what they add to the score and the information, on the scaled columns.
class TimeShares {
 public:
  TimeShares(const CoxDesign& design, const CoxFit& fit, Ties ties)
      : sums_(design, fit.beta, ties), at_risk_(sums_.n_times, design.n_columns), dying_(at_risk_) {
    for (Index j = 0; j < design.n_columns; ++j) {
      std::copy_n(sums_.at_risk(j).begin(), sums_.n_times, at_risk_.col(j).begin());
      std::copy_n(sums_.dying(j).begin(), sums_.n_times, dying_.col(j).begin());
    }
  }

  /// Σ_deaths w g (x − x̄)
  Eigen::VectorXd score(const Eigen::VectorXd& g) const {
    const CoxRows& rows = *sums_.rows;
    Eigen::VectorXd u =
        -at_risk_.transpose() * weighted(g, sums_.first) + dying_.transpose() * weighted(g, sums_.first_tied);
    for (Index j = 0; j < rows.n_columns; ++j) {
      const double* column = rows.columns.data() + j * rows.n_rows;
      for (std::size_t row = 0; row < size(rows.n_rows); ++row)
        if (sums_.died(row))
          u(j) += sums_.weight(row) * g(static_cast<Index>(sums_.time_of(row))) * column[row];
    }
    return u;
  }

  /// Σ_t factor I_t
  Eigen::MatrixXd information(const Eigen::VectorXd& factor) const {
    const Eigen::VectorXd both = weighted(factor, sums_.second), mixed = weighted(factor, sums_.second_tied),
                          tied = weighted(factor, sums_.second_both_tied);
    const Eigen::MatrixXd cross = at_risk_.transpose() * mixed.asDiagonal() * dying_;
    Eigen::MatrixXd total = cross + cross.transpose();
    total -= at_risk_.transpose() * both.asDiagonal() * at_risk_;
    total -= dying_.transpose() * tied.asDiagonal() * dying_;
    return total + of_rows(factor);
  }

 private:
  static Eigen::VectorXd weighted(const Eigen::VectorXd& factor, const std::vector<double>& share) {
    return factor.cwiseProduct(Eigen::Map<const Eigen::VectorXd>(share.data(), factor.size()));
  }

  /// Σ_i ω_i x x', ω_i the risk times the factors' hazard gathered while at risk
  Eigen::MatrixXd of_rows(const Eigen::VectorXd& factor) const {
    const CoxRows& rows = *sums_.rows;
    const auto n_times = size(sums_.n_times);
    std::vector<double> hazard(n_times), own(n_times), omega(size(rows.n_rows));
    for (std::size_t t = 0; t < n_times; ++t) {
      hazard[t] = factor(static_cast<Index>(t)) * sums_.first[t];
      own[t] = factor(static_cast<Index>(t)) * sums_.first_tied[t];
    }
    sums_.accumulate(hazard);
    const Index p = rows.n_columns, n_products = p * (p + 1) / 2;
    const auto n_chunks = static_cast<Index>(rows.chunk_begin.size()) - 1;
    std::vector<double> products(size(n_chunks * n_products));
#pragma omp parallel for schedule(dynamic) if (n_chunks > 1)
    for (Index c = 0; c < n_chunks; ++c) {
      const Index begin = rows.place_begin[size(2 * rows.chunk_begin[size(c)])],
                  end = rows.place_begin[size(2 * rows.chunk_begin[size(c + 1)])];
      for (auto row = size(begin); row < size(end); ++row)
        omega[row] = sums_.risk[row] * sums_.gathered(row, hazard, own);
      CHORALE_AT_LEVEL(cox_products, rows.table(), omega.data(), begin, end,
                       products.data() + c * n_products);
    }
    Eigen::MatrixXd total = Eigen::MatrixXd::Zero(p, p);
    for (Index c = 0; c < n_chunks; ++c) {
      const double* product = products.data() + c * n_products;
      for (Index j = 0; j < p; ++j) {
        for (Index k = j; k < p; ++k) total(j, k) += *product++;
      }
    }
    return total.selfadjointView<Eigen::Upper>();
  }

  CoxSums sums_;
  Eigen::MatrixXd at_risk_, dying_;  ///< (n_times, n_columns), S1 and D1
};

/// The score and the three informations of the columns that are kept.
struct ScoreTest {
  Eigen::VectorXd u;
  Eigen::MatrixXd adjusted;  ///< I_2 − I_1 I_0⁻¹ I_1
  Eigen::VectorXd alone;     ///< diagonal of I_2

  ZphTest of(const std::vector<Index>& columns) const {
    ZphTest test{.verdict = ZphVerdict::constant, .df = static_cast<Index>(columns.size())};
    if (columns.empty()) return test;
    const Eigen::VectorXd score = u(columns);
    const Eigen::LLT<Eigen::MatrixXd> factor(adjusted(columns, columns));
    if (factor.info() != Eigen::Success) return test;
    for (std::size_t k = 0; k < columns.size(); ++k) {
      const auto at = static_cast<Eigen::Index>(k);
      const double left = factor.matrixLLT()(at, at) * factor.matrixLLT()(at, at);
      if (!(left > 1e-11 * alone(columns[k]))) return test;
    }
    test.verdict = ZphVerdict::computed;
    test.chi2 = score.dot(factor.solve(score));
    test.log10_p = chi_square_log10_upper(test.chi2, static_cast<double>(test.df));
    return test;
  }
};

ZphVerdict verdict_of(const CoxDesign& design, const CoxFit& fit) {
  if (fit.verdict == CoxVerdict::monotone || fit.verdict == CoxVerdict::not_converged)
    return ZphVerdict::no_maximum;
  return design.n_events == 0 ? ZphVerdict::no_events : ZphVerdict::computed;
}

}  // namespace

std::string_view name_of(ZphVerdict verdict) {
  switch (verdict) {
    case ZphVerdict::computed:
      return "computed";
    case ZphVerdict::no_events:
      return "no_events";
    case ZphVerdict::no_maximum:
      return "no_maximum";
    case ZphVerdict::bad_time:
      return "bad_time";
    case ZphVerdict::constant:
      return "constant";
  }
  return "";
}

CoxZph cox_zph(const Timeline& timeline, const CoxDesign& design, const CoxFit& fit, Ties ties,
               ZphTransform transform, std::span<const Index> term) {
  require_size("timeline and design differ in patients", timeline.exit.size(), design.n_patients);
  require_size("coefficients and columns differ in number", fit.beta.size(), design.n_columns);
  std::vector<Index> term_of(term.begin(), term.end());
  if (term.empty()) {
    term_of.resize(size(design.n_columns));
    std::iota(term_of.begin(), term_of.end(), 0);
  }
  require_size("terms and columns differ in number", term_of.size(), design.n_columns);
  Index n_terms = 0;
  for (const Index code : term_of) {
    if (code < 0)
      throw ShapeError(
          {.what = "term code out of range", .found = std::to_string(code), .expected = "0 or more"});
    n_terms = std::max(n_terms, code + 1);
  }

  CoxZph tests{.terms = std::vector<ZphTest>(size(n_terms)), .global = {}};
  const auto answer_all = [&](ZphVerdict verdict) {
    tests.global.verdict = verdict;
    for (ZphTest& test : tests.terms) test.verdict = verdict;
    return tests;
  };
  if (const ZphVerdict verdict = verdict_of(design, fit); verdict != ZphVerdict::computed)
    return answer_all(verdict);

  const CoxRows& rows = *design.rows;
  std::vector<double> g = transformed(timeline, rows, transform);
  double mean = 0;
  for (std::size_t t = 0; t < g.size(); ++t) {
    if (!std::isfinite(g[t])) return answer_all(ZphVerdict::bad_time);
    mean += g[t] * (rows.place_begin[2 * t + 2] - rows.place_begin[2 * t + 1]);
  }
  mean /= static_cast<double>(design.n_events);
  Eigen::VectorXd centred = Eigen::Map<const Eigen::VectorXd>(g.data(), static_cast<Eigen::Index>(g.size()));
  centred.array() -= mean;
  // whatever the unit of time
  const double largest = centred.cwiseAbs().maxCoeff();
  if (largest > 0) centred /= largest;

  std::vector<Index> kept;
  for (Index j = 0; j < design.n_columns; ++j)
    if (!std::isnan(fit.beta[size(j)])) kept.push_back(j);
  const TimeShares shares(design, fit, ties);
  const Eigen::VectorXd ones = Eigen::VectorXd::Ones(centred.size());
  const Eigen::MatrixXd plain = shares.information(ones)(kept, kept),
                        once = shares.information(centred)(kept, kept),
                        twice = shares.information(centred.cwiseProduct(centred))(kept, kept);
  const ScoreTest test{.u = shares.score(centred)(kept),
                       .adjusted = twice - once * plain.ldlt().solve(once),
                       .alone = twice.diagonal()};
  std::vector<Index> everything;
  std::vector<std::vector<Index>> of_term(size(n_terms));
  for (std::size_t k = 0; k < kept.size(); ++k) {
    everything.push_back(static_cast<Index>(k));
    of_term[size(term_of[size(kept[k])])].push_back(static_cast<Index>(k));
  }
  for (std::size_t k = 0; k < of_term.size(); ++k) tests.terms[k] = test.of(of_term[k]);
  tests.global = test.of(everything);
  return tests;
}

}  // namespace chorale::kernels
