// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "jobs/simulate/protein_change.hpp"

#include <fmt/format.h>

namespace chorale::jobs {
namespace {

constexpr std::string_view residues = "ACDEFGHIKLMNPQRSTVWY";
constexpr std::uint32_t hotspot_bit = 0x80000000u;

/// The residue of a gene's made-up protein: any fixed function of gene and position will do.
Index residue_at(Index gene, Index position) {
  std::uint64_t x = static_cast<std::uint64_t>(gene) * 0x9e3779b97f4a7c15u +
                    static_cast<std::uint64_t>(position) * 0xbf58476d1ce4e5b9u;
  x ^= x >> 31;
  return static_cast<Index>(x % residues.size());
}

}  // namespace

ProteinChange ProteinChange::hotspot(Index number) {
  return {hotspot_bit | static_cast<std::uint32_t>(number)};
}

ProteinChange ProteinChange::made_up(VariantClass variant_class, Index residue, Index position,
                                     Index detail) {
  // class 4 bits, residue 5, detail 5, position 16
  return {static_cast<std::uint32_t>(variant_class) << 26 | static_cast<std::uint32_t>(residue) << 21 |
          static_cast<std::uint32_t>(detail) << 16 | static_cast<std::uint32_t>(position)};
}

std::string ProteinChange::text(std::span<const std::string> hotspots) const {
  if ((code & hotspot_bit) != 0) return hotspots[code & ~hotspot_bit];
  const char from = residues[code >> 21 & 31];
  const std::uint32_t detail = code >> 16 & 31;
  const std::uint32_t position = code & 0xffff;
  switch (static_cast<VariantClass>(code >> 26)) {
    case VariantClass::frame_shift_del:
    case VariantClass::frame_shift_ins:
      return fmt::format("p.{}{}fs*{}", from, position, detail + 1);
    case VariantClass::in_frame_del:
      return fmt::format("p.{}{}del", from, position);
    case VariantClass::in_frame_ins:
      return fmt::format("p.{}{}dup", from, position);
    case VariantClass::nonsense:
      return fmt::format("p.{}{}*", from, position);
    case VariantClass::silent:
      return fmt::format("p.{}{}=", from, position);
    case VariantClass::splice_site:
      return fmt::format("p.X{}_splice", position);
    case VariantClass::missense:
      break;
  }
  return fmt::format("p.{}{}{}", from, position, residues[detail]);
}

VariantClass class_of_notation(std::string_view change) {
  const auto has = [change](std::string_view part) { return change.find(part) != std::string_view::npos; };
  if (has("fs")) return VariantClass::frame_shift_ins;
  if (has("splice")) return VariantClass::splice_site;
  if (has("dup") || has("ins")) return VariantClass::in_frame_ins;
  if (has("del")) return VariantClass::in_frame_del;
  return change.ends_with('*') ? VariantClass::nonsense : VariantClass::missense;
}

MadeUpChange draw_change(kernels::Draws& draws, Index gene, Index length, double truncating) {
  const Index position = 1 + draws.below(length);
  const Index residue = residue_at(gene, position);
  const auto n_residues = static_cast<Index>(residues.size());
  // of truncating variants 40 % are nonsense, 45 % frame shifts, 15 % splice; of the others one in twenty is in frame
  const double kind = draws.uniform();
  const double within = kind < truncating ? kind / truncating : (kind - truncating) / (1 - truncating);
  VariantClass c = VariantClass::missense;
  if (kind < truncating)
    c = within < 0.40   ? VariantClass::nonsense
        : within < 0.70 ? VariantClass::frame_shift_del
        : within < 0.85 ? VariantClass::frame_shift_ins
                        : VariantClass::splice_site;
  else if (within < 0.05)
    c = within < 0.03 ? VariantClass::in_frame_del : VariantClass::in_frame_ins;

  const double spread = draws.uniform();
  Index detail = 0;
  if (c == VariantClass::missense)
    detail = (residue + 1 + static_cast<Index>(spread * static_cast<double>(n_residues - 1))) % n_residues;
  else if (c == VariantClass::frame_shift_del || c == VariantClass::frame_shift_ins)
    detail = static_cast<Index>(spread * 32);
  return {c, ProteinChange::made_up(c, residue, position, detail)};
}

MadeUpChange draw_silent_change(kernels::Draws& draws, Index gene, Index length) {
  const Index position = 1 + draws.below(length);
  return {VariantClass::silent,
          ProteinChange::made_up(VariantClass::silent, residue_at(gene, position), position, 0)};
}

}  // namespace chorale::jobs
