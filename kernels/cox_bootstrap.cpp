// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/cox_bootstrap.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <deque>
#include <string>
#include <vector>

#include "kernels/cox_bootstrap_alone.hpp"
#include "kernels/cox_bootstrap_frame.hpp"
#include "kernels/cox_bootstrap_search.hpp"
#include "kernels/cox_bootstrap_visits.hpp"
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

/// The replicates of one call and where their answers go.
struct Call {
  std::span<const std::uint8_t> copies;
  std::span<CoxReplicate> fits;
  std::span<double> beta;

  Index n_replicates() const { return static_cast<Index>(fits.size()); }
  std::span<double> beta_of(Index replicate) const {
    const std::size_t p = beta.size() / fits.size();
    return beta.subspan(size(replicate) * p, p);
  }
};

void report_alone(const BootstrapFrame& frame, const Call& call, Index replicate) {
  const CoxRows& rows = frame.original();
  const std::uint8_t* copies = call.copies.data() + replicate;
  const Index stride = call.n_replicates();
  const CoxFit found = fit_alone(rows, frame.fills(), replicate, copies, stride, frame.options());
  CoxReplicate& fit = call.fits[size(replicate)];
  fit = {.verdict = found.verdict,
         .alone = true,
         .iterations = found.iterations,
         .n_events = found.n_events,
         .loglik_null = found.loglik_null,
         .loglik = found.loglik};
  const std::span<double> beta = call.beta_of(replicate);
  const std::vector<Index>& free = frame.fills().free_columns();
  for (std::size_t k = 0; k < free.size(); ++k)
    beta[size(free[k])] = found.beta[k] / rows.scale[size(free[k])];
  frame.fills().expand(replicate, beta);
  if (frame.options().resample == Resample::rows) return;
  fit.n_events = 0;
  for (std::size_t i = 0; i < rows.row_of.size(); ++i) {
    const auto row = rows.row_of[i];
    if (row >= 0 && rows.place_of[size(row)] % 2 == 1) fit.n_events += copies[static_cast<Index>(i) * stride];
  }
}

/// One block of replicates side by side.
class Block {
 public:
  Block(const BootstrapFrame& frame, const BootstrapVisits& visits)
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

  void fit(const Call& call, Index first) {
    const Index n = std::min(n_lanes, call.n_replicates() - first);
    visits_.gather(call.copies, call.n_replicates(), first, copies_);
    const BootstrapBatch batch{copies_.data(), deaths_.data(), weight_.data()};
    CHORALE_AT_LEVEL(bootstrap_deaths, walk_, batch, frame_.options().resample == Resample::rows,
                     room_.data(), of_columns_.data());
    count_deaths();
    null_loglik(batch);
    std::deque<Lane> lanes;  // they stay where they are: searches point into them
    for (Index lane = 0; lane < n; ++lane) {
      const bool lost = n_events_[size(lane)] == 0 ||
                        frame_.lost_tellers(call.copies.data() + first + lane, call.n_replicates());
      lanes.emplace_back(frame_, first + lane, lost);
    }
    search(batch, lanes);
    for (Index lane = 0; lane < n; ++lane) {
      if (lanes[size(lane)].search.state() == ReplicateSearch::State::converged) {
        report(lanes[size(lane)], lane, call, first + lane);
      } else {
        report_alone(frame_, call, first + lane);
      }
    }
  }

 private:
  enum class Pass { single, exact, probe };

  /// One replicate.
  struct Lane {
    Lane(const BootstrapFrame& frame, Index replicate, bool lost)
        : filled(frame.filled(replicate)),
          search(filled.own ? *filled.own : frame.factor()),
          apart(lost || filled.alone) {}
    Lane(const Lane&) = delete;
    Lane(Lane&&) = delete;

    bool moves() const { return !apart && search.state() == ReplicateSearch::State::moving; }

    FilledReplicate filled;
    ReplicateSearch search;
    bool apart;
  };

  void report(const Lane& found, Index lane, const Call& call, Index replicate) const {
    const std::span<double> beta = call.beta_of(replicate);
    std::fill(beta.begin(), beta.end(), missing);
    const std::vector<Index>& kept = frame_.kept();
    for (std::size_t k = 0; k < kept.size(); ++k) {
      const auto at = static_cast<Index>(k);
      beta[size(kept[k])] =
          (frame_.start()(at) + found.search.moved()(at)) / frame_.rows().scale[size(kept[k])];
    }
    frame_.fills().expand(replicate, beta);
    const bool all = kept.size() == frame_.fills().free_columns().size();
    call.fits[size(replicate)] = {.verdict = all ? CoxVerdict::converged : CoxVerdict::singular,
                                  .alone = false,
                                  .iterations = found.search.passes(),
                                  .n_events = n_events_[size(lane)],
                                  .loglik_null = null_[size(lane)],
                                  .loglik = found.search.loglik()};
  }

  /// Events of each lane, each copy counting, and Σ w offset over them.
  void count_deaths() {
    n_events_.assign(size(n_lanes), 0);
    offset_of_deaths_.assign(size(n_lanes), 0);
    for_each_death([&](Index, const std::uint8_t* copies) {
      for (std::size_t lane = 0; lane < size(n_lanes); ++lane) n_events_[lane] += copies[lane];
    });
    if (frame_.rows().offset.empty()) return;
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

  /// Coefficients beyond those in the visits' factor, of columns and behind them of gap columns.
  void set_moved(const std::deque<Lane>& lanes, Pass pass) {
    const auto p = static_cast<Index>(frame_.kept().size());
    for (std::size_t lane = 0; lane < lanes.size(); ++lane) {
      if (!lanes[lane].moves()) continue;
      const Eigen::VectorXd moved =
          pass == Pass::probe ? lanes[lane].search.probe() : lanes[lane].search.moved();
      for (Index j = 0; j < p; ++j) moved_[size(j * n_lanes) + lane] = moved(j) / visits_.unit(j);
      if (!frame_.fills().any()) continue;
      const Eigen::VectorXd of_gaps = lanes[lane].filled.ties * (frame_.start() + moved);
      for (Index g = 0; g < of_gaps.size(); ++g)
        moved_[size((p + g) * n_lanes) + lane] = of_gaps(g) / visits_.unit(p + g);
    }
  }

  /// Late entries are subtracted from sums, which leaves nothing of single precision's digits.
  Pass kind(int pass) const {
    constexpr int n_single = 4, n_probes = 2;
    if (visits_.late_entries() || pass == n_single || pass > n_single + n_probes) return Pass::exact;
    return pass < n_single ? Pass::single : Pass::probe;
  }

  void search(const BootstrapBatch& batch, std::deque<Lane>& lanes) {
    for (int pass = 0; pass < frame_.options().max_iterations; ++pass) {
      if (std::none_of(lanes.begin(), lanes.end(), [](const Lane& lane) { return lane.moves(); })) return;
      const Pass now = kind(pass);
      set_moved(lanes, now);
      const bool nothing_moved = pass == 0 && !frame_.fills().any();
      if (now == Pass::exact) {
        CHORALE_AT_LEVEL(bootstrap_pass, walk_, batch, nothing_moved ? nullptr : moved_.data(), room_.data(),
                         slope_.data(), log_risk_.data());
      } else {
        std::transform(moved_.begin(), moved_.end(), moved_single_.begin(),
                       [](double value) { return static_cast<float>(value); });
        CHORALE_AT_LEVEL(bootstrap_pass_single, walk_, batch, nothing_moved ? nullptr : moved_single_.data(),
                         room_single_.data(), room_.data(), slope_.data());
      }
      for (std::size_t lane = 0; lane < lanes.size(); ++lane) {
        if (lanes[lane].moves()) see(lanes[lane], lane, now);
      }
    }
  }

  void see(Lane& lane, std::size_t at_lane, Pass pass) const {
    const auto p = static_cast<Index>(frame_.kept().size());
    const Eigen::MatrixXd& ties = lane.filled.ties;
    Eigen::VectorXd gradient(p);
    double loglik = offset_of_deaths_[at_lane] - log_risk_[at_lane];
    for (Index j = 0; j < p; ++j) {
      const auto at = size(j * n_lanes) + at_lane;
      gradient(j) = (of_columns_[at] - slope_[at]) / visits_.unit(j);
      loglik += of_columns_[at] * (frame_.start()(j) / visits_.unit(j) + moved_[at]);
    }
    for (Index g = 0; g < ties.rows(); ++g) {
      const auto at = size((p + g) * n_lanes) + at_lane;
      gradient += (of_columns_[at] - slope_[at]) / visits_.unit(p + g) * ties.row(g).transpose();
      loglik += of_columns_[at] * moved_[at];
    }
    switch (pass) {
      case Pass::single:
        return lane.search.see_single(gradient);
      case Pass::exact:
        return lane.search.see(gradient, loglik);
      case Pass::probe:
        return lane.search.see_probe(gradient);
    }
  }

  const BootstrapFrame& frame_;
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
  const BootstrapFrame frame(design, full, options, n_replicates);
  const Call call{copies, fits, beta};
  if (!frame.in_lanes()) {
#pragma omp parallel for schedule(dynamic)
    for (Index r = 0; r < n_replicates; ++r) report_alone(frame, call, r);
    return;
  }
  std::vector<Index> columns = frame.kept();
  std::vector<double> start(frame.start().begin(), frame.start().end());
  for (const Index gap : frame.fills().gap_columns()) {
    columns.push_back(gap);
    start.push_back(0);
  }
  const BootstrapVisits visits(frame.rows(), columns, start, options.ties);
  const Index n_blocks = (n_replicates + n_lanes - 1) / n_lanes;
#pragma omp parallel if (n_blocks > 1)
  {
    Block block(frame, visits);
#pragma omp for schedule(dynamic)
    for (Index b = 0; b < n_blocks; ++b) block.fit(call, b * n_lanes);
  }
}

}  // namespace chorale::kernels
