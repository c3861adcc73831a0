// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/fisher_body.hpp"
#include "kernels/simd/hypergeometric.hpp"
#include "kernels/simd/vector.hpp"

namespace chorale::kernels::simd::CHORALE_LEVEL {
namespace {

constexpr double tie = 1e-7;              // two probabilities this close count as equal, as in fisher.test
constexpr double negligible = 1e-18;      // of a sum
constexpr double smallest_inside = 1e-2;  // below it, 1 - (what is more probable) has lost too many digits
constexpr double log10_e = 0.434294481903251827651;
const Vector none{};

// log(1 - x), 0 <= x < 1: what rounding 1 - x lost is added to first order
Vector log_of_complement(Vector x) {
  const Vector y = 1.0 - x;
  return log_of(y) - (x - (1.0 - y)) / y;
}

// log10 of exp(log_density) · sum. A sum that leaves out the mode leaves out more than 1e-7, so p closer to 1
// than 1e-12 is 1 and rounding.
Vector log10_of(Vector log_density, Vector sum) {
  const Vector log_p = log_density + log_of(sum);
  return log_p > -1e-12 ? none : log_p * log10_e;
}

// Σ_{y ≥ n11} f(y) / f(n11), n11 at or above the mode
Vector upper_tail(const Cells& cells) {
  Steps up = steps_up(cells);
  Vector sum = none + 1.0;
  while (true) {
    sum += up.sum_of_four();
    up.term = up.term < negligible * sum ? none : up.term;
    if (!any(up.term > none)) return sum;
  }
}

// The weight of an outcome whose probability is `odds` times that of the observed one: inside counts those
// that are more probable, otherwise those that are not; mid gives ½ to equals.
template <bool inside, bool mid>
Vector weighed(Vector odds) {
  if constexpr (mid) {
    const Vector half = 0.5 * odds;
    const Vector outer = inside ? none : odds, inner = inside ? odds : none;
    const Vector low = odds > 1 - tie ? half : outer;
    return odds > 1 + tie ? inner : low;
  } else {
    if (inside) return odds > 1 + tie ? odds : none;
    return odds > 1 + tie ? none : odds;
  }
}

// Those outcomes above n11 that are as probable as it, by half; n11 itself is not in the sum
Vector equals_above(const Cells& cells) {
  Steps up = steps_up(cells);
  Vector sum{};
  while (true) {
    const Four odds = up.four();
    for (const Vector& each : odds.term) sum += each > 1 - tie ? 0.5 * each : none;
    up.term = up.term > 1 - tie ? up.term : none;
    if (!any(up.term > none)) return sum;
  }
}

// Σ f(y) / f(n11) over what is more probable than n11: walks from n11 over the mode until f has fallen to
// f(n11)
template <bool mid>
Vector sum_inside(const Cells& cells) {
  constexpr double limit = mid ? 1 - tie : 1 + tie;
  Steps down = steps_down(cells);
  Vector sum = mid ? 0.5 + equals_above(cells) : none;
  while (true) {
    const Four odds = down.four();
    for (const Vector& each : odds.term) sum += weighed<true, mid>(each);
    const Vector rising = odds.term[3] >= odds.term[2] ? odds.term[3] : none;
    down.term = odds.term[3] > limit ? odds.term[3] : rising;
    if (!any(down.term > none)) return sum;
  }
}

// Σ f(y) / f(n11) over what is not more probable than n11
template <bool mid>
Vector sum_outside(const Cells& cells) {
  Vector sum = upper_tail(cells);
  if constexpr (mid) sum -= 0.5 + equals_above(cells);
  Steps down = steps_down(cells);
  while (true) {
    const Four odds = down.four();
    for (const Vector& each : odds.term) sum += weighed<false, mid>(each);
    down.term = odds.term[3] < negligible * sum ? none : odds.term[3];
    if (!any(down.term > none)) return sum;
  }
}

// tables gathered by their numbers; the last one fills up a vector
struct Gathered {
  std::int32_t table[width];
  Cells cells;
  Vector log_density;
};

Gathered gather(const FisherBlock& block, const std::int32_t* order, Index begin, Index size) {
  Gathered gathered;
  for (Index k = 0; k < width; ++k) {
    const std::int32_t i = order[begin + k < size ? begin + k : size - 1];
    gathered.table[k] = i;
    gathered.cells.n11[k] = block.n11[i];
    gathered.cells.n10[k] = block.n10[i];
    gathered.cells.n01[k] = block.n01[i];
    gathered.cells.n00[k] = block.n00[i];
    gathered.log_density[k] = block.log_density[i];
  }
  return gathered;
}

void scatter(const Gathered& gathered, Vector log10_p, FisherBlock& block) {
  for (Index k = 0; k < width; ++k) block.log10_p[gathered.table[k]] = log10_p[k];
}

Cells load_cells(const FisherBlock& block, Index i) {
  return {load<Vector>(block.n11 + i), load<Vector>(block.n10 + i), load<Vector>(block.n01 + i),
          load<Vector>(block.n00 + i)};
}

// a table with one answer counts no terms, and is replaced by one with which nothing goes wrong
void store_prepared(FisherBlock& block, Index i, const Cells& cells, Truth certain, Vector log_density,
                    Vector n_terms) {
  store(block.n11 + i, cells.n11);
  store(block.n10 + i, cells.n10);
  store(block.n01 + i, cells.n01);
  store(block.n00 + i, cells.n00);
  store(block.log_density + i, log_density);
  store(block.n_terms + i, certain ? none : n_terms);
}

}  // namespace

void fisher_prepare_two_sided(FisherBlock& block, Index size) {
  for (Index i = 0; i < size; i += width) {
    const Cells given = load_cells(block, i);
    const Truth certain = one_outcome(given);
    const Cells cells = replaced(certain, turned_upwards(given));
    const Spread spread = spread_of(cells);
    const Vector walk = 1.0 + 2.0 * larger(spread.above, none);
    // p of 1 in 100 and more is found from inside
    const Vector outside = none - walk - spread.tail;
    store_prepared(block, i, cells, certain, log_density(cells, spread.above),
                   spread.z_squared < 5.5 ? walk : outside);
  }
}

void fisher_prepare_upper(FisherBlock& block, Index size) {
  for (Index i = 0; i < size; i += width) {
    const Cells given = load_cells(block, i);
    // nothing lies below n11
    const Truth certain = smaller(given.n11, given.n00) == none;
    const Cells safe = replaced(certain, given);
    const Truth below = below_mode(safe);
    // P(X >= n11) = 1 - P(X <= n11 - 1), an upper tail of n10
    const Cells cells =
        selected(below, {safe.n10 + 1.0, safe.n11 - 1.0, safe.n00 - 1.0, safe.n01 + 1.0}, safe);
    const Spread spread = spread_of(cells);
    const Vector complement = none - 1.0 - spread.tail;
    store_prepared(block, i, cells, certain, log_density(cells, spread.above),
                   below ? complement : 1.0 + spread.tail);
  }
}

void fisher_inside(FisherBlock& block, const std::int32_t* order, Index size, bool mid) {
  for (Index i = 0; i < size; i += width) {
    const Gathered at = gather(block, order, i, size);
    const Vector inside =
        exp_of(at.log_density) * (mid ? sum_inside<true>(at.cells) : sum_inside<false>(at.cells));
    const Truth accurate = inside < 1 - smallest_inside;
    const Vector log10_p = log_of_complement(accurate ? inside : none) * log10_e;
    scatter(at, accurate ? log10_p : none + __builtin_nan(""), block);
  }
}

void fisher_outside(FisherBlock& block, const std::int32_t* order, Index size, bool mid) {
  for (Index i = 0; i < size; i += width) {
    const Gathered at = gather(block, order, i, size);
    const Vector sum = mid ? sum_outside<true>(at.cells) : sum_outside<false>(at.cells);
    scatter(at, log10_of(at.log_density, sum), block);
  }
}

void fisher_upper(FisherBlock& block, const std::int32_t* order, Index size, bool complement) {
  for (Index i = 0; i < size; i += width) {
    const Gathered at = gather(block, order, i, size);
    const Vector sum = upper_tail(at.cells);
    if (complement) {
      const Vector tail = at.log_density > -700.0 ? exp_of(at.log_density) * sum : none;
      scatter(at, log_of_complement(tail) * log10_e, block);
    } else {
      scatter(at, log10_of(at.log_density, sum), block);
    }
  }
}

}  // namespace chorale::kernels::simd::CHORALE_LEVEL
