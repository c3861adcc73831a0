// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/incidence_variance.hpp"

#include <numeric>

namespace chorale::kernels {
namespace {

/// What all causes share at a row.
struct Row {
  double n = 0, d = 0;           ///< at risk, events of any cause
  double before = 1, after = 1;  ///< event-free just before and after
};

Row row_at(const IncidenceRows& rows, std::span<const double> event_free, std::size_t k) {
  Row row{.n = rows.at_risk[k], .d = 0, .before = k > 0 ? event_free[k - 1] : 1, .after = event_free[k]};
  for (std::size_t at = k; at < rows.events.size(); at += rows.time.size()) row.d += rows.events[at];
  return row;
}

/// Delta method: a row's d_c moves F(t) by S(s-)/n φ_c, φ_c = [c is the cause] − (F(t) − F(s))/S(s), a line
/// in F(t); so the variance is a parabola in F(t) whose coefficients gather over rows.
std::vector<double> delta_method(const IncidenceRows& rows, std::span<const double> incidence,
                                 std::span<const double> event_free, bool causes_apart) {
  const std::size_t n_times = rows.time.size();
  std::vector<double> variance(incidence.size(), 0);
  for (std::size_t begin = 0; begin < incidence.size(); begin += n_times) {
    double constant = 0, linear = 0, square = 0;
    for (std::size_t k = 0; k < n_times; ++k) {
      const Row row = row_at(rows, event_free, k);
      const double f = incidence[begin + k], own = rows.events[begin + k], others = row.d - own;
      if (row.d > 0 && row.before > 0) {
        const double slope = row.after > 0 ? -1 / row.after : 0;
        const double of_others = -f * slope, of_own = 1 + of_others;
        const auto rate = [&](double d) {
          return d / row.n * (causes_apart && row.n > 1 ? (row.n - d) / (row.n - 1) : 1);
        };
        const double p = rate(own), q = rate(others), together = causes_apart ? 0 : 1;
        const double mean = p * of_own + q * of_others, scale = row.before * row.before / row.n;
        constant += scale * (p * of_own * of_own + q * of_others * of_others - together * mean * mean);
        linear += scale * slope * mean * (1 - together * (p + q));
        square += scale * slope * slope * (p + q) * (1 - together * (p + q));
      }
      variance[begin + k] = constant + 2 * f * linear + f * f * square;
    }
  }
  return variance;
}

/// Patients by the row named, ascending: order[begin[k]] … order[begin[k + 1] − 1].
struct ByRow {
  std::vector<std::int32_t> begin, order;
};

template <class RowOf>
ByRow by_row(const IncidenceRows& rows, RowOf row_of) {
  ByRow found{std::vector<std::int32_t>(rows.time.size() + 2, 0), {}};
  for (const IncidencePatient& patient : rows.patients) {
    if (patient.first < patient.last) ++found.begin[static_cast<std::size_t>(row_of(patient)) + 1];
  }
  std::partial_sum(found.begin.begin(), found.begin.end(), found.begin.begin());
  found.order.resize(static_cast<std::size_t>(found.begin.back()));
  std::vector<std::int32_t> next = found.begin;
  for (std::size_t i = 0; i < rows.patients.size(); ++i) {
    const IncidencePatient& patient = rows.patients[i];
    if (patient.first >= patient.last) continue;
    const auto place = next[static_cast<std::size_t>(row_of(patient))]++;
    found.order[static_cast<std::size_t>(place)] = static_cast<std::int32_t>(i);
  }
  return found;
}

/// Infinitesimal jackknife of one cause. With A_i = ∫ (dN_i − Y_i d/n)/(n − d) the derivatives U_i = ∂F/∂w_i
/// change at a row by
///
///   ΔU_i = −A_i(s-) ΔF + Y_i (S(s-)/n) ([i has the event] − d_c/n)
///
/// so that U_i of a patient at risk since e, where G = Σ d/(n(n − d)) and H = Σ (G(s-) − 1/n) ΔF, is H − H_e
/// − G_e (F − F_e), and that of a patient who left falls by A_i ΔF: sums of both kinds of patients, not
/// patients, walk through time.
class Jackknife {
 public:
  Jackknife(const IncidenceRows& rows, const ByRow& entering, const ByRow& leaving)
      : rows_(rows), entering_(entering), leaving_(leaving), at_entry_(rows.patients.size()) {}

  void walk(std::int8_t cause, std::span<const double> incidence, std::span<const double> event_free,
            double* variance) {
    for (std::size_t k = 0; k < rows_.time.size(); ++k) {
      const double f = incidence[k], gained = f - (k > 0 ? incidence[k - 1] : 0);
      const Row row = row_at(rows_, event_free, k);
      enter(k);
      if (row.d > 0 && row.before > 0) {
        h_ += (g_ - 1 / row.n) * gained;
        f_ = f;
        left_uu_ += gained * (gained * left_aa_ - 2 * left_ua_);
        left_ua_ -= gained * left_aa_;
        if (row.after > 0) g_ += row.d / (row.n * (row.n - row.d));
      }
      leave(k, cause, row);
      variance[k] = left_uu_ + of_present();
    }
  }

 private:
  struct Entry {
    double g = 0, k = 0;  ///< G_e and G_e F_e − H_e
  };

  void enter(std::size_t k) {
    for (auto at = entering_.begin[k]; at < entering_.begin[k + 1]; ++at) {
      const auto i = static_cast<std::size_t>(entering_.order[static_cast<std::size_t>(at)]);
      at_entry_[i] = {.g = g_, .k = g_ * f_ - h_};
      count(i, 1);
    }
  }

  void leave(std::size_t k, std::int8_t cause, const Row& row) {
    for (auto at = leaving_.begin[k]; at < leaving_.begin[k + 1]; ++at) {
      const auto i = static_cast<std::size_t>(leaving_.order[static_cast<std::size_t>(at)]);
      const IncidencePatient& patient = rows_.patients[i];
      double a = at_entry_[i].g - g_, u = h_ + at_entry_[i].k - at_entry_[i].g * f_;
      if (patient.cause > 0 && row.after > 0) a += 1 / (row.n - row.d);
      if (patient.cause == cause) u += row.before / row.n;
      const double ww = patient.weight * patient.weight;
      left_uu_ += ww * u * u;
      left_ua_ += ww * u * a;
      left_aa_ += ww * a * a;
      count(i, -1);
    }
  }

  void count(std::size_t i, double sign) {
    const double ww = sign * rows_.patients[i].weight * rows_.patients[i].weight;
    const auto [g, k] = at_entry_[i];
    ww_ += ww;
    wg_ += ww * g;
    wk_ += ww * k;
    gg_ += ww * g * g;
    gk_ += ww * g * k;
    kk_ += ww * k * k;
  }

  /// Σ w² (H + K − G_e F)² over those at risk.
  double of_present() const {
    return h_ * (h_ * ww_ + 2 * wk_ - 2 * f_ * wg_) + kk_ - 2 * f_ * gk_ + f_ * f_ * gg_;
  }

  const IncidenceRows& rows_;
  const ByRow& entering_;
  const ByRow& leaving_;
  std::vector<Entry> at_entry_;
  double f_ = 0, g_ = 0, h_ = 0;
  double left_uu_ = 0, left_ua_ = 0, left_aa_ = 0;
  double ww_ = 0, wg_ = 0, wk_ = 0, gg_ = 0, gk_ = 0, kk_ = 0;
};

}  // namespace

std::vector<double> incidence_variance(const IncidenceRows& rows, std::span<const double> incidence,
                                       std::span<const double> event_free, IncidenceVariance kind) {
  if (kind != IncidenceVariance::jackknife)
    return delta_method(rows, incidence, event_free, kind == IncidenceVariance::gray);
  const ByRow entering = by_row(rows, [](const IncidencePatient& patient) { return patient.first; });
  const ByRow leaving = by_row(rows, [](const IncidencePatient& patient) { return patient.last - 1; });
  std::vector<double> variance(incidence.size(), 0);
  const std::size_t n_times = rows.time.size();
  for (std::size_t c = 0; c < static_cast<std::size_t>(rows.n_causes); ++c) {
    Jackknife(rows, entering, leaving)
        .walk(static_cast<std::int8_t>(c + 1), incidence.subspan(c * n_times, n_times), event_free,
              variance.data() + c * n_times);
  }
  return variance;
}

}  // namespace chorale::kernels
