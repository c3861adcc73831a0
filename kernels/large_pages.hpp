// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstddef>

namespace chorale::kernels {

/// Asks for pages of 2 MB behind an array that is walked from end to end again and again. A wish: nothing depends on it.
void wish_large_pages(void* begin, std::size_t n_bytes);

}  // namespace chorale::kernels
