// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/burden_body.hpp"

#include "kernels/simd/vector.hpp"

namespace chorale::kernels::simd::CHORALE_LEVEL {

void probability_of_both(const double* p_a, const double* p_b, const double* spread, Index size,
                         double* p_both) {
  const Vector none{};
  for (Index r = 0; r < size; r += width) {
    const Vector a = load<Vector>(p_a + r), b = load<Vector>(p_b + r);
    const Vector v_a = a * (1.0 - a), v_b = b * (1.0 - b), joint = v_a * v_b;
    const Vector shared = joint / (load<Vector>(spread + r) - 0.5 * (v_a + v_b));
    const Vector both = a * b - (joint > 0.0 ? shared : none);
    store(p_both + r, both > 0.0 ? both : none);
  }
}

}  // namespace chorale::kernels::simd::CHORALE_LEVEL
