// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/association_permutation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "kernels/association_permutation_body.hpp"
#include "kernels/association_walk.hpp"
#include "kernels/error.hpp"
#include "kernels/event_table.hpp"

namespace chorale::kernels {
namespace {

constexpr Index most_features = 65'000;     // in 16 bits, and what fills up words
constexpr Index items_of = Index{1} << 40;  // draws of association permutations: items from here on
constexpr std::size_t row_padding = 8;

std::size_t at(Index i) {
  return static_cast<std::size_t>(i);
}

[[noreturn]] void refuse(const char* what, std::string found, std::string expected) {
  throw ShapeError({.what = what, .found = std::move(found), .expected = std::move(expected)});
}

}  // namespace

std::string_view name_of(AssociationVerdict verdict) {
  switch (verdict) {
    case AssociationVerdict::tested:
      return "tested";
    case AssociationVerdict::no_variation:
      return "no_variation";
    case AssociationVerdict::few_expected:
      return "few_expected";
  }
  refuse("verdict out of range", fmt::format("{}", static_cast<int>(verdict)), "an AssociationVerdict");
}

/// One thread's room: features in the order of ranks, the counts of each at hand when it is used.
class AssociationPermutation::Walk {
 public:
  explicit Walk(const AssociationPermutation& family)
      : family_(family),
        bits_(family.n_places_, family.n_met_),
        drawer_(static_cast<std::uint32_t>(family.n_places_)),
        drawn_(at(family.n_places_) + 1) {}

  /// places_of(rank) are the places of its patients; use(rank, counts) sees whom they share with each lower rank.
  template <class Places, class Use>
  void go(const Places& places_of, const Use& use) {
    bits_.clear();
    for (Index rank = 0; rank < static_cast<Index>(family_.feature_of_.size()); ++rank) {
      const Index n_columns = family_.n_columns_[at(rank)];
      const bool met = rank < family_.n_met_;
      if (n_columns == 0 && !met) continue;
      const std::span<const std::uint32_t> places = places_of(rank);
      if (n_columns > 0) use(rank, bits_.count(places, n_columns));
      if (met) bits_.add(places, rank);
    }
  }

  std::span<const std::uint32_t> draw(std::uint64_t seed, std::uint32_t permutation, Index rank) {
    IndexDraws draws(seed, permutation, items_of + family_.feature_of_[at(rank)]);
    std::uint32_t* end = drawn_.data();
    for (const Cell& cell : family_.cells_[at(rank)])
      end = drawer_.draw(draws, cell.begin, cell.n, cell.n_drawn, end);
    return {drawn_.data(), end};
  }

 private:
  const AssociationPermutation& family_;
  PatientBits bits_;
  SubsetDrawer drawer_;
  std::vector<std::uint32_t> drawn_;  ///< one more than places: see SubsetDrawer
};

AssociationPermutation::AssociationPermutation(CarrierLists carriers, const Groups& strata,
                                               std::span<const std::uint8_t> tested, double min_expected)
    : n_groups_(strata.n_groups) {
  const auto n_features = static_cast<Index>(carriers.size());
  if (n_features > most_features)
    refuse("too many features at once", fmt::format("{}", n_features),
           fmt::format("at most {}", most_features));
  if (!tested.empty())
    require_size("stratum × feature mask has the wrong size", tested.size(), n_groups_ * n_features);
  check_carriers(static_cast<Index>(strata.code.size()), carriers, carriers.size());
  place_patients(strata);
  count_carriers(carriers, tested);

  n_drawn_.assign(at(n_features * n_groups_), 0);
  n_rest_ = n_drawn_;
  for (Index rank = 0; rank < n_features; ++rank) {
    for (const Cell& cell : cells_[at(rank)]) {
      n_drawn_[at(rank * n_groups_ + cell.stratum)] = cell.n_drawn;
      n_rest_[at(rank * n_groups_ + cell.stratum)] = cell.n - cell.n_drawn;
    }
    std::erase_if(cells_[at(rank)], [](const Cell& cell) { return cell.n_drawn == 0; });
  }
  for (Index rank = 0; rank < n_features; ++rank) fill_row(rank, min_expected);
  row_begin_.push_back(expected_.size());
}

void AssociationPermutation::place_patients(const Groups& strata) {
  std::vector<std::uint32_t> n_patients(at(n_groups_), 0);
  for (const std::int32_t code : strata.code) {
    if (code < -1 || code >= n_groups_)
      refuse("stratum code out of range", fmt::format("{}", code), fmt::format("-1 to {}", n_groups_ - 1));
    if (code >= 0) ++n_patients[at(code)];
  }
  stratum_begin_.assign(at(n_groups_) + 1, 0);
  std::partial_sum(n_patients.begin(), n_patients.end(), stratum_begin_.begin() + 1);
  n_places_ = stratum_begin_.back();
  std::vector<std::uint32_t> next(stratum_begin_);
  for (const std::int32_t code : strata.code)
    place_of_.push_back(code < 0 ? -1 : static_cast<std::int32_t>(next[at(code)]++));
}

void AssociationPermutation::count_carriers(CarrierLists carriers, std::span<const std::uint8_t> tested) {
  struct Feature {
    std::int32_t code;
    bool turned;
    std::vector<std::uint32_t> drawn;  ///< places
    std::vector<Cell> cells;           ///< of the strata that are tested
  };
  const std::size_t n_features = carriers.size();
  std::vector<Feature> features;
  std::vector<std::uint8_t> carries(at(n_places_), 0);
  for (std::size_t f = 0; f < n_features; ++f) {
    Feature feature{.code = static_cast<std::int32_t>(f), .turned = false, .drawn = {}, .cells = {}};
    Index n_tested = 0, n_carriers = 0;
    for (const std::int32_t patient : carriers[f]) {
      if (place_of_[at(patient)] >= 0) carries[at(place_of_[at(patient)])] = 1, ++n_carriers;
    }
    for (Index s = 0; s < n_groups_; ++s) {
      const std::uint32_t begin = stratum_begin_[at(s)], end = stratum_begin_[at(s + 1)];
      const auto n =
          static_cast<std::uint32_t>(std::count(carries.begin() + begin, carries.begin() + end, 1));
      const bool holds = tested.empty() || tested[at(s) * n_features + f] != 0;
      if (!holds && n > 0) {
        refuse("a patient carries what the stratum is not tested for",
               fmt::format("{} carriers of feature {} in stratum {}", n, f, s), "none");
      }
      if (!holds || begin == end) continue;
      feature.cells.push_back({static_cast<std::int32_t>(s), begin, end - begin, n});
      n_tested += end - begin;
    }
    feature.turned = 2 * n_carriers > n_tested;
    for (Cell& cell : feature.cells) {
      for (std::uint32_t place = cell.begin; place < cell.begin + cell.n; ++place) {
        if ((carries[place] != 0) != feature.turned) feature.drawn.push_back(place);
      }
      if (feature.turned) cell.n_drawn = cell.n - cell.n_drawn;
    }
    std::fill(carries.begin(), carries.end(), std::uint8_t{0});
    features.push_back(std::move(feature));
  }
  std::stable_sort(features.begin(), features.end(),
                   [](const Feature& l, const Feature& r) { return l.drawn.size() > r.drawn.size(); });
  rank_of_.resize(n_features);
  drawn_begin_.push_back(0);
  for (Feature& feature : features) {
    rank_of_[at(feature.code)] = static_cast<std::int32_t>(feature_of_.size());
    feature_of_.push_back(feature.code);
    turned_.push_back(feature.turned);
    drawn_.insert(drawn_.end(), feature.drawn.begin(), feature.drawn.end());
    drawn_begin_.push_back(drawn_.size());
    cells_.push_back(std::move(feature.cells));
  }
}

AssociationPermutation::Moments AssociationPermutation::moments(Index rank, Index column) const {
  const double *d = n_drawn_.data() + rank * n_groups_, *other_d = n_drawn_.data() + column * n_groups_;
  const double *r = n_rest_.data() + rank * n_groups_, *other_r = n_rest_.data() + column * n_groups_;
  double both = 0, one = 0, other = 0, neither = 0, variance = 0;
  for (Index s = 0; s < n_groups_; ++s) {
    const double n = stratum_begin_[at(s + 1)] - stratum_begin_[at(s)];
    if (n == 0) continue;
    both += d[s] * other_d[s] / n;
    one += d[s] * other_r[s] / n;
    other += r[s] * other_d[s] / n;
    neither += r[s] * other_r[s] / n;
    if (n > 1) variance += d[s] * r[s] / n * (other_d[s] * other_r[s] / n) / (n - 1);
  }
  return {both, variance, std::min({both, one, other, neither})};
}

void AssociationPermutation::fill_row(Index rank, double min_expected) {
  row_begin_.push_back(expected_.size());
  Index n_columns = 0;
  for (Index column = 0; column < rank; ++column) {
    const Moments found = moments(rank, column);
    const bool enough = found.variance > 0 && found.least_expected >= min_expected;
    const double sign = turned_[at(rank)] == turned_[at(column)] ? 1 : -1;
    expected_.push_back(found.expected);
    per_deviation_.push_back(enough ? sign / std::sqrt(found.variance) : missing);
    if (!enough) continue;
    ++n_tested_;
    n_columns = column + 1;
  }
  n_columns_.push_back(n_columns);
  n_met_ = std::max(n_met_, n_columns);
  const std::size_t end = row_begin_.back() + (at(n_columns) + row_padding - 1) / row_padding * row_padding;
  for (auto* rows : {&expected_, &per_deviation_}) {
    rows->resize(row_begin_.back() + at(n_columns));
    rows->resize(end, missing);
  }
}

std::span<const std::uint32_t> AssociationPermutation::observed_of(Index rank) const {
  return std::span(drawn_).subspan(drawn_begin_[at(rank)],
                                   drawn_begin_[at(rank) + 1] - drawn_begin_[at(rank)]);
}

std::vector<std::vector<AssociationPermutation::Asked>> AssociationPermutation::by_row(
    std::span<const FeaturePair> pairs) const {
  std::vector<std::vector<Asked>> asked(feature_of_.size());
  const auto n_features = static_cast<std::int32_t>(feature_of_.size());
  for (std::size_t slot = 0; slot < pairs.size(); ++slot) {
    const auto [a, b] = pairs[slot];
    if (a < 0 || b < 0 || a >= n_features || b >= n_features || a == b)
      refuse("no pair of features", fmt::format("{} and {}", a, b), fmt::format("two of {}", n_features));
    const auto [column, row] = std::minmax(rank_of_[at(a)], rank_of_[at(b)]);
    asked[at(row)].push_back({column, slot});
  }
  return asked;
}

double AssociationPermutation::statistic(Index rank, Index column, const std::int32_t* n_both) const {
  if (column >= n_columns_[at(rank)]) return missing;
  const std::size_t cell = row_begin_[at(rank)] + at(column);
  return (n_both[column] - expected_[cell]) * per_deviation_[cell];
}

void AssociationPermutation::observed(std::span<const FeaturePair> pairs,
                                      std::span<Association> found) const {
  require_size("pairs and results differ in number", found.size(), static_cast<Index>(pairs.size()));
  const auto asked = by_row(pairs);
  for (std::size_t rank = 0; rank < asked.size(); ++rank) {
    for (const Asked& pair : asked[rank]) {
      const bool varies = moments(static_cast<Index>(rank), pair.column).variance > 0;
      found[pair.slot] = {.verdict =
                              varies ? AssociationVerdict::few_expected : AssociationVerdict::no_variation};
    }
  }
  Walk walk(*this);
  walk.go([&](Index rank) { return observed_of(rank); },
          [&](Index rank, const std::int32_t* n_both) {
            for (const Asked& pair : asked[at(rank)]) {
              const double z = statistic(rank, pair.column, n_both);
              if (!std::isnan(z)) found[pair.slot] = {AssociationVerdict::tested, z};
            }
          });
}

void AssociationPermutation::extremes(std::uint64_t seed, Index first, std::span<Extremes> extremes,
                                      std::span<const FeaturePair> apart, std::span<double> permuted) const {
  const auto n_permutations = static_cast<Index>(extremes.size());
  require_size("statistics of pairs apart do not fill every permutation", permuted.size(),
               n_permutations * static_cast<Index>(apart.size()));
  if (first < 0 || first + n_permutations > Index{1} << 32)
    refuse("no such permutations", fmt::format("{} from {} on", n_permutations, first), "0 to 2^32 - 1");
  std::fill(permuted.begin(), permuted.end(), missing);
  const auto asked = by_row(apart);
  AlignedDoubles per_deviation = per_deviation_;
  for (std::size_t rank = 0; rank < asked.size(); ++rank) {
    for (const Asked& pair : asked[rank]) {
      if (pair.column < n_columns_[rank]) per_deviation[row_begin_[rank] + at(pair.column)] = missing;
    }
  }
#pragma omp parallel
  {
    Walk walk(*this);
#pragma omp for schedule(dynamic)
    for (Index r = 0; r < n_permutations; ++r) {
      Extremes found;
      walk.go([&](Index rank) { return walk.draw(seed, static_cast<std::uint32_t>(first + r), rank); },
              [&](Index rank, const std::int32_t* n_both) {
                const std::size_t row = row_begin_[at(rank)];
                const auto n_columns = static_cast<Index>(row_begin_[at(rank) + 1] - row);
                CHORALE_AT_LEVEL(association_extremes, n_both, expected_.data() + row,
                                 per_deviation.data() + row, n_columns, &found.least, &found.greatest);
                for (const Asked& pair : asked[at(rank)])
                  permuted[at(r) * apart.size() + pair.slot] = statistic(rank, pair.column, n_both);
              });
      extremes[at(r)] = found;
    }
  }
}

}  // namespace chorale::kernels
