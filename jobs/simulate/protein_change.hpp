// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "kernels/draw.hpp"
#include "kernels/types.hpp"

namespace chorale::jobs {

/// In the order of the sorted dictionary of class names.
enum class VariantClass : std::int8_t {
  frame_shift_del,
  frame_shift_ins,
  in_frame_del,
  in_frame_ins,
  missense,
  nonsense,
  silent,
  splice_site
};
inline constexpr std::array<std::string_view, 8> variant_class_names{
    "Frame_Shift_Del",   "Frame_Shift_Ins",   "In_Frame_Del", "In_Frame_Ins",
    "Missense_Mutation", "Nonsense_Mutation", "Silent",       "Splice_Site"};

/// A protein change packed in 32 bits: a hotspot by its number, or a made-up change by position and residues.
/// Text is made only for the changes that a shard holds.
struct ProteinChange {
  std::uint32_t code = 0;
  auto operator<=>(const ProteinChange&) const = default;

  static ProteinChange hotspot(Index number);
  /// `residue` is that of the protein at `position` (1, 2, …, 65535); `detail` the new residue, or how far a frame
  /// shift runs.
  static ProteinChange made_up(VariantClass variant_class, Index residue, Index position, Index detail);

  /// "p.R882H", "p.Q61*", "p.G12fs*7", "p.K45del", "p.X125_splice", "p.L30="
  std::string text(std::span<const std::string> hotspots) const;
};

/// The class that the notation of a hotspot implies: "fs" frame shift insertion, trailing "*" nonsense, "dup" or "ins"
/// in-frame insertion, "del" in-frame deletion, "splice" splice site, otherwise missense.
VariantClass class_of_notation(std::string_view protein_change);

/// A change outside the hotspots: truncating with the given probability. Each gene's protein has fixed, made-up residues.
struct MadeUpChange {
  VariantClass variant_class;
  ProteinChange change;
};
MadeUpChange draw_change(kernels::Draws& draws, Index gene, Index length, double truncating);
MadeUpChange draw_silent_change(kernels::Draws& draws, Index gene, Index length);

}  // namespace chorale::jobs
