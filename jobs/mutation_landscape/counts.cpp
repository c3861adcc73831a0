// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

#include "jobs/common/group_counts.hpp"
#include "jobs/mutation_landscape/stages.hpp"
#include "kernels/quantile.hpp"

namespace chorale::jobs::landscape {
namespace {

std::size_t at(Index row, Index n_columns, Index column) {
  return static_cast<std::size_t>(row * n_columns + column);
}

/// Calls `use` for the groups a patient is in: all patients, and their own.
void for_groups(std::int32_t code, auto use) {
  use(Index{0});
  if (code >= 0) use(Index{code} + 1);
}

/// Patients without a group have a code of their own here, so that the sum over codes is everyone.
void count_features(const Design& design, const engine::Cohort& cohort, std::vector<std::int32_t> group,
                    Counts& counts) {
  const Index n_groups = design.n_groups();
  const Index n_features = cohort.n_features();
  for (auto& code : group) code = code < 0 ? 0 : code + 1;
  const GroupCounts patients(cohort, std::move(group), n_groups);
  const auto with_total = [](std::vector<std::int64_t> by_code) {
    by_code.front() = std::accumulate(by_code.begin(), by_code.end(), std::int64_t{0});
    return by_code;
  };
  counts.patients = with_total(patients.patients());
  counts.carriers.resize(static_cast<std::size_t>(n_groups * n_features));
  counts.tested.resize(static_cast<std::size_t>(n_groups * n_features));
  for (Index f = 0; f < n_features; ++f) {
    const auto carriers = with_total(patients.carriers(f));
    const auto tested = with_total(patients.tested(f));
    for (Index g = 0; g < n_groups; ++g) {
      counts.carriers[at(g, n_features, f)] = carriers[static_cast<std::size_t>(g)];
      counts.tested[at(g, n_features, f)] = tested[static_cast<std::size_t>(g)];
    }
  }
}

void count_burden(const Design& design, const engine::Cohort& cohort, std::span<const std::int32_t> group,
                  Counts& counts) {
  counts.burden.resize(static_cast<std::size_t>(design.n_groups()));
  const auto panel = cohort.panel(io::Profile::mutation);
  for (Index i = 0; i < cohort.n_patients(); ++i) {
    if (panel[static_cast<std::size_t>(i)] < 0) continue;
    std::size_t altered = 0;
    for (const std::int32_t feature : cohort.features_of(i))
      altered += cohort.profile_of(feature) == static_cast<int>(io::Profile::mutation) ? 1 : 0;
    for_groups(group[static_cast<std::size_t>(i)], [&](Index g) {
      auto& histogram = counts.burden[static_cast<std::size_t>(g)];
      if (histogram.size() <= altered) histogram.resize(altered + 1, 0);
      ++histogram[altered];
    });
  }
}

/// Sorts, and leaves one of each.
template <class T>
void make_unique(std::vector<T>& values) {
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
}

std::vector<std::uint8_t> classes_that_count(const engine::Setup& setup) {
  std::vector<std::uint8_t> counts;
  for (const auto& name : setup.catalogue.variant_classes)
    counts.push_back(std::find(setup.features.classes.begin(), setup.features.classes.end(), name) !=
                     setup.features.classes.end());
  return counts;
}

/// One gene and protein change a patient: how many patients share each. The shard's dictionary of changes is sorted,
/// so the order of codes is the order of texts.
void tally_changes(std::vector<std::pair<std::int32_t, std::int32_t>> carried, const io::VariantData& variant,
                   Counts& counts) {
  std::sort(carried.begin(), carried.end());
  for (auto first = carried.begin(); first != carried.end();) {
    const auto last = std::upper_bound(first, carried.end(), *first);
    counts.changes.push_back(
        {.gene = first->first,
         .protein_change = variant.protein_changes[static_cast<std::size_t>(first->second)],
         .n_patients = last - first});
    first = last;
  }
}

void count_variants(const Design& design, const engine::Setup& setup, const engine::Cohort& cohort,
                    Counts& counts) {
  const auto n_genes = setup.catalogue.genes.size();
  const auto n_classes = static_cast<Index>(setup.catalogue.variant_classes.size());
  counts.class_variants.assign(n_genes * static_cast<std::size_t>(n_classes), 0);
  counts.class_patients.assign(n_genes * static_cast<std::size_t>(n_classes), 0);
  const auto in_set = classes_that_count(setup);
  const io::VariantData& variant = cohort.variants();

  std::vector<std::vector<float>> fractions(n_genes);
  std::vector<std::pair<std::int32_t, std::int32_t>> changes, changes_of_patient;
  std::vector<std::size_t> cells_of_patient;
  for (std::size_t i = 0; i + 1 < variant.offset.size(); ++i) {
    cells_of_patient.clear();
    changes_of_patient.clear();
    for (auto k = static_cast<std::size_t>(variant.offset[i]);
         k < static_cast<std::size_t>(variant.offset[i + 1]); ++k) {
      const std::size_t cell = at(variant.gene[k], n_classes, variant.variant_class[k]);
      ++counts.class_variants[cell];
      cells_of_patient.push_back(cell);
      if (in_set[static_cast<std::size_t>(variant.variant_class[k])] == 0) continue;
      if (!std::isnan(variant.vaf[k]))
        fractions[static_cast<std::size_t>(variant.gene[k])].push_back(variant.vaf[k]);
      if (variant.protein_change[k] >= 0)
        changes_of_patient.emplace_back(variant.gene[k], variant.protein_change[k]);
    }
    make_unique(cells_of_patient);
    for (const std::size_t cell : cells_of_patient) ++counts.class_patients[cell];
    make_unique(changes_of_patient);
    changes.insert(changes.end(), changes_of_patient.begin(), changes_of_patient.end());
  }
  for (std::size_t gene = 0; gene < n_genes; ++gene) {
    if (fractions[gene].empty()) continue;
    counts.fraction_gene.push_back(static_cast<std::int32_t>(gene));
    counts.fractions.emplace_back().add(fractions[gene]);
  }
  if (design.config.top_changes > 0) tally_changes(std::move(changes), variant, counts);
}

}  // namespace

Part count_shard(const Design& design, const engine::Setup& setup, const engine::Cohort& cohort) {
  Part part;
  part.counts.ledger = cohort.ledger();
  const auto group = design.grouping
                         ? design.grouping->codes(cohort)
                         : std::vector<std::int32_t>(static_cast<std::size_t>(cohort.n_patients()), -1);
  count_features(design, cohort, group, part.counts);
  count_burden(design, cohort, group, part.counts);
  count_variants(design, setup, cohort, part.counts);
  return part;
}

}  // namespace chorale::jobs::landscape
