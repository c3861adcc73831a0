// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "io/study/panels.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <numeric>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace chorale::io::study {
namespace {

using Genes = std::vector<std::int32_t>;  // sorted codes of the pool

class Planner {
 public:
  Planner(const std::vector<Study>& studies, Pool& pool) : studies_(studies), pool_(pool) {}

  PanelCodes plan(Catalogue& catalogue) {
    PanelCodes codes(studies_.size());
    for (std::size_t s = 0; s < studies_.size(); ++s)
      for (std::size_t p = 0; p < n_profiles; ++p)
        codes[s][p] = plan_profile(studies_[s], static_cast<Profile>(p));
    sort_by_name(codes);
    catalogue.panels = std::move(panels_);
    return codes;
  }

 private:
  std::vector<std::int16_t> plan_profile(const Study& study, Profile profile) {
    const ProfileState& state = study.state(profile);
    const auto n = static_cast<std::size_t>(study.n_patients());
    std::vector<std::vector<std::int32_t>> several(n);  // stays empty for patients with one assay
    std::vector<std::int32_t> assay(n, not_profiled);
    for (std::size_t s = 0; s < state.assay.size(); ++s) {
      if (study.used[s] == 0 || state.assay[s] == not_profiled) continue;
      const auto p = static_cast<std::size_t>(study.patient_of[s]);
      if (assay[p] == not_profiled || assay[p] == state.assay[s]) {
        assay[p] = state.assay[s];
        continue;
      }
      if (several[p].empty()) several[p].push_back(assay[p]);
      several[p].push_back(state.assay[s]);
    }
    std::map<std::vector<std::int32_t>, std::int16_t> known;
    std::vector<std::int16_t> codes(n, -1);
    std::int32_t last = not_profiled;
    std::int16_t last_code = -1;
    for (std::size_t p = 0; p < n; ++p) {
      if (assay[p] == not_profiled) continue;
      if (several[p].empty() && assay[p] == last) {
        codes[p] = last_code;
        continue;
      }
      std::vector<std::int32_t> key = several[p].empty() ? std::vector{assay[p]} : std::move(several[p]);
      std::sort(key.begin(), key.end());
      key.erase(std::unique(key.begin(), key.end()), key.end());
      const auto at = known.find(key);
      codes[p] = at != known.end() ? at->second : known[key] = make(study, profile, key);
      if (key.size() == 1) {
        last = key[0];
        last_code = codes[p];
      }
    }
    return codes;
  }

  // The panel that a set of assays amounts to.
  std::int16_t make(const Study& study, Profile profile, const std::vector<std::int32_t>& key) {
    const bool all_genes = std::find(key.begin(), key.end(), whole_exome) != key.end();
    const Genes seen = genes_of_table(study.state(profile));
    const std::string table_name = fmt::format("{} ({} table)", study.layout.study, name_of(profile));
    if (all_genes && profile == Profile::copy_number) return add({table_name, false, seen}, study.site);
    if (all_genes) return add({"whole exome", true, {}}, study.site);
    std::vector<std::string> names;
    Genes genes;
    for (const std::int32_t code : key) {
      const Genes part = code == genes_seen ? seen : genes_of_panel(study, code);
      names.push_back(code == genes_seen ? table_name
                                         : study.layout.panels[static_cast<std::size_t>(code)].name);
      Genes joined;
      std::set_union(genes.begin(), genes.end(), part.begin(), part.end(), std::back_inserter(joined));
      genes.swap(joined);
    }
    std::sort(names.begin(), names.end());
    std::string name = fmt::format("{}", fmt::join(names, "+"));
    if (profile == Profile::copy_number) {
      Genes cut;
      std::set_intersection(genes.begin(), genes.end(), seen.begin(), seen.end(), std::back_inserter(cut));
      if (cut.size() < genes.size()) name += " in " + table_name;
      genes.swap(cut);
    }
    return add({std::move(name), false, std::move(genes)}, study.site);
  }

  static Genes genes_of_table(const ProfileState& state) {
    Genes genes;
    for (std::size_t g = 0; g < state.gene_seen.size(); ++g)
      if (state.gene_seen[g] != 0) genes.push_back(static_cast<std::int32_t>(g));
    return genes;
  }

  Genes genes_of_panel(const Study& study, std::int32_t code) {
    Genes genes;
    for (const std::string& gene : study.layout.panels[static_cast<std::size_t>(code)].genes)
      genes.push_back(pool_.gene(gene));
    std::sort(genes.begin(), genes.end());
    genes.erase(std::unique(genes.begin(), genes.end()), genes.end());
    return genes;
  }

  std::int16_t add(Panel panel, const std::string& site) {
    std::string name = panel.name;
    for (int attempt = 0;; ++attempt) {
      const auto at = by_name_.find(name);
      if (at == by_name_.end()) break;
      const Panel& known = panels_[static_cast<std::size_t>(at->second)];
      if (known.genes == panel.genes && known.whole_exome == panel.whole_exome) return at->second;
      name =
          attempt == 0 ? panel.name + "@" + site : fmt::format("{}@{} ({})", panel.name, site, attempt + 1);
    }
    if (panels_.size() >= static_cast<std::size_t>(std::numeric_limits<std::int16_t>::max()))
      throw InputError(
          {.what = "too many gene panels and unions of them",
           .found = "more than 32767",
           .expected = "32767 at most",
           .in = "gene panel matrix",
           .remedy = "set sample_rule = \"first\", so that samples of one patient are not joined"});
    const auto code = static_cast<std::int16_t>(panels_.size());
    panel.name = name;
    panels_.push_back(std::move(panel));
    by_name_.emplace(std::move(name), code);
    return code;
  }

  void sort_by_name(PanelCodes& codes) {
    std::vector<std::size_t> order(panels_.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return panels_[a].name < panels_[b].name; });
    std::vector<Panel> sorted;
    std::vector<std::int16_t> code(panels_.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
      code[order[i]] = static_cast<std::int16_t>(i);
      sorted.push_back(std::move(panels_[order[i]]));
    }
    panels_.swap(sorted);
    for (auto& of_study : codes)
      for (auto& of_profile : of_study)
        for (std::int16_t& c : of_profile)
          if (c >= 0) c = code[static_cast<std::size_t>(c)];
  }

  const std::vector<Study>& studies_;
  Pool& pool_;
  std::vector<Panel> panels_;
  std::map<std::string, std::int16_t> by_name_;
};

}  // namespace

PanelCodes plan_panels(const std::vector<Study>& studies, Pool& pool, Catalogue& catalogue) {
  return Planner(studies, pool).plan(catalogue);
}

}  // namespace chorale::io::study
