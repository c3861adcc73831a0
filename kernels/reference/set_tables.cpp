// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/set_tables.hpp"

#include <algorithm>

namespace chorale::kernels::reference {

std::vector<std::int32_t> set_table(PatientLists carriers, PatientLists untested, const PanelMask& panels,
                                    std::span<const std::int32_t> patients,
                                    std::span<const std::int32_t> features) {
  const auto listed = [](PatientLists lists, std::int32_t feature, std::int32_t patient) {
    const auto list = lists[static_cast<std::size_t>(feature)];
    return std::binary_search(list.begin(), list.end(), patient);
  };
  const auto tested = [&](std::int32_t patient, std::int32_t feature) {
    if (!untested.empty() && listed(untested, feature, patient)) return false;
    if (panels.n_panels == 0) return true;
    const std::int16_t panel = panels.of_patient[static_cast<std::size_t>(patient)];
    const auto n_features = static_cast<Index>(carriers.size());
    return panel >= 0 && panels.holds[static_cast<std::size_t>(panel * n_features + feature)] != 0;
  };
  std::vector<std::int32_t> cell(std::size_t{1} << features.size());
  for (const std::int32_t patient : patients) {
    bool for_all = true;
    std::size_t c = 0;
    for (std::size_t j = 0; j < features.size(); ++j) {
      for_all = for_all && tested(patient, features[j]);
      if (listed(carriers, features[j], patient)) c |= std::size_t{1} << j;
    }
    if (for_all) ++cell[c];
  }
  return cell;
}

}  // namespace chorale::kernels::reference
