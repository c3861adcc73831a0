// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "jobs/prognosis/candidates.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include <fmt/format.h>

#include "engine/selection.hpp"
#include "kernels/error.hpp"

namespace chorale::jobs::prognosis {
namespace {

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

std::vector<std::int32_t> missing_of(std::span<const std::uint8_t> known) {
  std::vector<std::int32_t> patients;
  for (std::size_t i = 0; i < known.size(); ++i)
    if (known[i] == 0) patients.push_back(static_cast<std::int32_t>(i));
  return patients;
}

}  // namespace

/// A variable's values; features keep their carriers alone. Features that the same patients were tested for share the
/// list of those who were not.
struct Candidates::Source {
  Index variable = 0;
  std::vector<double> values;
  std::vector<std::int32_t> codes;
  std::span<const std::int32_t> carriers;
  std::shared_ptr<const std::vector<std::int32_t>> missing;  ///< patients, ascending
};

Candidates::Candidates(const Design& design, const engine::Setup& setup, const engine::Cohort& cohort,
                       const kernels::Timeline& timeline) {
  std::vector<Source> sources = read(design, setup, cohort);
  include(design, cohort, timeline, sources);
  const auto first_feature = size(design.n_covariates);
  for (std::size_t v = 0; v < first_feature; ++v) add_covariate(sources[v], design.config.missing);
  if (design.config.missing == Missing::indicator) {
    for (std::size_t v = 0; v < first_feature; ++v) {
      if (sources[v].missing->empty()) continue;
      terms_.push_back({.name = variables_[v].name + " missing",
                        .variable = static_cast<Index>(v),
                        .level = -1,
                        .indicates_missing = true,
                        .when_missing = 1});
      lists_.push_back(*sources[v].missing);
      sparse_.push_back(lists_.back());
    }
  }
  add_features(sources, design.config.untested, design.n_covariates);
  for (const Term& term : terms_) {
    const Source& source = sources[size(term.variable)];
    scale_.push_back(source.values.empty() || term.indicates_missing ? 1 : spread(source));
  }
}

double Candidates::spread(const Source& source) const {
  std::vector<std::uint8_t> known(included_.begin(), included_.end());
  for (const std::int32_t i : *source.missing) known[size(i)] = 0;
  double n = 0, sum = 0, squares = 0;
  for (std::size_t i = 0; i < known.size(); ++i) {
    if (known[i] == 0) continue;
    ++n;
    sum += source.values[i];
  }
  for (std::size_t i = 0; i < known.size(); ++i)
    if (known[i] != 0) squares += (source.values[i] - sum / n) * (source.values[i] - sum / n);
  return n == 0 ? 0 : std::sqrt(squares / n);
}

std::vector<Candidates::Source> Candidates::read(const Design& design, const engine::Setup& setup,
                                                 const engine::Cohort& cohort) {
  const auto n = size(cohort.n_patients());
  const auto has = [](const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  std::vector<Source> sources;
  std::vector<std::uint8_t> known(n);
  const auto add = [&](Variable variable, Source source) {
    variable.penalised = !has(design.config.always, variable.name);
    source.variable = static_cast<Index>(variables_.size());
    variables_.push_back(std::move(variable));
    sources.push_back(std::move(source));
  };
  for (const auto& name : setup.config.outcome.covariates) {
    const Index f = engine::require_field(setup.catalogue, name, "outcome.covariates");
    const io::Field* field = f < 0 ? nullptr : &setup.catalogue.fields[size(f)];
    Variable variable{.kind = Variable::Kind::category, .name = name, .levels = {}};
    Source source;
    if (field != nullptr && field->kind == io::FieldKind::number) {
      variable.kind = has(design.config.log10, name) ? Variable::Kind::log10 : Variable::Kind::number;
      const auto values = cohort.numbers(name);
      source.values.assign(values.begin(), values.end());
      for (std::size_t i = 0; i < n; ++i) {
        double& x = source.values[i];
        if (variable.kind == Variable::Kind::log10) x = x > 0 ? std::log10(x) : kernels::missing;
        known[i] = !std::isnan(x);
      }
    } else {
      variable.levels = field == nullptr ? setup.catalogue.sites : field->levels;
      const auto codes = cohort.codes(name);
      source.codes.assign(codes.begin(), codes.end());
      for (std::size_t i = 0; i < n; ++i) known[i] = codes[i] >= 0;
    }
    source.missing = std::make_shared<std::vector<std::int32_t>>(missing_of(known));
    add(std::move(variable), std::move(source));
  }
  std::map<std::string, std::shared_ptr<const std::vector<std::int32_t>>> untested;
  for (Index f = 0; f < design.n_features; ++f) {
    auto& patients = untested[cohort.tested_key(f)];
    if (patients == nullptr) {
      cohort.tested(f, known);
      patients = std::make_shared<std::vector<std::int32_t>>(missing_of(known));
    }
    Source source;
    source.carriers = cohort.carriers(f);
    source.missing = patients;
    add({.kind = Variable::Kind::feature, .name = setup.features.features[size(f)].name, .levels = {}},
        std::move(source));
  }
  return sources;
}

/// Who takes part; the others leave for the first reason that applies.
void Candidates::include(const Design& design, const engine::Cohort& cohort,
                         const kernels::Timeline& timeline, const std::vector<Source>& sources) {
  included_.assign(timeline.analysed.begin(), timeline.analysed.end());
  for (const Source& source : sources)
    for (const std::int32_t i : *source.missing)
      variables_[size(source.variable)].n_missing += timeline.analysed[size(i)];
  const auto leave = [&](std::string reason, const auto& patients) {
    Index n_left = 0;
    for (const auto i : patients) {
      n_left += included_[size(i)];
      included_[size(i)] = 0;
    }
    attrition_.push_back({.step = "model", .reason = std::move(reason), .n_left = n_left});
  };
  const auto without_code = [&](const Grouping& grouping) {
    std::vector<Index> patients;
    const auto codes = grouping.codes(cohort);
    for (std::size_t i = 0; i < codes.size(); ++i)
      if (codes[i] < 0) patients.push_back(static_cast<Index>(i));
    return patients;
  };
  for (const Grouping& grouping : design.bootstrap_strata)
    leave(grouping.field + " missing, a stratum of the bootstrap", without_code(grouping));
  if (design.cluster) leave(design.cluster->field + " missing, the cluster", without_code(*design.cluster));
  for (const Source& source : sources) {
    const Variable& variable = variables_[size(source.variable)];
    const bool feature = variable.kind == Variable::Kind::feature;
    if ((feature ? design.config.untested : design.config.missing) != Missing::complete_case) continue;
    if (source.missing->empty()) continue;
    leave(feature                                  ? "not tested for " + variable.name
          : variable.kind == Variable::Kind::log10 ? variable.name + " missing, or not above 0"
                                                   : variable.name + " missing",
          *source.missing);
  }
  n_included_ = std::accumulate(included_.begin(), included_.end(), Index{0});
}

void Candidates::add_term(Term term, std::vector<double> column) {
  terms_.push_back(std::move(term));
  dense_.insert(dense_.end(), column.begin(), column.end());
}

Index Candidates::add_gap(const std::vector<std::int32_t>& patients) {
  const auto known = std::find(gaps_.begin(), gaps_.end(), patients);
  if (known == gaps_.end()) {
    gaps_.push_back(patients);
    return n_gaps() - 1;
  }
  return static_cast<Index>(known - gaps_.begin());
}

void Candidates::add_covariate(Source& source, Missing missing) {
  if (variables_[size(source.variable)].kind == Variable::Kind::category)
    add_category(source, missing);
  else
    add_number(source, missing);
}

/// Values of numbers that are missing become 0 (and are filled), the median of all (beside an indicator), or stay NaN.
void Candidates::add_number(Source& source, Missing missing) {
  const Variable& variable = variables_[size(source.variable)];
  const std::string name =
      variable.kind == Variable::Kind::log10 ? "log10(" + variable.name + ")" : variable.name;
  Term term{.name = name, .variable = source.variable};
  kernels::FillOrder known;
  if (missing != Missing::complete_case) {
    known = kernels::fill_order(source.values, included_);
    kernels::weighted_fills(known, included_, std::span(&term.when_missing, 1));
    const double stands = missing == Missing::indicator ? term.when_missing : 0;
    for (const std::int32_t i : *source.missing) source.values[size(i)] = stands;
  }
  if (missing == Missing::fill && !source.missing->empty()) {
    const Index gap = add_gap(*source.missing);
    learned_.push_back({.variable = source.variable,
                        .gap = gap,
                        .known = std::move(known),
                        .codes = {},
                        .fills = {static_cast<Index>(fills_.size())}});
    fills_.push_back({.term = n_terms(), .gap = gap});
  }
  add_term(std::move(term), source.values);
}

/// Indicators of the levels that take part, against the first of them.
void Candidates::add_category(Source& source, Missing missing) {
  Variable& variable = variables_[size(source.variable)];
  std::vector<Index> occurs(variable.levels.size(), 0);
  for (std::size_t i = 0; i < source.codes.size(); ++i)
    if (source.codes[i] >= 0) occurs[size(source.codes[i])] += included_[i];
  const auto most_frequent =
      static_cast<std::size_t>(std::max_element(occurs.begin(), occurs.end()) - occurs.begin());
  const bool fill = missing == Missing::fill && !source.missing->empty();
  if (fill)
    learned_.push_back({.variable = source.variable,
                        .gap = add_gap(*source.missing),
                        .known = {},
                        .codes = source.codes,
                        .fills = {}});
  for (std::size_t level = 0; level < occurs.size(); ++level) {
    if (occurs[level] == 0) continue;
    const auto code = static_cast<std::int32_t>(level);
    if (variable.reference < 0) {
      variable.reference = code;
      continue;
    }
    std::vector<double> column(source.codes.size());
    for (std::size_t i = 0; i < column.size(); ++i) {
      const bool missing_here = source.codes[i] < 0 && missing == Missing::complete_case;
      column[i] = missing_here ? kernels::missing : source.codes[i] == code ? 1 : 0;
    }
    if (fill) {
      learned_.back().fills.push_back(static_cast<Index>(fills_.size()));
      fills_.push_back({.term = n_terms(), .gap = learned_.back().gap});
    }
    Term term{
        .name = variable.name + "=" + variable.levels[level], .variable = source.variable, .level = code};
    if (missing == Missing::indicator) term.when_missing = 0;
    if (missing == Missing::fill) term.when_missing = level == most_frequent ? 1 : 0;
    add_term(std::move(term), std::move(column));
  }
}

void Candidates::add_features(const std::vector<Source>& sources, Missing untested, Index first_variable) {
  std::map<const std::vector<std::int32_t>*, std::vector<Index>> sharing;
  for (std::size_t v = size(first_variable); v < sources.size(); ++v) {
    const Source& source = sources[v];
    if (untested == Missing::fill && !source.missing->empty()) {
      const Index gap = add_gap(*source.missing);
      learned_.push_back({.variable = source.variable,
                          .gap = gap,
                          .known = {},
                          .codes = {},
                          .sparse = static_cast<Index>(sparse_.size()),
                          .fills = {static_cast<Index>(fills_.size())}});
      fills_.push_back({.term = n_terms(), .gap = gap});
    }
    Term term{.name = variables_[v].name, .variable = source.variable};
    if (untested == Missing::indicator) term.when_missing = 0;
    if (untested == Missing::fill) {
      Index n_carriers = 0, n_tested = n_included_;
      for (const std::int32_t i : source.carriers) n_carriers += included_[size(i)];
      for (const std::int32_t i : *source.missing) n_tested -= included_[size(i)];
      term.when_missing = 2 * n_carriers > n_tested ? 1 : 0;
    }
    terms_.push_back(std::move(term));
    sparse_.push_back(source.carriers);
    if (untested == Missing::indicator && !source.missing->empty())
      sharing[source.missing.get()].push_back(source.variable);
  }
  std::vector<std::pair<Index, const std::vector<std::int32_t>*>> in_order;
  for (const auto& [patients, variables] : sharing) in_order.emplace_back(variables.front(), patients);
  std::sort(in_order.begin(), in_order.end());
  for (const auto& [variable, patients] : in_order) {
    const std::size_t others = sharing[patients].size() - 1;
    terms_.push_back({.name = variables_[size(variable)].name +
                              (others == 0 ? " untested" : fmt::format(" and {} more untested", others)),
                      .variable = variable,
                      .level = -1,
                      .indicates_missing = true,
                      .when_missing = 1});
    lists_.push_back(*patients);
    sparse_.push_back(lists_.back());
  }
}

std::vector<double> Candidates::all_columns() const {
  const auto n = size(n_patients());
  std::vector<double> columns = dense_;
  columns.resize(size(n_terms() + n_gaps()) * n);
  auto column = std::span(columns).subspan(size(n_dense()) * n);
  const auto mark = [&](std::span<const std::int32_t> patients) {
    for (const std::int32_t i : patients) column[size(i)] = 1;
    column = column.subspan(n);
  };
  for (const auto patients : sparse_) mark(patients);
  for (const auto& patients : gaps_) mark(patients);
  return columns;
}

std::vector<double> Candidates::filled_dense(std::span<const double> fill) const {
  std::vector<double> columns = dense_;
  for (std::size_t k = 0; k < fills_.size(); ++k) {
    if (fills_[k].term >= n_dense()) continue;
    double* column = columns.data() + fills_[k].term * n_patients();
    for (const std::int32_t i : gap(fills_[k].gap)) column[i] = fill[k];
  }
  return columns;
}

std::vector<double> Candidates::learn_fills(std::span<const std::uint8_t> copies, Index n_samples) const {
  const auto samples = size(n_samples);
  const std::size_t n_fills = fills_.size();
  std::vector<double> fill(samples * n_fills, 0);
  std::vector<double> median(samples);
  std::vector<std::int32_t> most(samples);
  std::vector<std::int64_t> everyone, tested, carriers;
  const auto add = [&](std::vector<std::int64_t>& count, std::size_t i, std::int64_t sign) {
    if (included_[i] == 0) return;
    for (std::size_t s = 0; s < samples; ++s) count[s] += sign * copies[i * samples + s];
  };
  for (const Learned& learned : learned_) {
    if (learned.sparse >= 0) {
      if (everyone.empty()) {
        everyone.assign(samples, 0);
        for (std::size_t i = 0; i < included_.size(); ++i) add(everyone, i, 1);
      }
      tested = everyone;
      for (const std::int32_t i : gap(learned.gap)) add(tested, size(i), -1);
      carriers.assign(samples, 0);
      for (const std::int32_t i : sparse_[size(learned.sparse)]) add(carriers, size(i), 1);
      for (std::size_t s = 0; s < samples; ++s)
        fill[s * n_fills + size(learned.fills.front())] = 2 * carriers[s] > tested[s] ? 1 : 0;
    } else if (learned.codes.empty()) {
      kernels::weighted_fills(learned.known, copies, median);
      const Fill& of = fills_[size(learned.fills.front())];
      for (std::size_t s = 0; s < samples; ++s)  // a sample where nobody's value is known takes that of all
        fill[s * n_fills + size(learned.fills.front())] =
            std::isnan(median[s]) ? terms_[size(of.term)].when_missing : median[s];
    } else {
      kernels::weighted_fills(learned.codes, copies, included_, most);
      for (const Index k : learned.fills)
        for (std::size_t s = 0; s < samples; ++s)
          fill[s * n_fills + size(k)] = terms_[size(fills_[size(k)].term)].level == most[s] ? 1 : 0;
    }
  }
  return fill;
}

Candidates::Moments Candidates::moments(std::span<const double> fill) const {
  Moments moments{.mean = std::vector<double>(size(n_terms())), .sd = std::vector<double>(size(n_terms()))};
  const auto n = static_cast<double>(n_included_);
  const auto set = [&](Index term, double mean, double variance) {
    moments.mean[size(term)] = mean;
    moments.sd[size(term)] = std::sqrt(std::max(0.0, variance));
  };
  const std::vector<double> columns = filled_dense(fill);
  for (Index t = 0; t < n_dense(); ++t) {
    const auto column = std::span(columns).subspan(size(t * n_patients()), size(n_patients()));
    double sum = 0, squares = 0;
    for (std::size_t i = 0; i < column.size(); ++i) sum += included_[i] != 0 ? column[i] : 0;
    const double mean = sum / n;
    for (std::size_t i = 0; i < column.size(); ++i)
      squares += included_[i] != 0 ? (column[i] - mean) * (column[i] - mean) : 0;
    set(t, mean, squares / n);
  }
  std::vector<Index> carriers(sparse_.size(), 0);
  const auto add = [&](std::size_t term, std::span<const std::int32_t> patients) {
    for (const std::int32_t i : patients) carriers[term] += included_[size(i)];
  };
  for (std::size_t j = 0; j < sparse_.size(); ++j) add(j, sparse_[j]);
  for (std::size_t k = 0; k < fills_.size(); ++k)
    if (fills_[k].term >= n_dense() && fill[k] == 1)
      add(size(fills_[k].term - n_dense()), gap(fills_[k].gap));
  for (std::size_t j = 0; j < sparse_.size(); ++j) {
    const double share = static_cast<double>(carriers[j]) / n;
    set(n_dense() + static_cast<Index>(j), share, share * (1 - share));
  }
  return moments;
}

}  // namespace chorale::jobs::prognosis
