// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <algorithm>
#include <cmath>

#include "kernels/cox_path_lanes.hpp"

namespace chorale::kernels {
namespace {

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

// as in kernels/cox_path_solver.cpp
constexpr double small_error = 1e-8;   ///< half of what is promised
constexpr double single_error = 5e-8;  ///< and where single precision is enough, whose own error is as large
constexpr Index enough_rows = 10000;   ///< whose rounding errors even out
constexpr double small_step = 1e-5;    ///< the last one at most
constexpr double first_tolerance = 1e-6, model_tolerance = 1e-9;

constexpr int max_walks = 10, max_single = 5;
constexpr double near = 3e-6;  ///< what single precision leaves to double
constexpr double least_share = 2e-3;
constexpr Index lambdas_at_once = 16;

class Replicate : private CoxPathLanes {
 public:
  Replicate(const CoxPathGuideData& guide, CoxPathRoom::Arrays& room)
      : CoxPathLanes(guide, room),
        single_(guide.single && room.n_analysed >= enough_rows),
        small_error_(single_ ? single_error : small_error),
        last_(loglik_.size(), 0.0),
        share_(loglik_.size(), 1.0) {}

  /// False where the replicate is to be left to cox_path.
  bool follow(CoxPath& path) {
    CoxPathRecorder recorder(guide_.options, path);
    path.verdict = CoxPathVerdict::complete;
    Index begin = 0, end = guide_.first_end;
    path.loglik_null = room_.loglik_null;
    if (!std::isfinite(path.loglik_null)) return false;
    while (begin < n_lambda_) {
      if (!solve(begin, end)) return false;
      for (Index k = begin; k < end; ++k) {
        if (!recorder.take(guide_.lambda[size(k)], loglik_[size(k)], original(k))) return true;
      }
      begin = end;
      end = std::min(n_lambda_, end + lambdas_at_once);
    }
    return true;
  }

  Index n_walks() const { return n_walks_; }

 private:
  std::vector<double> original(Index k) {
    std::vector<double> found;
    for (Index j = 0; j < p_; ++j) found.push_back(beta(k)[j] == 0 ? 0 : beta(k)[j] / guide_.scale[size(j)]);
    return found;
  }

  bool is_knot(Index k, Index begin, Index end) const { return guide_.is_knot(k, begin, end); }

  /// Steps of some lanes; false where one has no end.
  bool move_all(std::span<const Index> lanes, double tolerance) {
    for (const Index k : lanes) {
      const double step = move(k, tolerance), before = last_[size(k)];
      if (std::isnan(step)) return false;
      share_[size(k)] = before > 0 ? std::clamp(step / before, least_share, 1.0) : 1;
      last_[size(k)] = step;
    }
    return true;
  }

  /// Whether risks at the full data's coefficients are known: they hold where no column with one is constant here.
  bool starts_as_known(Index begin) const {
    if (begin > 0 || guide_.start_risk.empty()) return false;
    for (Index j = 0; j < p_; ++j) {
      if (free(j)) continue;
      for (Index k = 0; k < guide_.first_end; ++k) {
        if (guide_.start[size(k * p_ + j)] != 0) return false;
      }
    }
    return true;
  }

  /// Single precision: knots, then what lies between them.
  bool approach(Index begin, Index end) {
    std::vector<Index> knots;
    for (Index k = begin; k < end; ++k) {
      for (Index j = 0; j < p_; ++j) beta(k)[j] = free(j) ? guide_.start[size(k * p_ + j)] : 0;
      if (is_knot(k, begin, end)) knots.push_back(k);
    }
    // from the end, so that columns of few lambdas share the first half of a block
    const std::vector<Index> lanes(knots.rbegin(), knots.rend());
    walk<float>(lanes, Ask::ahead, 0, starts_as_known(begin) ? guide_.start_risk.data() : nullptr);
    if (begin == 0) {
      const auto place = std::find(lanes.begin(), lanes.end(), guide_.measured_lambda) - lanes.begin();
      measure_difference(room_.single[static_cast<std::size_t>(place / (2 * wide_lanes))],
                         place % (2 * wide_lanes), knots);
    }
    if (!move_all(knots, first_tolerance)) return false;
    std::vector<double> beta_walked, slope_walked;
    for (int round = 1; round < max_single; ++round) {
      walk<float>(lanes, Ask::likely);
      beta_walked = beta_;
      slope_walked = slope_;
      if (!move_all(knots, model_tolerance)) return false;
      const auto off = [&](Index k) { return last_[size(k)] * share_[size(k)] > near; };
      if (std::none_of(knots.begin(), knots.end(), off)) break;
    }
    // what lies between starts from where the knots were walked
    std::swap(beta_, beta_walked);
    std::swap(slope_, slope_walked);
    std::vector<Index> between;
    for (std::size_t i = 0; i + 1 < knots.size(); ++i) {
      if (knots[i] + 1 < knots[i + 1]) interpolate(knots[i], knots[i + 1]);
      for (Index k = knots[i] + 1; k < knots[i + 1]; ++k) between.push_back(k);
    }
    for (const Index k : knots) {
      std::copy_n(beta_walked.begin() + k * guide_.stride, guide_.stride, beta(k));
      std::copy_n(slope_walked.begin() + k * guide_.stride, guide_.stride, slope(k));
    }
    return move_all(between, model_tolerance);
  }

  /// Twice that of the knots before and behind, as nothing of its own is known.
  double share_beside(Index k, Index begin, Index end) const {
    Index before = k, behind = k;
    while (!is_knot(before, begin, end)) --before;
    while (!is_knot(behind, begin, end)) ++behind;
    return 2 * std::max(share_[size(before)], share_[size(behind)]);
  }

  /// What a further step would move, judged by those before.
  double next_step(Index k) const { return last_[size(k)] * share_[size(k)]; }

  /// All lambdas to the end. Knots come first: their blocks see the slopes of every column. Between knots slopes stay
  /// close to a line, so that only likely columns are looked at.
  bool solve(Index begin, Index end) {
    if (!approach(begin, end)) return false;
    std::vector<Index> lanes;
    for (Index k = end; k-- > begin;) {
      if (is_knot(k, begin, end)) lanes.push_back(k);
    }
    Index n_every = static_cast<Index>(lanes.size());
    for (Index k = end; k-- > begin;) {
      if (!is_knot(k, begin, end)) lanes.push_back(k);
    }
    for (int round = 0; round < max_walks && !lanes.empty(); ++round) {
      if (single_ && round < max_single)
        walk<float>(lanes, Ask::likely, n_every);
      else
        walk<double>(lanes, Ask::likely, n_every);
      for (const Index k : lanes) {
        if (!std::isfinite(loglik_[size(k)])) return false;
        const double step = move(k, model_tolerance), before = last_[size(k)];
        if (std::isnan(step)) return false;
        last_[size(k)] = step;
        // the first step of what lies between knots is their distance from a line, and small ones are noise
        if (round == 0 && !is_knot(k, begin, end)) {
          share_[size(k)] = share_beside(k, begin, end);
        } else if (step > small_error_) {
          share_[size(k)] = std::max(share_[size(k)] / 2, std::clamp(step / before, least_share, 1.0));
        }
      }
      std::vector<Index> left;
      for (const Index k : lanes) {
        if (last_[size(k)] > small_step || next_step(k) > small_error_) left.push_back(k);
      }
      // columns far from their bound need no second look where little moved
      const auto little = std::stable_partition(left.begin(), left.end(),
                                                [&](Index k) { return last_[size(k)] > small_step; });
      n_every = little - left.begin();
      lanes = left;
    }
    return lanes.empty();
  }

  bool single_;  ///< single precision is enough
  double small_error_;
  std::vector<double> last_;   ///< step of each lane
  std::vector<double> share_;  ///< of a step that a further one takes
};

}  // namespace

CoxPathRoom::CoxPathRoom() : arrays_(std::make_unique<Arrays>()) {}
CoxPathRoom::~CoxPathRoom() = default;
CoxPathRoom::CoxPathRoom(CoxPathRoom&&) noexcept = default;
CoxPathRoom& CoxPathRoom::operator=(CoxPathRoom&&) noexcept = default;

CoxPath cox_path(const CoxPathGuide& guide, std::span<const double> weight, CoxPathRoom& room) {
  const CoxPathGuideData& data = *guide.data;
  check_path_weight(data.design, weight);
  std::vector<double> ones;
  if (weight.empty()) ones.assign(size(data.design.n_patients), 1.0);
  const std::span<const double> times = weight.empty() ? std::span<const double>(ones) : weight;
  if (data.usable) {
    CoxPathRoom::Arrays& arrays = room.arrays();
    arrays.take(data, times);
    if (arrays.n_events > 0) {
      CoxPath path;
      path.n_columns = data.n_columns();
      path.n_analysed = arrays.n_analysed;
      path.n_events = arrays.n_events;
      path.loglik_saturated = arrays.loglik_saturated;
      for (std::size_t j = 0; j < arrays.deviation.size(); ++j) {
        if (!(arrays.deviation[j] > 0)) path.constant.push_back(static_cast<Index>(j));
      }
      Replicate replicate(data, arrays);
      const bool followed = replicate.follow(path);
      path.n_evaluations = replicate.n_walks();
      if (followed) return path;
    }
  }
  CoxPathOptions options = data.options;
  std::vector<double> product(times.begin(), times.end());
  for (std::size_t i = 0; i < data.weight.size(); ++i) product[i] *= data.weight[i];
  options.weight = product;
  return cox_path(data.design, options);
}

}  // namespace chorale::kernels
