// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "jobs/simulate/alteration_block.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "kernels/error.hpp"

namespace chorale::jobs {
namespace {

using Vector = std::vector<double>;

constexpr std::size_t most_linked = 20;
constexpr std::size_t most_parents = 16;

std::size_t at(Index i) {
  return static_cast<std::size_t>(i);
}

/// Solves A x = b in place, A symmetric positive definite, by Cholesky; false when A is not.
bool solve(std::vector<Vector>& a, Vector& b) {
  const std::size_t n = b.size();
  for (std::size_t j = 0; j < n; ++j) {
    for (std::size_t k = 0; k < j; ++k) a[j][j] -= a[j][k] * a[j][k];
    if (!(a[j][j] > 0)) return false;
    a[j][j] = std::sqrt(a[j][j]);
    for (std::size_t i = j + 1; i < n; ++i) {
      for (std::size_t k = 0; k < j; ++k) a[i][j] -= a[i][k] * a[j][k];
      a[i][j] /= a[j][j];
    }
  }
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t k = 0; k < i; ++k) b[i] -= a[i][k] * b[k];
    b[i] /= a[i][i];
  }
  for (std::size_t i = n; i-- > 0;) {
    for (std::size_t k = i + 1; k < n; ++k) b[i] -= a[k][i] * b[k];
    b[i] /= a[i][i];
  }
  return true;
}

/// α, then θ per parent: logistic regression on the joint distribution `weight` of the parents' states whose moments
/// meet `target`. Minimises Σ_s weight_s log(1 + e^η_s) − β·target by damped Newton steps; empty when it has no minimum.
Vector fit(const Vector& weight, const Vector& target) {
  const std::size_t n = target.size();
  const auto bit = [](std::size_t state, std::size_t k) { return k == 0 || (state >> (k - 1) & 1) != 0; };
  const auto eta_of = [&](const Vector& beta, std::size_t state) {
    double eta = 0;
    for (std::size_t k = 0; k < n; ++k) eta += bit(state, k) ? beta[k] : 0;
    return eta;
  };
  const auto objective = [&](const Vector& beta) {
    double sum = 0;
    for (std::size_t s = 0; s < weight.size(); ++s) {
      const double eta = eta_of(beta, s);
      sum += weight[s] * (eta > 0 ? eta + std::log1p(std::exp(-eta)) : std::log1p(std::exp(eta)));
    }
    for (std::size_t k = 0; k < n; ++k) sum -= beta[k] * target[k];
    return sum;
  };
  Vector beta(n, 0);
  beta[0] = std::log(target[0] / (1 - target[0]));
  for (int step = 0; step < 200; ++step) {
    Vector gradient = target;
    std::vector<Vector> information(n, Vector(n, 0));
    for (std::size_t s = 0; s < weight.size(); ++s) {
      const double p = 1 / (1 + std::exp(-eta_of(beta, s)));
      for (std::size_t k = 0; k < n; ++k) {
        if (!bit(s, k)) continue;
        gradient[k] -= weight[s] * p;
        for (std::size_t l = 0; l <= k; ++l)
          if (bit(s, l)) information[k][l] += weight[s] * p * (1 - p);
      }
    }
    double worst = 0;
    for (std::size_t k = 0; k < n; ++k) worst = std::max(worst, std::abs(gradient[k]) / target[k]);
    if (worst < 1e-9) return beta;
    if (!solve(information, gradient)) return {};
    const double before = objective(beta);
    double length = 1;
    Vector next(n);
    do {
      for (std::size_t k = 0; k < n; ++k) next[k] = beta[k] + length * gradient[k];
      length /= 2;
    } while (!(objective(next) <= before) && length > 1e-6);
    beta = next;
  }
  return {};
}

/// Joint distribution of the alterations that later ones still refer to.
struct Frontier {
  std::vector<Index> member;
  Vector probability{1.0};  ///< (2^members), bit k is member k

  std::size_t position(Index j) const {
    return static_cast<std::size_t>(std::find(member.begin(), member.end(), j) - member.begin());
  }
  /// The state of `some` members as bits 0, 1, … of the result.
  std::size_t project(std::size_t state, const std::vector<std::size_t>& some) const {
    std::size_t out = 0;
    for (std::size_t k = 0; k < some.size(); ++k) out |= (state >> some[k] & 1) << k;
    return out;
  }
  Vector marginal(const std::vector<std::size_t>& some) const {
    Vector sum(std::size_t{1} << some.size(), 0);
    for (std::size_t s = 0; s < probability.size(); ++s) sum[project(s, some)] += probability[s];
    return sum;
  }
  void add(Index j, const std::vector<std::size_t>& parents, const Vector& given_parents) {
    const std::size_t n = probability.size();
    probability.resize(2 * n);
    for (std::size_t s = 0; s < n; ++s) {
      const double carried = probability[s] * given_parents[project(s, parents)];
      probability[n + s] = carried;
      probability[s] -= carried;
    }
    member.push_back(j);
  }
  void keep(const std::vector<std::size_t>& some) {
    probability = marginal(some);
    std::vector<Index> kept;
    for (const std::size_t k : some) kept.push_back(member[k]);
    member = std::move(kept);
  }
};

}  // namespace

double probability_of_both(double a, double b, double odds_ratio) {
  const double excess = odds_ratio - 1;
  const double linear = 1 + (a + b) * excess;
  // the smaller root in the form that does not cancel when the odds ratio is near 1
  return 2 * odds_ratio * a * b / (linear + std::sqrt(linear * linear - 4 * odds_ratio * excess * a * b));
}

AlterationBlock::AlterationBlock(std::span<const double> frequency, std::span<const LinkedPair> pairs,
                                 std::span<const std::string> names, const std::string& entity)
    : nodes_(frequency.size()) {
  const Index n = size();
  std::vector<Index> last_use(at(n), -1);
  for (const LinkedPair& pair : pairs) {
    const auto [first, second] = std::minmax(pair.a, pair.b);
    nodes_[at(second)].parents.push_back(first);
    last_use[at(first)] = std::max(last_use[at(first)], second);
  }
  Frontier frontier;
  for (Index j = 0; j < n; ++j) {
    Node& node = nodes_[at(j)];
    std::sort(node.parents.begin(), node.parents.end());
    const double p = frequency[at(j)];
    if (node.parents.size() > most_parents || frontier.member.size() > most_linked)
      throw ConfigError({.what = "too many alterations are linked at once",
                         .found = fmt::format("{} with {} earlier ones, {} still open", names[at(j)],
                                              node.parents.size(), frontier.member.size()),
                         .expected = fmt::format("at most {} and {}", most_parents, most_linked),
                         .in = "pairs of " + entity,
                         .remedy = "remove weak pairs, or list linked alterations next to each other"});
    std::vector<std::size_t> position;
    for (const Index parent : node.parents) position.push_back(frontier.position(parent));
    if (node.parents.empty()) {
      node.probability = {p};
    } else {
      Vector target{p};
      for (const Index parent : node.parents)
        for (const LinkedPair& pair : pairs)
          if (std::minmax(pair.a, pair.b) == std::minmax(parent, j))
            target.push_back(probability_of_both(frequency[at(parent)], p, pair.odds_ratio));
      const Vector beta = fit(frontier.marginal(position), target);
      if (beta.empty())
        throw ConfigError(
            {.what = "no patients can have these frequencies and odds ratios together",
             .found = fmt::format("{}, linked to {} earlier ones", names[at(j)], node.parents.size()),
             .expected = "odds ratios that can hold at once",
             .in = "pairs of " + entity,
             .remedy = "bring the odds ratios of " + names[at(j)] + " nearer to 1"});
      for (std::size_t s = 0; s < std::size_t{1} << node.parents.size(); ++s) {
        double eta = beta[0];
        for (std::size_t k = 0; k < node.parents.size(); ++k) eta += (s >> k & 1) != 0 ? beta[k + 1] : 0;
        node.probability.push_back(1 / (1 + std::exp(-eta)));
      }
    }
    if (last_use[at(j)] > j) frontier.add(j, position, node.probability);
    std::vector<std::size_t> open;
    for (std::size_t k = 0; k < frontier.member.size(); ++k)
      if (last_use[at(frontier.member[k])] > j) open.push_back(k);
    if (open.size() < frontier.member.size()) frontier.keep(open);
  }
}

double AlterationBlock::probability(Index j, std::span<const std::uint8_t> carried) const {
  const Node& node = nodes_[at(j)];
  std::size_t state = 0;
  for (std::size_t k = 0; k < node.parents.size(); ++k)
    state |= std::size_t{carried[at(node.parents[k])]} << k;
  return node.probability[state];
}

void AlterationBlock::draw(kernels::Draws& draws, std::span<std::uint8_t> carried) const {
  for (Index j = 0; j < size(); ++j) carried[at(j)] = draws.uniform() < probability(j, carried) ? 1 : 0;
}

}  // namespace chorale::jobs
