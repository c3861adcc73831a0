// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
//
// Every message of ingest about a wrong study or recipe, triggered once, with what it must name.
#include <functional>

#include "study_folder.hpp"

namespace chorale::io {
namespace {

struct Refusal {
  const char* name;
  std::function<void(const StudyFolder&)> spoil;
  std::vector<std::string> says;  // all of these stand in the message
};

std::ostream& operator<<(std::ostream& out, const Refusal& refusal) {
  return out << refusal.name;
}

class Refusals : public testing::TestWithParam<Refusal> {};

TEST_P(Refusals, NameThePlaceTheValueAndTheRemedy) {
  const StudyFolder folder;
  GetParam().spoil(folder);
  const std::string text = refusal(folder);
  for (const std::string& part : GetParam().says)
    EXPECT_NE(text.find(part), std::string::npos) << part << "\nin\n" << text;
  EXPECT_NE(text.find("\n  in   "), std::string::npos) << text;
  EXPECT_NE(text.find("try  "), std::string::npos) << text;
  EXPECT_FALSE(std::filesystem::exists(folder.out() / "cohort.json"));
}

const std::string maf_head = "Hugo_Symbol\tVariant_Classification\tTumor_Sample_Barcode\n";

const Refusal files[] = {
    {"FolderMissing", [](auto& f) { std::filesystem::remove_all(f.study()); }, {"study folder is missing"}},
    {"NoMetaFile",
     [](auto& f) {
       for (const char* m : {"meta_study.txt", "meta_patient.txt", "meta_sample.txt", "meta_mutations.txt",
                             "meta_matrix.txt"})
         f.remove(m);
     },
     {"folder holds no meta file"}},
    {"NoClinicalTable",
     [](auto& f) {
       f.remove("meta_patient.txt");
       f.remove("meta_sample.txt");
     },
     {"study has no clinical table"}},
    {"TableMissing",
     [](auto& f) { f.remove("variants.tsv"); },
     {"file is missing (found variants.tsv)", "meta_mutations.txt, key data_filename"}},
    {"TableIsAFolder",
     [](auto& f) {
       f.remove("variants.tsv");
       std::filesystem::create_directory(f.study() / "variants.tsv");
     },
     {"a folder stands where a file is expected", "variants.tsv"}},
    {"TableOutside",
     [](auto& f) { f.meta("mutations", "MUTATION_EXTENDED", "MAF", "../elsewhere.tsv"); },
     {"meta file names a table outside the study folder (found ../elsewhere.tsv"}},
    {"TwoTablesOfAKind",
     [](auto& f) { f.meta("again", "CLINICAL", "PATIENT_ATTRIBUTES", "patients.tsv"); },
     {"two tables of one kind", "CLINICAL PATIENT_ATTRIBUTES", "meta_patient.txt"}},
    {"MetaWithoutAFileName",
     [](auto& f) {
       f.write("meta_mutations.txt", "genetic_alteration_type: MUTATION_EXTENDED\ndatatype: MAF\n");
     },
     {"key is missing (expected data_filename: …)", "meta_mutations.txt"}},
    {"MetaLineWithoutAKey",
     [](auto& f) { f.write("meta_study.txt", "cancer_study_identifier: tiny\nname: x\nnonsense\n"); },
     {"line has no key (found nonsense, expected key: value)", "meta_study.txt, line 3"}},
    {"MetaKeyTwice",
     [](auto& f) { f.write("meta_study.txt", "name: x\nname: y\n"); },
     {"key stands twice (found name", "meta_study.txt, line 2"}},
    {"MetaNotUtf8",
     [](auto& f) { f.write("meta_study.txt", "name: M\xfcnchen\n"); },
     {"line is not valid UTF-8 (found name: M\\xfcnchen", "line 1"}},
    {"EmptyFile", [](auto& f) { f.write("variants.tsv", ""); }, {"file is empty", "variants.tsv"}},
    {"BlankFile", [](auto& f) { f.write("variants.tsv", " \n\n"); }, {"file is empty", "variants.tsv"}},
    {"EmptyPatients", [](auto& f) { f.write("patients.tsv", ""); }, {"file is empty", "patients.tsv"}},
    {"LfsPointer",
     [](auto& f) {
       f.write("variants.tsv", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n");
     },
     {"Git LFS pointer, not the data", "variants.tsv", "git lfs pull"}},
    {"Utf16",
     [](auto& f) { f.write("patients.tsv", std::string("\xff\xfe#\0P\0", 6)); },
     {"file is UTF-16 text", "patients.tsv", "iconv"}},
    {"LoneCarriageReturns",
     [](auto& f) { f.write("variants.tsv", "Hugo_Symbol\tx\rNPM1\ty\r"); },
     {"lines end with a lone carriage return", "variants.tsv"}},
    {"DamagedGzip",
     [](auto& f) { f.write("variants.tsv", std::string("\x1f\x8b\x08\0\0\0\0\0\0\3garbage", 17)); },
     {"gzip stream is damaged or cut short", "variants.tsv"}},
    {"OneEndlessLine",
     [](auto& f) {
       std::filesystem::resize_file(f.study() / "variants.tsv", 0);
       std::filesystem::resize_file(f.study() / "variants.tsv", 270'000'000);
     },
     {"line is longer than 256 MiB", "variants.tsv"}},
    {"NoHeader",
     [](auto& f) { f.write("variants.tsv", "#version 2.4\n"); },
     {"table has no header", "variants.tsv, line 1"}},
    {"HeaderNotUtf8",
     [](auto& f) { f.write("variants.tsv", "Hugo\xff\tb\n"); },
     {"header is not valid UTF-8", "variants.tsv, line 1"}},
    {"HeaderQuoted",
     [](auto& f) { f.write("variants.tsv", "\"Hugo_Symbol\"\tb\n"); },
     {"stray quote in the header (found \"Hugo_Symbol\""}},
    {"ColumnWithoutAName",
     [](auto& f) { f.write("variants.tsv", "Hugo_Symbol\t\tb\n"); },
     {"column has no name", "line 1, column 2"}},
    {"ColumnTwice",
     [](auto& f) { f.write("variants.tsv", "a\tb\ta\n"); },
     {"two columns have the same name (found a"}},
    {"ColumnsMissing",
     [](auto& f) { f.write("variants.tsv", "#version 2.4\nHugo_Symbol\tgene\n"); },
     {"columns are missing (found Hugo_Symbol, gene, expected Variant_Classification, Tumor_Sample_Barcode)",
      "variants.tsv, line 2"}},
    {"SampleIdMissing",
     [](auto& f) { f.write("samples.tsv", "#a\n#a\n#STRING\n#1\nPATIENT_ID\nP1\n"); },
     {"column is missing (found PATIENT_ID, expected SAMPLE_ID)", "samples.tsv, line 5"}},
};

const Refusal clinical[] = {
    {"MetadataRowsMissing",
     [](auto& f) { f.write("patients.tsv", "#Patient\nPATIENT_ID\nP1\n"); },
     {"lacks its rows of attribute metadata (found 1 rows", "patients.tsv"}},
    {"MetadataRowRagged",
     [](auto& f) { f.write("patients.tsv", "#a\tb\n#a\n#STRING\tSTRING\n#1\t1\nPATIENT_ID\tX\nP1\ty\n"); },
     {"row of attribute metadata has another number of cells than the header (found 1 cells, expected 2 "
      "cells)",
      "patients.tsv, line 2"}},
    {"TypeUnknown",
     [](auto& f) { f.write("patients.tsv", "#a\tb\n#a\tb\n#STRING\tFLOAT\n#1\t1\nPATIENT_ID\tX\nP1\ty\n"); },
     {"column type is unknown (found FLOAT, expected NUMBER, STRING or BOOLEAN)",
      "patients.tsv, line 3, column X"}},
    {"ColumnNameWithASlash",
     [](auto& f) {
       f.write("patients.tsv", "#a\tb\n#a\tb\n#STRING\tSTRING\n#1\t1\nPATIENT_ID\tA/B\nP1\ty\n");
     },
     {"column name cannot be kept in a shard (found A/B"}},
    {"NoRows", [](auto& f) { f.patients(""); }, {"clinical table has no rows", "patients.tsv"}},
    {"PatientTwice",
     [](auto& f) { f.patients("P1\t1\tA\t1\t0\nP2\t1\tA\t1\t0\nP1\t1\tA\t1\t0\n"); },
     {"patient stands twice in the table (found P1, expected every id once)",
      "patients.tsv, line 8, column PATIENT_ID", "drop_invalid"}},
    {"SampleTwice",
     [](auto& f) { f.samples("P1\tS1\tx\nP1\tS1\tx\n"); },
     {"sample stands twice in the table (found S1", "samples.tsv, line 7, column SAMPLE_ID"}},
    {"NoId",
     [](auto& f) { f.patients("P1\t1\tA\t1\t0\nNA\t1\tA\t1\t0\n"); },
     {"row has no id (found NA", "line 7, column PATIENT_ID"}},
    {"RaggedRow",
     [](auto& f) { f.patients("P1\t1\tA\t1\t0\nP2\t1\tA\t1\n"); },
     {"row has another number of cells than the header (found 4 cells, expected 5 cells)",
      "patients.tsv, line 7"}},
    {"NotUtf8",
     [](auto& f) { f.patients("P1\t1\tM\xfcnchen\t1\t0\n"); },
     {"row is not valid UTF-8 (found M\\xfcnchen", "patients.tsv, line 6", "iconv"}},
    {"NulByte",
     [](auto& f) { f.patients(std::string_view("P1\t1\tA\0B\t1\t0\n", 13)); },
     {"row holds a NUL byte", "patients.tsv, line 6"}},
    {"StrayQuote",
     [](auto& f) { f.patients("P1\t1\t\"AML\t1\t0\n"); },
     {"stray quote (found \"AML, expected a value without quotes", "line 6, column ENTITY"}},
    {"QuotedId",
     [](auto& f) { f.patients("\"P1\"\t1\tAML\t1\t0\n"); },
     {"stray quote (found \"P1\"", "line 6, column PATIENT_ID"}},
    {"NotANumber",
     [](auto& f) { f.patients("P1\told\tA\t1\t0\n"); },
     {"value of a NUMBER column is not a number (found old", "line 6, column AGE"}},
    {"DecimalComma",
     [](auto& f) { f.patients("P1\t61,5\tA\t1\t0\n"); },
     {"number is written with a decimal comma (found 61,5", "column AGE"}},
    {"NanAndInf",
     [](auto& f) {
       f.patients("P1\tNaN\tA\t1\t0\nP2\t-Inf\tA\t1\t0\nP3\t1e999\tA\t1\t0\nP4\t#NUM!\tA\t1\t0\n");
     },
     {"number is not finite (found NaN, -Inf, 1e999 and others, expected a finite number",
      "lines 6, 7, 8 and 9, column AGE"}},
    {"NotABoolean",
     [](auto& f) {
       f.write("patients.tsv", "#a\tb\n#a\tb\n#STRING\tBOOLEAN\n#1\t1\nPATIENT_ID\tX\nP1\tmaybe\n");
     },
     {"value of a BOOLEAN column is neither true nor false (found maybe", "line 6, column X"}},
    {"UnknownStatus",
     [](auto& f) { f.patients("P1\t1\tA\t1\t2:LOST\n"); },
     {"status is no code of an outcome (found 2:LOST", "line 6, column OS_STATUS"}},
    {"NegativeTime",
     [](auto& f) { f.patients("P1\t1\tA\t-3\t0\n"); },
     {"survival time is negative (found -3, expected 0 or more)", "patients.tsv, line 6, column OS_MONTHS",
      "drop_invalid = true"}},
    {"EntryAfterTheTime",
     [](auto& f) {
       f.write("patients.tsv",
               "#a\tb\tc\td\n#a\tb\tc\td\n#STRING\tNUMBER\tSTRING\tNUMBER\n#1\t1\t1\t1\nPATIENT_ID\tOS_"
               "DAYS\tOS_STATUS\tOS_ENTRY_DAYS\nP1\t5\t1\t5\n");
     },
     {"entry time is not before the survival time (found 5", "line 6, column OS_ENTRY_DAYS"}},
};

const Refusal molecular[] = {
    {"SampleUnknownToTheTable",
     [](auto& f) { f.variants("NPM1\tSilent\tS9\t\t\t\n"); },
     {"sample is not in the sample table (found S9", "variants.tsv, line 3, column Tumor_Sample_Barcode"}},
    {"ReadCount",
     [](auto& f) { f.variants("NPM1\tSilent\tS1\t\t-4\t1\n"); },
     {"read count is not a number of reads (found -4", "line 3, column t_alt_count"}},
    {"QuoteInAVariant",
     [](auto& f) { f.variants("\"NPM1\tSilent\tS1\t\t4\t1\n"); },
     {"stray quote", "line 3, column Hugo_Symbol"}},
    {"TooManyClasses",
     [](auto& f) {
       std::string rows;
       for (int i = 0; i < 200; ++i) rows += "NPM1\tclass" + std::to_string(i) + "\tS1\t\t\t\n";
       f.variants(rows);
     },
     {"too many variant classes", "variants.tsv", "column Variant_Classification"}},
    {"ProteinChangeTooLong",
     [](auto& f) { f.variants("NPM1\tSilent\tS1\t" + std::string(70000, 'A') + "\t\t\n"); },
     {"protein change is longer than 65535 bytes (found AAA", "line 3, column HGVSp_Short"}},
    {"MatrixSampleUnknown",
     [](auto& f) { f.matrix("S9\tSMALL\n"); },
     {"sample is not in the sample table (found S9", "matrix.tsv, line 2, column SAMPLE_ID"}},
    {"PanelUndefined",
     [](auto& f) { f.matrix("S1\tBIG\n"); },
     {"no file defines this gene panel (found BIG", "matrix.tsv, line 2, column mutations"}},
    {"PanelTwice",
     [](auto& f) { f.write("panel_again.txt", "stable_id: SMALL\ngene_list: KIT\n"); },
     {"two files define one gene panel (found SMALL", "panel_again.txt and panel_small.txt"}},
    {"PanelWithoutGenes",
     [](auto& f) { f.write("panel_small.txt", "stable_id: SMALL\n"); },
     {"key is missing (expected gene_list: …)", "panel_small.txt"}},
    {"CaseListSampleUnknown",
     [](auto& f) { f.case_list("_sequenced", "S1\tS9"); },
     {"sample is not in the sample table (found S9", "case_lists/cases_sequenced.txt, column case_list_ids"}},
    {"TwoCaseLists",
     [](auto& f) {
       f.case_list("_sequenced", "S1");
       f.write("case_lists/more.txt", "stable_id: x_sequenced\ncase_list_ids: S1\n");
     },
     {"two case lists of one kind (found x_sequenced",
      "case_lists/cases_sequenced.txt and case_lists/more.txt"}},
    {"CopyNumberValue",
     [](auto& f) {
       f.meta("cna", "COPY_NUMBER_ALTERATION", "DISCRETE", "cna.tsv");
       f.write("cna.tsv", "Hugo_Symbol\tS1\nMYC\t3\n");
     },
     {"copy number is none of -2, -1, 0, 1, 2 (found 3", "cna.tsv, line 2, column S1"}},
    {"CopyNumberSampleUnknown",
     [](auto& f) {
       f.meta("cna", "COPY_NUMBER_ALTERATION", "DISCRETE", "cna.tsv");
       f.write("cna.tsv", "Hugo_Symbol\tS9\nMYC\t2\n");
     },
     {"sample is not in the sample table (found S9, expected samples of the study as names of the columns)",
      "cna.tsv"}},
    {"CopyNumberGeneTwice",
     [](auto& f) {
       f.meta("cna", "COPY_NUMBER_ALTERATION", "DISCRETE", "cna.tsv");
       f.write("cna.tsv", "Hugo_Symbol\tS1\nMYC\t2\nMYC\t0\n");
     },
     {"gene stands twice in the table (found MYC", "cna.tsv, line 3, column Hugo_Symbol"}},
    {"LongCopyNumberSampleUnknown",
     [](auto& f) {
       f.meta("cna", "COPY_NUMBER_ALTERATION", "DISCRETE_LONG", "cna.tsv");
       f.write("cna.tsv", "Hugo_Symbol\tSample_Id\tValue\nMYC\tS9\t2\n");
     },
     {"sample is not in the sample table (found S9", "cna.tsv, line 2, column Sample_Id"}},
    {"FusionSampleUnknown",
     [](auto& f) {
       f.meta("sv", "STRUCTURAL_VARIANT", "SV", "sv.tsv");
       f.write("sv.tsv", "Sample_Id\tSite1_Hugo_Symbol\tSite2_Hugo_Symbol\nS9\tA\tB\n");
     },
     {"sample is not in the sample table (found S9", "sv.tsv, line 2, column Sample_Id"}},
    {"FeatureNameTwice",
     [](auto& f) {
       f.variants("A::B\tMissense_Mutation\tS1\t\t\t\n");
       f.no_matrix();
       f.meta("sv", "STRUCTURAL_VARIANT", "SV", "sv.tsv");
       f.write("sv.tsv", "Sample_Id\tSite1_Hugo_Symbol\tSite2_Hugo_Symbol\nS1\tA\tB\n");
     },
     {"two features have the same name (found A::B"}},
    {"TooManyPanels",
     [](auto& f) {
       // 16 panels and a patient for each of 33,000 subsets of them: more unions than a code can tell
       std::string patients, samples, matrix;
       for (int p = 0; p < 16; ++p)
         f.write("p" + std::to_string(p) + ".txt",
                 "stable_id: N" + std::to_string(p) + "\ngene_list: G" + std::to_string(p) + "\n");
       for (int i = 1; i <= 33000; ++i) {
         patients += "P" + std::to_string(i) + "\t1\tA\t1\t0\n";
         for (int p = 0; p < 16; ++p) {
           if ((i >> p & 1) == 0) continue;
           const std::string sample = "S" + std::to_string(i) + "." + std::to_string(p);
           samples += "P" + std::to_string(i) + "\t" + sample + "\tx\n";
           matrix += sample + "\tN" + std::to_string(p) + "\n";
         }
       }
       f.patients(patients);
       f.samples(samples);
       f.variants("");
       f.matrix(matrix);
     },
     {"too many gene panels and unions of them (found more than 32767", "sample_rule"}},
};

const auto by_name = [](const auto& test) { return std::string(test.param.name); };
INSTANTIATE_TEST_SUITE_P(Files, Refusals, testing::ValuesIn(files), by_name);
INSTANTIATE_TEST_SUITE_P(Clinical, Refusals, testing::ValuesIn(clinical), by_name);
INSTANTIATE_TEST_SUITE_P(Molecular, Refusals, testing::ValuesIn(molecular), by_name);

TEST(Refusal, MergesEqualProblems) {
  const StudyFolder folder;
  std::string rows;
  for (int i = 0; i < 24; ++i)
    rows += "P" + std::to_string(i) + (i % 2 == 0 ? "\t1" : "\told") + "\tA\t1\t0\n";
  folder.patients(rows);  // every second row is wrong: lines 7, 9, 11, … 29, that is 12
  EXPECT_EQ(refusal(folder),
            "value of a NUMBER column is not a number (found old, expected a number, a bound such as >89, or "
            "an empty cell)\n"
            "  in   patients.tsv, lines 7, 9, 11 and 9 more, column AGE\n"
            "  try  correct the value, or make the column's type STRING, or set drop_invalid = true");
}

TEST(Refusal, ListsEverythingWrongInAFile) {
  const StudyFolder folder;
  folder.patients("P1\told\tA\t1\t0\nP2\t1\tA\t-1\t0\nP1\t1\tA\t1\t0\nP5\t1\n");
  const std::string text = refusal(folder);
  EXPECT_NE(text.find("4 kinds of problems in one file"), std::string::npos) << text;
  for (const char* part :
       {"not a number (found old", "line 6, column AGE", "survival time is negative (found -1",
        "line 7, column OS_MONTHS", "patient stands twice", "line 8, column PATIENT_ID",
        "another number of cells", "line 9"})
    EXPECT_NE(text.find(part), std::string::npos) << part << "\nin\n" << text;
}

TEST(Refusal, DropInvalidDropsRowsAndBlanksValuesAndCountsBoth) {
  const StudyFolder folder;
  folder.patients("P1\told\tA\t1\t0\nP2\t1\tA\t-1\t0\nP1\t1\tA\t1\t0\nP3\t1\nP4\t1\tA\t1\t0\n");
  folder.variants("NPM1\tMissense_Mutation\tS1\tp.A1V\tx\t1\nNPM1\tSilent\tS9\t\t\t\n");
  IngestRecipe recipe = folder.recipe();
  recipe.drop_invalid = true;
  const IngestReport report = folder.ingest(recipe);
  const TableReport& patients = table(report, "patients.tsv");
  EXPECT_EQ(patients.n_read, 5);
  EXPECT_EQ(patients.n_kept, 3);
  EXPECT_EQ(patients.dropped,
            (std::vector<Count>{{"row has another number of cells than the header", 1},
                                {"patient stands twice in the table, column PATIENT_ID", 1}}));
  EXPECT_EQ(patients.blanked, (std::vector<Count>{{"value of a NUMBER column is not a number, column AGE", 1},
                                                  {"survival time is negative, column OS_MONTHS", 1}}));
  const TableReport& variants = table(report, "variants.tsv");
  EXPECT_EQ(variants.n_kept, 1);
  EXPECT_EQ(variants.dropped,
            (std::vector<Count>{{"sample is not in the sample table, column Tumor_Sample_Barcode", 1}}));
  EXPECT_EQ(variants.blanked,
            (std::vector<Count>{{"read count is not a number of reads, column t_alt_count", 1}}));
}

TEST(Refusal, DropInvalidStillRefusesWhatLeavesNothingToRead) {
  const StudyFolder folder;
  folder.matrix("S1\tBIG\n");
  IngestRecipe recipe = folder.recipe();
  recipe.drop_invalid = true;
  EXPECT_NE(refusal(folder, recipe).find("no file defines this gene panel"), std::string::npos);
}

TEST(Refusal, APatientMayComeFromOneDeliveryOnly) {
  const StudyFolder one, two;
  IngestRecipe recipe = one.recipe();
  recipe.deliveries.push_back({two.study(), "two"});
  EXPECT_NE(refusal(one, recipe).find("patients are in two deliveries (found P1, P2, P3 and 1 more"),
            std::string::npos);
}

TEST(Refusal, AColumnHasOneTypeInAllStudies) {
  const StudyFolder one, two;
  two.write("patients.tsv", "#a\tb\n#a\tb\n#STRING\tSTRING\n#1\t1\nPATIENT_ID\tAGE\nQ1\told\n");
  two.samples("Q1\tT1\tx\n");
  two.variants("");
  two.matrix("");
  IngestRecipe recipe = one.recipe();
  recipe.deliveries.push_back({two.study(), "two"});
  EXPECT_NE(refusal(one, recipe).find("column is a number in one study and a text in another"),
            std::string::npos);
}

std::string config_refusal(const StudyFolder& folder, const IngestRecipe& recipe) {
  try {
    folder.ingest(recipe);
  } catch (const ConfigError& error) {
    return error.what();
  }
  ADD_FAILURE() << "the recipe was accepted";
  return {};
}

TEST(Refusal, OfARecipeNamesItsKey) {
  const StudyFolder folder;
  folder.write("empty.key", "");
  const auto with = [&](const std::function<void(IngestRecipe&)>& change) {
    IngestRecipe recipe = folder.recipe();
    change(recipe);
    return config_refusal(folder, recipe);
  };
  EXPECT_NE(with([](auto& r) { r.deliveries.clear(); }).find("recipe names no delivery"), std::string::npos);
  EXPECT_NE(with([](auto& r) { r.patients_per_shard = 0; }).find("shards would hold no patient (found 0"),
            std::string::npos);
  EXPECT_NE(
      with([](auto& r) { r.class_set = "loud"; }).find("no variant-class set has this name (found loud"),
      std::string::npos);
  EXPECT_NE(with([](auto& r) { r.site_field = "TOWN"; }).find("no study has the site field (found TOWN"),
            std::string::npos);
  EXPECT_NE(with([](auto& r) { r.site_field = "AGE"; }).find("site field is a number (found AGE"),
            std::string::npos);
  EXPECT_NE(
      with([&](auto& r) { r.pseudonym_key = folder.study() / "empty.key"; }).find("pseudonym key is empty"),
      std::string::npos);
}

TEST(Refusal, LeavesAnEarlierCohortAsItIs) {
  const StudyFolder folder;
  folder.ingest();
  const std::string fingerprint = folder.catalogue().fingerprint();
  folder.write("variants.tsv", "");
  refusal(folder);
  EXPECT_EQ(folder.catalogue().fingerprint(), fingerprint);
  EXPECT_EQ(folder.shard().n_patients(), 4);
}

TEST(Refusal, ACohortIsOverwrittenOnlyOnRequest) {
  const StudyFolder folder;
  folder.ingest();
  IngestRecipe recipe = folder.recipe();
  recipe.overwrite = false;
  EXPECT_NE(config_refusal(folder, recipe).find("output folder already holds a cohort"), std::string::npos);
  recipe.overwrite = true;
  recipe.patients_per_shard = 2;
  folder.ingest(recipe);
  recipe.patients_per_shard = 4;
  folder.ingest(recipe);
  EXPECT_FALSE(
      std::filesystem::exists(folder.out() / "shard-00001.h5"));  // nothing of the earlier cohort stays
}

}  // namespace
}  // namespace chorale::io
