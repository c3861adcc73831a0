// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/poisson_binomial.hpp"

#include <algorithm>
#include <cmath>

namespace chorale::kernels::reference {

PoissonBinomialTails poisson_binomial(const TrialGroups& groups, Index observed) {
  using Real = long double;
  std::vector<Real> density{1};  // of the trials so far, up to where it underflows
  Real mean = 0, variance = 0;
  for (std::size_t g = 0; g < groups.n.size(); ++g) {
    const Real p = groups.p[g], q = 1 - p;
    mean += static_cast<Real>(groups.n[g]) * p;
    variance += static_cast<Real>(groups.n[g]) * p * q;
    for (double trial = 0; trial < groups.n[g]; trial += 1) {
      density.push_back(0);
      for (std::size_t y = density.size() - 1; y > 0; --y) density[y] = q * density[y] + p * density[y - 1];
      density[0] *= q;
      while (density.size() > 1 && density.back() == 0) density.pop_back();
    }
  }
  Real less = 0, greater = 0;
  for (std::size_t y = 0; y < density.size(); ++y) {
    if (static_cast<Index>(y) <= observed) less += density[y];
  }
  for (std::size_t y = density.size(); y-- > 0;) {
    if (static_cast<Index>(y) >= observed) greater += density[y];
  }
  const auto log10_of = [](Real p) { return static_cast<double>(std::log10(std::min(p, Real{1}))); };
  return {static_cast<double>(mean), static_cast<double>(variance), log10_of(less), log10_of(greater),
          TailMethod::certain};
}

}  // namespace chorale::kernels::reference
