// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "io/checksum.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <fstream>
#include <memory>
#include <vector>

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <xxhash.h>

#include "kernels/error.hpp"

namespace chorale::io {
namespace {

std::string hex(const unsigned char* bytes, std::size_t n) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  text.reserve(2 * n);
  for (std::size_t i = 0; i < n; ++i) {
    text += digits[bytes[i] >> 4];
    text += digits[bytes[i] & 15];
  }
  return text;
}

class Sha256 {
 public:
  Sha256() : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
    EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr);
  }
  void update(const void* bytes, std::size_t n) { EVP_DigestUpdate(context_.get(), bytes, n); }
  std::string finish() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int n = 0;
    EVP_DigestFinal_ex(context_.get(), digest.data(), &n);
    return hex(digest.data(), n);
  }

 private:
  std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context_;
};

/// Running sums over words in this machine's byte order: s1 = Σ w_i, s2 = Σ (n - i) w_i, both mod 65535.
struct Fletcher {
  static constexpr std::uint64_t modulus = 65535;
  static constexpr std::size_t n_lanes = 32;
  static constexpr std::size_t most_rounds = 360;  // 65535 · 360 · 361 / 2 < 2^32
  std::uint64_t s1 = 0, s2 = 0;

  /// `n_rounds` rounds of one word a lane. Lane j of round r is word i = n_lanes·r + j, so with
  /// a_j = Σ_r w and b_j = Σ_r (n_rounds - r) w the new words add Σ (n - i) w_i = Σ_j (n_lanes·b_j - j·a_j).
  void add_rounds(const std::byte* data, std::size_t n_rounds) {
    std::uint32_t a[n_lanes] = {}, b[n_lanes] = {};
    for (std::size_t r = 0; r < n_rounds; ++r) {
      for (std::size_t j = 0; j < n_lanes; ++j) {
        std::uint16_t w = 0;
        std::memcpy(&w, data + (r * n_lanes + j) * sizeof w, sizeof w);
        a[j] += w;
        b[j] += a[j];
      }
    }
    s2 += s1 * (n_rounds * n_lanes);
    for (std::size_t j = 0; j < n_lanes; ++j) {
      s2 += n_lanes * std::uint64_t{b[j]} - j * std::uint64_t{a[j]};
      s1 += a[j];
    }
    s1 %= modulus;
    s2 %= modulus;
  }
  void add_word(std::uint16_t w) {
    s1 = (s1 + w) % modulus;
    s2 = (s2 + s1) % modulus;
  }
};

bool any_set(std::span<const std::byte> bytes) {
  return std::any_of(bytes.begin(), bytes.end(), [](std::byte b) { return b != std::byte{0}; });
}

}  // namespace

std::uint32_t fletcher32(std::span<const std::byte> bytes) {
  Fletcher sums;
  const std::byte* at = bytes.data();
  std::size_t left = bytes.size();
  constexpr std::size_t round_bytes = 2 * Fletcher::n_lanes;
  while (left >= round_bytes) {
    const std::size_t n_rounds = std::min(left / round_bytes, Fletcher::most_rounds);
    sums.add_rounds(at, n_rounds);
    at += n_rounds * round_bytes;
    left -= n_rounds * round_bytes;
  }
  while (left > 0) {
    const std::size_t n = std::min<std::size_t>(left, 2);
    std::uint16_t w = 0;
    std::memcpy(&w, at, n);
    sums.add_word(w);
    at += n;
    left -= n;
  }
  // swapping the bytes of a word multiplies it by 256 mod 65535, so the sums can be swapped once at the end
  const std::uint64_t swap = std::endian::native == std::endian::little ? 256 : 1;
  std::uint64_t s1 = sums.s1 * swap % Fletcher::modulus, s2 = sums.s2 * swap % Fletcher::modulus;
  if ((s1 == 0 || s2 == 0) && any_set(bytes)) {
    if (s1 == 0) s1 = Fletcher::modulus;
    if (s2 == 0) s2 = Fletcher::modulus;
  }
  return static_cast<std::uint32_t>(s2 << 16 | s1);
}

std::string xxh3_128(std::span<const std::byte> bytes) {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits(bytes.data(), bytes.size()));
  return hex(canonical.digest, sizeof canonical.digest);
}

std::string xxh3_128(std::string_view text) {
  return xxh3_128(std::as_bytes(std::span(text)));
}

std::string sha256(std::span<const std::byte> bytes) {
  Sha256 digest;
  digest.update(bytes.data(), bytes.size());
  return digest.finish();
}

std::string sha256_of_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    throw StoreError({.what = "file cannot be read",
                      .in = path.string(),
                      .remedy = "check that it exists and that you may read it"});
  }
  Sha256 digest;
  std::vector<char> block(1 << 20);
  while (in) {
    in.read(block.data(), static_cast<std::streamsize>(block.size()));
    digest.update(block.data(), static_cast<std::size_t>(in.gcount()));
  }
  return digest.finish();
}

std::string hmac_sha256(std::string_view key, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int n = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), &n);
  return hex(digest.data(), n);
}

}  // namespace chorale::io
