// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "engine/time_slice.hpp"

#include <cmath>
#include <sstream>

#include <boost/archive/binary_iarchive.hpp>
#include <boost/archive/binary_oarchive.hpp>
#include <boost/serialization/vector.hpp>

#include "engine/load.hpp"
#include "engine/packer.hpp"

namespace chorale::engine {
namespace {

/// The columns of a slice as they travel; variants and ledger stay behind.
template <class Archive>
void pass(Archive& archive, Slice& slice) {
  archive& slice.n_patients& slice.numbers& slice.codes;
  archive& slice.survival.entry& slice.survival.time& slice.survival.event;
  for (auto& panel : slice.panel) archive& panel;
  archive& slice.carried.offset& slice.carried.value& slice.untested.offset& slice.untested.value;
}

std::vector<std::vector<std::int32_t>> patients_by_block(const Slice& slice, Index shard,
                                                         const TimeCuts& cuts) {
  std::vector<std::vector<std::int32_t>> patients(static_cast<std::size_t>(cuts.n_blocks()));
  for (std::size_t i = 0; i < static_cast<std::size_t>(slice.n_patients); ++i) {
    const double exit = slice.survival.time[i];
    const Index block = std::isfinite(exit) ? cuts.block_of(exit) : shard % cuts.n_blocks();
    patients[static_cast<std::size_t>(block)].push_back(static_cast<std::int32_t>(i));
  }
  return patients;
}

/// A shard's patients for each rank, block after block.
std::vector<std::string> parcels(const Slice& slice, Index shard, const TimeCuts& cuts, Index n_ranks) {
  const auto patients = patients_by_block(slice, shard, cuts);
  std::vector<std::string> parcels;
  for (Index rank = 0; rank < n_ranks; ++rank) {
    std::ostringstream out;
    boost::archive::binary_oarchive archive(out, boost::archive::no_header);
    for (Index b = cuts.first_block(rank, n_ranks); b < cuts.first_block(rank + 1, n_ranks); ++b) {
      Slice piece = take(slice, patients[static_cast<std::size_t>(b)]);
      pass(archive, piece);
    }
    parcels.push_back(std::move(out).str());
  }
  return parcels;
}

void unpack(const std::string& parcel, std::vector<std::vector<Slice>>& pieces) {
  std::istringstream in(parcel);
  boost::archive::binary_iarchive archive(in, boost::archive::no_header);
  for (auto& of_block : pieces) pass(archive, of_block.emplace_back());
}

Cohort pack(const Reading& reading, std::vector<Slice>& pieces) {
  std::vector<Extent> before(1);
  for (const Slice& piece : pieces)
    before.push_back(
        {.n_patients = before.back().n_patients + piece.n_patients,
         .n_carried = before.back().n_carried + static_cast<Index>(piece.carried.value.size()),
         .n_untested = before.back().n_untested + static_cast<Index>(piece.untested.value.size())});
  Packer packer(reading, before.back());
  const auto alone = solo_comm();
  packer.use(alone->node_shared(packer.n_bytes()));
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    packer.fill(pieces[i], before[i]);
    pieces[i] = {};
  }
  packer.transpose(*alone);
  return packer.finish({});
}

}  // namespace

TimeSlice load_by_time(const Reading& reading, Comm& comm, Index most_blocks) {
  if (reading.columns.endpoint.empty()) {
    throw ConfigError({.what = "patients are dealt by the end of their follow-up, and there is none",
                       .found = "no endpoint",
                       .in = "outcome.endpoint",
                       .remedy = "name an endpoint"});
  }
  const TimeCuts cuts = cut_times(reading, comm, most_blocks);
  const Index n_ranks = comm.size(), first = cuts.first_block(comm.rank(), n_ranks);
  std::vector<std::vector<Slice>> pieces(
      static_cast<std::size_t>(cuts.first_block(comm.rank() + 1, n_ranks) - first));
  const auto n_shards = static_cast<Index>(reading.catalogue.shards.size());
  Ledger ledger;
  for (Index round = 0; round < n_shards; round += n_ranks) {
    const Index shard = round + comm.rank();
    std::vector<std::string> out(static_cast<std::size_t>(n_ranks));
    if (shard < n_shards) {
      const Slice slice = read_slice(reading, shard);
      ledger.add(slice.ledger);
      out = parcels(slice, shard, cuts, n_ranks);
    }
    // in the order of the ranks, so in that of the shards
    for (std::string& parcel : comm.exchange(std::move(out))) {
      if (!parcel.empty()) unpack(parcel, pieces);
      std::string().swap(parcel);
    }
  }
  if (comm.rank() >= n_shards) ledger = no_ones_ledger(reading);
  ledger.add_up([&](std::span<std::int64_t> counts) { comm.sum(counts); });
  std::vector<Cohort> blocks;
  for (auto& of_block : pieces) {
    blocks.push_back(pack(reading, of_block));
    std::vector<Slice>().swap(of_block);
  }
  return {comm, cuts.n_blocks(), first, std::move(blocks), std::move(ledger)};
}

}  // namespace chorale::engine
