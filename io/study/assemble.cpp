// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "io/study/assemble.hpp"

#include <algorithm>
#include <numeric>
#include <tuple>

namespace chorale::io::study {
namespace {

// A variant of the patient at hand; `text` is the code of its protein change in order of arrival.
struct Variant {
  std::int32_t gene;  // catalogue
  std::int8_t variant_class;
  std::int32_t text;
  std::uint64_t identity;
  std::int32_t sample;
  std::int32_t pool_gene;
  std::uint8_t counts;
  float vaf;
  Index arrival;
};

// One record with where its text stands.
struct Item {
  Record record;
  std::string_view text;
};

class Assembler {
 public:
  Assembler(const Plan& plan, Index first, Index last, KeptByStudy& kept)
      : plan_(plan), first_(first), kept_(kept) {
    shard_.id.reserve(static_cast<std::size_t>(last - first));
    for (std::size_t s = 0; s < plan.studies.size(); ++s) {
      const Study& study = plan.studies[s];
      const Index from = std::max(first, study.first_patient) - study.first_patient;
      const Index to = std::min(last, study.first_patient + study.n_patients()) - study.first_patient;
      if (from >= to) continue;
      for (Index p = from; p < to; ++p) {
        shard_.id.push_back(plan.pseudonym[s][static_cast<std::size_t>(p)]);
        study_of_.push_back(static_cast<std::int32_t>(s));
      }
      append_fields(plan.fields, plan.catalogue, plan.studies, static_cast<Index>(s), from, to, shard_);
      for (std::size_t profile = 0; profile < n_profiles; ++profile) {
        const auto& codes = plan.panels[s][profile];
        shard_.panel[profile].insert(shard_.panel[profile].end(), codes.begin() + from, codes.begin() + to);
      }
    }
  }

  ShardData assemble(const std::vector<char>& bytes) {
    sort_by_patient(bytes);
    for (std::size_t row = 0; row < study_of_.size(); ++row) {
      add_patient(row, std::span(items_).subspan(offset_[row], offset_[row + 1] - offset_[row]));
      shard_.alteration.offset.push_back(static_cast<std::int64_t>(shard_.alteration.value.size()));
      shard_.untested.offset.push_back(static_cast<std::int64_t>(shard_.untested.value.size()));
      shard_.variant.offset.push_back(static_cast<std::int64_t>(shard_.variant.gene.size()));
    }
    sort_protein_changes();
    return std::move(shard_);
  }

 private:
  // Counting sort; the records of a patient stay in order of arrival.
  void sort_by_patient(const std::vector<char>& bytes) {
    offset_.assign(study_of_.size() + 1, 0);
    for_each_record(
        bytes, [&](const Record& r, std::string_view) { ++offset_[static_cast<std::size_t>(r.row) + 1]; });
    std::partial_sum(offset_.begin(), offset_.end(), offset_.begin());
    items_.resize(offset_.back());
    std::vector<std::size_t> next(offset_.begin(), offset_.end() - 1);
    for_each_record(bytes, [&](const Record& r, std::string_view text) {
      items_[next[static_cast<std::size_t>(r.row)]++] = {r, text};
    });
  }

  bool on_panel(std::size_t row, Profile profile, std::int32_t pool_gene) const {
    const std::int16_t panel = shard_.panel[static_cast<std::size_t>(profile)][row];
    return panel >= 0 && pool_gene >= 0 &&
           plan_.features.on_panel[static_cast<std::size_t>(panel)][static_cast<std::size_t>(pool_gene)] != 0;
  }

  void add_patient(std::size_t row, std::span<const Item> items) {
    auto& kept = kept_[static_cast<std::size_t>(study_of_[row])];
    Kept& variants = kept[static_cast<std::size_t>(Profile::mutation)];
    carried_.clear();
    variants_.clear();
    missing_.clear();
    for (const Item& item : items) {
      const Record& r = item.record;
      switch (r.kind) {
        case RecordKind::variant:
          if (on_panel(row, Profile::mutation, r.gene))
            take_variant(item);
          else
            ++variants.off_panel;
          break;
        case RecordKind::copy_number:
          take_copies(row, r, kept[static_cast<std::size_t>(Profile::copy_number)]);
          break;
        case RecordKind::copy_number_missing:
          missing_.emplace_back(r.gene, r.sample);
          break;
        case RecordKind::structural:
          take_structural(row, r, kept[static_cast<std::size_t>(Profile::structural)]);
          break;
      }
    }
    keep_variants(variants);
    std::sort(carried_.begin(), carried_.end());
    carried_.erase(std::unique(carried_.begin(), carried_.end()), carried_.end());
    shard_.alteration.value.insert(shard_.alteration.value.end(), carried_.begin(), carried_.end());
    if (!missing_.empty()) keep_untested(row);
  }

  void take_variant(const Item& item) {
    const Record& r = item.record;
    const auto g = static_cast<std::size_t>(r.gene), c = static_cast<std::size_t>(r.variant_class);
    variants_.push_back({.gene = plan_.features.gene[g],
                         .variant_class = plan_.features.variant_class[c],
                         .text = item.text.empty() ? -1 : texts_.insert(item.text),
                         .identity = r.identity,
                         .sample = r.sample,
                         .pool_gene = r.gene,
                         .counts = plan_.features.class_counts[c],
                         .vaf = r.vaf,
                         .arrival = static_cast<Index>(variants_.size())});
  }

  // Equal variants stand side by side, the one to keep first.
  void keep_variants(Kept& kept) {
    std::sort(variants_.begin(), variants_.end(), [](const Variant& a, const Variant& b) {
      return std::tie(a.gene, a.variant_class, a.identity, a.sample, a.arrival) <
             std::tie(b.gene, b.variant_class, b.identity, b.sample, b.arrival);
    });
    const Variant* last = nullptr;
    for (const Variant& v : variants_) {
      const bool same = last != nullptr && v.identity != 0 && last->gene == v.gene &&
                        last->variant_class == v.variant_class && last->identity == v.identity;
      if (same) {
        ++(last->sample == v.sample ? kept.duplicate : kept.other_sample);
        last = &v;
        continue;
      }
      last = &v;
      ++kept.kept;
      shard_.variant.gene.push_back(v.gene);
      shard_.variant.variant_class.push_back(v.variant_class);
      shard_.variant.protein_change.push_back(v.text);
      shard_.variant.vaf.push_back(v.vaf);
      if (v.counts != 0) carry(plan_.features.mutated[static_cast<std::size_t>(v.pool_gene)]);
    }
  }

  void carry(std::int32_t feature) {
    if (feature >= 0) carried_.push_back(feature);
  }

  void take_copies(std::size_t row, const Record& r, Kept& kept) {
    if (!on_panel(row, Profile::copy_number, r.gene)) {
      ++kept.off_panel;
      return;
    }
    ++kept.kept;
    carry(plan_.features.copies[static_cast<std::size_t>(r.gene)][static_cast<std::size_t>(r.other + 2)]);
  }

  void take_structural(std::size_t row, const Record& r, Kept& kept) {
    const bool first = on_panel(row, Profile::structural, r.gene),
               second = on_panel(row, Profile::structural, r.other);
    if (!first && !second) {
      ++kept.off_panel;
      return;
    }
    ++kept.kept;
    if (first) carry(plan_.features.rearranged[static_cast<std::size_t>(r.gene)]);
    if (second) carry(plan_.features.rearranged[static_cast<std::size_t>(r.other)]);
    if (r.other >= 0) carry(plan_.features.fused.at({std::min(r.gene, r.other), std::max(r.gene, r.other)}));
  }

  // Untested are the genes without a value in any of the patient's profiled samples.
  void keep_untested(std::size_t row) {
    const Study& study = plan_.studies[static_cast<std::size_t>(study_of_[row])];
    const Index patient = first_ + static_cast<Index>(row) - study.first_patient;
    const Index n_samples = study.n_copy_number_samples[static_cast<std::size_t>(patient)];
    std::sort(missing_.begin(), missing_.end());
    missing_.erase(std::unique(missing_.begin(), missing_.end()), missing_.end());
    const std::size_t start = shard_.untested.value.size();
    for (std::size_t i = 0; i < missing_.size();) {
      std::size_t stop = i;
      while (stop < missing_.size() && missing_[stop].first == missing_[i].first) ++stop;
      const std::int32_t gene = missing_[i].first;
      if (static_cast<Index>(stop - i) == n_samples && on_panel(row, Profile::copy_number, gene))
        for (const std::int32_t feature : plan_.features.copies[static_cast<std::size_t>(gene)])
          if (feature >= 0 && !std::binary_search(carried_.begin(), carried_.end(), feature))
            shard_.untested.value.push_back(feature);
      i = stop;
    }
    std::sort(shard_.untested.value.begin() + static_cast<std::ptrdiff_t>(start),
              shard_.untested.value.end());
  }

  // Codes of protein changes become those of the sorted dictionary.
  void sort_protein_changes() {
    VariantData& v = shard_.variant;
    std::vector<std::int32_t> used(static_cast<std::size_t>(texts_.size()), -1);
    for (const std::int32_t text : v.protein_change)
      if (text >= 0) used[static_cast<std::size_t>(text)] = 0;
    for (Index t = 0; t < texts_.size(); ++t)
      if (used[static_cast<std::size_t>(t)] == 0) v.protein_changes.emplace_back(texts_[t]);
    std::sort(v.protein_changes.begin(), v.protein_changes.end());
    for (Index t = 0; t < texts_.size(); ++t)
      if (used[static_cast<std::size_t>(t)] == 0)
        used[static_cast<std::size_t>(t)] = static_cast<std::int32_t>(
            std::lower_bound(v.protein_changes.begin(), v.protein_changes.end(), texts_[t]) -
            v.protein_changes.begin());
    for (std::int32_t& text : v.protein_change)
      if (text >= 0) text = used[static_cast<std::size_t>(text)];
    for (std::size_t row = 0; row + 1 < v.offset.size(); ++row)
      sort_groups(static_cast<std::size_t>(v.offset[row]), static_cast<std::size_t>(v.offset[row + 1]));
  }

  // Within a patient's variants of one gene and class, orders by protein change (-1, none, first).
  void sort_groups(std::size_t start, std::size_t end) {
    VariantData& v = shard_.variant;
    for (std::size_t stop = start; start < end; start = stop) {
      while (stop < end && v.gene[stop] == v.gene[start] && v.variant_class[stop] == v.variant_class[start])
        ++stop;
      if (stop - start < 2) continue;
      std::vector<std::pair<std::int32_t, float>> group;
      for (std::size_t i = start; i < stop; ++i) group.emplace_back(v.protein_change[i], v.vaf[i]);
      std::stable_sort(group.begin(), group.end(),
                       [](const auto& a, const auto& b) { return a.first < b.first; });
      for (std::size_t i = start; i < stop; ++i) std::tie(v.protein_change[i], v.vaf[i]) = group[i - start];
    }
  }

  const Plan& plan_;
  Index first_;
  KeptByStudy& kept_;
  ShardData shard_;
  std::vector<std::int32_t> study_of_;  // per row
  std::vector<std::size_t> offset_;     // of each row's items
  std::vector<Item> items_;
  StringTable texts_;
  // of the patient at hand
  std::vector<Variant> variants_;
  std::vector<std::int32_t> carried_;
  std::vector<std::pair<std::int32_t, std::int32_t>> missing_;  // gene and sample without a copy number
};

}  // namespace

void Kept::add(const Kept& more) {
  kept += more.kept;
  off_panel += more.off_panel;
  duplicate += more.duplicate;
  other_sample += more.other_sample;
}

ShardData assemble_shard(const Plan& plan, Index first, Index last, const std::vector<char>& records,
                         KeptByStudy& kept) {
  return Assembler(plan, first, last, kept).assemble(records);
}

}  // namespace chorale::io::study
