// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
//
// How long does it take to load a cohort from its shards, every checksum verified, beside the least that must be done
// with those bytes: one memcpy, one XXH3-128 pass, one fletcher32 pass?
//
//   load_vs_memcpy COHORT [REPETITIONS]
//
// The two sides run in turn (A B A B …) on one core with the files in the page cache; medians are compared.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include <hdf5.h>
#include <xxhash.h>

#include "io/checksum.hpp"
#include "io/file.hpp"
#include "io/shard.hpp"

/// The checksum that HDF5's own filter computes; exported by the library, declared in a header that is not installed.
extern "C" std::uint32_t H5_checksum_fletcher32(const void* data, std::size_t n_bytes);

namespace {

using chorale::Index;
using Bytes = std::vector<std::byte>;

double seconds_of(const auto& action) {
  const auto start = std::chrono::steady_clock::now();
  action();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2),
                   values.end());
  return values[values.size() / 2];
}

struct Least {
  std::vector<double> copy, xxh3, fletcher, fast_fletcher;
};

/// Every shard is taken from the kernel once, outside the clock; then each pass is timed apart.
void measure_least(const std::vector<Bytes>& shards, Bytes& target, Least& least, std::uint64_t& sink) {
  least.copy.push_back(seconds_of([&] {
    std::byte* to = target.data();
    for (const Bytes& shard : shards) {
      std::memcpy(to, shard.data(), shard.size());
      to += shard.size();
    }
  }));
  least.xxh3.push_back(seconds_of([&] {
    for (const Bytes& shard : shards) sink += XXH3_128bits(shard.data(), shard.size()).low64;
  }));
  least.fletcher.push_back(seconds_of([&] {
    for (const Bytes& shard : shards) sink += H5_checksum_fletcher32(shard.data(), shard.size());
  }));
  least.fast_fletcher.push_back(seconds_of([&] {
    for (const Bytes& shard : shards) sink += chorale::io::fletcher32(shard);
  }));
}

/// Variants and identifiers: tens of thousands of texts a shard become C++ strings, which no copy of bytes does.
double seconds_of_texts(const chorale::io::Catalogue& catalogue, std::uint64_t& sink) {
  double seconds = 0;
  for (Index s = 0; s < static_cast<Index>(catalogue.shards.size()); ++s) {
    const chorale::io::ShardReader reader(catalogue, s);
    seconds +=
        seconds_of([&] { sink += reader.read_id().size() + reader.read_variant().protein_changes.size(); });
  }
  return seconds;
}

void report(const char* what, double seconds, double bytes) {
  std::printf("  %-34s %8.2f ms  %7.2f GB/s\n", what, 1e3 * seconds, bytes / seconds / 1e9);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: load_vs_memcpy COHORT [REPETITIONS]\n");
    return 2;
  }
  try {
    const auto catalogue = chorale::io::load_catalogue(argv[1]);
    const int n_repetitions = argc > 2 ? std::max(1, std::stoi(argv[2])) : 9;
    std::vector<Bytes> shards;
    std::size_t n_bytes = 0;
    for (const auto& entry : catalogue.shards) {
      shards.push_back(chorale::io::read_file(catalogue.folder / entry.file));
      n_bytes += shards.back().size();
    }
    Bytes target(n_bytes);
    Least least;
    std::vector<double> load, open, texts;
    std::uint64_t sink = 0;
    Index n_patients = 0;
    for (int r = 0; r < n_repetitions; ++r) {
      n_patients = 0;
      load.push_back(seconds_of([&] {
        for (Index s = 0; s < static_cast<Index>(catalogue.shards.size()); ++s)
          n_patients += chorale::io::ShardReader(catalogue, s).read_all().n_patients();
      }));
      open.push_back(seconds_of([&] {
        for (Index s = 0; s < static_cast<Index>(catalogue.shards.size()); ++s)
          sink += static_cast<std::uint64_t>(chorale::io::ShardReader(catalogue, s).n_patients());
      }));
      texts.push_back(seconds_of_texts(catalogue, sink));
      measure_least(shards, target, least, sink);
    }
    const auto bytes = static_cast<double>(n_bytes);
    const double copy = median(least.copy), xxh3 = median(least.xxh3), fletcher = median(least.fletcher);
    const double fast_fletcher = median(least.fast_fletcher);
    std::printf("%lld patients in %zu shards, %.1f MB; medians of %d runs\n",
                static_cast<long long>(n_patients), shards.size(), bytes / 1e6, n_repetitions);
    report("load, checksums verified", median(load), bytes);
    report("  of it: read, XXH3-128, open", median(open), bytes);
    report("  of it: variants and identifiers", median(texts), bytes);
    report("memcpy", copy, bytes);
    report("XXH3-128", xxh3, bytes);
    report("fletcher32 (HDF5's)", fletcher, bytes);
    report("fletcher32 (io/checksum.hpp)", fast_fletcher, bytes);
    std::printf(
        "load runs at %.2f of the speed of memcpy, XXH3-128 and HDF5's fletcher32,\n"
        "        and at %.2f of it with the fletcher32 that the load itself uses (sink %llx)\n",
        (copy + xxh3 + fletcher) / median(load), (copy + xxh3 + fast_fletcher) / median(load),
        static_cast<unsigned long long>(sink & 15));
  } catch (const chorale::Error& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return error.exit_code();
  }
}
