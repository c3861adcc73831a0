// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "io/catalogue.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <functional>

#include "io/file.hpp"
#include "tests/io/message.hpp"
#include "tests/io/sample_cohort.hpp"
#include "tests/io/temporary_folder.hpp"

namespace chorale::io {
namespace {

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

/// The complaint about a manifest in which `from` was replaced.
std::string complaint(const std::string& from, const std::string& to) {
  const TemporaryFolder folder;
  write_sample_cohort(folder.path());
  write_file(folder / "cohort.json", replaced(read_text(folder / "cohort.json"), from, to));
  return message_of<InputError>([&] { load_catalogue(folder.path()); });
}

TEST(Catalogue, RoundTripKeepsEveryField) {
  const TemporaryFolder folder;
  const Catalogue back = write_sample_cohort(folder.path());
  const Catalogue sample = sample_catalogue();

  EXPECT_EQ(back.name, "sample");
  EXPECT_EQ(back.sites, sample.sites);
  ASSERT_EQ(back.fields.size(), 2U);
  for (std::size_t f = 0; f < 2; ++f) {
    EXPECT_EQ(back.fields[f].name, sample.fields[f].name);
    EXPECT_EQ(back.fields[f].kind, sample.fields[f].kind);
    EXPECT_EQ(back.fields[f].unit, sample.fields[f].unit);
    EXPECT_EQ(back.fields[f].description, sample.fields[f].description);
    EXPECT_EQ(back.fields[f].levels, sample.fields[f].levels);
    EXPECT_EQ(back.fields[f].source, sample.fields[f].source);
    EXPECT_EQ(back.fields[f].bounds, sample.fields[f].bounds);
  }
  ASSERT_EQ(back.endpoints.size(), 1U);
  EXPECT_EQ(back.endpoints[0].name, "OS");
  EXPECT_EQ(back.endpoints[0].description, "overall survival");
  EXPECT_EQ(back.endpoints[0].source, "OS_MONTHS, OS_STATUS");
  EXPECT_EQ(back.genes, sample.genes);
  ASSERT_EQ(back.features.size(), 3U);
  for (std::size_t f = 0; f < 3; ++f) {
    EXPECT_EQ(back.features[f].name, sample.features[f].name);
    EXPECT_EQ(back.features[f].gene, sample.features[f].gene);
    EXPECT_EQ(back.features[f].partner, sample.features[f].partner);
    EXPECT_EQ(back.features[f].profile, sample.features[f].profile);
  }
  ASSERT_EQ(back.panels.size(), 2U);
  EXPECT_TRUE(back.panels[0].whole_exome);
  EXPECT_EQ(back.panels[1].name, "small");
  EXPECT_EQ(back.panels[1].genes, (std::vector<std::int32_t>{2, 3}));
  EXPECT_EQ(back.class_set, sample.class_set);
  EXPECT_EQ(back.classes, sample.classes);
  EXPECT_EQ(back.variant_classes, sample.variant_classes);
  EXPECT_EQ(back.provenance, sample.provenance);
  EXPECT_EQ(back.folder, folder.path());
  ASSERT_EQ(back.shards.size(), 2U);
  EXPECT_EQ(back.shards[1].file, "shard-00001.h5");
  EXPECT_EQ(back.shards[1].n_patients, 3);
  EXPECT_EQ(back.shards[1].n_alterations, 3);
  EXPECT_EQ(back.shards[1].n_variants, 3);
  EXPECT_EQ(static_cast<std::uintmax_t>(back.shards[1].n_bytes),
            std::filesystem::file_size(folder / "shard-00001.h5"));
  EXPECT_EQ(back.shards[1].xxh3.size(), 32U);
  EXPECT_EQ(back.shards[1].sha256.size(), 64U);
}

TEST(Catalogue, CountsItsPatientsOverTheShards) {
  const TemporaryFolder folder;
  EXPECT_EQ(write_sample_cohort(folder.path()).n_patients(), 3 + 3);
}

TEST(Catalogue, FindsByNameOrSaysMinusOne) {
  const Catalogue sample = sample_catalogue();
  EXPECT_EQ(sample.field_index("AGE"), 0);
  EXPECT_EQ(sample.field_index("SEX"), 1);
  EXPECT_EQ(sample.field_index("AGF"), -1);
  EXPECT_EQ(sample.endpoint_index("OS"), 0);
  EXPECT_EQ(sample.endpoint_index("RFS"), -1);
  EXPECT_EQ(sample.feature_index("NPM1"), 2);
  EXPECT_EQ(sample.feature_index(""), -1);
  EXPECT_EQ(sample.gene_index("FLT3"), 2);
  EXPECT_EQ(sample.gene_index("ZZZ"), -1);
}

TEST(Catalogue, FingerprintIsEqualForEqualCohortsAndNotForOthers) {
  const TemporaryFolder here, there;
  const Catalogue a = write_sample_cohort(here.path()), b = write_sample_cohort(there.path());
  EXPECT_EQ(a.fingerprint(), b.fingerprint());  // the folder is no part of it

  const std::vector<std::function<void(Catalogue&)>> changes{
      [](Catalogue& c) { c.name = "other"; },
      [](Catalogue& c) { c.sites[0] = "Bonn"; },
      [](Catalogue& c) { c.fields[1].levels[0] = "F"; },
      [](Catalogue& c) { c.features[1].profile = Profile::copy_number; },
      [](Catalogue& c) { c.panels[1].genes.push_back(1); },
      [](Catalogue& c) { c.classes.pop_back(); },
      [](Catalogue& c) { c.shards[0].xxh3[0] = c.shards[0].xxh3[0] == '0' ? '1' : '0'; },
  };
  for (std::size_t i = 0; i < changes.size(); ++i) {
    Catalogue changed = a;
    changes[i](changed);
    EXPECT_NE(changed.fingerprint(), a.fingerprint()) << "change " << i;
  }
}

TEST(Catalogue, AFolderWithoutCohortIsSaidToBeNone) {
  const TemporaryFolder folder;
  const auto message = message_of<InputError>([&] { load_catalogue(folder.path()); });
  EXPECT_NE(message.find("no cohort here"), std::string::npos) << message;
}

TEST(Catalogue, ShardsWithoutManifestAreACohortNeverFinished) {
  const TemporaryFolder folder;
  write_sample_cohort(folder.path());
  remove_file(folder / "cohort.json");
  const auto message = message_of<InputError>([&] { load_catalogue(folder.path()); });
  EXPECT_NE(message.find("cohort was never finished"), std::string::npos) << message;
}

TEST(Catalogue, AnotherFormatVersionIsRefusedWithBoth) {
  const auto message = complaint("\"format_version\": 1", "\"format_version\": 2");
  EXPECT_NE(message.find("found 2, expected 1"), std::string::npos) << message;
}

TEST(Catalogue, AnotherKindOfFileIsRefused) {
  const auto message = complaint("chorale-cohort", "something-else");
  EXPECT_NE(message.find("not a Chorale cohort"), std::string::npos) << message;
}

TEST(Catalogue, DamageIsRefusedWithTheParsersReason) {
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
           {"{", "["},                                             // no longer JSON
           {"\"sites\": [", "\"sites\": 3, \"places\": ["},        // wrong type
           {"\"provenance\"", "\"provenence\""},                   // key missing
           {"\"kind\": \"number\"", "\"kind\": \"decimal\""},      // unknown word
           {"\"profile\": \"structural\"", "\"profile\": \"x\""},  // unknown word
       }) {
    const auto message = complaint(from, to);
    EXPECT_NE(message.find("cohort manifest is damaged"), std::string::npos) << to << ": " << message;
    EXPECT_NE(message.find("cohort.json"), std::string::npos) << message;
  }
}

TEST(Catalogue, AFlippedBitAnywhereIsRefused) {
  const TemporaryFolder folder;
  write_sample_cohort(folder.path());
  const auto path = folder / "cohort.json";
  std::string text = read_text(path);
  for (std::size_t bit = 0; bit < 8 * text.size(); bit += 9) {  // a bit of every byte
    const auto flip = [&] { text[bit / 8] = static_cast<char>(text[bit / 8] ^ (1 << bit % 8)); };
    flip();
    std::ofstream(path, std::ios::binary) << text;
    EXPECT_THROW(load_catalogue(folder.path()), InputError) << "bit " << bit % 8 << " of byte " << bit / 8;
    flip();
  }
}

}  // namespace
}  // namespace chorale::io
