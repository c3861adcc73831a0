// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/cox_bootstrap.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "kernels/cox_bootstrap_alone.hpp"
#include "kernels/cox_bootstrap_search.hpp"
#include "kernels/cox_bootstrap_visits.hpp"
#include "kernels/cox_engine.hpp"
#include "kernels/error.hpp"

namespace chorale::kernels {
namespace {

constexpr Index n_lanes = bootstrap_lanes;

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

void check_size(const char* what, std::size_t found, Index expected) {
  if (static_cast<Index>(found) == expected) return;
  throw ShapeError({.what = what, .found = std::to_string(found), .expected = std::to_string(expected)});
}

/// What tells one column from all others: the patients who hold nearly all of its residual's squares.
struct Tellers {
  std::vector<std::size_t> patient;
  std::vector<double> square;
  double sum = 0;
};

/// What all blocks of replicates share.
class Frame {
 public:
  Frame(const CoxDesign& design, const CoxFit& full, const CoxBootstrapOptions& chosen)
      : rows(*design.rows), options(chosen) {
    const bool fitted = full.verdict == CoxVerdict::converged || full.verdict == CoxVerdict::singular;
    Eigen::VectorXd beta = Eigen::VectorXd::Zero(design.n_columns);
    for (Index j = 0; j < design.n_columns; ++j) {
      if (!std::isfinite(full.beta[size(j)])) continue;
      kept.push_back(j);
      beta(j) = full.beta[size(j)] * rows.scale[size(j)];
    }
    if (!fitted) return;
    CoxEngine engine(rows, options.ties, false);
    engine.evaluate(beta);
    const Eigen::MatrixXd information = engine.information()(kept, kept);
    factor.compute(information);
    in_lanes = kept.empty() || factor.info() == Eigen::Success;
    start = beta(kept);
    if (in_lanes) find_tellers(information);
  }

  bool in_lanes = false;
  const CoxRows& rows;
  const CoxBootstrapOptions& options;
  std::vector<Index> kept;  ///< columns
  Eigen::VectorXd start;    ///< of the kept, scaled
  Eigen::LLT<Eigen::MatrixXd> factor;
  std::vector<Tellers> tellers;

 private:
  /// Keeps the columns that few patients tell from the others.
  void find_tellers(const Eigen::MatrixXd& information) {
    constexpr double few = 100, nearly_all = 0.99;
    const Eigen::MatrixXd inverse =
        factor.solve(Eigen::MatrixXd::Identity(information.rows(), information.cols()));
    std::vector<double> square(size(rows.n_rows));
    for (Index j = 0; j < information.cols(); ++j) {
      std::fill(square.begin(), square.end(), 0.0);
      for (std::size_t k = 0; k < kept.size(); ++k) {
        const double* column = rows.columns.data() + kept[k] * rows.n_rows;
        const double share = inverse(static_cast<Index>(k), j) / inverse(j, j);
        for (std::size_t i = 0; i < square.size(); ++i) square[i] += share * column[i];
      }
      double sum = 0, fourth = 0;
      for (double& value : square) {
        value *= value;
        sum += value;
        fourth += value * value;
      }
      if (sum * sum < few * fourth) tellers.push_back(largest(square, nearly_all * sum));
    }
  }

  Tellers largest(const std::vector<double>& square, double enough) const {
    std::vector<std::size_t> patients;
    for (std::size_t i = 0; i < rows.row_of.size(); ++i) {
      if (rows.row_of[i] >= 0) patients.push_back(i);
    }
    const auto of = [&](std::size_t patient) { return square[size(rows.row_of[patient])]; };
    std::stable_sort(patients.begin(), patients.end(), [&](auto a, auto b) { return of(a) > of(b); });
    Tellers found;
    for (std::size_t k = 0; k < patients.size() && found.sum < enough; ++k) {
      found.patient.push_back(patients[k]);
      found.square.push_back(of(patients[k]));
      found.sum += found.square.back();
    }
    return found;
  }
};

void report_alone(const Frame& frame, const std::uint8_t* copies, Index stride, CoxReplicate& fit,
                  std::span<double> beta) {
  const CoxFit found = fit_alone(frame.rows, copies, stride, frame.options);
  fit = {.verdict = found.verdict,
         .alone = true,
         .iterations = found.iterations,
         .n_events = found.n_events,
         .loglik_null = found.loglik_null,
         .loglik = found.loglik};
  for (std::size_t j = 0; j < beta.size(); ++j) beta[j] = found.beta[j] / frame.rows.scale[j];
  if (frame.options.resample == Resample::rows) return;
  fit.n_events = 0;
  for (std::size_t i = 0; i < frame.rows.row_of.size(); ++i) {
    const auto row = frame.rows.row_of[i];
    if (row >= 0 && frame.rows.place_of[size(row)] % 2 == 1)
      fit.n_events += copies[static_cast<Index>(i) * stride];
  }
}

/// One block of replicates side by side.
class Block {
 public:
  Block(const Frame& frame, const BootstrapVisits& visits)
      : frame_(frame),
        walk_(visits.walk()),
        visits_(visits),
        copies_(size(walk_.n_visits * n_lanes)),
        deaths_(size(walk_.n_times * n_lanes)),
        weight_(deaths_.size()),
        of_columns_(size(walk_.n_columns * n_lanes)),
        slope_(of_columns_),
        moved_(of_columns_),
        room_(size((walk_.n_room + walk_.n_columns) * n_lanes)),
        log_risk_(size(n_lanes)),
        moved_single_(of_columns_.size()),
        room_single_(room_.size()) {}

  void fit(std::span<const std::uint8_t> copies, Index n_replicates, Index first,
           std::span<CoxReplicate> fits, std::span<double> beta) {
    const Index n = std::min(n_lanes, n_replicates - first);
    visits_.gather(copies, n_replicates, first, copies_);
    const BootstrapBatch batch{copies_.data(), deaths_.data(), weight_.data()};
    CHORALE_AT_LEVEL(bootstrap_deaths, walk_, batch, frame_.options.resample == Resample::rows, room_.data(),
                     of_columns_.data());
    count_deaths();
    null_loglik(batch);
    std::vector<ReplicateSearch> searches(size(n), ReplicateSearch(frame_.factor));
    std::vector<std::uint8_t> apart(size(n_lanes));
    for (Index lane = 0; lane < n; ++lane) {
      apart[size(lane)] =
          n_events_[size(lane)] == 0 || lost_tellers(copies.data() + first + lane, n_replicates);
    }
    search(batch, searches, apart);

    const Index p = frame_.rows.n_columns;
    for (Index lane = 0; lane < n; ++lane) {
      CoxReplicate& fit = fits[size(first + lane)];
      fit = {};
      fit.n_events = n_events_[size(lane)];
      const auto to = beta.subspan(size((first + lane) * p), size(p));
      const ReplicateSearch& found = searches[size(lane)];
      if (found.state() != ReplicateSearch::State::converged) {
        report_alone(frame_, copies.data() + first + lane, n_replicates, fit, to);
        continue;
      }
      std::fill(to.begin(), to.end(), missing);
      for (std::size_t k = 0; k < frame_.kept.size(); ++k) {
        const auto j = size(frame_.kept[k]);
        to[j] = (frame_.start(static_cast<Index>(k)) + found.moved()(static_cast<Index>(k))) /
                frame_.rows.scale[j];
      }
      fit.verdict = static_cast<Index>(frame_.kept.size()) < p ? CoxVerdict::singular : CoxVerdict::converged;
      fit.iterations = found.passes();
      fit.loglik_null = null_[size(lane)];
      fit.loglik = found.loglik();
    }
  }

 private:
  /// Events of each lane, each copy counting, and Σ w offset over them.
  void count_deaths() {
    n_events_.assign(size(n_lanes), 0);
    offset_of_deaths_.assign(size(n_lanes), 0);
    for_each_death([&](Index, const std::uint8_t* copies) {
      for (std::size_t lane = 0; lane < size(n_lanes); ++lane) n_events_[lane] += copies[lane];
    });
    if (frame_.rows.offset.empty()) return;
    for_each_death([&](Index visit, const std::uint8_t* copies) {
      const double offset = visits_.weighted_offset(visit);
      for (std::size_t lane = 0; lane < size(n_lanes); ++lane)
        offset_of_deaths_[lane] += offset * copies[lane];
    });
  }

  template <class Body>
  void for_each_death(Body body) const {
    for (Index k = 0; k < walk_.n_times; ++k) {
      for (Index v = walk_.visit_begin[2 * k]; v < walk_.visit_begin[2 * k + 1]; ++v)
        body(v, copies_.data() + v * n_lanes);
    }
  }

  void null_loglik(const BootstrapBatch& batch) {
    null_.assign(size(n_lanes), 0);
    CHORALE_AT_LEVEL(bootstrap_pass, visits_.null_walk(), batch, nullptr, room_.data(), nullptr,
                     log_risk_.data());
    for (std::size_t lane = 0; lane < null_.size(); ++lane)
      null_[lane] = offset_of_deaths_[lane] - log_risk_[lane];
  }

  bool lost_tellers(const std::uint8_t* copies, Index stride) const {
    return std::any_of(frame_.tellers.begin(), frame_.tellers.end(), [&](const Tellers& column) {
      double sum = 0;
      for (std::size_t k = 0; k < column.patient.size(); ++k) {
        sum += copies[static_cast<Index>(column.patient[k]) * stride] * column.square[k];
      }
      return sum < column.sum / 2;
    });
  }

  void search(const BootstrapBatch& batch, std::vector<ReplicateSearch>& searches,
              const std::vector<std::uint8_t>& apart) {
    using State = ReplicateSearch::State;
    // late entries are subtracted from sums, which leaves nothing of single precision's digits
    const int n_single = visits_.late_entries() ? 0 : 3;
    const auto p = static_cast<Index>(frame_.kept.size());
    Eigen::VectorXd gradient(p);
    for (int pass = 0; pass < frame_.options.max_iterations; ++pass) {
      bool any = false;
      for (std::size_t lane = 0; lane < searches.size(); ++lane) {
        any = any || (!apart[lane] && searches[lane].state() == State::moving);
        for (Index j = 0; j < p; ++j) moved_[size(j * n_lanes) + lane] = searches[lane].moved()(j);
      }
      if (!any) return;
      const bool exact = pass >= n_single;
      if (exact) {
        CHORALE_AT_LEVEL(bootstrap_pass, walk_, batch, pass == 0 ? nullptr : moved_.data(), room_.data(),
                         slope_.data(), log_risk_.data());
      } else {
        std::transform(moved_.begin(), moved_.end(), moved_single_.begin(),
                       [](double value) { return static_cast<float>(value); });
        CHORALE_AT_LEVEL(bootstrap_pass_single, walk_, batch, pass == 0 ? nullptr : moved_single_.data(),
                         room_single_.data(), room_.data(), slope_.data());
      }
      for (std::size_t lane = 0; lane < searches.size(); ++lane) {
        if (apart[lane] || searches[lane].state() != State::moving) continue;
        double loglik = offset_of_deaths_[lane] - log_risk_[lane];
        for (Index j = 0; j < p; ++j) {
          const auto at = size(j * n_lanes) + lane;
          gradient(j) = of_columns_[at] - slope_[at];
          loglik += of_columns_[at] * (frame_.start(j) + moved_[at]);
        }
        searches[lane].see(gradient, loglik, exact);
      }
    }
  }

  const Frame& frame_;
  const BootstrapWalk& walk_;
  const BootstrapVisits& visits_;
  std::vector<std::uint8_t> copies_;
  AlignedDoubles deaths_, weight_, of_columns_, slope_, moved_, room_, log_risk_;
  std::vector<float, CacheLineAllocator<float>> moved_single_, room_single_;
  std::vector<double> null_, offset_of_deaths_;
  std::vector<std::uint32_t> n_events_;
};

}  // namespace

void cox_bootstrap(const CoxDesign& design, const CoxFit& full, std::span<const std::uint8_t> copies,
                   const CoxBootstrapOptions& options, std::span<CoxReplicate> fits, std::span<double> beta) {
  const auto n_replicates = static_cast<Index>(fits.size());
  check_size("copies do not fit patients and replicates", copies.size(), design.n_patients * n_replicates);
  check_size("coefficients do not fit replicates and columns", beta.size(), design.n_columns * n_replicates);
  check_size("the full fit is of another design", full.beta.size(), design.n_columns);
  const Frame frame(design, full, options);
  const Index p = design.n_columns;
  if (!frame.in_lanes) {
#pragma omp parallel for schedule(dynamic)
    for (Index r = 0; r < n_replicates; ++r) {
      report_alone(frame, copies.data() + r, n_replicates, fits[size(r)], beta.subspan(size(r * p), size(p)));
    }
    return;
  }
  const BootstrapVisits visits(frame.rows, frame.kept, {frame.start.data(), frame.kept.size()}, options.ties);
  const Index n_blocks = (n_replicates + n_lanes - 1) / n_lanes;
#pragma omp parallel if (n_blocks > 1)
  {
    Block block(frame, visits);
#pragma omp for schedule(dynamic)
    for (Index b = 0; b < n_blocks; ++b) block.fit(copies, n_replicates, b * n_lanes, fits, beta);
  }
}

}  // namespace chorale::kernels
