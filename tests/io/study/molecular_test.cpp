// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "io/study/molecular.hpp"

#include "study_folder.hpp"

namespace chorale::io {
namespace {

using Names = std::vector<std::string>;

Names untested(const Catalogue& catalogue, const ShardData& shard, std::size_t row) {
  Names names;
  for (std::int64_t i = shard.untested.offset[row]; i < shard.untested.offset[row + 1]; ++i)
    names.push_back(
        catalogue.features[static_cast<std::size_t>(shard.untested.value[static_cast<std::size_t>(i)])].name);
  return names;
}

Names feature_names(const Catalogue& catalogue) {
  Names names;
  for (const Feature& feature : catalogue.features) names.push_back(feature.name);
  return names;
}

class CopyNumber : public testing::Test {
 protected:
  CopyNumber() {
    folder.meta("cna", "COPY_NUMBER_ALTERATION", "DISCRETE", "cna.tsv", "cna");
    folder.variants("");
    folder.matrix("");
  }
  StudyFolder folder;
};

TEST_F(CopyNumber, WideTablesGiveAmplificationsAndDeepDeletions) {
  folder.write("cna.tsv",
               "Hugo_Symbol\tEntrez_Gene_Id\tS1\tS2\tS4\tS4b\n"
               "MYC\t4609\t2\t0\t1\tNA\n"
               "CDKN2A\t1029\t-2\t-1.5\t0\t-2\n"
               "RB1\t5925\tNA\t-1\tNA\tNA\n");
  const IngestReport report = folder.ingest();
  const Catalogue catalogue = folder.catalogue();
  const ShardData shard = folder.shard();
  EXPECT_EQ(feature_names(catalogue), (Names{"CDKN2A:HOMDEL", "MYC:AMP"}));
  EXPECT_EQ(carried(catalogue, shard, 0), (Names{"CDKN2A:HOMDEL", "MYC:AMP"}));
  EXPECT_EQ(carried(catalogue, shard, 1), Names{"CDKN2A:HOMDEL"});      // -1.5 is a partial deep deletion
  EXPECT_EQ(carried(catalogue, shard, 3), Names{"CDKN2A:HOMDEL"});      // in S4b
  EXPECT_EQ(shard.panel[1], (std::vector<std::int16_t>{0, 0, -1, 0}));  // S3 has no column
  EXPECT_EQ(catalogue.panels.at(0).genes.size(), 3U);
  EXPECT_EQ(shard.untested.value.size(), 0U);  // MYC of P4 has a value in S4
  EXPECT_EQ(table(report, "cna.tsv").n_kept, 3);
}

TEST_F(CopyNumber, NaIsUntestedNotUnaltered) {
  folder.write("cna.tsv", "Hugo_Symbol\tS1\tS2\tS4\tS4b\nMYC\t2\tNA\tNA\tNA\nRB1\t-2\t0\tNA\t0\n");
  folder.ingest();
  const Catalogue catalogue = folder.catalogue();
  const ShardData shard = folder.shard();
  EXPECT_EQ(untested(catalogue, shard, 0), Names{});
  EXPECT_EQ(untested(catalogue, shard, 1), Names{"MYC:AMP"});
  EXPECT_EQ(untested(catalogue, shard, 3), Names{"MYC:AMP"});  // both samples NA; RB1 has a value in S4b
}

TEST_F(CopyNumber, GainsAndLossesAreFeaturesWhenAskedFor) {
  folder.write("cna.tsv", "Hugo_Symbol\tS1\tS2\nMYC\t1\t2\nRB1\t-1\t-2\n");
  IngestRecipe recipe = folder.recipe();
  recipe.gains_and_losses = true;
  folder.ingest(recipe);
  EXPECT_EQ(feature_names(folder.catalogue()), (Names{"MYC:AMP", "MYC:GAIN", "RB1:HETLOSS", "RB1:HOMDEL"}));
  EXPECT_EQ(carried(folder.catalogue(), folder.shard(), 0), (Names{"MYC:GAIN", "RB1:HETLOSS"}));
}

TEST_F(CopyNumber, LongTablesSayTheSame) {
  folder.meta("cna", "COPY_NUMBER_ALTERATION", "DISCRETE_LONG", "cna.tsv", "cna");
  folder.write("cna.tsv",
               "Hugo_Symbol\tEntrez_Gene_Id\tSample_"
               "Id\tValue\nMYC\t4609\tS1\t2\nMYC\t4609\tS2\tNA\nRB1\t5925\tS4\t-2\nRB1\t5925\tS1\t0\n");
  const IngestReport report = folder.ingest();
  EXPECT_EQ(carried(folder.catalogue(), folder.shard(), 0), Names{"MYC:AMP"});
  EXPECT_EQ(carried(folder.catalogue(), folder.shard(), 3), Names{"RB1:HOMDEL"});
  EXPECT_EQ(untested(folder.catalogue(), folder.shard(), 1), Names{"MYC:AMP"});
  EXPECT_EQ(folder.shard().panel[1], (std::vector<std::int16_t>{0, 0, 0, 0}));
  EXPECT_EQ(table(report, "cna.tsv").n_read, 4);
}

TEST_F(CopyNumber, TheCaseListLimitsWhoWasTested) {
  folder.write("cna.tsv", "Hugo_Symbol\tS1\tS2\nMYC\t2\t2\n");
  folder.case_list("_cna", "S1");
  const IngestReport report = folder.ingest();
  EXPECT_EQ(folder.shard().panel[1], (std::vector<std::int16_t>{0, -1, -1, -1}));
  EXPECT_EQ(folder.shard().alteration.value.size(), 1U);
  EXPECT_NE(as_text(report).find("1 sample columns left out: sample was not profiled"), std::string::npos);
}

TEST(Structural, FusionsAndTheirGenesAreFeatures) {
  StudyFolder folder;
  folder.variants("");
  folder.meta("sv", "STRUCTURAL_VARIANT", "SV", "sv.tsv", "structural_variants");
  folder.write("sv.tsv",
               "Sample_Id\tSite1_Hugo_Symbol\tSite2_Hugo_Symbol\tSV_Status\n"
               "S1\tRUNX1\tRUNX1T1\tSOMATIC\nS2\tRUNX1T1\tRUNX1\tSOMATIC\nS4\tRUNX1\tRUNX1T1\tSOMATIC\n"
               "S3\tKMT2A\tKMT2A\tSOMATIC\nS4\t\tMECOM\tSOMATIC\nS4\t\tNA\tSOMATIC\n");
  const IngestReport report = folder.ingest();
  const Catalogue catalogue = folder.catalogue();
  const ShardData shard = folder.shard();
  // two of three rows name RUNX1 first
  const Index fusion = catalogue.feature_index("RUNX1::RUNX1T1");
  ASSERT_GE(fusion, 0);
  EXPECT_EQ(catalogue.features[static_cast<std::size_t>(fusion)].gene, "RUNX1");
  EXPECT_EQ(catalogue.features[static_cast<std::size_t>(fusion)].partner, "RUNX1T1");
  EXPECT_EQ(carried(catalogue, shard, 1), (Names{"RUNX1::RUNX1T1", "RUNX1:SV", "RUNX1T1:SV"}));
  EXPECT_EQ(carried(catalogue, shard, 2), Names{"KMT2A:SV"});
  EXPECT_EQ(carried(catalogue, shard, 3), (Names{"MECOM:SV", "RUNX1::RUNX1T1", "RUNX1:SV", "RUNX1T1:SV"}));
  EXPECT_EQ(table(report, "sv.tsv").dropped, (std::vector<Count>{{"no gene symbol", 1}}));
}

TEST(Structural, AFusionWithOneGeneOnThePanelIsKept) {
  StudyFolder folder;
  folder.variants("");
  folder.meta("sv", "STRUCTURAL_VARIANT", "SV", "sv.tsv", "structural_variants");
  folder.write("matrix.tsv", "SAMPLE_ID\tstructural_variants\nS1\tSMALL\nS2\tSMALL\n");
  folder.write(
      "sv.tsv",
      "Sample_Id\tSite1_Hugo_Symbol\tSite2_Hugo_Symbol\nS1\tNPM1\tALK\nS2\tKIT\tALK\nS4\tNPM1\tALK\n");
  const IngestReport report = folder.ingest();
  EXPECT_EQ(carried(folder.catalogue(), folder.shard(), 0), (Names{"NPM1::ALK", "NPM1:SV"}));
  EXPECT_EQ(carried(folder.catalogue(), folder.shard(), 1), Names{});
  EXPECT_EQ(table(report, "sv.tsv").dropped, (std::vector<Count>{{"gene is not on the patient's panel", 1}}));
  EXPECT_EQ(table(report, "sv.tsv").n_kept, 2);  // S4 is NA in the matrix and has a row: whole exome
}

TEST(Mutations, RowsThatAreNoVariantAreDroppedAndCounted) {
  StudyFolder folder;
  folder.write(
      "variants.tsv",
      "Hugo_Symbol\tVariant_Classification\tTumor_Sample_Barcode\tMutation_Status\n"
      "NPM1\tMissense_Mutation\tS1\tWildtype\nUnknown\tIGR\tS1\tSOMATIC\n\tIGR\tS1\t\nTP53\tMissense_"
      "Mutation\tS1\tGERMLINE\n");
  const IngestReport report = folder.ingest();
  EXPECT_EQ(
      table(report, "variants.tsv").dropped,
      (std::vector<Count>{{"no gene symbol", 2}, {"Mutation_Status says that there is no variant", 1}}));
  EXPECT_EQ(table(report, "variants.tsv").n_kept, 1);
}

TEST(Mutations, VariantsAreOrderedByGeneClassAndProteinChange) {
  StudyFolder folder;
  folder.variants(
      "TP53\tNonsense_Mutation\tS1\tp.R213*\t\t\nTP53\tMissense_Mutation\tS1\tp.R248Q\t\t\n"
      "TP53\tMissense_Mutation\tS1\tp.R175H\t\t\nFLT3\tMissense_Mutation\tS1\tp.Z\t\t\n");
  folder.ingest();
  const VariantData v = folder.shard().variant;
  Names order;
  for (std::size_t i = 0; i < v.gene.size(); ++i)
    order.push_back(v.protein_changes[static_cast<std::size_t>(v.protein_change[i])]);
  EXPECT_EQ(order, (Names{"p.Z", "p.R175H", "p.R248Q", "p.R213*"}));
}

TEST(Mutations, SeveralTablesOfAStudyAreJoined) {
  StudyFolder folder;
  folder.meta("more", "MUTATION_EXTENDED", "MAF", "more.tsv", "mutations");
  folder.meta("uncalled", "MUTATION_EXTENDED", "MAF", "absent.tsv", "mutations_uncalled");
  folder.write("more.tsv",
               "Hugo_Symbol\tVariant_Classification\tTumor_Sample_Barcode\nTP53\tSplice_Site\tS2\n");
  const IngestReport report = folder.ingest();
  EXPECT_EQ(table(report, "more.tsv + variants.tsv").n_read, 5);
  EXPECT_EQ(carried(folder.catalogue(), folder.shard(), 1), (Names{"NPM1", "TP53"}));
  EXPECT_NE(as_text(report).find("meta_uncalled.txt: MUTATION_EXTENDED MAF is not read"), std::string::npos);
}

}  // namespace
}  // namespace chorale::io
