// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "jobs/cox_model/job.hpp"
#include "kernels/tail.hpp"

namespace chorale::jobs::cox_model {
namespace {

using Reals = std::vector<double>;

bool holds(const std::vector<Index>& columns, Index j) {
  return std::find(columns.begin(), columns.end(), j) != columns.end();
}

io::ResultTable coefficients(const Config& config, const Part& part) {
  const double width = kernels::normal_quantile((1 + config.confidence) / 2);
  Reals coefficient, se, lower, upper, z, log10_p;
  std::vector<std::string> note;
  const Index p = static_cast<Index>(part.terms.size());
  for (Index j = 0; j < p; ++j) {
    const auto at = static_cast<std::size_t>(j);
    const bool known = !holds(part.fit.aliased, j) && !holds(part.fit.infinite, j);
    const double beta = part.fit.beta[at];
    const double of_beta =
        known ? std::sqrt(part.fit.covariance[at * static_cast<std::size_t>(p + 1)]) : kernels::missing;
    coefficient.push_back(beta);
    se.push_back(of_beta);
    lower.push_back(beta - width * of_beta);
    upper.push_back(beta + width * of_beta);
    z.push_back(beta / of_beta);
    log10_p.push_back(known ? kernels::normal_log10_two_sided(z.back()) : kernels::missing);
    note.emplace_back(holds(part.fit.aliased, j)    ? "follows from the terms before it"
                      : holds(part.fit.infinite, j) ? "the likelihood has no maximum"
                                                    : "");
  }
  io::ResultTable table{
      .name = "coefficients", .caption = "The Cox model, a row for each term.", .columns = {}};
  table.add("term", "", "covariate, or level of a category against the first that occurs", part.terms);
  table.add("log_hazard", "log hazard", "coefficient", std::move(coefficient));
  table.add("se", "log hazard", "standard error", std::move(se));
  table.add("lower", "log hazard", "lower bound", std::move(lower));
  table.add("upper", "log hazard", "upper bound", std::move(upper));
  table.add("z", "", "Wald statistic", std::move(z));
  table.add("log10_p", "log10", "its p-value, two-sided", std::move(log10_p));
  table.add("note", "", "why cells are empty", std::move(note));
  return table;
}

}  // namespace

io::Results tabulate(const Config& config, const engine::Setup& setup, const Part& part) {
  const kernels::CoxFit& fit = part.fit;
  const double lrt = 2 * (fit.loglik - fit.loglik_null);
  io::Results results{
      .title = "Cox model",
      .summary = {fmt::format("{} patients with {} events were analysed for {}.", fit.n_analysed,
                              fit.n_events, setup.config.outcome.endpoint)},
      .tables = {coefficients(config, part), part.ledger.table()},
      .settings = {{"endpoint", setup.config.outcome.endpoint},
                   {"ties", setup.config.outcome.ties == kernels::Ties::efron ? "Efron" : "Breslow"}},
      .numbers = {{"patients", static_cast<double>(fit.n_analysed)},
                  {"events", static_cast<double>(fit.n_events)},
                  {"loglik_null", fit.loglik_null},
                  {"loglik", fit.loglik},
                  {"lrt_chi2", lrt},
                  {"score_chi2", fit.score_chi2},
                  {"df", fit.df}}};
  if (fit.verdict != kernels::CoxVerdict::converged)
    results.summary.push_back(fmt::format("The fit says: {}.", kernels::name_of(fit.verdict)));
  return results;
}

}  // namespace chorale::jobs::cox_model
