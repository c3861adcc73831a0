// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "io/study/profiled.hpp"

#include "study_folder.hpp"

namespace chorale::io {
namespace {

using Names = std::vector<std::string>;

// Name of the mutation panel of each patient; "-" where they were not profiled.
Names panels_of(const StudyFolder& folder, Profile profile = Profile::mutation) {
  Names names;
  const Catalogue catalogue = folder.catalogue();
  const ShardData shard = folder.shard();
  for (const std::int16_t code : shard.panel[static_cast<std::size_t>(profile)])
    names.push_back(code < 0 ? "-" : catalogue.panels[static_cast<std::size_t>(code)].name);
  return names;
}

std::string notes(const IngestReport& report) {
  std::string text;
  for (const std::string& note : report.studies.at(0).notes) text += note + "\n";
  return text;
}

TEST(Profiled, ThePanelMatrixNamesThePanel) {
  StudyFolder folder;
  folder.ingest();
  EXPECT_EQ(panels_of(folder), (Names{"SMALL", "SMALL", "-", "SMALL"}));
  EXPECT_EQ(folder.catalogue().panels.at(0).genes, (std::vector<std::int32_t>{0, 1, 2}));
}

TEST(Profiled, SeveralPanelsOfAPatientAreJoined) {
  StudyFolder folder;
  folder.write("panel_other.txt", "stable_id: OTHER\ngene_list: KIT\tNPM1\n");
  folder.matrix("S1\tSMALL\nS2\tOTHER\nS3\tNA\nS4\tSMALL\nS4b\tOTHER\n");
  folder.ingest();
  EXPECT_EQ(panels_of(folder), (Names{"SMALL", "OTHER", "-", "OTHER+SMALL"}));
  EXPECT_EQ(folder.catalogue().genes, (Names{"FLT3", "KIT", "NPM1", "TP53"}));
  EXPECT_EQ(folder.catalogue().panels.at(1).name, "OTHER+SMALL");
  EXPECT_EQ(folder.catalogue().panels.at(1).genes, (std::vector<std::int32_t>{0, 1, 2, 3}));
}

TEST(Profiled, NaInTheMatrixFollowsTheRecipe) {
  StudyFolder folder;
  folder.matrix("S1\tNA\nS2\tSMALL\nS3\tNA\nS4\tNA\n");  // S4b has no row at all
  IngestRecipe recipe = folder.recipe();
  IngestReport report = folder.ingest(recipe);
  // S1 and S4 have variants, S3 has none
  EXPECT_EQ(panels_of(folder), (Names{"whole exome", "SMALL", "-", "whole exome"}));
  EXPECT_NE(notes(report).find("NA or no row means whole exome for a sample on the case list or with rows in "
                               "the table, otherwise not profiled"),
            std::string::npos);
  folder.case_list("_sequenced", "S3");
  folder.ingest(recipe);
  EXPECT_EQ(panels_of(folder), (Names{"whole exome", "SMALL", "whole exome", "whole exome"}));
  recipe.panel_na = NaRule::not_profiled;
  report = folder.ingest(recipe);
  EXPECT_EQ(panels_of(folder), (Names{"-", "SMALL", "-", "-"}));
  EXPECT_EQ(table(report, "variants.tsv").dropped, (std::vector<Count>{{"sample was not profiled", 3}}));
  recipe.panel_na = NaRule::whole_exome;
  folder.ingest(recipe);
  EXPECT_EQ(panels_of(folder), (Names{"whole exome", "SMALL", "whole exome", "whole exome"}));
}

TEST(Profiled, WithoutAMatrixTheCaseListDecides) {
  StudyFolder folder;
  folder.no_matrix();
  folder.case_list("_sequenced", "S1\tS3");
  const IngestReport report = folder.ingest();
  EXPECT_EQ(panels_of(folder), (Names{"whole exome", "-", "whole exome", "-"}));
  EXPECT_EQ(table(report, "variants.tsv").dropped, (std::vector<Count>{{"sample was not profiled", 2}}));
  EXPECT_EQ(table(report, "case_lists/cases_sequenced.txt").n_kept, 2);
  // whole exome, so the features are the genes with a variant that counts
  EXPECT_EQ(folder.catalogue().features.size(), 2U);
}

TEST(Profiled, WithNeitherEverySampleCountsAndTheReportSaysSo) {
  StudyFolder folder;
  folder.no_matrix();
  const IngestReport report = folder.ingest();
  EXPECT_EQ(panels_of(folder), Names(4, "tiny (mutation table)"));
  EXPECT_EQ(folder.catalogue().panels.at(0).genes, (std::vector<std::int32_t>{0, 1}));  // FLT3, NPM1
  EXPECT_NE(notes(report).find("mutation: neither panel matrix nor case list: every sample counts as "
                               "profiled for every gene seen"),
            std::string::npos);
}

TEST(Profiled, TheRecipeMayCallEveryoneProfiled) {
  StudyFolder folder;
  IngestRecipe recipe = folder.recipe();
  recipe.profiled = ProfiledRule::everyone;
  folder.ingest(recipe);
  EXPECT_EQ(panels_of(folder), Names(4, "tiny (mutation table)"));
}

TEST(Profiled, AVariantOffThePanelIsDroppedAndCounted) {
  StudyFolder folder;
  folder.variants("NPM1\tMissense_Mutation\tS1\tp.A1V\t\t\nKIT\tMissense_Mutation\tS1\tp.A1V\t\t\n");
  const IngestReport report = folder.ingest();
  EXPECT_EQ(folder.shard().variant.gene.size(), 1U);
  EXPECT_EQ(table(report, "variants.tsv").dropped,
            (std::vector<Count>{{"gene is not on the patient's panel", 1}}));
  EXPECT_EQ(folder.catalogue().feature_index("KIT"), -1);
}

TEST(Profiled, APatientWithoutASampleIsNotProfiled) {
  StudyFolder folder;
  folder.samples("P1\tS1\tblood\nP2\tS2\tmarrow\nP3\tS3\tmarrow\nP9\tS4\tblood\nP9\tS4b\tblood\n");
  const IngestReport report = folder.ingest();
  EXPECT_EQ(folder.shard().id, (Names{"P1", "P2", "P3", "P4", "P9"}));  // P9 has samples only
  EXPECT_EQ(panels_of(folder), (Names{"SMALL", "SMALL", "-", "-", "SMALL"}));
  EXPECT_NE(notes(report).find("1 patients have no sample: not profiled"), std::string::npos);
  EXPECT_NE(notes(report).find("1 patients have samples but no row in the patient table"), std::string::npos);
}

TEST(Profiled, WithoutASampleTableSamplesAreNamedLikePatients) {
  StudyFolder folder;
  folder.remove("meta_sample.txt");
  folder.variants("NPM1\tMissense_Mutation\tP2\tp.A1V\t\t\n");
  folder.matrix("P1\tSMALL\nP2\tSMALL\n");
  folder.ingest();
  EXPECT_EQ(carried(folder.catalogue(), folder.shard(), 1), Names{"NPM1"});
}

}  // namespace
}  // namespace chorale::io
