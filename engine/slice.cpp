// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "engine/slice.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace chorale::engine {
namespace {

template <class T>
std::vector<T> pick(const std::vector<T>& all, const std::vector<std::int32_t>& patients) {
  if (patients.size() == all.size()) return all;
  std::vector<T> picked;
  picked.reserve(patients.size());
  for (const std::int32_t patient : patients) picked.push_back(all[static_cast<std::size_t>(patient)]);
  return picked;
}

/// Where each dictionary feature stands in the job's feature set, -1 for nowhere.
std::vector<std::int32_t> positions(const FeatureSet& set, std::size_t n_dictionary) {
  std::vector<std::int32_t> position(n_dictionary, -1);
  for (std::size_t f = 0; f < set.features.size(); ++f)
    if (const auto entry = set.features[f].dictionary; entry >= 0)
      position[static_cast<std::size_t>(entry)] = static_cast<std::int32_t>(f);
  return position;
}

/// Which dictionary feature says that a gene is mutated, -1 for none.
std::vector<std::int32_t> mutation_features(const io::Catalogue& catalogue) {
  std::vector<std::int32_t> feature(catalogue.genes.size(), -1);
  for (std::size_t f = 0; f < catalogue.features.size(); ++f)
    if (catalogue.features[f].profile == io::Profile::mutation)
      if (const Index gene = catalogue.gene_index(catalogue.features[f].gene); gene >= 0)
        feature[static_cast<std::size_t>(gene)] = static_cast<std::int32_t>(f);
  return feature;
}

/// Dictionary features carried per patient under another class set than the cohort's own.
io::SparseRows rederive(const Reading& reading, const io::ShardReader& shard) {
  const io::Catalogue& catalogue = reading.catalogue;
  std::vector<std::uint8_t> counts(catalogue.variant_classes.size());
  for (std::size_t c = 0; c < counts.size(); ++c)
    counts[c] = std::find(reading.features.classes.begin(), reading.features.classes.end(),
                          catalogue.variant_classes[c]) != reading.features.classes.end();
  const auto gene_feature = mutation_features(catalogue);
  const io::SparseRows stored = shard.read_alteration();
  const io::VariantData variant = shard.read_variant();

  io::SparseRows rows;
  std::vector<std::int32_t> row;
  for (std::size_t i = 0; i + 1 < stored.offset.size(); ++i) {
    row.clear();
    for (auto k = stored.offset[i]; k < stored.offset[i + 1]; ++k) {
      const auto feature = stored.value[static_cast<std::size_t>(k)];
      if (catalogue.features[static_cast<std::size_t>(feature)].profile != io::Profile::mutation)
        row.push_back(feature);
    }
    for (auto k = variant.offset[i]; k < variant.offset[i + 1]; ++k) {
      const auto v = static_cast<std::size_t>(k);
      const auto feature = gene_feature[static_cast<std::size_t>(variant.gene[v])];
      if (feature >= 0 && counts[static_cast<std::size_t>(variant.variant_class[v])] != 0)
        row.push_back(feature);
    }
    std::sort(row.begin(), row.end());
    row.erase(std::unique(row.begin(), row.end()), row.end());
    rows.value.insert(rows.value.end(), row.begin(), row.end());
    rows.offset.push_back(static_cast<std::int64_t>(rows.value.size()));
  }
  return rows;
}

[[noreturn]] void refuse_value(const Reading& reading, Index shard, Index field, double value) {
  throw InputError(
      {.what = "a field that counts as a feature holds another number than 0 and 1",
       .found = fmt::format("{}", value),
       .expected = "0, 1 or missing",
       .in = fmt::format("{}, field {}", reading.catalogue.shards[static_cast<std::size_t>(shard)].file,
                         reading.catalogue.fields[static_cast<std::size_t>(field)].name),
       .remedy = "leave the field out of features.fields, or recode it at ingest"});
}

/// Rows of dictionary features become rows of job features of the selected patients; 0/1 fields join them.
void read_alterations(const Reading& reading, Index shard, const io::ShardReader& reader,
                      const std::vector<std::int32_t>& patients, Slice& slice) {
  const FeatureSet& set = reading.features;
  const io::SparseRows stored = set.from_variants ? rederive(reading, reader) : reader.read_alteration();
  const io::SparseRows gaps = reader.read_untested();
  const auto position = positions(set, reading.catalogue.features.size());

  std::vector<std::pair<std::int32_t, std::vector<double>>> fields;  // job feature, its 0/1 values
  for (std::size_t f = 0; f < set.features.size(); ++f)
    if (const auto field = set.features[f].field; field >= 0)
      fields.emplace_back(static_cast<std::int32_t>(f), reader.read_clinical(field).number);

  const auto append = [&](const io::SparseRows& from, std::size_t patient, io::SparseRows& to) {
    for (auto k = from.offset[patient]; k < from.offset[patient + 1]; ++k)
      if (const auto feature = position[static_cast<std::size_t>(from.value[static_cast<std::size_t>(k)])];
          feature >= 0)
        to.value.push_back(feature);
  };
  for (const std::int32_t patient : patients) {
    const auto i = static_cast<std::size_t>(patient);
    append(stored, i, slice.carried);
    append(gaps, i, slice.untested);
    for (const auto& [feature, values] : fields) {
      const double value = values[i];
      if (std::isnan(value))
        slice.untested.value.push_back(feature);
      else if (value == 1)
        slice.carried.value.push_back(feature);
      else if (value != 0)
        refuse_value(reading, shard, set.features[static_cast<std::size_t>(feature)].field, value);
    }
    slice.carried.offset.push_back(static_cast<std::int64_t>(slice.carried.value.size()));
    slice.untested.offset.push_back(static_cast<std::int64_t>(slice.untested.value.size()));
  }
  for (int p = 0; p < io::n_profiles; ++p)
    slice.panel[static_cast<std::size_t>(p)] = pick(reader.read_panel(static_cast<io::Profile>(p)), patients);
}

io::VariantData pick_variants(io::VariantData all, const std::vector<std::int32_t>& patients) {
  if (patients.size() + 1 == all.offset.size()) return all;
  io::VariantData picked;
  for (const std::int32_t patient : patients) {
    const auto i = static_cast<std::size_t>(patient);
    for (auto k = all.offset[i]; k < all.offset[i + 1]; ++k) {
      const auto v = static_cast<std::size_t>(k);
      picked.gene.push_back(all.gene[v]);
      picked.variant_class.push_back(all.variant_class[v]);
      picked.protein_change.push_back(all.protein_change[v]);
      picked.vaf.push_back(all.vaf[v]);
    }
    picked.offset.push_back(static_cast<std::int64_t>(picked.gene.size()));
  }
  picked.protein_changes = std::move(all.protein_changes);
  return picked;
}

io::SparseRows pick(const io::SparseRows& all, const std::vector<std::int32_t>& patients) {
  io::SparseRows picked;
  if (all.offset.size() == 1) return picked;
  for (const std::int32_t patient : patients) {
    const auto i = static_cast<std::size_t>(patient);
    picked.value.insert(picked.value.end(), all.value.begin() + all.offset[i],
                        all.value.begin() + all.offset[i + 1]);
    picked.offset.push_back(static_cast<std::int64_t>(picked.value.size()));
  }
  return picked;
}

}  // namespace

Slice take(const Slice& slice, const std::vector<std::int32_t>& patients) {
  // a column that was not read is empty, and stays so
  const auto some = [&](const auto& all) { return all.empty() ? all : pick(all, patients); };
  Slice taken;
  taken.n_patients = static_cast<Index>(patients.size());
  for (const auto& column : slice.numbers) taken.numbers.push_back(some(column));
  for (const auto& column : slice.codes) taken.codes.push_back(some(column));
  taken.survival = {.entry = some(slice.survival.entry),
                    .time = some(slice.survival.time),
                    .event = some(slice.survival.event)};
  for (std::size_t p = 0; p < slice.panel.size(); ++p) taken.panel[p] = some(slice.panel[p]);
  taken.carried = pick(slice.carried, patients);
  taken.untested = pick(slice.untested, patients);
  return taken;
}

Ledger no_ones_ledger(const Reading& reading) {
  Ledger ledger = read_slice(reading, 0).ledger;
  ledger.n_start = 0;
  for (auto& line : ledger.lines) line.n_left = 0;
  return ledger;
}

Slice read_slice(const Reading& reading, Index shard) {
  const io::Catalogue& catalogue = reading.catalogue;
  const io::ShardReader reader(catalogue, shard);
  Slice slice;
  const auto patients = reading.selection.apply(reader, slice.ledger);
  slice.n_patients = static_cast<Index>(patients.size());

  for (const auto& name : reading.columns.fields) {
    const Index field = require_field(catalogue, name, "column");
    io::ColumnData column;
    if (field < 0)
      column.code = reader.read_site();
    else
      column = reader.read_clinical(field);
    slice.numbers.push_back(
        pick(column.number, column.number.empty() ? std::vector<std::int32_t>{} : patients));
    slice.codes.push_back(pick(column.code, column.code.empty() ? std::vector<std::int32_t>{} : patients));
  }
  if (!reading.columns.endpoint.empty()) {
    const io::SurvivalData all = reader.read_survival(catalogue.endpoint_index(reading.columns.endpoint));
    slice.survival = {.entry = pick(all.entry, patients),
                      .time = pick(all.time, patients),
                      .event = pick(all.event, patients)};
  }
  if (reading.columns.alterations) read_alterations(reading, shard, reader, patients, slice);
  if (reading.columns.variants) slice.variants = pick_variants(reader.read_variant(), patients);
  return slice;
}

}  // namespace chorale::engine
