// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <utility>
#include <vector>

#include "jobs/common/group_counts.hpp"
#include "jobs/mutation_landscape/stages.hpp"

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

/// Where each gene's values start when they are laid out one gene after the other.
std::vector<std::size_t> starts(std::span<const std::int32_t> n) {
  std::vector<std::size_t> start(n.size() + 1, 0);
  std::partial_sum(n.begin(), n.end(), start.begin() + 1, std::plus<std::size_t>());
  return start;
}

/// Calls use(first, end) for each patient's variants.
void for_patients(const io::VariantData& variant, auto use) {
  for (std::size_t i = 0; i + 1 < variant.offset.size(); ++i)
    use(static_cast<std::size_t>(variant.offset[i]), static_cast<std::size_t>(variant.offset[i + 1]));
}

void count_classes(const io::VariantData& variant, Index n_classes, Counts& counts) {
  std::vector<std::size_t> cells;
  for_patients(variant, [&](std::size_t first, std::size_t end) {
    cells.clear();
    for (std::size_t k = first; k < end; ++k) {
      cells.push_back(at(variant.gene[k], n_classes, variant.variant_class[k]));
      ++counts.class_variants[cells.back()];
    }
    make_unique(cells);
    for (const std::size_t cell : cells) ++counts.class_patients[cell];
  });
}

void list_fractions(const io::VariantData& variant, std::span<const std::uint8_t> counted,
                    FractionLists& fractions) {
  const auto for_fractions = [&](auto use) {
    for (std::size_t k = 0; k < variant.gene.size(); ++k)
      if (counted[static_cast<std::size_t>(variant.variant_class[k])] != 0 && !std::isnan(variant.vaf[k]))
        use(static_cast<std::size_t>(variant.gene[k]), variant.vaf[k]);
  };
  for_fractions([&](std::size_t gene, float) { ++fractions.n[gene]; });
  std::vector<std::size_t> next = starts(fractions.n);
  fractions.values.resize(next.back());
  for_fractions([&](std::size_t gene, float value) { fractions.values[next[gene]++] = value; });
}

/// One gene and protein change a patient: how many patients share each. The shard's dictionary of changes is sorted,
/// so the order of codes is the order of texts.
void list_changes(const io::VariantData& variant, std::span<const std::uint8_t> counted, std::size_t n_genes,
                  ChangeLists& changes) {
  std::vector<std::pair<std::int32_t, std::int32_t>> carried, of_patient;
  std::vector<std::int32_t> n(n_genes);
  for_patients(variant, [&](std::size_t first, std::size_t end) {
    of_patient.clear();
    for (std::size_t k = first; k < end; ++k)
      if (counted[static_cast<std::size_t>(variant.variant_class[k])] != 0 && variant.protein_change[k] >= 0)
        of_patient.emplace_back(variant.gene[k], variant.protein_change[k]);
    make_unique(of_patient);
    for (const auto& [gene, change] : of_patient) ++n[static_cast<std::size_t>(gene)];
    carried.insert(carried.end(), of_patient.begin(), of_patient.end());
  });
  const std::vector<std::size_t> start = starts(n);
  std::vector<std::size_t> next = start;
  std::vector<std::int32_t> codes(carried.size());
  for (const auto& [gene, change] : carried) codes[next[static_cast<std::size_t>(gene)]++] = change;
  changes.n.resize(n_genes);
  for (std::size_t gene = 0; gene < n_genes; ++gene) {
    const auto first = codes.begin() + static_cast<std::ptrdiff_t>(start[gene]);
    const auto end = codes.begin() + static_cast<std::ptrdiff_t>(start[gene + 1]);
    std::sort(first, end);
    for (auto code = first; code != end; ++changes.n[gene]) {
      const auto other = std::find_if(code, end, [&](std::int32_t c) { return c != *code; });
      changes.patients.push_back(static_cast<std::int32_t>(other - code));
      changes.texts += variant.protein_changes[static_cast<std::size_t>(*code)];
      changes.texts += '\0';
      code = other;
    }
  }
}

void count_variants(const Design& design, const engine::Setup& setup, const engine::Cohort& cohort,
                    Counts& counts) {
  const auto n_genes = setup.catalogue.genes.size();
  const auto n_classes = static_cast<Index>(setup.catalogue.variant_classes.size());
  const auto counted = classes_that_count(setup);
  const io::VariantData& variant = cohort.variants();
  counts.class_variants.resize(n_genes * static_cast<std::size_t>(n_classes));
  counts.class_patients.resize(n_genes * static_cast<std::size_t>(n_classes));
  counts.fractions.n.resize(n_genes);
  count_classes(variant, n_classes, counts);
  list_fractions(variant, counted, counts.fractions);
  if (design.config.top_changes > 0) list_changes(variant, counted, n_genes, counts.changes);
}

}  // namespace

Part count_shard(const Design& design, const engine::Setup& setup, const engine::Cohort& cohort) {
  Part part;
  Counts& counts = part.shards.emplace_back();
  counts.ledger = cohort.ledger();
  const auto group = design.grouping
                         ? design.grouping->codes(cohort)
                         : std::vector<std::int32_t>(static_cast<std::size_t>(cohort.n_patients()), -1);
  count_features(design, cohort, group, counts);
  count_burden(design, cohort, group, counts);
  count_variants(design, setup, cohort, counts);
  return part;
}

}  // namespace chorale::jobs::landscape
