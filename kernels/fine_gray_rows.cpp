// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/fine_gray_rows.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>

#include "kernels/error.hpp"
#include "kernels/large_pages.hpp"

namespace chorale::kernels {
namespace {

/// 1 − part / whole, and 0 where rounding alone keeps them apart.
double share_left(double part, double whole) {
  const double share = 1 - part / whole;
  return share > 1e-12 ? share : 0;
}

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

void check(const CauseTimeline& causes, const FineGrayModel& model) {
  const auto refuse = [](const char* what, std::string found, std::string expected) {
    throw ShapeError({.what = what, .found = std::move(found), .expected = std::move(expected)});
  };
  const std::size_t n = size(causes.timeline.n_patients);
  const auto length = [&](auto span, const char* what) {
    if (!span.empty() && span.size() != n) refuse(what, std::to_string(span.size()), std::to_string(n));
  };
  length(model.censoring_group, "censoring_group does not have one value per patient");
  length(model.tested, "tested does not have one value per patient");
  length(model.columns.offset, "offset does not have one value per patient");
  if (model.columns.values.size() != n * size(model.columns.n_columns)) {
    refuse("columns do not have one value per patient",
           std::to_string(model.columns.values.size()) + " values",
           std::to_string(model.columns.n_columns) + " x " + std::to_string(n));
  }
  if (model.cause < 1 || model.cause > causes.n_causes)
    refuse("cause out of range", std::to_string(model.cause), "1 to " + std::to_string(causes.n_causes));
  for (const std::int32_t group : model.censoring_group) {
    if (group < -1) refuse("censoring group out of range", std::to_string(group), "-1 or more");
  }
}

/// 1 for who misses a column or the offset; column by column, as they lie.
/// Throws ShapeError where a value is infinite.
std::vector<std::uint8_t> find_incomplete(const CoxColumns& columns, std::size_t n) {
  std::vector<std::uint8_t> incomplete(n, 0);
  double largest = 0;  // NaN compare false
  const auto look = [&](const double* values) {
    // 0 times what is no finite number is none either
    const Eigen::Map<const Eigen::ArrayXd> all(values, static_cast<Index>(n));
    if ((all * 0).sum() == 0) return;
    for (std::size_t i = 0; i < n; ++i) {
      incomplete[i] |= static_cast<std::uint8_t>(values[i] != values[i]);
      largest = std::abs(values[i]) > largest ? std::abs(values[i]) : largest;
    }
  };
  for (Index j = 0; j < columns.n_columns; ++j) look(columns.values.data() + size(j) * n);
  if (!columns.offset.empty()) look(columns.offset.data());
  if (std::isinf(largest)) {
    throw ShapeError(
        {.what = "a covariate is infinite", .found = "an infinite value", .expected = "numbers or NaN"});
  }
  return incomplete;
}

/// The patients who are analysed, and why the others are not.
std::vector<std::size_t> select(const CauseTimeline& causes, const FineGrayModel& model,
                                FineGrayDesign& design) {
  std::vector<std::size_t> kept;
  const std::size_t n = size(causes.timeline.n_patients);
  const std::vector<std::uint8_t> incomplete = find_incomplete(model.columns, n);
  for (std::size_t i = 0; i < n; ++i) {
    if (!causes.timeline.analysed[i] || (!model.tested.empty() && !model.tested[i])) continue;
    if (!model.censoring_group.empty() && model.censoring_group[i] < 0) {
      ++design.n_missing_group;
      continue;
    }
    if (incomplete[i]) {
      ++design.n_missing_covariate;
      continue;
    }
    kept.push_back(i);
    const std::int8_t cause = causes.cause[i];
    design.n_events += cause == model.cause;
    design.n_competing += cause > 0 && cause != model.cause;
  }
  design.n_analysed = static_cast<Index>(kept.size());
  return kept;
}

/// Positions in `kept` by entry, ascending; empty without left truncation.
std::vector<std::size_t> order_by_entry(const Timeline& timeline, const std::vector<std::size_t>& kept) {
  if (timeline.entry.empty()) return {};
  std::vector<std::size_t> order(kept.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](auto a, auto b) { return timeline.entry[kept[a]] < timeline.entry[kept[b]]; });
  return order;
}

/// Positions in `kept` by exit, ascending. Within a stratum the event times sort most of it; what is left are
/// the few patients between two of them.
std::vector<std::size_t> order_by_exit(const Timeline& timeline, const std::vector<std::size_t>& kept) {
  std::vector<std::size_t> begin(timeline.time.size() + 2, 0), order(kept.size());
  const auto bucket = [&](std::size_t a) {
    return timeline.n_strata > 1 ? std::size_t{0} : static_cast<std::size_t>(timeline.last[kept[a]]);
  };
  for (std::size_t a = 0; a < kept.size(); ++a) ++begin[bucket(a) + 1];
  std::partial_sum(begin.begin(), begin.end(), begin.begin());
  std::vector<std::size_t> next = begin;
  for (std::size_t a = 0; a < kept.size(); ++a) order[next[bucket(a)]++] = a;
  for (std::size_t k = 0; k + 1 < begin.size(); ++k) {
    std::stable_sort(order.begin() + static_cast<Index>(begin[k]),
                     order.begin() + static_cast<Index>(begin[k + 1]),
                     [&](auto a, auto b) { return timeline.exit[kept[a]] < timeline.exit[kept[b]]; });
  }
  return order;
}

/// Rows in the order of their place, and which patient each is.
std::vector<std::int32_t> place_rows(const CauseTimeline& causes, const FineGrayModel& model,
                                     const std::vector<std::size_t>& kept, FineGrayRows& rows) {
  const Timeline& timeline = causes.timeline;
  const auto place = [&](const FineGrayPatient& patient, std::size_t i) {
    if (timeline.last[i] == timeline.first[i]) return Index{-1};
    const bool competing = causes.cause[i] > 0 && causes.cause[i] != model.cause;
    return 2 * ((timeline.last[i] - 1) * rows.n_groups + patient.group) + competing;
  };
  rows.place_begin.assign(size(2 * rows.n_times() * rows.n_groups) + 1, 0);
  for (std::size_t a = 0; a < kept.size(); ++a) {
    const Index at = place(rows.patients[a], kept[a]);
    if (at >= 0) ++rows.place_begin[size(at) + 1];
  }
  std::partial_sum(rows.place_begin.begin(), rows.place_begin.end(), rows.place_begin.begin());
  rows.n_rows = rows.place_begin.back();
  rows.place_of.resize(size(rows.n_rows));
  rows.dies.resize(size(rows.n_rows));
  if (!timeline.entry.empty()) rows.enters.resize(size(rows.n_rows));
  std::vector<std::int32_t> patient_of(size(rows.n_rows));
  std::vector<std::int32_t> next = rows.place_begin;
  for (std::size_t a = 0; a < kept.size(); ++a) {
    const Index at = place(rows.patients[a], kept[a]);
    if (at < 0) continue;
    const std::int32_t row = next[size(at)]++;
    rows.patients[a].row = row;
    rows.place_of[size(row)] = static_cast<std::int32_t>(at);
    rows.dies[size(row)] = causes.cause[kept[a]] == model.cause;
    patient_of[size(row)] = static_cast<std::int32_t>(kept[a]);
    if (!timeline.entry.empty()) {
      const Index first = timeline.first[kept[a]];
      const bool late = first > rows.stratum_begin[size(timeline.stratum[kept[a]])];
      const Index before =
          late ? (first - 1) * rows.n_groups + rows.patients[a].group : rows.n_times() * rows.n_groups;
      rows.enters[size(row)] = static_cast<std::int32_t>(before);
    }
    if (rows.dies[size(row)]) rows.deaths[size(at / 2 / rows.n_groups)] += rows.patients[a].weight;
  }
  return patient_of;
}

/// Multiplies G by H, the chance of having entered: by the product-limit of entries, walked back in time.
///
///   H(t-) = Π_{s >= t} (1 − e_s / r_s),   e_s enter at s, r_s = Σ_{entry <= s < exit} w
void follow_entries(const Timeline& timeline, const std::vector<std::size_t>& kept,
                    const std::vector<std::size_t>& by_exit, const std::vector<std::size_t>& by_entry,
                    FineGrayRows& rows) {
  std::vector<std::vector<std::pair<double, double>>> steps(size(rows.n_groups));  // s, 1 − e_s / r_s
  std::vector<double> at_risk(size(rows.n_groups), 0), entering(at_risk);
  std::size_t left = 0;
  for (std::size_t begin = 0; begin < by_entry.size();) {
    const double time = timeline.entry[kept[by_entry[begin]]];
    std::fill(entering.begin(), entering.end(), 0.0);
    for (; begin < by_entry.size() && timeline.entry[kept[by_entry[begin]]] == time; ++begin) {
      const FineGrayPatient& patient = rows.patients[by_entry[begin]];
      entering[size(patient.group)] += patient.weight;
    }
    for (; left < by_exit.size() && timeline.exit[kept[by_exit[left]]] <= time; ++left)
      at_risk[size(rows.patients[by_exit[left]].group)] -= rows.patients[by_exit[left]].weight;
    for (std::size_t g = 0; g < steps.size(); ++g) {
      at_risk[g] += entering[g];
      if (entering[g] > 0) steps[g].emplace_back(time, share_left(entering[g], at_risk[g]));
    }
  }
  for (std::size_t g = 0; g < steps.size(); ++g) {
    for (std::size_t s = 0; s + 1 < rows.stratum_begin.size(); ++s) {
      double entered = 1;
      std::size_t next = steps[g].size();
      for (Index k = rows.stratum_begin[s + 1] - 1; k >= rows.stratum_begin[s]; --k) {
        for (; next > 0 && steps[g][next - 1].first >= rows.time[size(k)]; --next)
          entered *= steps[g][next - 1].second;
        rows.uncensored[size(k * rows.n_groups) + g] *= entered;
      }
    }
  }
}

/// Censoring steps of every group, what each patient saw of them, and G before each event time.
void follow_censoring(const CauseTimeline& causes, const std::vector<std::size_t>& kept, CensoringTies ties,
                      FineGrayRows& rows) {
  const Timeline& timeline = causes.timeline;
  const std::vector<std::size_t> order = order_by_exit(timeline, kept),
                                 by_entry = order_by_entry(timeline, kept);
  std::size_t waiting = by_entry.size();
  std::vector<double> end(size(rows.n_groups), -1), at_risk(size(rows.n_groups), 0);
  rows.steps.resize(size(rows.n_groups));
  // from the latest time back, so that at_risk only grows; a step counts everybody of its day
  for (std::size_t past = order.size(); past > 0;) {
    const double time = timeline.exit[kept[order[past - 1]]];
    std::size_t begin = past;
    for (; begin > 0 && timeline.exit[kept[order[begin - 1]]] == time; --begin) {
      const FineGrayPatient& patient = rows.patients[order[begin - 1]];
      auto& steps = rows.steps[size(patient.group)];
      end[size(patient.group)] = std::max(end[size(patient.group)], time);
      at_risk[size(patient.group)] += patient.weight;
      if (!patient.censored) continue;
      if (steps.empty() || steps.back().time != time) steps.push_back({time, 0, 0});
      steps.back().censored += patient.weight;
    }
    for (; waiting > 0 && timeline.entry[kept[by_entry[waiting - 1]]] >= time; --waiting) {
      const FineGrayPatient& patient = rows.patients[by_entry[waiting - 1]];
      at_risk[size(patient.group)] -= patient.weight;
    }
    for (std::size_t g = 0; g < rows.steps.size(); ++g) {
      if (!rows.steps[g].empty() && rows.steps[g].back().time == time)
        rows.steps[g].back().at_risk = at_risk[g];
    }
    for (std::size_t a = begin; a < past && ties == CensoringTies::after_events; ++a) {
      const FineGrayPatient& patient = rows.patients[order[a]];
      auto& steps = rows.steps[size(patient.group)];
      if (!patient.censored && !steps.empty() && steps.back().time == time)
        steps.back().at_risk -= patient.weight;
    }
    past = begin;
  }
  for (auto& steps : rows.steps) std::reverse(steps.begin(), steps.end());

  std::vector<std::size_t> seen(rows.steps.size(), 0);
  for (const std::size_t a : order) {
    FineGrayPatient& patient = rows.patients[a];
    const auto& steps = rows.steps[size(patient.group)];
    std::size_t& passed = seen[size(patient.group)];
    const double time = timeline.exit[kept[a]];
    // who has an event on a day of censorings was not at risk of them where those come after
    while (passed < steps.size() && steps[passed].time <= time) ++passed;
    const bool today = passed > 0 && steps[passed - 1].time == time;
    const bool spared = today && !patient.censored && ties == CensoringTies::after_events;
    patient.steps = static_cast<std::int32_t>(passed - (spared ? 1 : 0));
  }

  rows.uncensored.assign(size(rows.n_times() * rows.n_groups), 0);
  for (std::size_t g = 0; g < rows.steps.size(); ++g) {
    const auto& steps = rows.steps[g];
    for (std::size_t s = 0; s + 1 < rows.stratum_begin.size(); ++s) {
      double uncensored = 1;
      std::size_t passed = 0;
      for (Index k = rows.stratum_begin[s]; k < rows.stratum_begin[s + 1]; ++k) {
        for (; passed < steps.size() && steps[passed].time < rows.time[size(k)]; ++passed)
          uncensored *= share_left(steps[passed].censored, steps[passed].at_risk);
        const bool followed = rows.time[size(k)] <= end[g];
        rows.uncensored[size(k * rows.n_groups) + g] = followed ? uncensored : 0;
      }
    }
  }
  follow_entries(timeline, kept, order, by_entry, rows);
}

/// Gathers column j of the rows' patients, centres it and divides it by its standard deviation; a constant becomes
/// zeros. Blocks stay in the first cache while they are looked at.
void fill_column(const double* values, const std::vector<std::int32_t>& patient_of,
                 const Eigen::ArrayXd& dying, Eigen::Map<Eigen::ArrayXd> column, FineGrayRows& rows) {
  constexpr Index per_block = 512, ahead = 48;
  const Index n = column.size();
  const auto blocks = [&](const auto& visit) {
    for (Index begin = 0; begin < n; begin += per_block) visit(begin, std::min(per_block, n - begin));
  };
  double low = std::numeric_limits<double>::infinity(), high = -low, sum = 0, squares = 0, of_deaths = 0;
  blocks([&](Index begin, Index length) {
    for (Index row = begin; row < begin + length; ++row) {
      if (row + ahead < n) __builtin_prefetch(values + patient_of[size(row + ahead)]);
      column(row) = values[patient_of[size(row)]];
    }
    const auto block = column.segment(begin, length);
    low = std::min(low, block.minCoeff());
    high = std::max(high, block.maxCoeff());
    sum += block.sum();
  });
  const double mean = n > 0 ? sum / static_cast<double>(n) : 0;
  blocks([&](Index begin, Index length) {
    auto block = column.segment(begin, length);
    block -= mean;
    squares += block.square().sum();
  });
  const double deviation = n > 0 ? std::sqrt(squares / static_cast<double>(n)) : 0;
  const bool constant = n == 0 || deviation <= 1e-12 * std::max(std::abs(low), std::abs(high));
  const double factor = constant ? 0 : 1 / deviation;
  blocks([&](Index begin, Index length) {
    auto block = column.segment(begin, length);
    block *= factor;
    of_deaths += (block * dying.segment(begin, length)).sum();
  });
  rows.scale.push_back(constant ? 1 : deviation);
  rows.range.push_back(constant ? 0 : (high - low) / deviation);
  rows.columns_of_deaths.push_back(of_deaths);
}

void fill_columns(const CoxColumns& columns, const std::vector<std::int32_t>& patient_of,
                  FineGrayRows& rows) {
  Eigen::ArrayXd dying(rows.n_rows);  // weights, 0 for who does not die of the cause
  for (Index row = 0; row < rows.n_rows; ++row)
    dying(row) = rows.dies[size(row)] ? (rows.weight.empty() ? 1 : rows.weight[size(row)]) : 0;
  const Index n = rows.n_columns > 0 ? static_cast<Index>(columns.values.size()) / rows.n_columns : 0;
  rows.columns.reserve(size(rows.n_rows * rows.n_columns));
  wish_large_pages(rows.columns.data(), rows.columns.capacity() * sizeof(double));
  rows.columns.resize(size(rows.n_rows * rows.n_columns));
  for (Index j = 0; j < rows.n_columns; ++j) {
    fill_column(columns.values.data() + j * n, patient_of, dying,
                {rows.columns.data() + j * rows.n_rows, rows.n_rows}, rows);
  }
  if (columns.offset.empty()) return;
  for (const std::int32_t patient : patient_of) rows.offset.push_back(columns.offset[size(patient)]);
  rows.offset_of_deaths = (Eigen::Map<const Eigen::ArrayXd>(rows.offset.data(), rows.n_rows) * dying).sum();
}

/// Patients in the order of their rows, so that a walk over them reads the columns as they lie.
void sort_patients(FineGrayRows& rows) {
  std::vector<FineGrayPatient> sorted(size(rows.n_rows));
  for (const FineGrayPatient& patient : rows.patients) {
    if (patient.row >= 0) sorted[size(patient.row)] = patient;
  }
  for (const FineGrayPatient& patient : rows.patients) {
    if (patient.row < 0) sorted.push_back(patient);
  }
  rows.patients = std::move(sorted);
}

/// Blocks of whole places of about the same number of rows, whatever the threads.
void cut_chunks(FineGrayRows& rows) {
  constexpr Index rows_per_chunk = 4096;
  const Index n = rows.n_times() * rows.n_groups;
  rows.chunk_begin.push_back(0);
  Index begin = 0;
  for (Index t = 0; t < n; ++t) {
    const Index end = rows.place_begin[size(2 * t + 2)];
    if (end - begin < rows_per_chunk && t + 1 < n) continue;
    rows.chunk_begin.push_back(t + 1);
    begin = end;
  }
}

}  // namespace

FineGrayDesign make_fine_gray_design(const CauseTimeline& causes, const FineGrayModel& model) {
  check(causes, model);
  const Timeline& timeline = causes.timeline;
  FineGrayDesign design;
  design.n_columns = model.columns.n_columns;
  const std::vector<std::size_t> kept = select(causes, model, design);
  design.late_entries = !timeline.entry.empty();
  const auto rows = std::make_shared<FineGrayRows>();
  design.rows = rows;
  rows->n_columns = model.columns.n_columns;

  rows->stratum_begin = timeline.stratum_begin;
  rows->time = timeline.time;
  rows->deaths.assign(timeline.time.size(), 0);
  for (const std::size_t i : kept) {
    const std::int32_t group = model.censoring_group.empty() ? 0 : model.censoring_group[i];
    rows->n_groups = std::max<Index>(rows->n_groups, Index{group} + 1);
    rows->patients.push_back({.row = -1,
                              .group = group,
                              .steps = 0,
                              .censored = causes.cause[i] == 0,
                              .weight = timeline.weight.empty() ? 1 : timeline.weight[i]});
  }
  const std::vector<std::int32_t> patient_of = place_rows(causes, model, kept, *rows);
  if (!timeline.weight.empty()) {
    for (const std::int32_t i : patient_of) rows->weight.push_back(timeline.weight[size(i)]);
  }
  follow_censoring(causes, kept, model.ties, *rows);
  fill_columns(model.columns, patient_of, *rows);
  sort_patients(*rows);
  cut_chunks(*rows);
  return design;
}

}  // namespace chorale::kernels
