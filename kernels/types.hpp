// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace chorale {

/// Every count and subscript: signed, so that differences and reverse loops are safe.
using Index = std::int64_t;

}  // namespace chorale
