// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
//
// Random damage to a valid study is refused by an error for people, or accepted with every row accounted for;
// run it under the sanitizers for the rest.
#include <cstdlib>
#include <random>

#include "study_folder.hpp"

namespace chorale::io {
namespace {

class Damage {
 public:
  explicit Damage(unsigned seed) : random_(seed) {}

  void apply(std::string& text) {
    static const std::vector<std::string> inserts{"\t",
                                                  "\n",
                                                  "\r",
                                                  "\"",
                                                  ":",
                                                  "#",
                                                  ">",
                                                  "-",
                                                  "NaN",
                                                  "[Not Available]",
                                                  "\xff",
                                                  "\xef\xbb\xbf",
                                                  std::string(1, '\0'),
                                                  "9999999999999999999999",
                                                  "P1",
                                                  "S1",
                                                  "S4b",
                                                  "SMALL",
                                                  "\r\n",
                                                  "1:"};
    for (std::size_t n = 1 + pick(4); n > 0; --n) {
      const std::size_t at = text.empty() ? 0 : pick(text.size());
      switch (pick(6)) {
        case 0:
          text.insert(at, inserts[pick(inserts.size())]);
          break;
        case 1:
          text.erase(at, 1 + pick(8));
          break;
        case 2:
          if (!text.empty()) text[at] = static_cast<char>(pick(256));
          break;
        case 3:
          text.insert(at, text.substr(pick(text.size() + 1), pick(60)));
          break;
        case 4:
          text.resize(at);
          break;
        default:
          if (!text.empty()) text[at] = static_cast<char>(text[at] ^ (1 << pick(8)));
          break;
      }
    }
  }
  std::size_t pick(std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random_); }

 private:
  std::mt19937 random_;
};

TEST(Damage, IsRefusedOrAccountedForNeverACrash) {
  const StudyFolder folder;
  folder.case_list("_sequenced", "S1\tS2\tS3");
  folder.meta("cna", "COPY_NUMBER_ALTERATION", "DISCRETE", "cna.tsv", "cna");
  folder.write("cna.tsv", "Hugo_Symbol\tS1\tS2\tS4\tS4b\nMYC\t2\tNA\t0\tNA\nRB1\t-2\t0\tNA\t1\n");
  folder.meta("sv", "STRUCTURAL_VARIANT", "SV", "sv.tsv", "structural_variants");
  folder.write("sv.tsv", "Sample_Id\tSite1_Hugo_Symbol\tSite2_Hugo_Symbol\nS1\tBCR\tABL1\nS2\tABL1\tBCR\n");
  const std::vector<std::string> files{"patients.tsv",    "samples.tsv",
                                       "variants.tsv",    "matrix.tsv",
                                       "cna.tsv",         "sv.tsv",
                                       "panel_small.txt", "meta_mutations.txt",
                                       "meta_study.txt",  "case_lists/cases_sequenced.txt"};
  std::vector<std::string> whole;
  for (const std::string& file : files) whole.push_back(folder.read(file));

  // a few hundred rounds on every test run; CHORALE_DAMAGE_ROUNDS=20000 for a long one
  const char* asked = std::getenv("CHORALE_DAMAGE_ROUNDS");
  const unsigned n_rounds = asked != nullptr ? static_cast<unsigned>(std::stoul(asked)) : 200;
  unsigned n_refused = 0;
  for (unsigned round = 0; round < n_rounds; ++round) {
    Damage damage(round);
    const std::size_t hit = damage.pick(files.size());
    std::string text = whole[hit];
    damage.apply(text);
    folder.write(files[hit], text);
    IngestRecipe recipe = folder.recipe();
    recipe.drop_invalid = round % 2 == 1;
    recipe.block_bytes = static_cast<Index>(16 + damage.pick(100));
    recipe.sample_rule = round % 3 == 0 ? SampleRule::first : SampleRule::any;
    recipe.patients_per_shard = static_cast<Index>(1 + damage.pick(5));
    try {
      folder.ingest(recipe);
    } catch (const InputError& error) {
      EXPECT_FALSE(error.text().what.empty());
      EXPECT_FALSE(error.text().remedy.empty()) << error.what();
      ++n_refused;
    }
    folder.write(files[hit], whole[hit]);
  }
  EXPECT_GT(n_refused, n_rounds / 10);  // the damage is real
  EXPECT_LT(n_refused, n_rounds);       // and not always deadly
}

}  // namespace
}  // namespace chorale::io
