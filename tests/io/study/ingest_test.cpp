// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "io/study/ingest.hpp"

#include <cmath>

#include <zlib.h>

#include "study_folder.hpp"
#include "tests/aml.hpp"

namespace chorale::io {
namespace {

using Names = std::vector<std::string>;

TEST(Ingest, ReadsASmallStudyWhole) {
  StudyFolder folder;
  const IngestReport report = folder.ingest();
  const Catalogue catalogue = folder.catalogue();
  const ShardData shard = folder.shard();

  EXPECT_EQ(catalogue.name, "tiny");
  EXPECT_EQ(report.n_patients, 4);
  EXPECT_EQ(shard.id, (Names{"P1", "P2", "P3", "P4"}));
  EXPECT_EQ(catalogue.sites, Names{"tiny"});
  // the panel's genes are features, TP53 too, which nobody carries
  ASSERT_EQ(catalogue.features.size(), 3U);
  EXPECT_EQ(catalogue.features[2].name, "TP53");
  EXPECT_EQ(carried(catalogue, shard, 0), (Names{"FLT3", "NPM1"}));
  EXPECT_EQ(carried(catalogue, shard, 1), Names{"NPM1"});
  EXPECT_EQ(carried(catalogue, shard, 3), Names{});  // a silent variant makes no carrier …
  EXPECT_EQ(shard.variant.offset, (std::vector<std::int64_t>{0, 2, 3, 3, 4}));  // … but is kept
  EXPECT_FLOAT_EQ(shard.variant.vaf[0], 10.0F / 40.0F);                         // FLT3: 10 of 10 + 30 reads
  EXPECT_FLOAT_EQ(shard.variant.vaf[1], 40.0F / 100.0F);
  EXPECT_TRUE(std::isnan(shard.variant.vaf[2]));
}

TEST(Ingest, OutcomesAreInDaysAndHalfOnesAreMissing) {
  StudyFolder folder;
  folder.patients(
      "P1\t1\tA\t12\t1:DECEASED\nP2\t1\tA\t24.5\t0:LIVING\nP3\t1\tA\t\t1:DECEASED\nP4\t1\tA\t0\t0\n");
  const IngestReport report = folder.ingest();
  const SurvivalData os = folder.shard().survival.at(0);
  EXPECT_EQ(os.time[0], 12 * 30.4375);
  EXPECT_EQ(os.time[1], 24.5 * 30.4375);
  EXPECT_TRUE(std::isnan(os.time[2]));
  EXPECT_EQ(os.time[3], 0);
  EXPECT_EQ(os.event, (std::vector<std::int8_t>{1, 0, -1, 0}));
  EXPECT_EQ(report.endpoints.at(0).n_known, 3);
  EXPECT_EQ(report.endpoints.at(0).n_half, 1);
  EXPECT_EQ(folder.catalogue().field_index("OS_MONTHS"), -1);
  EXPECT_EQ(folder.catalogue().field_index("OS_STATUS"), -1);
}

TEST(Ingest, LateEntryIsReadInDays) {
  StudyFolder folder;
  folder.write("patients.tsv",
               "#a\tb\tc\td\n#a\tb\tc\td\n#STRING\tNUMBER\tSTRING\tNUMBER\n#1\t1\t1\t1\n"
               "PATIENT_ID\tOS_DAYS\tOS_STATUS\tOS_ENTRY_"
               "DAYS\nP1\t100\t1\t10\nP2\t50\t0\t\nP3\t7\tLIVING\t0\nP4\t9\tDead\t8\n");
  folder.ingest();
  const SurvivalData os = folder.shard().survival.at(0);
  EXPECT_EQ(os.entry, (std::vector<double>{10, 0, 0, 8}));
  EXPECT_EQ(os.event, (std::vector<std::int8_t>{1, -1, 0, 1}));  // without a known entry there is no outcome
}

TEST(Ingest, BoundsAreKeptAsBounds) {
  StudyFolder folder;
  folder.patients("P1\t>89\tA\t1\t0\nP2\t<18\tA\t1\t0\nP3\t<=18\tA\t1\t0\nP4\t>=32485\tA\t1\t0\n");
  const IngestReport report = folder.ingest();
  const Catalogue catalogue = folder.catalogue();
  const auto age = static_cast<std::size_t>(catalogue.field_index("AGE"));
  EXPECT_TRUE(catalogue.fields[age].bounds);
  EXPECT_EQ(folder.shard().clinical[age].number, (std::vector<double>{89, 18, 18, 32485}));
  EXPECT_EQ(folder.shard().clinical[age].bound, (std::vector<std::int8_t>{1, -1, -1, 1}));
  EXPECT_EQ(report.fields.at(age).n_bounds, 4);
}

TEST(Ingest, AnEventWhoseTimeIsABoundHasNoOutcome) {
  StudyFolder folder;
  folder.patients("P1\t1\tA\t>60\t1\nP2\t1\tA\t>60\t0\nP3\t1\tA\t1\t0\nP4\t1\tA\t1\t0\n");
  const IngestReport report = folder.ingest();
  EXPECT_EQ(folder.shard().survival.at(0).event, (std::vector<std::int8_t>{-1, 0, 0, 0}));
  EXPECT_EQ(report.endpoints.at(0).n_bound, 1);
}

TEST(Ingest, NullTokensAreMissingInAnyCase) {
  StudyFolder folder;
  folder.patients(
      "P1\tNA\t[not "
      "available]\t1\t0\nP2\tn/a\t[UNKNOWN]\t1\t0\nP3\t[Discrepancy]\t\t1\t0\nP4\t5\tAML\t1\t0\n");
  const IngestReport report = folder.ingest();
  EXPECT_EQ(table(report, "patients.tsv").n_kept, 4);
  for (const FieldReport& field : report.fields)
    EXPECT_EQ(field.n_missing, field.name == "TISSUE" ? 0 : 3) << field.name;
}

TEST(Ingest, SampleAttributesAreThoseOfTheFirstSample) {
  StudyFolder folder;
  folder.ingest();
  const Catalogue catalogue = folder.catalogue();
  const auto tissue = static_cast<std::size_t>(catalogue.field_index("TISSUE"));
  EXPECT_EQ(catalogue.fields[tissue].levels, (Names{"blood", "marrow"}));
  EXPECT_EQ(folder.shard().clinical[tissue].code,
            (std::vector<std::int32_t>{0, 1, 1, 0}));  // P4: S4, not S4b
}

TEST(Ingest, AnySampleMakesACarrierUnlessTheFirstIsAskedFor) {
  StudyFolder folder;
  folder.variants(
      "TP53\tMissense_Mutation\tS4b\tp.R175H\t1\t1\nNPM1\tMissense_Mutation\tS4\tp.A1V\t1\t3\n"
      "NPM1\tMissense_Mutation\tS4b\tp.A1V\t3\t1\n");
  IngestReport report = folder.ingest();
  EXPECT_EQ(carried(folder.catalogue(), folder.shard(), 3), (Names{"NPM1", "TP53"}));
  EXPECT_FLOAT_EQ(folder.shard().variant.vaf.at(0), 0.25F);  // of S4, which stands first in the sample table
  EXPECT_EQ(table(report, "variants.tsv").dropped,
            (std::vector<Count>{{"the same variant was found in another sample of the patient", 1}}));

  IngestRecipe recipe = folder.recipe();
  recipe.sample_rule = SampleRule::first;
  report = folder.ingest(recipe);
  EXPECT_EQ(carried(folder.catalogue(), folder.shard(), 3), Names{"NPM1"});
  EXPECT_EQ(table(report, "variants.tsv").dropped,
            (std::vector<Count>{{"not the patient's first sample", 2}}));
}

TEST(Ingest, DuplicateRowsAreDroppedAndCounted) {
  StudyFolder folder;
  folder.variants(
      "NPM1\tMissense_Mutation\tS1\tp.A1V\t1\t3\nNPM1\tMissense_Mutation\tS1\tp.A1V\t9\t1\n"
      "NPM1\tMissense_Mutation\tS1\tp.A2V\t1\t3\n");
  const IngestReport report = folder.ingest();
  const TableReport& variants = table(report, "variants.tsv");
  EXPECT_EQ(variants.n_read, 3);
  EXPECT_EQ(variants.n_kept, 2);
  EXPECT_EQ(variants.dropped, (std::vector<Count>{{"the same variant stood before in the same sample", 1}}));
  EXPECT_FLOAT_EQ(folder.shard().variant.vaf.at(0), 0.25F);  // the first row stays
}

TEST(Ingest, RowsThatDoNotTellTheVariantAreNoDuplicates) {
  StudyFolder folder;
  folder.variants("NPM1\tFrame_Shift_Ins\tS1\t\t\t\nNPM1\tFrame_Shift_Ins\tS1\t\t\t\n");
  EXPECT_EQ(table(folder.ingest(), "variants.tsv").n_kept, 2);
}

TEST(Ingest, AVariantOfUnknownClassCountsUnlessTheRecipeSaysNo) {
  StudyFolder folder;
  folder.variants("NPM1\tUnknown\tS1\tp.A1V\t\t\nTP53\t\tS2\tp.A1V\t\t\n");
  folder.ingest();
  EXPECT_EQ(carried(folder.catalogue(), folder.shard(), 0), Names{"NPM1"});
  EXPECT_EQ(carried(folder.catalogue(), folder.shard(), 1), Names{"TP53"});
  EXPECT_EQ(folder.catalogue().variant_classes, Names{"Unknown"});
  IngestRecipe recipe = folder.recipe();
  recipe.count_unknown_class = false;
  folder.ingest(recipe);
  EXPECT_EQ(folder.shard().alteration.value.size(), 0U);
  EXPECT_EQ(folder.shard().variant.gene.size(), 2U);
}

TEST(Ingest, ClassSetsDecideWhoIsACarrier) {
  StudyFolder folder;
  IngestRecipe recipe = folder.recipe();
  recipe.class_set = "all";
  folder.ingest(recipe);
  EXPECT_EQ(carried(folder.catalogue(), folder.shard(), 3), Names{"FLT3"});  // the silent one
  recipe.class_set = "mine";
  recipe.classes = {"Silent"};
  folder.ingest(recipe);
  EXPECT_EQ(folder.shard().alteration.value.size(), 1U);
  EXPECT_EQ(folder.catalogue().class_set, "mine");
  EXPECT_EQ(folder.catalogue().classes, (Names{"Silent", "Unknown"}));
}

TEST(Ingest, TheSiteComesFromAFieldOrTheDelivery) {
  StudyFolder folder;
  IngestRecipe recipe = folder.recipe();
  recipe.deliveries[0].site = "Rome";
  recipe.site_field = "ENTITY";
  folder.ingest(recipe);
  EXPECT_EQ(folder.catalogue().sites, (Names{"AML", "MDS", "Rome"}));  // P4 has no ENTITY
  EXPECT_EQ(folder.shard().site, (std::vector<std::int32_t>{0, 1, 0, 2}));
}

TEST(Ingest, TwoDeliveriesBecomeOneCohort) {
  StudyFolder one, two;
  two.patients("Q1\t50\tAML\t3\t1:DECEASED\n");
  two.samples("Q1\tT1\tskin\n");
  two.variants("DNMT3A\tMissense_Mutation\tT1\tp.R882H\t1\t1\n");
  two.write("panel_small.txt", "stable_id: SMALL\ngene_list: DNMT3A\n");
  two.matrix("T1\tSMALL\n");
  IngestRecipe recipe = one.recipe();
  recipe.deliveries[0].site = "one";
  recipe.deliveries.push_back({two.study(), "two"});
  recipe.patients_per_shard = 3;
  one.ingest(recipe);
  const Catalogue catalogue = one.catalogue();
  EXPECT_EQ(catalogue.shards.size(), 2U);  // five patients, at most three a shard: two and three
  EXPECT_EQ(one.shard(0).id, (Names{"P1", "P2"}));
  EXPECT_EQ(one.shard(1).id, (Names{"P3", "P4", "Q1"}));
  // two panels of one name that hold different genes stay apart
  ASSERT_EQ(catalogue.panels.size(), 2U);
  EXPECT_EQ(catalogue.panels[0].name, "SMALL");
  EXPECT_EQ(catalogue.panels[1].name, "SMALL@two");
  EXPECT_EQ(one.shard(1).panel[0], (std::vector<std::int16_t>{-1, 0, 1}));
  EXPECT_EQ(catalogue.fields[static_cast<std::size_t>(catalogue.field_index("TISSUE"))].levels,
            (Names{"blood", "marrow", "skin"}));
}

TEST(Ingest, FreeTextIsLeftOutWithANote) {
  StudyFolder folder;
  std::string patients, samples;
  for (int i = 0; i < 5000; ++i) {  // 5000 values, all distinct: more than 4096 and more than half
    patients += "P" + std::to_string(i) + "\t1\tword" + std::to_string(i) + "\t1\t0\n";
    samples += "P" + std::to_string(i) + "\tS" + std::to_string(i) + "\tblood\n";
  }
  folder.patients(patients);
  folder.samples(samples);
  folder.matrix("");
  folder.variants("");
  const IngestReport report = folder.ingest();
  EXPECT_EQ(folder.catalogue().field_index("ENTITY"), -1);
  EXPECT_NE(
      as_text(report).find("column ENTITY is left out as free text: 5000 distinct values in 5000 patients"),
      std::string::npos);
}

TEST(Ingest, ManyLevelsFitIntoAShard) {
  StudyFolder folder;
  std::string patients, samples;
  for (int i = 0; i < 4096; ++i) {
    patients +=
        "P" + std::to_string(i) + "\t1\tsome entity with a long name " + std::to_string(i) + "\t1\t0\n";
    samples += "P" + std::to_string(i) + "\tS" + std::to_string(i) + "\tblood\n";
  }
  folder.patients(patients);
  folder.samples(samples);
  folder.matrix("");
  folder.variants("");
  folder.ingest();
  EXPECT_EQ(folder.catalogue()
                .fields[static_cast<std::size_t>(folder.catalogue().field_index("ENTITY"))]
                .levels.size(),
            4096U);
}

TEST(Ingest, GzippedTablesAndCrlfAndByteOrderMarksAreRead) {
  StudyFolder plain, odd;
  plain.ingest();
  std::string text = "\xef\xbb\xbf" + odd.read("patients.tsv"), crlf;
  for (const char c : text) crlf += c == '\n' ? std::string("\r\n") : std::string(1, c);
  odd.write("patients.tsv", crlf);
  const std::string maf = odd.read("variants.tsv");
  gzFile file = gzopen((odd.study() / "variants.tsv").c_str(), "wb");
  gzwrite(file, maf.data(), static_cast<unsigned>(maf.size()));
  gzclose(file);
  const IngestReport report = odd.ingest();
  EXPECT_EQ(table(report, "patients.tsv").notes,
            (Names{"lines end with CRLF", "file starts with a byte-order mark"}));
  EXPECT_EQ(odd.catalogue().fingerprint(), plain.catalogue().fingerprint());
}

TEST(Ingest, GivesEqualBytesForAnyThreadsBlocksAndSpills) {
  StudyFolder folder;
  std::string patients, samples, variants, matrix;
  for (int i = 0; i < 300; ++i) {
    const std::string n = std::to_string(i);
    patients += "P" + n + "\t" + std::to_string(i % 90) + "\tE" + std::to_string(i % 7) + "\t" +
                std::to_string(i) + ".5\t" + std::to_string(i % 2) + "\n";
    samples += "P" + n + "\tS" + n + "\tblood\nP" + n + "\tT" + n + "\tmarrow\n";
    matrix += "S" + n + "\tSMALL\nT" + n + "\tNA\n";
    for (int g = 0; g < 5; ++g)
      variants += "GENE" + std::to_string((i * g) % 11) + "\tMissense_Mutation\t" + (g % 2 == 0 ? "S" : "T") +
                  n + "\tp.A" + std::to_string(i % 13) + "V\t1\t2\n";
  }
  folder.patients(patients);
  folder.samples(samples);
  folder.variants(variants);
  folder.matrix(matrix);
  IngestRecipe recipe = folder.recipe();
  recipe.patients_per_shard = 64;
  recipe.n_threads = 1;
  folder.ingest(recipe);
  const std::string expected = folder.catalogue().fingerprint();
  for (const int n_threads : {1, 3})
    for (const Index block_bytes : {Index{16}, Index{333}, Index{1} << 20}) {
      recipe.n_threads = n_threads;
      recipe.block_bytes = block_bytes;
      recipe.spill_bytes = n_threads == 1 ? Index{100} : Index{1} << 20;
      folder.ingest(recipe);
      EXPECT_EQ(folder.catalogue().fingerprint(), expected)
          << n_threads << " threads, blocks of " << block_bytes;
      EXPECT_FALSE(std::filesystem::exists(folder.out() / "ingest.tmp"));
    }
}

TEST(Ingest, PseudonymsHideTheIdsAndAreStable) {
  StudyFolder folder;
  folder.write("key", "a secret");
  IngestRecipe recipe = folder.recipe();
  recipe.pseudonym_key = folder.study() / "key";
  folder.ingest(recipe);
  // printf P1 | openssl dgst -sha256 -hmac "a secret", first 32 digits (OpenSSL 3.0)
  EXPECT_EQ(folder.shard().id.at(0), "d8645bc424eee46ff4c63d81120a0968");
}

TEST(Ingest, ReportsTheSameInTextAndJson) {
  StudyFolder folder;
  const IngestReport report = folder.ingest();
  std::ifstream text(folder.out() / "ingest.txt"), json(folder.out() / "ingest.json");
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(text), {}), as_text(report));
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(json), {}), as_json(report));
  EXPECT_NE(as_text(report).find("variants.tsv (variants): 4 rows read, 4 kept"), std::string::npos);
  EXPECT_NE(as_json(report).find("\"file\": \"variants.tsv\""), std::string::npos);
}

TEST(Ingest, MatchesRsCarriersOfTheAmlKnowledgeBank) {
  if (!aml::are_here()) GTEST_SKIP() << aml::why_skipped();
  StudyFolder folder;
  const IngestReport report = io::ingest(recipe_for(aml::study()), folder.out());
  EXPECT_EQ(table(report, "data_mutations.txt").n_kept, 3838);
  const Catalogue catalogue = folder.catalogue();
  const ShardData shard = folder.shard();
  std::vector<Index> carriers(catalogue.features.size(), 0);
  for (const std::int32_t feature : shard.alteration.value) ++carriers[static_cast<std::size_t>(feature)];
  // R's table() of the same file
  const auto genes = aml::reference("aml_genes.json")["genes"];
  EXPECT_EQ(genes.size(), 38U);
  for (const auto& entry : genes) {
    const std::string gene = entry["gene"];
    ASSERT_GE(catalogue.feature_index(gene), 0) << gene;
    EXPECT_EQ(carriers[static_cast<std::size_t>(catalogue.feature_index(gene))],
              entry["mutated"].get<Index>())
        << gene;
  }
  EXPECT_EQ(catalogue.endpoints.size(), 3U);
  EXPECT_EQ(std::count(shard.survival[1].event.begin(), shard.survival[1].event.end(), std::int8_t{1}), 904);
}

}  // namespace
}  // namespace chorale::io
