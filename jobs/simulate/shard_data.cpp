// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "jobs/simulate/shard_data.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

namespace chorale::jobs {
namespace {

constexpr double missing_value = std::numeric_limits<double>::quiet_NaN();

std::size_t at(Index i) {
  return static_cast<std::size_t>(i);
}

std::vector<io::ColumnData> clinical(const io::Catalogue& catalogue,
                                     std::span<const SimulatedPatient> patients) {
  std::vector<io::ColumnData> columns(catalogue.fields.size());
#pragma omp parallel for schedule(static)
  for (std::size_t f = 0; f < columns.size(); ++f) {
    if (catalogue.fields[f].kind == io::FieldKind::number) {
      columns[f].number.reserve(patients.size());
      for (const auto& patient : patients) columns[f].number.push_back(patient.values[f]);
    } else {
      columns[f].code.reserve(patients.size());
      for (const auto& patient : patients)
        columns[f].code.push_back(patient.values[f] >= 0 ? static_cast<std::int32_t>(patient.values[f]) : -1);
    }
  }
  return columns;
}

io::SurvivalData survival(std::span<const SimulatedPatient> patients,
                          SimulatedOutcome SimulatedPatient::*outcome) {
  io::SurvivalData data;
  for (const auto& patient : patients) {
    const SimulatedOutcome& o = patient.*outcome;
    data.entry.push_back(o.event < 0 ? missing_value : 0);
    data.time.push_back(o.event < 0 ? missing_value : static_cast<double>(o.days));
    data.event.push_back(o.event);
  }
  return data;
}

/// The shard's protein changes: sorted by code to be found, with the place of each in the dictionary sorted by text.
struct Dictionary {
  std::vector<ProteinChange> change;
  std::vector<std::int32_t> place;
  std::vector<std::string> text;

  Dictionary(std::span<const SimulatedPatient> patients, std::span<const std::string> hotspots) {
    for (const auto& patient : patients)
      for (const auto& variant : patient.variants) change.push_back(variant.change);
    std::sort(change.begin(), change.end());
    change.erase(std::unique(change.begin(), change.end()), change.end());
    std::vector<std::string> texts;
    for (const ProteinChange& c : change) texts.push_back(c.text(hotspots));
    text = texts;
    // two hotspots of different genes may share one text
    std::sort(text.begin(), text.end());
    text.erase(std::unique(text.begin(), text.end()), text.end());
    for (const auto& t : texts)
      place.push_back(
          static_cast<std::int32_t>(std::lower_bound(text.begin(), text.end(), t) - text.begin()));
  }
  std::int32_t operator()(ProteinChange c) const {
    return place[static_cast<std::size_t>(std::lower_bound(change.begin(), change.end(), c) -
                                          change.begin())];
  }
};

void add_variants(std::span<const SimulatedPatient> patients, std::span<const std::string> hotspots,
                  io::ShardData& data) {
  const Dictionary dictionary(patients, hotspots);
  struct Row {
    std::int32_t gene;
    std::int8_t variant_class;
    std::int32_t change;
    float vaf;
    auto operator<=>(const Row&) const = default;
  };
  std::vector<Row> rows;
  io::VariantData& v = data.variant;
  for (const auto& patient : patients) {
    rows.clear();
    for (const auto& variant : patient.variants) {
      const double vaf = static_cast<double>(variant.n_alt) / static_cast<double>(variant.n_reads);
      rows.push_back({variant.gene, static_cast<std::int8_t>(variant.variant_class),
                      dictionary(variant.change), static_cast<float>(vaf)});
      const bool is_new = data.alteration.value.size() == at(data.alteration.offset.back()) ||
                          data.alteration.value.back() != variant.gene;
      if (makes_carrier(variant.variant_class) && is_new) data.alteration.value.push_back(variant.gene);
    }
    std::sort(rows.begin(), rows.end());
    for (const Row& row : rows) {
      v.gene.push_back(row.gene);
      v.variant_class.push_back(row.variant_class);
      v.protein_change.push_back(row.change);
      v.vaf.push_back(row.vaf);
    }
    v.offset.push_back(static_cast<std::int64_t>(v.gene.size()));
    data.alteration.offset.push_back(static_cast<std::int64_t>(data.alteration.value.size()));
    data.untested.offset.push_back(0);
  }
  v.protein_changes = dictionary.text;
}

}  // namespace

bool makes_carrier(VariantClass variant_class) {
  return variant_class != VariantClass::silent;
}

void draw_patients(const CohortModel& model, Index first, std::span<SimulatedPatient> patients) {
#pragma omp parallel for schedule(static)
  for (std::size_t i = 0; i < patients.size(); ++i) model.draw(first + static_cast<Index>(i), patients[i]);
}

io::ShardData shard_data(const CohortModel& model, std::span<const SimulatedPatient> patients) {
  const io::Catalogue& catalogue = model.catalogue();
  io::ShardData data;
  for (const auto& patient : patients) {
    data.id.push_back(patient_id(patient.index));
    data.site.push_back(static_cast<std::int32_t>(patient.site));
    data.panel[static_cast<std::size_t>(io::Profile::mutation)].push_back(
        static_cast<std::int16_t>(patient.panel));
  }
  for (const auto profile : {io::Profile::copy_number, io::Profile::structural})
    data.panel[static_cast<std::size_t>(profile)].assign(patients.size(), -1);
  data.clinical = clinical(catalogue, patients);
  for (const io::Endpoint& endpoint : catalogue.endpoints)
    data.survival.push_back(
        survival(patients, endpoint.name == "OS" ? &SimulatedPatient::os : &SimulatedPatient::efs));
  add_variants(patients, model.hotspots(), data);
  return data;
}

}  // namespace chorale::jobs
