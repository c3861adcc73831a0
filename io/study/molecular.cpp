// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "io/study/molecular.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace chorale::io::study {

std::int32_t Pool::gene(std::string_view symbol) {
  const std::int32_t code = genes.insert(symbol);
  const auto n = static_cast<std::size_t>(genes.size());
  if (mutated.size() < n) {
    mutated.resize(n, 0);
    copies.resize(n, {});
    rearranged.resize(n, 0);
  }
  return code;
}

std::int32_t Pool::variant_class(std::string_view name, const std::string& file) {
  constexpr Index most_classes = 127;
  const std::int32_t code = classes.insert(name);
  if (code >= most_classes)
    throw InputError({.what = "too many variant classes",
                      .found = fmt::format("more than {}, among them {}", most_classes, name),
                      .expected = "the classes of the MAF format",
                      .in = file + ", column Variant_Classification",
                      .remedy = "check that the column holds classes"});
  if (static_cast<std::size_t>(code) == class_counts.size())
    class_counts.push_back(counting_classes.empty() ||
                           std::find(counting_classes.begin(), counting_classes.end(), name) !=
                               counting_classes.end());
  return code;
}

RowUse use_of(const Study& study, Profile profile, std::int32_t sample) {
  const auto s = static_cast<std::size_t>(sample);
  if (study.used[s] == 0) return RowUse::not_first_sample;
  return study.state(profile).assay[s] == not_profiled ? RowUse::not_profiled : RowUse::kept;
}

std::string_view reason(RowUse use) {
  return use == RowUse::not_first_sample ? "not the patient's first sample" : "sample was not profiled";
}

void unknown_sample(const Rows& rows, std::string_view id, std::string_view column, Problems& problems) {
  problems.add({.what = "sample is not in the sample table",
                .column = column,
                .expected = "a sample of the study",
                .remedy = "add the sample to the sample table, or take out its rows",
                .value = id,
                .line = rows.line(),
                .effect = Effect::drop_row});
}

}  // namespace chorale::io::study
