// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include "kernels/cox.hpp"

namespace chorale::kernels::reference {

/// Log partial likelihood and derivatives by the formula as it stands: for each death of each event time, one
/// walk over all patients at risk. Patients with included[i] = 0 or not analysed leave; nothing may be
/// missing. columns.values is patients x columns, column-major; beta on its scale.
CoxTerms cox_terms(const Timeline& timeline, const CoxColumns& columns,
                   std::span<const std::uint8_t> included, std::span<const double> beta, Ties ties);

}  // namespace chorale::kernels::reference
