// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "engine/packer.hpp"

#include <algorithm>
#include <cstring>

namespace chorale::engine {
namespace {

constexpr std::size_t alignment = 64;

template <class T>
void copy(const std::vector<T>& from, T* to) {
  if (!from.empty()) std::memcpy(to, from.data(), from.size() * sizeof(T));
}

}  // namespace

template <class T>
Cohort::Section Packer::reserve(Index n) {
  const Cohort::Section section{.at = n_bytes_, .n = static_cast<std::size_t>(n)};
  n_bytes_ += (section.n * sizeof(T) + alignment - 1) / alignment * alignment;
  return section;
}

template <class T>
T* Packer::at(Cohort::Section section) {
  return reinterpret_cast<T*>(cohort_.block_->bytes().data() + section.at);
}

Packer::Packer(const Reading& reading, Extent extent) : reading_(reading), extent_(extent) {
  const Index n = extent.n_patients;
  cohort_.n_patients_ = n;
  for (const auto& name : reading.columns.fields) {
    const Index field = require_field(reading.catalogue, name, "column");
    const bool number =
        field >= 0 && reading.catalogue.fields[static_cast<std::size_t>(field)].kind == io::FieldKind::number;
    cohort_.fields_.push_back(
        {.name = name, .number = number, .section = number ? reserve<double>(n) : reserve<std::int32_t>(n)});
  }
  if (!reading.columns.endpoint.empty()) {
    cohort_.entry_ = reserve<double>(n);
    cohort_.time_ = reserve<double>(n);
    cohort_.event_ = reserve<std::int8_t>(n);
  }
  if (!reading.columns.alterations) return;
  cohort_.n_features_ = reading.features.size();
  for (auto& panel : cohort_.panel_) panel = reserve<std::int16_t>(n);
  cohort_.row_offset_ = reserve<std::int64_t>(n + 1);
  cohort_.row_feature_ = reserve<std::int32_t>(extent.n_carried);
  gap_row_offset_ = reserve<std::int64_t>(n + 1);
  gap_row_feature_ = reserve<std::int32_t>(extent.n_untested);
  cohort_.column_offset_ = reserve<std::int64_t>(cohort_.n_features_ + 1);
  cohort_.column_patient_ = reserve<std::int32_t>(extent.n_carried);
  cohort_.gap_offset_ = reserve<std::int64_t>(cohort_.n_features_ + 1);
  cohort_.gap_patient_ = reserve<std::int32_t>(extent.n_untested);
}

void Packer::describe_panels() {
  const io::Catalogue& catalogue = reading_.catalogue;
  for (const JobFeature& feature : reading_.features.features) {
    std::vector<std::uint8_t> holds;
    if (feature.dictionary >= 0) {
      const io::Feature& entry = catalogue.features[static_cast<std::size_t>(feature.dictionary)];
      const auto gene = static_cast<std::int32_t>(catalogue.gene_index(entry.gene));
      const auto partner = static_cast<std::int32_t>(catalogue.gene_index(entry.partner));
      for (const io::Panel& panel : catalogue.panels) {
        const auto has = [&](std::int32_t g) {
          return g >= 0 && std::binary_search(panel.genes.begin(), panel.genes.end(), g);
        };
        holds.push_back(panel.whole_exome || has(gene) || has(partner));
      }
      cohort_.profile_.push_back(static_cast<int>(entry.profile));
    } else {
      cohort_.profile_.push_back(-1);
    }
    cohort_.panel_holds_.push_back(std::move(holds));
  }
}

void Packer::use(std::shared_ptr<SharedBlock> block) {
  cohort_.block_ = std::move(block);
  cohort_.arena_ = cohort_.block_->bytes();
  if (reading_.columns.alterations) describe_panels();
}

void Packer::fill(Slice& slice, Extent before) {
  const auto first = before.n_patients;
  for (std::size_t f = 0; f < cohort_.fields_.size(); ++f) {
    const auto& field = cohort_.fields_[f];
    if (field.number)
      copy(slice.numbers[f], at<double>(field.section) + first);
    else
      copy(slice.codes[f], at<std::int32_t>(field.section) + first);
  }
  if (cohort_.time_.n > 0) {
    copy(slice.survival.entry, at<double>(cohort_.entry_) + first);
    copy(slice.survival.time, at<double>(cohort_.time_) + first);
    copy(slice.survival.event, at<std::int8_t>(cohort_.event_) + first);
  }
  if (cohort_.row_offset_.n == 0) return;
  for (std::size_t p = 0; p < slice.panel.size(); ++p)
    copy(slice.panel[p], at<std::int16_t>(cohort_.panel_[p]) + first);
  const auto rows = [&](const io::SparseRows& from, Index base, Cohort::Section offset,
                        Cohort::Section feature) {
    copy(from.value, at<std::int32_t>(feature) + base);
    auto* to = at<std::int64_t>(offset) + first;
    for (std::size_t i = 0; i < from.offset.size(); ++i) to[i] = base + from.offset[i];
  };
  rows(slice.carried, before.n_carried, cohort_.row_offset_, cohort_.row_feature_);
  rows(slice.untested, before.n_untested, gap_row_offset_, gap_row_feature_);
}

void Packer::transpose(Comm& comm, Cohort::Section row_offset, Cohort::Section row_feature,
                       Cohort::Section offset, Cohort::Section patient) {
  if (row_feature.n == 0) return;  // the block is zero-filled, and so are the offsets
  const std::size_t n_features = offset.n - 1;
  // a counter per rank and feature takes no more room than the entries
  const auto n_team =
      std::clamp<std::size_t>(row_feature.n / n_features, 1, static_cast<std::size_t>(comm.node_size()));
  const auto me = static_cast<std::size_t>(comm.node_rank());
  const auto block = comm.node_shared(static_cast<Index>(n_team * n_features * sizeof(std::int32_t)));
  auto* counts = reinterpret_cast<std::int32_t*>(block->bytes().data());
  const auto* row = at<std::int64_t>(row_offset);
  const auto* feature = at<std::int32_t>(row_feature);
  const auto n = static_cast<std::size_t>(extent_.n_patients);
  const std::size_t begin = n * me / n_team, end = n * (me + 1) / n_team;
  if (me < n_team)
    for (auto k = row[begin]; k < row[end]; ++k)
      ++counts[me * n_features + static_cast<std::size_t>(feature[k])];
  block->publish();
  if (me >= n_team) return;
  auto* column = at<std::int64_t>(offset);
  auto* to = at<std::int32_t>(patient);
  std::vector<std::int64_t> next(n_features);  // where this rank's patients go
  std::int64_t sum = 0;
  for (std::size_t f = 0; f < n_features; ++f) {
    for (std::size_t rank = 0; rank < n_team; ++rank) {
      if (rank == me) next[f] = sum;
      sum += counts[rank * n_features + f];
    }
    if (me == 0) column[f + 1] = sum;
  }
  for (std::size_t i = begin; i < end; ++i)
    for (auto k = row[i]; k < row[i + 1]; ++k)
      to[next[static_cast<std::size_t>(feature[k])]++] = static_cast<std::int32_t>(i);
}

void Packer::transpose(Comm& comm) {
  if (cohort_.row_offset_.n == 0) return;
  transpose(comm, cohort_.row_offset_, cohort_.row_feature_, cohort_.column_offset_, cohort_.column_patient_);
  transpose(comm, gap_row_offset_, gap_row_feature_, cohort_.gap_offset_, cohort_.gap_patient_);
}

Cohort Packer::finish(Ledger ledger, io::VariantData variants) {
  cohort_.ledger_ = std::move(ledger);
  cohort_.variants_ = std::move(variants);
  return std::move(cohort_);
}

}  // namespace chorale::engine
