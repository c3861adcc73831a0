// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/cox_bootstrap.hpp"

#include <omp.h>

#include <Eigen/Dense>
#include <algorithm>
#include <iterator>
#include <memory>
#include <numeric>
#include <vector>

#include "kernels/cox_bootstrap_alone.hpp"
#include "kernels/cox_bootstrap_frame.hpp"
#include "kernels/cox_bootstrap_knowledge.hpp"
#include "kernels/cox_bootstrap_search.hpp"
#include "kernels/cox_bootstrap_visits.hpp"
#include "kernels/error.hpp"

namespace chorale::kernels {
namespace {

constexpr Index n_lanes = bootstrap_lanes;

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
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

/// One replicate.
struct Lane {
  Lane(const BootstrapFrame& frame, Index number, bool lost)
      : replicate(number),
        filled(frame.filled(number)),
        search(filled.own ? *filled.own : frame.factor()),
        apart(lost || filled.alone) {}
  Lane(const Lane&) = delete;  // the search points into it
  Lane(Lane&&) = delete;

  bool moves() const { return !apart && search.state() == ReplicateSearch::State::moving; }

  Index replicate;
  FilledReplicate filled;
  ReplicateSearch search;
  bool apart;
};

using Lanes = std::vector<std::unique_ptr<Lane>>;

/// Replicates that leave their block.
struct Leaving {
  Lanes lanes;
  BootstrapKnowledge known;
};

constexpr int n_single = 4, n_probes = 2;  ///< passes in single precision
constexpr int leaving_pass =
    n_single + 2;  ///< before which few replicates that still move may leave their block

/// One block of replicates side by side.
class Block {
 public:
  Block(const BootstrapFrame& frame, const BootstrapVisits& visits, const Call& call)
      : frame_(frame),
        walk_(visits.walk()),
        visits_(visits),
        call_(call),
        slope_(size(walk_.n_columns * n_lanes)),
        moved_(slope_),
        room_(size((walk_.n_room + walk_.n_columns) * n_lanes)),
        log_risk_(size(n_lanes)),
        moved_single_(slope_.size()),
        room_single_(room_.size()) {
    known_.copies.resize(size(walk_.n_visits * n_lanes));
    known_.deaths.resize(size(walk_.n_times * n_lanes));
    known_.weight = known_.deaths;
    known_.of_columns = slope_;
    known_.null = known_.offset_of_deaths = log_risk_;
    known_.n_events.resize(size(n_lanes));
  }

  /// Fits replicates from `first` on; returns those that leave, if they may.
  Leaving fit(Index first, bool may_leave) {
    const Index n = std::min(n_lanes, call_.n_replicates() - first);
    visits_.gather(call_.copies, call_.n_replicates(), first, known_.copies);
    CHORALE_AT_LEVEL(bootstrap_deaths, walk_, batch(), frame_.options().resample == Resample::rows,
                     room_.data(), known_.of_columns.data());
    count_deaths();
    null_loglik();
    Lanes lanes;
    for (Index replicate = first; replicate < first + n; ++replicate) {
      const bool lost = known_.n_events[size(replicate - first)] == 0 ||
                        frame_.lost_tellers(call_.copies.data() + replicate, call_.n_replicates());
      lanes.push_back(std::make_unique<Lane>(frame_, replicate, lost));
    }
    search(lanes, 0, may_leave);
    std::vector<std::size_t> moving;
    for (std::size_t lane = 0; lane < lanes.size(); ++lane) {
      if (may_leave && lanes[lane]->moves()) {
        moving.push_back(lane);
      } else {
        finish(*lanes[lane], lane);
      }
    }
    Leaving leaving{.lanes = {}, .known = chosen(known_, moving)};
    for (const std::size_t lane : moving) leaving.lanes.push_back(std::move(lanes[lane]));
    return leaving;
  }

  /// Goes on with replicates that left their blocks, as many as there are lanes at most.
  void go_on(std::span<Leaving> blocks) {
    Lanes lanes;
    for (Leaving& leaving : blocks) {
      put(leaving.known, leaving.lanes.size(), lanes.size(), known_);
      std::move(leaving.lanes.begin(), leaving.lanes.end(), std::back_inserter(lanes));
    }
    search(lanes, leaving_pass, false);
    for (std::size_t lane = 0; lane < lanes.size(); ++lane) finish(*lanes[lane], lane);
  }

 private:
  enum class Pass { single, exact, probe };

  BootstrapBatch batch() { return {known_.copies.data(), known_.deaths.data(), known_.weight.data()}; }

  void finish(const Lane& lane, std::size_t at_lane) const {
    if (lane.search.state() == ReplicateSearch::State::converged) {
      report(lane, at_lane);
    } else {
      report_alone(frame_, call_, lane.replicate);
    }
  }

  void report(const Lane& found, std::size_t at_lane) const {
    const std::span<double> beta = call_.beta_of(found.replicate);
    std::fill(beta.begin(), beta.end(), missing);
    const std::vector<Index>& kept = frame_.kept();
    for (std::size_t k = 0; k < kept.size(); ++k) {
      const auto at = static_cast<Index>(k);
      beta[size(kept[k])] =
          (frame_.start()(at) + found.search.moved()(at)) / frame_.rows().scale[size(kept[k])];
    }
    frame_.fills().expand(found.replicate, beta);
    const bool all = kept.size() == frame_.fills().free_columns().size();
    call_.fits[size(found.replicate)] = {.verdict = all ? CoxVerdict::converged : CoxVerdict::singular,
                                         .alone = false,
                                         .iterations = found.search.passes(),
                                         .n_events = known_.n_events[at_lane],
                                         .loglik_null = known_.null[at_lane],
                                         .loglik = found.search.loglik()};
  }

  /// Events of each lane, each copy counting, and Σ w offset over them.
  void count_deaths() {
    std::fill(known_.n_events.begin(), known_.n_events.end(), 0U);
    std::fill(known_.offset_of_deaths.begin(), known_.offset_of_deaths.end(), 0.0);
    if (walk_.case_weight == nullptr) {
      // weights are copies
      for (std::size_t k = 0; k < known_.weight.size(); ++k)
        known_.n_events[k % size(n_lanes)] += static_cast<std::uint32_t>(known_.weight[k]);
    } else {
      for_each_death([&](Index, const std::uint8_t* copies) {
        for (std::size_t lane = 0; lane < size(n_lanes); ++lane) known_.n_events[lane] += copies[lane];
      });
    }
    if (frame_.rows().offset.empty()) return;
    for_each_death([&](Index visit, const std::uint8_t* copies) {
      const double offset = visits_.weighted_offset(visit);
      for (std::size_t lane = 0; lane < size(n_lanes); ++lane)
        known_.offset_of_deaths[lane] += offset * copies[lane];
    });
  }

  template <class Body>
  void for_each_death(Body body) const {
    for (Index k = 0; k < walk_.n_times; ++k) {
      for (Index v = walk_.visit_begin[2 * k]; v < walk_.visit_begin[2 * k + 1]; ++v)
        body(v, known_.copies.data() + v * n_lanes);
    }
  }

  void null_loglik() {
    CHORALE_AT_LEVEL(bootstrap_pass, visits_.null_walk(), batch(), nullptr, room_.data(), nullptr,
                     log_risk_.data());
    for (std::size_t lane = 0; lane < known_.null.size(); ++lane)
      known_.null[lane] = known_.offset_of_deaths[lane] - log_risk_[lane];
  }

  /// Coefficients beyond those in the visits' factor, of columns and behind them of gap columns.
  void set_moved(const Lanes& lanes, Pass pass) {
    const auto p = static_cast<Index>(frame_.kept().size());
    for (std::size_t lane = 0; lane < lanes.size(); ++lane) {
      if (!lanes[lane]->moves()) continue;
      const Eigen::VectorXd moved =
          pass == Pass::probe ? lanes[lane]->search.probe() : lanes[lane]->search.moved();
      for (Index j = 0; j < p; ++j) moved_[size(j * n_lanes) + lane] = moved(j) / visits_.unit(j);
      if (!frame_.fills().any()) continue;
      const Eigen::VectorXd of_gaps = lanes[lane]->filled.ties * (frame_.start() + moved);
      for (Index g = 0; g < of_gaps.size(); ++g)
        moved_[size((p + g) * n_lanes) + lane] = of_gaps(g) / visits_.unit(p + g);
    }
  }

  /// Late entries are subtracted from sums, which leaves nothing of single precision's digits.
  Pass kind(int pass) const {
    if (visits_.late_entries() || pass == n_single || pass > n_single + n_probes) return Pass::exact;
    return pass < n_single ? Pass::single : Pass::probe;
  }

  void search(const Lanes& lanes, int first_pass, bool may_leave) {
    constexpr std::ptrdiff_t few =
        16;  // where more still move, beginning another block costs more than the pass
    for (int pass = first_pass; pass < frame_.options().max_iterations; ++pass) {
      const auto n_moving =
          std::count_if(lanes.begin(), lanes.end(), [](const auto& lane) { return lane->moves(); });
      if (n_moving == 0 || (may_leave && pass == leaving_pass && n_moving <= few)) return;
      const Pass now = kind(pass);
      set_moved(lanes, now);
      const bool nothing_moved = pass == 0 && !frame_.fills().any();
      if (now == Pass::exact) {
        CHORALE_AT_LEVEL(bootstrap_pass, walk_, batch(), nothing_moved ? nullptr : moved_.data(),
                         room_.data(), slope_.data(), log_risk_.data());
      } else {
        std::transform(moved_.begin(), moved_.end(), moved_single_.begin(),
                       [](double value) { return static_cast<float>(value); });
        CHORALE_AT_LEVEL(bootstrap_pass_single, walk_, batch(),
                         nothing_moved ? nullptr : moved_single_.data(), room_single_.data(), room_.data(),
                         slope_.data());
      }
      for (std::size_t lane = 0; lane < lanes.size(); ++lane) {
        if (lanes[lane]->moves()) see(*lanes[lane], lane, now);
      }
    }
  }

  void see(Lane& lane, std::size_t at_lane, Pass pass) const {
    const auto p = static_cast<Index>(frame_.kept().size());
    const Eigen::MatrixXd& ties = lane.filled.ties;
    Eigen::VectorXd gradient(p);
    double loglik = known_.offset_of_deaths[at_lane] - log_risk_[at_lane];
    for (Index j = 0; j < p; ++j) {
      const auto at = size(j * n_lanes) + at_lane;
      gradient(j) = (known_.of_columns[at] - slope_[at]) / visits_.unit(j);
      loglik += known_.of_columns[at] * (frame_.start()(j) / visits_.unit(j) + moved_[at]);
    }
    for (Index g = 0; g < ties.rows(); ++g) {
      const auto at = size((p + g) * n_lanes) + at_lane;
      gradient += (known_.of_columns[at] - slope_[at]) / visits_.unit(p + g) * ties.row(g).transpose();
      loglik += known_.of_columns[at] * moved_[at];
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
  const Call& call_;
  BootstrapKnowledge known_;
  AlignedDoubles slope_, moved_, room_, log_risk_;
  std::vector<float, CacheLineAllocator<float>> moved_single_, room_single_;
};

/// Blocks whose replicates fill as many lanes together as there are: where each group begins, and the end.
std::vector<std::size_t> groups_of(const std::vector<Leaving>& blocks) {
  std::vector<std::size_t> begin{0};
  std::size_t n = 0;
  for (std::size_t b = 0; b < blocks.size(); ++b) {
    n += blocks[b].lanes.size();
    if (n <= size(n_lanes)) continue;
    begin.push_back(b);
    n = blocks[b].lanes.size();
  }
  begin.push_back(blocks.size());
  return begin;
}

}  // namespace

void cox_bootstrap(const CoxDesign& design, const CoxFit& full, std::span<const std::uint8_t> copies,
                   const CoxBootstrapOptions& options, std::span<CoxReplicate> fits, std::span<double> beta) {
  const auto n_replicates = static_cast<Index>(fits.size());
  require_size("copies do not fit patients and replicates", copies.size(), design.n_patients * n_replicates);
  require_size("coefficients do not fit replicates and columns", beta.size(),
               design.n_columns * n_replicates);
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
  // who is to go on alone gives a pass of others' lanes away: they do so together, where there are enough of them
  constexpr Index many = 4;
  const bool may_leave = n_blocks >= many * omp_get_max_threads();
  std::vector<Leaving> leaving(size(n_blocks));
  std::vector<std::size_t> group_begin;
#pragma omp parallel if (n_blocks > 1)
  {
    Block block(frame, visits, call);
#pragma omp for schedule(dynamic)
    for (Index b = 0; b < n_blocks; ++b) leaving[size(b)] = block.fit(b * n_lanes, may_leave);
#pragma omp single
    group_begin = groups_of(leaving);
#pragma omp for schedule(dynamic)
    for (std::size_t group = 0; group < group_begin.size() - 1; ++group) {
      const std::size_t begin = group_begin[group];
      block.go_on(std::span(leaving).subspan(begin, group_begin[group + 1] - begin));
    }
  }
}

}  // namespace chorale::kernels
