// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/cox_path_replicate.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

namespace chorale::kernels {
namespace {

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

// as in kernels/cox_path_solver.cpp
constexpr double small_error = 1e-8;   ///< half of what is promised
constexpr double single_error = 5e-8;  ///< and where single precision is enough, whose own error is as large
constexpr Index enough_rows = 10000;   ///< whose rounding errors even out
constexpr double furthest = 20;
constexpr double small_step = 1e-5;  ///< the last one at most
constexpr double first_tolerance = 1e-6, model_tolerance = 1e-9;

constexpr double probable = 0.75;   ///< slope, as a share of its bound, of columns that a model may move
constexpr double possible = 0.5;    ///< and of those whose slopes a model follows
constexpr double longest_step = 1;  ///< beyond it the full data is no guide
constexpr int max_walks = 10, max_single = 5;
constexpr double near = 3e-6;  ///< what single precision leaves to double
constexpr double least_share = 2e-3;
constexpr Index max_sweeps = 1000, lambdas_at_once = 16;

/// The dense columns whose slopes a walk is asked for.
enum class Ask {
  ahead,   ///< by the full data's path, before anything is known
  likely,  ///< by their slopes
  every    ///< the unlikely ones in single precision
};

class Replicate {
 public:
  Replicate(const CoxPathGuideData& guide, CoxPathRoom::Arrays& room)
      : guide_(guide),
        room_(room),
        wide_(room.wide(guide)),
        p_(guide.n_columns()),
        n_dense_(guide.rows().n_dense),
        penalty_(penalty_of(room.deviation, guide.options)),
        n_lambda_(static_cast<Index>(guide.lambda.size())),
        single_(guide.single && room.n_analysed >= enough_rows),
        small_error_(single_ ? single_error : small_error),
        beta_(size(n_lambda_ * guide.stride), 0.0),
        slope_(beta_.size(), 0.0),
        loglik_(size(n_lambda_), 0.0),
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
  double* beta(Index k) { return beta_.data() + k * guide_.stride; }
  double* slope(Index k) { return slope_.data() + k * guide_.stride; }
  double l1(Index k, Index j) const {
    return guide_.lambda[size(k)] * penalty_.alpha * penalty_.factor[size(j)] * room_.unit[size(j)];
  }
  double l2(Index k, Index j) const {
    const double u = room_.unit[size(j)];
    return guide_.lambda[size(k)] * (1 - penalty_.alpha) * penalty_.factor[size(j)] * u * u;
  }
  bool free(Index j) const { return penalty_.free[size(j)]; }
  /// May be nonzero at the next place.
  bool likely(Index k, Index j) {
    return free(j) && (beta(k)[j] != 0 || std::abs(slope(k)[j]) >= probable * l1(k, j));
  }

  /// Nonzero in the full data's path somewhat further down; all columns where many are.
  bool ahead(Index k, Index j) const { return guide_.ahead[size(k * p_ + j)]; }

  std::vector<double> original(Index k) {
    std::vector<double> found;
    for (Index j = 0; j < p_; ++j) found.push_back(beta(k)[j] == 0 ? 0 : beta(k)[j] / guide_.scale[size(j)]);
    return found;
  }

  template <class Real>
  std::vector<CoxPathBlock<Real>>& blocks() {
    if constexpr (sizeof(Real) == 4) {
      return room_.single;
    } else {
      return room_.twice;
    }
  }

  /// Coefficients in the precision of the walk, which is where the lanes then stand; what is asked for.
  template <class Real>
  void fill(CoxPathBlock<Real>& block, std::span<const Index> lanes, Ask ask) {
    const Index n_lanes = lanes.size() > size(wide_lanes) ? 2 * wide_lanes : wide_lanes;
    block.n_lanes = n_lanes;
    block.columns.clear();
    block.asked.clear();
    block.checked.clear();
    block.beta.clear();
    block.sparse_beta.assign(size((p_ - n_dense_) * n_lanes), Real(0));
    std::vector<std::int32_t> narrow, asked_narrow;  // of the first half of the lanes alone
    Unset<Real> of_narrow;
    for (Index j = 0; j < p_; ++j) {
      if (!free(j)) continue;
      const auto column = static_cast<std::int32_t>(j);
      Real b[2 * wide_lanes] = {};
      bool nonzero[2] = {}, asked[2] = {};
      for (std::size_t i = 0; i < lanes.size(); ++i) {
        double& value = beta(lanes[i])[j];
        b[i] = static_cast<Real>(value);
        value = static_cast<double>(b[i]);
        const bool half = i >= size(wide_lanes);
        nonzero[half] |= value != 0;
        asked[half] = asked[half] || (ask == Ask::ahead ? ahead(lanes[i], j) : likely(lanes[i], j));
      }
      if (j >= n_dense_) {
        std::copy_n(b, n_lanes, block.sparse_beta.data() + (j - n_dense_) * n_lanes);
        continue;
      }
      if (nonzero[0] || nonzero[1]) {
        (nonzero[1] ? block.columns : narrow).push_back(column);
        auto& to = nonzero[1] ? block.beta : of_narrow;
        to.insert(to.end(), b, b + n_lanes);
      }
      const bool unlikely = !(asked[0] || asked[1]) && ask == Ask::every;
      if (unlikely && sizeof(Real) == 8)
        block.checked.push_back(column);
      else if (asked[1] || ask == Ask::every)
        block.asked.push_back(column);
      else if (asked[0])
        asked_narrow.push_back(column);
    }
    block.n_wide = static_cast<Index>(block.columns.size());
    block.n_asked_wide = static_cast<Index>(block.asked.size());
    block.columns.insert(block.columns.end(), narrow.begin(), narrow.end());
    block.asked.insert(block.asked.end(), asked_narrow.begin(), asked_narrow.end());
    block.beta.insert(block.beta.end(), of_narrow.begin(), of_narrow.end());
    block.clear(wide_);
  }

  /// Likelihoods and slopes of some lanes; `known`: risks of one block by row of the design.
  template <class Real>
  void walk(std::span<const Index> lanes, Ask ask, Index n_every = 0, const float* known = nullptr) {
    auto& room = blocks<Real>();
    constexpr auto most = static_cast<std::size_t>(sizeof(Real) == 4 ? 2 * wide_lanes : wide_lanes);
    const std::size_t n_blocks = (lanes.size() + most - 1) / most;
    const auto of_block = [&](std::size_t b) {
      return lanes.subspan(b * most, std::min(most, lanes.size() - b * most));
    };
    if (room.size() < n_blocks) room.resize(n_blocks);
    std::vector<WideBlock<Real>> view;
    for (std::size_t b = 0; b < n_blocks; ++b) {
      fill(room[b], of_block(b), static_cast<Index>(b * most) < n_every ? Ask::every : ask);
      view.push_back(room[b].view());
    }
    for (Index tile = 0; tile < wide_.n_panels; tile += tile_panels) {
      const Index end = std::min(wide_.n_panels, tile + tile_panels);
      for (const auto& block : view) {
        if constexpr (sizeof(Real) == 4) {
          if (known != nullptr) {
            CHORALE_AT_LEVEL(cox_path_wide_start, wide_, block, known, tile, end);
            continue;
          }
        }
        CHORALE_AT_LEVEL(cox_path_wide_risks, wide_, block, tile, end);
      }
    }
    for (const auto& block : view) CHORALE_AT_LEVEL(cox_path_wide_times, wide_, block);
    for (Index tile = 0; tile < wide_.n_panels; tile += tile_panels) {
      const Index end = std::min(wide_.n_panels, tile + tile_panels);
      const bool flush = end == wide_.n_panels || (tile / tile_panels + 1) % tiles_summed == 0;
      for (const auto& block : view) {
        CHORALE_AT_LEVEL(cox_path_wide_slopes, wide_, block, tile, end);
        if (flush) CHORALE_AT_LEVEL(cox_path_wide_flush, wide_, block);
      }
    }
    for (std::size_t b = 0; b < n_blocks; ++b) read(room[b], of_block(b));
    ++n_walks_;
  }

  template <class Real>
  void read(const CoxPathBlock<Real>& block, std::span<const Index> lanes) {
    for (std::size_t i = 0; i < lanes.size(); ++i) {
      const auto take = [&](std::span<const std::int32_t> columns, const Unset<double>& found) {
        for (std::size_t c = 0; c < columns.size(); ++c)
          slope(lanes[i])[columns[c]] = found[c * size(block.n_lanes) + i] / room_.total_weight;
      };
      const bool narrow = i < size(wide_lanes);
      take(std::span(block.asked).first(narrow ? block.asked.size() : size(block.n_asked_wide)),
           block.slopes);
      take(block.checked, block.checked_slopes);
      for (Index j = n_dense_; j < p_; ++j)
        slope(lanes[i])[j] =
            block.sparse_slopes[size((j - n_dense_) * block.n_lanes) + i] / room_.total_weight;
      double of_dead = 0;  // Σ dead η / W
      for (Index j = 0; j < p_; ++j) of_dead += room_.died[size(j)] * beta(lanes[i])[j];
      loglik_[size(lanes[i])] = room_.total_weight * of_dead + room_.dead_offset - block.logs[i];
    }
  }

  /// Expected deaths of a sparse column's carriers / W, which is about its curvature.
  double expected(Index j, double slope_of) const {
    return std::max(room_.died[size(j)] - slope_of, 0.1 / room_.total_weight);
  }

  /// By how much the replicate's curvature differs from the full data's, at one place.
  void measure_difference(const CoxPathBlock<float>& block, Index lane, std::span<const Index> knots) {
    std::vector<std::int32_t> columns;
    for (Index j = 0; j < p_; ++j) {
      if (std::any_of(knots.begin(), knots.end(), [&](Index k) { return likely(k, j); }))
        columns.push_back(static_cast<std::int32_t>(j));
    }
    cox_path_curvature(guide_, room_, block, lane, columns, guide_.stride);
    const auto& measured =
        guide_.curves[static_cast<std::size_t>(guide_.curve_below(guide_.measured_lambda))];
    std::vector<double> unit;
    for (const std::int32_t j : columns)
      unit.push_back(j < n_dense_ ? 1 : 1 / std::sqrt(expected(j, slope(guide_.measured_lambda)[j])));
    room_.difference.assign(measured.size(), 0.0f);
    room_.curves.resize(guide_.curves.size());
    room_.has_curve.assign(guide_.curves.size(), 0);
    for (std::size_t a = 0; a < columns.size(); ++a) {
      for (std::size_t b = a; b < columns.size(); ++b) {
        const std::size_t at = size(columns[a] * guide_.stride + columns[b]);
        const double own = room_.gram[a * size(guide_.stride) + b] * unit[a] * unit[b] / room_.total_weight;
        room_.difference[at] = static_cast<float>(own) - measured[at];
        room_.difference[size(columns[b] * guide_.stride + columns[a])] = room_.difference[at];
      }
    }
  }

  /// Curvature of some columns at a lambda: a line between two of the full data's, and the difference.
  const float* between(Index k, std::span<const std::int32_t> columns, Index stride) {
    const auto below = static_cast<std::size_t>(guide_.curve_below(k));
    const auto above = std::min(below + 1, guide_.curves.size() - 1);
    const float share = guide_.share_above(k);
    room_.between.assign(columns.size() * size(stride), 0.0f);
    float* to = room_.between.data();
    for (std::size_t a = 0; a < columns.size(); ++a) {
      const std::size_t row = size(columns[a] * guide_.stride);
      for (std::size_t b = a; b < columns.size(); ++b) {
        const std::size_t at = row + static_cast<std::size_t>(columns[b]);
        const float low = guide_.curves[below][at];
        to[a * size(stride) + b] = to[b * size(stride) + a] =
            low + share * (guide_.curves[above][at] - low) + room_.difference[at];
      }
    }
    return to;
  }

  /// The nearest of the full data's, and the difference.
  const float* nearest(Index k) {
    const auto c = static_cast<std::size_t>(guide_.curve_below(k) + (guide_.share_above(k) > 0.5f));
    Aligned<float>& curve = room_.curves[c];
    if (!room_.has_curve[c]) {
      curve.resize(guide_.curves[c].size());
      std::transform(guide_.curves[c].begin(), guide_.curves[c].end(), room_.difference.begin(),
                     curve.begin(), std::plus<>());
      room_.has_curve[c] = 1;
    }
    return curve.data();
  }

  /// Takes a lane to the minimum of its model, slopes along. Returns how far; NaN where there is none.
  ///
  /// Where a sparse column's coefficient changes by d, expected deaths of its carriers change by e^d − 1 and all slopes
  /// in proportion to that: without a ridge this is the model's variable, so that long steps of rare columns are
  /// right at once.
  double move(Index k, double tolerance) {
    std::vector<std::int32_t> columns, in;
    for (Index j = 0; j < p_; ++j) {
      if (free(j) && (beta(k)[j] != 0 || std::abs(slope(k)[j]) >= possible * l1(k, j)))
        columns.push_back(static_cast<std::int32_t>(j));
    }
    // few of them are brought together, in the curvature of this lambda; of many, rows stay where they are
    const auto n_columns = static_cast<Index>(columns.size());
    const bool together = n_columns * 4 < p_;
    const Index stride = together ? (n_columns + 15) / 16 * 16 : guide_.stride;
    const float* curve = together ? between(k, columns, stride) : nearest(k);
    const auto place = [&](std::size_t c) { return together ? c : static_cast<std::size_t>(columns[c]); };
    // at a coefficient of 0 the variable is 0, and `here` where the lane stands
    std::vector<double> b(size(stride), 0.0), s(b), one(b), two(b), reach(b), here(b);
    std::vector<std::uint8_t> curved(size(stride), 0), chosen(curved);
    for (std::size_t c = 0; c < columns.size(); ++c) {
      const Index j = columns[c];
      const std::size_t at = place(c);
      const double e = j < n_dense_ ? 1 : std::sqrt(expected(j, slope(k)[j]));
      reach[at] = 1 / e;
      s[at] = slope(k)[j] / e;
      one[at] = l1(k, j) / e;
      two[at] = l2(k, j) / (e * e);
      curved[at] = j >= n_dense_ && two[at] == 0;
      b[at] = here[at] = e * (curved[at] ? -std::expm1(-beta(k)[j]) : beta(k)[j]);
    }
    std::vector<float> moved(size(stride));
    for (int round = 0; round < 10; ++round) {
      const double share = round == 0 ? probable : 1;
      bool joined = false;
      in.clear();
      for (std::size_t c = 0; c < columns.size(); ++c) {
        const std::size_t at = place(c);
        if (!chosen[at] && (b[at] != 0 || std::abs(s[at]) >= share * one[at])) chosen[at] = joined = true;
        if (chosen[at]) in.push_back(static_cast<std::int32_t>(at));
      }
      if (!joined) break;
      const WideModel model{.stride = stride,
                            .curve = curve,
                            .columns = in.data(),
                            .n_columns = static_cast<Index>(in.size()),
                            .l1 = one.data(),
                            .l2 = two.data(),
                            .reach = reach.data()};
      if (CHORALE_AT_LEVEL(cox_path_wide_descend, model, tolerance, max_sweeps, b.data(), s.data(),
                           moved.data()) >= max_sweeps)
        return missing;
    }
    double longest = 0, gain = 0;
    bool nothing = true;
    for (std::size_t c = 0; c < columns.size(); ++c) {
      const std::size_t at = place(c);
      double& value = beta(k)[columns[c]];
      double& slope_there = slope(k)[columns[c]];
      const double by = (b[at] - here[at]) * reach[at], end_slope = s[at] / reach[at];
      const double there = b[at] == 0 ? 0 : value + (curved[at] ? std::log1p(by) : by),
                   change = there - value;
      if (change != 0) {
        if (!(std::abs(change) <= longest_step && std::abs(there) <= furthest)) return missing;
        longest = std::max(longest, std::abs(change));
        gain += change * (slope_there + end_slope) / 2;
      }
      value = there;
      slope_there = end_slope;
      nothing = nothing && there == 0;
    }
    // rounding errors would make a gain of them
    loglik_[size(k)] = nothing ? room_.loglik_null : loglik_[size(k)] + gain * room_.total_weight;
    return longest;
  }

  /// Σ_k H[j, k] change_k of every column, by the full data's curvature at a lambda.
  std::vector<double> times_curvature(Index k, std::span<const double> change) {
    std::vector<double> unit(size(p_), 1.0), product(size(p_), 0.0);
    for (Index j = n_dense_; j < p_; ++j) unit[size(j)] = std::sqrt(expected(j, slope(k)[j]));
    const auto below = static_cast<std::size_t>(guide_.curve_below(k));
    const auto above = std::min(below + 1, guide_.curves.size() - 1);
    const double of_above = static_cast<double>(guide_.share_above(k));
    for (std::size_t j = 0; j < size(p_); ++j) {
      if (change[j] == 0) continue;
      const float* low = guide_.curves[below].data() + j * size(guide_.stride);
      const float* high = guide_.curves[above].data() + j * size(guide_.stride);
      const auto from_low = static_cast<float>((1 - of_above) * change[j] * unit[j]),
                 from_high = static_cast<float>(of_above * change[j] * unit[j]);
      for (std::size_t c = 0; c < size(p_); ++c)
        product[c] += static_cast<double>(from_low * low[c] + from_high * high[c]);
    }
    for (std::size_t j = 0; j < size(p_); ++j) product[j] *= unit[j];
    return product;
  }

  /// Where lambdas between knots stand: a line from one to the next. Slopes there leave their line by
  /// t (1 − t)/2 (H behind − H before) change.
  void interpolate(Index before, Index behind) {
    std::vector<double> change;
    for (Index j = 0; j < p_; ++j) change.push_back(beta(behind)[j] - beta(before)[j]);
    const auto at_end = times_curvature(behind, change), at_start = times_curvature(before, change);
    const double from = guide_.lambda[size(before)], to = guide_.lambda[size(behind)];
    for (Index k = before + 1; k < behind; ++k) {
      const double t = from > to ? (from - guide_.lambda[size(k)]) / (from - to) : 0;
      for (Index j = 0; j < p_; ++j) {
        beta(k)[j] = (1 - t) * beta(before)[j] + t * beta(behind)[j];
        slope(k)[j] = (1 - t) * slope(before)[j] + t * slope(behind)[j] +
                      t * (1 - t) / 2 * (at_end[size(j)] - at_start[size(j)]);
      }
    }
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

  /// That of the knots before and behind.
  double share_beside(Index k, Index begin, Index end) const {
    Index before = k, behind = k;
    while (!is_knot(before, begin, end)) --before;
    while (!is_knot(behind, begin, end)) ++behind;
    return std::max(share_[size(before)], share_[size(behind)]);
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

  const CoxPathGuideData& guide_;
  CoxPathRoom::Arrays& room_;
  WideRows wide_;
  Index p_, n_dense_;
  PathPenalty penalty_;
  Index n_lambda_;
  bool single_;  ///< single precision is enough
  double small_error_;
  std::vector<double> beta_, slope_;  ///< lanes x stride
  std::vector<double> loglik_, last_;
  std::vector<double> share_;  ///< of a step that a further one takes
  Index n_walks_ = 0;
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
