// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "io/study/features.hpp"

#include <algorithm>
#include <numeric>

namespace chorale::io::study {
namespace {

std::vector<std::string> sorted_texts(const StringTable& table) {
  std::vector<std::string> texts;
  for (Index i = 0; i < table.size(); ++i) texts.emplace_back(table[i]);
  std::sort(texts.begin(), texts.end());
  return texts;
}

template <class Code>
std::vector<Code> codes_in(const StringTable& table, const std::vector<std::string>& sorted) {
  std::vector<Code> codes;
  for (Index i = 0; i < table.size(); ++i)
    codes.push_back(
        static_cast<Code>(std::lower_bound(sorted.begin(), sorted.end(), table[i]) - sorted.begin()));
  return codes;
}

// A feature and where its code is to be written once all are sorted.
struct Draft {
  Feature feature;
  std::int32_t* code = nullptr;
};

class Planner {
 public:
  Planner(const Pool& pool, Catalogue& catalogue) : pool_(pool), catalogue_(catalogue) {
    catalogue.genes = sorted_texts(pool.genes);
    catalogue.variant_classes = sorted_texts(pool.classes);
    catalogue.classes = pool.counting_classes.empty() ? catalogue.variant_classes : pool.counting_classes;
    const auto n = static_cast<std::size_t>(pool.genes.size());
    plan_.gene = codes_in<std::int32_t>(pool.genes, catalogue.genes);
    plan_.variant_class = codes_in<std::int8_t>(pool.classes, catalogue.variant_classes);
    plan_.class_counts = pool.class_counts;
    plan_.mutated.assign(n, -1);
    plan_.copies.assign(n, {-1, -1, -1, -1, -1});
    plan_.rearranged.assign(n, -1);
    spread_panels();
  }

  FeaturePlan plan(bool gains_and_losses, const std::vector<std::uint8_t>& on_mutation_panel) {
    for (std::size_t g = 0; g < plan_.gene.size(); ++g) {
      const std::string name(pool_.genes[static_cast<Index>(g)]);
      if (on_mutation_panel[g] != 0) add({name, name, {}, Profile::mutation}, plan_.mutated[g]);
      static constexpr std::array<const char*, 5> suffix{":HOMDEL", ":HETLOSS", "", ":GAIN", ":AMP"};
      for (const std::size_t copies : {0, 1, 3, 4}) {
        const bool asked = copies == 0 || copies == 4 || gains_and_losses;
        if (asked && pool_.copies[g][copies] != 0)
          add({name + suffix[copies], name, {}, Profile::copy_number}, plan_.copies[g][copies]);
      }
      if (pool_.rearranged[g] != 0) add({name + ":SV", name, {}, Profile::structural}, plan_.rearranged[g]);
    }
    for (const auto& [pair, n] : pool_.fusions) add_fusion(pair, n);
    number();
    return std::move(plan_);
  }

 private:
  void spread_panels() {
    for (Panel& panel : catalogue_.panels) {
      std::vector<std::uint8_t> mask(plan_.gene.size(), panel.whole_exome);
      for (std::int32_t& gene : panel.genes) {
        mask[static_cast<std::size_t>(gene)] = 1;
        gene = plan_.gene[static_cast<std::size_t>(gene)];
      }
      std::sort(panel.genes.begin(), panel.genes.end());
      plan_.on_panel.push_back(std::move(mask));
    }
  }

  void add(Feature feature, std::int32_t& code) { drafts_.push_back({std::move(feature), &code}); }

  // Named in the order that most rows give; the alphabet decides between equals.
  void add_fusion(std::pair<std::int32_t, std::int32_t> pair, const std::array<Index, 2>& n) {
    std::string first(pool_.genes[pair.first]), second(pool_.genes[pair.second]);
    if (n[1] > n[0] || (n[1] == n[0] && second < first)) first.swap(second);
    add({first + "::" + second, first, second, Profile::structural}, plan_.fused[pair]);
  }

  void number() {
    std::sort(drafts_.begin(), drafts_.end(),
              [](const Draft& a, const Draft& b) { return a.feature.name < b.feature.name; });
    for (std::size_t i = 0; i < drafts_.size(); ++i) {
      if (i > 0 && drafts_[i].feature.name == catalogue_.features.back().name)
        throw InputError(
            {.what = "two features have the same name",
             .found = drafts_[i].feature.name,
             .expected = "gene symbols that are not spelled like a copy-number event or a fusion",
             .in = "the molecular tables",
             .remedy = "rename the gene in one of the tables"});
      *drafts_[i].code = static_cast<std::int32_t>(i);
      catalogue_.features.push_back(std::move(drafts_[i].feature));
    }
  }

  const Pool& pool_;
  Catalogue& catalogue_;
  FeaturePlan plan_;
  std::vector<Draft> drafts_;
};

}  // namespace

FeaturePlan plan_features(const Pool& pool, const std::vector<std::uint8_t>& is_mutation_panel,
                          bool gains_and_losses, Catalogue& catalogue) {
  const auto n = static_cast<std::size_t>(pool.genes.size());
  std::vector<std::uint8_t> is_feature(n, 0);
  for (std::size_t p = 0; p < catalogue.panels.size(); ++p) {
    if (is_mutation_panel[p] == 0) continue;
    const Panel& panel = catalogue.panels[p];
    for (std::size_t g = 0; g < n && panel.whole_exome; ++g) is_feature[g] |= pool.mutated[g];
    for (const std::int32_t gene : panel.genes) is_feature[static_cast<std::size_t>(gene)] = 1;
  }
  return Planner(pool, catalogue).plan(gains_and_losses, is_feature);
}

}  // namespace chorale::io::study
