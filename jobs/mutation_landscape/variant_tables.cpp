// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <algorithm>
#include <array>

#include "jobs/mutation_landscape/tables.hpp"

namespace chorale::jobs::landscape {
namespace {

using Texts = std::vector<std::string>;
using Reals = std::vector<double>;
using Wholes = std::vector<std::int64_t>;

constexpr std::array quartiles{0.25, 0.5, 0.75};

io::ResultTable class_table(const engine::Setup& setup, const Totals& counts) {
  const io::Catalogue& catalogue = setup.catalogue;
  const std::size_t n_classes = catalogue.variant_classes.size();
  Texts gene, variant_class;
  Wholes variants, patients;
  for (std::size_t cell = 0; cell < counts.class_variants.size(); ++cell) {
    if (counts.class_variants[cell] == 0) continue;
    gene.push_back(catalogue.genes[cell / n_classes]);
    variant_class.push_back(catalogue.variant_classes[cell % n_classes]);
    variants.push_back(counts.class_variants[cell]);
    patients.push_back(counts.class_patients[cell]);
  }
  io::ResultTable table{
      .name = "variant_classes",
      .caption = "Variants of each gene by class, all classes, whether or not they make a carrier.",
      .columns = {}};
  table.add("gene", "", "gene", std::move(gene));
  table.add("class", "", "variant class", std::move(variant_class));
  table.add("variants", "variants", "variants of the class", std::move(variants));
  table.add("patients", "patients", "patients with at least one", std::move(patients));
  return table;
}

io::ResultTable fraction_table(const engine::Setup& setup, const Totals& counts) {
  Texts gene;
  Wholes n;
  Reals lower, median, upper;
  for (const FractionRow& row : counts.fractions) {
    gene.push_back(setup.catalogue.genes[static_cast<std::size_t>(row.gene)]);
    n.push_back(row.n);
    lower.push_back(row.lower);
    median.push_back(row.median);
    upper.push_back(row.upper);
  }
  io::ResultTable table{.name = "allele_fractions",
                        .caption = "Variant allele fractions of the classes that make a carrier.",
                        .columns = {}};
  table.add("gene", "", "gene", std::move(gene));
  table.add("variants", "variants", "variants with a fraction", std::move(n));
  table.add("lower_quartile", "", "first quartile", std::move(lower));
  table.add("median", "", "median", std::move(median));
  table.add("upper_quartile", "", "third quartile", std::move(upper));
  return table;
}

/// Quantile of type 7 of numbers given as a histogram: histogram[k] patients have k.
double histogram_quantile(const Wholes& histogram, Index n, double probability) {
  const double position = static_cast<double>(n - 1) * probability;
  const auto low = static_cast<Index>(position);
  const auto value_at = [&](Index rank) {
    Index seen = 0;
    for (std::size_t k = 0; k < histogram.size(); ++k) {
      seen += histogram[k];
      if (rank < seen) return static_cast<double>(k);
    }
    return static_cast<double>(histogram.size() - 1);
  };
  const double a = value_at(low), b = value_at(std::min(low + 1, n - 1));
  return a + (position - static_cast<double>(low)) * (b - a);
}

io::ResultTable burden_table(const Design& design, const Totals& counts) {
  Texts group;
  Wholes patients, largest;
  Reals mean;
  std::array<Reals, quartiles.size()> quantile;
  for (Index g = 0; g < design.n_groups(); ++g) {
    const Wholes& histogram = counts.burden[static_cast<std::size_t>(g)];
    Index n = 0, total = 0;
    for (std::size_t k = 0; k < histogram.size(); ++k) {
      n += histogram[k];
      total += histogram[k] * static_cast<Index>(k);
    }
    group.push_back(design.group_label(g));
    patients.push_back(n);
    largest.push_back(n > 0 ? static_cast<Index>(histogram.size()) - 1 : io::missing_count);
    mean.push_back(n > 0 ? static_cast<double>(total) / static_cast<double>(n) : kernels::missing);
    for (std::size_t i = 0; i < quartiles.size(); ++i)
      quantile[i].push_back(n > 0 ? histogram_quantile(histogram, n, quartiles[i]) : kernels::missing);
  }
  io::ResultTable table{.name = "burden",
                        .caption = "Altered genes per patient, of patients profiled for mutations.",
                        .columns = {}};
  table.add("group", "", "group of patients", std::move(group));
  table.add("patients", "patients", "profiled for mutations", std::move(patients));
  table.add("mean", "genes", "mean", std::move(mean));
  table.add("lower_quartile", "genes", "first quartile", std::move(quantile[0]));
  table.add("median", "genes", "median", std::move(quantile[1]));
  table.add("upper_quartile", "genes", "third quartile", std::move(quantile[2]));
  table.add("largest", "genes", "most altered genes of one patient", std::move(largest));
  return table;
}

io::ResultTable change_table(const engine::Setup& setup, const Totals& counts) {
  Texts gene, protein_change;
  Wholes patients;
  for (const Change& change : counts.changes) {
    gene.push_back(setup.catalogue.genes[static_cast<std::size_t>(change.gene)]);
    protein_change.push_back(change.protein_change);
    patients.push_back(change.n_patients);
  }
  io::ResultTable table{
      .name = "protein_changes",
      .caption = "Protein changes that most patients share, of the classes that make a carrier.",
      .columns = {}};
  table.add("gene", "", "gene", std::move(gene));
  table.add("protein_change", "", "HGVS, short", std::move(protein_change));
  table.add("patients", "patients", "patients with this change", std::move(patients));
  return table;
}

}  // namespace

std::vector<io::ResultTable> variant_tables(const Design& design, const engine::Setup& setup,
                                            const Totals& counts) {
  std::vector<io::ResultTable> tables{class_table(setup, counts), fraction_table(setup, counts),
                                      burden_table(design, counts)};
  if (design.config.top_changes > 0) tables.push_back(change_table(setup, counts));
  return tables;
}

}  // namespace chorale::jobs::landscape
