// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "engine/load.hpp"

#include <algorithm>
#include <map>

#include "engine/packer.hpp"

namespace chorale::engine {
namespace {

Extent extent_of(const Slice& slice) {
  return {.n_patients = slice.n_patients,
          .n_carried = static_cast<Index>(slice.carried.value.size()),
          .n_untested = static_cast<Index>(slice.untested.value.size())};
}

void add(Extent& total, const Extent& more) {
  total.n_patients += more.n_patients;
  total.n_carried += more.n_carried;
  total.n_untested += more.n_untested;
}

}  // namespace

Cohort load_shard(const Reading& reading, Index shard) {
  Slice slice = read_slice(reading, shard);
  const auto alone = solo_comm();
  Packer packer(reading, extent_of(slice));
  packer.use(alone->node_shared(packer.n_bytes()));
  packer.fill(slice, {});
  packer.transpose(*alone);
  return packer.finish(std::move(slice.ledger), std::move(slice.variants));
}

Cohort load_replicated(const Reading& reading, Comm& comm, Index most_held) {
  const auto n_shards = static_cast<Index>(reading.catalogue.shards.size());
  std::map<Index, Slice> held;
  Index n_held = 0;
  bool any = false;
  std::vector<std::int64_t> sizes(static_cast<std::size_t>(3 * n_shards));
  Ledger ledger;
  for (Index s = comm.node_rank(); s < n_shards; s += comm.node_size()) {
    Slice slice = read_slice(reading, s);
    const Extent extent = extent_of(slice);
    const auto at = static_cast<std::size_t>(3 * s);
    sizes[at] = extent.n_patients;
    sizes[at + 1] = extent.n_carried;
    sizes[at + 2] = extent.n_untested;
    ledger.add(slice.ledger);
    any = true;
    const Index n_bytes = Packer(reading, extent).n_bytes();
    if (n_held + n_bytes > most_held) continue;
    n_held += n_bytes;
    held.emplace(s, std::move(slice));
  }
  comm.node_sum(sizes);
  if (!any) ledger = no_ones_ledger(reading);  // more ranks than shards
  ledger.add_up([&](std::span<std::int64_t> counts) { comm.node_sum(counts); });

  std::vector<Extent> before(static_cast<std::size_t>(n_shards) + 1);
  for (std::size_t s = 0; s < static_cast<std::size_t>(n_shards); ++s) {
    before[s + 1] = before[s];
    add(before[s + 1],
        {.n_patients = sizes[3 * s], .n_carried = sizes[3 * s + 1], .n_untested = sizes[3 * s + 2]});
  }
  Packer packer(reading, before.back());
  std::shared_ptr<SharedBlock> block = comm.node_shared(packer.n_bytes());
  packer.use(block);
  for (Index s = comm.node_rank(); s < n_shards; s += comm.node_size()) {
    const auto at = held.find(s);
    Slice slice = at != held.end() ? std::move(at->second) : read_slice(reading, s);
    held.erase(s);
    packer.fill(slice, before[static_cast<std::size_t>(s)]);
  }
  block->publish();
  packer.transpose(comm);
  block->publish();
  return packer.finish(std::move(ledger));
}

std::vector<std::int64_t> count_carriers(const Reading& reading, Comm& comm) {
  const auto n_shards = static_cast<Index>(reading.catalogue.shards.size());
  const Columns alterations{.fields = {}, .endpoint = {}, .alterations = true, .variants = false};
  const Reading narrow{reading.catalogue, reading.selection, reading.features, alterations};
  std::vector<std::int64_t> carriers(static_cast<std::size_t>(reading.features.size()));
  for (Index s = comm.rank(); s < n_shards; s += comm.size())
    for (const std::int32_t feature : read_slice(narrow, s).carried.value)
      ++carriers[static_cast<std::size_t>(feature)];
  comm.sum(carriers);
  return carriers;
}

std::vector<io::ShardEntry> count_selected(const Reading& reading, Comm& comm) {
  std::vector<io::ShardEntry> selected = reading.catalogue.shards;
  const auto n_shards = static_cast<Index>(selected.size());
  std::vector<std::int64_t> counts(3 * selected.size());
  for (Index s = comm.rank(); s < n_shards; s += comm.size()) {
    const io::ShardReader reader(reading.catalogue, s, io::ShardAccess::columns);
    Ledger ledger;
    const auto patients = reading.selection.apply(reader, ledger);
    const auto alteration = reader.read_alteration_offset(), variant = reader.read_variant_offset();
    std::int64_t* of_shard = counts.data() + 3 * s;
    of_shard[0] = static_cast<std::int64_t>(patients.size());
    for (const std::int32_t patient : patients) {
      const auto i = static_cast<std::size_t>(patient);
      of_shard[1] += alteration[i + 1] - alteration[i];
      of_shard[2] += variant[i + 1] - variant[i];
    }
  }
  comm.sum(counts);
  for (std::size_t s = 0; s < selected.size(); ++s) {
    selected[s].n_patients = counts[3 * s];
    selected[s].n_alterations = counts[3 * s + 1];
    selected[s].n_variants = counts[3 * s + 2];
  }
  return selected;
}

CohortBytes forecast_bytes(const Reading& reading, std::span<const io::ShardEntry> selected) {
  CohortBytes bytes;
  const auto packed = [&](Extent extent) { return static_cast<double>(Packer(reading, extent).n_bytes()); };
  const auto extent_of_shard = [&](const io::ShardEntry& shard) {
    Extent extent{.n_patients = shard.n_patients, .n_carried = shard.n_alterations, .n_untested = 0};
    for (const JobFeature& feature : reading.features.features)
      if (feature.field >= 0) extent.n_carried += extent.n_patients;
    return extent;
  };
  Extent total;
  for (const io::ShardEntry& shard : selected) {
    bytes.largest_shard = std::max(bytes.largest_shard, packed(extent_of_shard(shard)));
    add(total, extent_of_shard(shard));
  }
  for (const io::ShardEntry& shard : reading.catalogue.shards) {
    bytes.largest_read = std::max(bytes.largest_read, packed(extent_of_shard(shard)));
    bytes.largest_file = std::max(bytes.largest_file, static_cast<double>(shard.n_bytes));
  }
  bytes.packed = packed(total);
  bytes.slices = bytes.packed;
  if (reading.columns.alterations)  // carriers by feature are made when all are packed
    bytes.slices -= static_cast<double>(4 * total.n_carried + 16 * reading.features.size());
  return bytes;
}

}  // namespace chorale::engine
