// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/cox_path_wide_body.hpp"
#include "kernels/simd/single.hpp"

namespace chorale::kernels::simd::CHORALE_LEVEL {
namespace {

#if defined(__AVX512F__)
using Places = std::int32_t __attribute__((vector_size(vector_bytes)));

/// Lane r is lane place[r] of the values; an intrinsic, for Clang has no __builtin_shuffle.
Single pick(Single values, Places place) {
  return __builtin_bit_cast(Single, _mm512_maskz_permutexvar_ps(0xffff, __builtin_bit_cast(__m512i, place),
                                                                __builtin_bit_cast(__m512, values)));
}
#endif

/// One panel of rows from wherever they stand (ascending); what is left of it are copies of a row.
void pack_panel(const float* panels, Index n_columns, const std::int32_t* source, Index n_rows, float* to) {
  const Index step = n_columns * panel_rows;
#if defined(__AVX512F__)
  // what each panel of the design gives: which rows, and where to
  const float* from[panel_rows];
  Places row[panel_rows], taken[panel_rows];
  Index n_from = 0;
  for (Index r = 0; r < panel_rows; ++r) {
    const Index at = source[r < n_rows ? r : 0];
    const float* panel = panels + at / panel_rows * step;
    Index k = n_from;
    while (k > 0 && from[k - 1] != panel) --k;
    if (k == 0) {
      from[n_from] = panel;
      row[n_from] = taken[n_from] = Places{};
      k = ++n_from;
    }
    row[k - 1][r] = static_cast<std::int32_t>(at % panel_rows);
    taken[k - 1][r] = -1;
  }
  for (Index j = 0; j < n_columns; ++j) {
    Single found = pick(load_lanes(from[0] + j * panel_rows), row[0]);
    for (Index k = 1; k < n_from; ++k)
      found = taken[k] != 0 ? pick(load_lanes(from[k] + j * panel_rows), row[k]) : found;
    store_lanes(to + j * panel_rows, found);
  }
#else
  const float* from[panel_rows];
  for (Index r = 0; r < panel_rows; ++r) {
    const Index at = source[r < n_rows ? r : 0];
    from[r] = panels + at / panel_rows * step + at % panel_rows;
  }
  for (Index j = 0; j < n_columns; ++j) {
    for (Index r = 0; r < panel_rows; ++r) to[j * panel_rows + r] = from[r][j * panel_rows];
  }
#endif
}

}  // namespace

void cox_path_wide_pack(const float* panels, Index n_columns, const std::int32_t* source, Index n_rows,
                        const double* weight, const double* dead, float* to, float* room, double* sums,
                        double* squares, double* died) {
  constexpr Index panels_summed = 32, w = lane_width<float>;
  const Index n_panels = (n_rows + panel_rows - 1) / panel_rows, step = n_columns * panel_rows;
  for (Index k = 0; k < 3 * step; ++k) room[k] = 0;
  for (Index p = 0; p < n_panels; ++p) {
    const Index n_here = n_rows - p * panel_rows < panel_rows ? n_rows - p * panel_rows : panel_rows;
    float weights[panel_rows] = {}, deaths[panel_rows] = {};
    for (Index r = 0; r < n_here; ++r) {
      weights[r] = static_cast<float>(weight[p * panel_rows + r]);
      deaths[r] = static_cast<float>(dead[p * panel_rows + r]);
    }
    float* out = to + p * step;
    pack_panel(panels, n_columns, source + p * panel_rows, n_here, out);
    for (Index k = 0; k < step; k += w) {
      const Single here = load_lanes(out + k), weighted = here * load_lanes(weights + k % panel_rows);
      float* room_here = room + 3 * k;
      store_lanes(room_here, load_lanes(room_here) + weighted);
      store_lanes(room_here + w, load_lanes(room_here + w) + weighted * here);
      store_lanes(room_here + 2 * w,
                  load_lanes(room_here + 2 * w) + here * load_lanes(deaths + k % panel_rows));
    }
    if ((p + 1) % panels_summed != 0 && p + 1 < n_panels) continue;
    for (Index k = 0; k < step; ++k) {
      float* room_here = room + 3 * (k / w * w) + k % w;
      sums[k / panel_rows] += static_cast<double>(room_here[0]);
      squares[k / panel_rows] += static_cast<double>(room_here[w]);
      died[k / panel_rows] += static_cast<double>(room_here[2 * w]);
      room_here[0] = room_here[w] = room_here[2 * w] = 0;
    }
  }
}

}  // namespace chorale::kernels::simd::CHORALE_LEVEL
