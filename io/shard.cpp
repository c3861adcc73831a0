// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "io/shard.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "io/checksum.hpp"
#include "io/file.hpp"
#include "io/h5.hpp"

namespace chorale::io {
namespace {

void require(bool holds, std::string_view what, std::string_view in) {
  if (!holds)
    throw ShapeError({.what = std::string(what), .in = std::string(in), .remedy = "report this as a bug"});
}

template <class T>
void require_codes(const std::vector<T>& codes, std::size_t n_codes, bool missing_allowed,
                   std::string_view in) {
  const Index low = missing_allowed ? -1 : 0;
  for (const T code : codes)
    require(code >= low && code < static_cast<Index>(n_codes), "code is outside its dictionary", in);
}

void require_rows(const std::vector<std::int64_t>& offset, std::size_t n_rows, std::size_t n_values,
                  std::string_view in) {
  require(offset.size() == n_rows + 1 && offset.front() == 0 &&
              offset.back() == static_cast<std::int64_t>(n_values) &&
              std::is_sorted(offset.begin(), offset.end()),
          "row offsets do not fit", in);
}

void require_fits(const Catalogue& catalogue, const ShardData& data) {
  const std::size_t n = data.id.size();
  require(data.site.size() == n, "column has another length", "/patient/site");
  require_codes(data.site, catalogue.sites.size(), false, "/patient/site");
  require(data.clinical.size() == catalogue.fields.size(), "fields do not match the catalogue", "/clinical");
  for (std::size_t f = 0; f < catalogue.fields.size(); ++f) {
    const Field& field = catalogue.fields[f];
    const ColumnData& column = data.clinical[f];
    const bool number = field.kind == FieldKind::number;
    require((number ? column.number.size() : column.code.size()) == n, "column has another length",
            field.name);
    if (!number) require_codes(column.code, field.levels.size(), true, field.name);
    require(column.bound.empty() || (field.bounds && column.bound.size() == n), "bounds do not fit",
            field.name);
  }
  require(data.survival.size() == catalogue.endpoints.size(), "endpoints do not match the catalogue",
          "/survival");
  for (const SurvivalData& s : data.survival)
    require(s.entry.size() == n && s.time.size() == n && s.event.size() == n, "column has another length",
            "/survival");
  require_rows(data.alteration.offset, n, data.alteration.value.size(), "/alteration");
  require_codes(data.alteration.value, catalogue.features.size(), false, "/alteration/feature");
  require_rows(data.untested.offset, n, data.untested.value.size(), "/untested");
  require_codes(data.untested.value, catalogue.features.size(), false, "/untested/feature");
  const VariantData& v = data.variant;
  require_rows(v.offset, n, v.gene.size(), "/variant");
  require(v.variant_class.size() == v.gene.size() && v.protein_change.size() == v.gene.size() &&
              v.vaf.size() == v.gene.size(),
          "column has another length", "/variant");
  require_codes(v.gene, catalogue.genes.size(), false, "/variant/gene");
  require_codes(v.variant_class, catalogue.variant_classes.size(), false, "/variant/class");
  require_codes(v.protein_change, v.protein_changes.size(), true, "/variant/protein_change");
  for (const auto& panel : data.panel) {
    require(panel.size() == n, "column has another length", "/panel");
    require_codes(panel, catalogue.panels.size(), true, "/panel");
  }
}

template <class T>
std::span<const T> view(const std::vector<T>& values) {
  return values;
}

void write_clinical(hid_t file, const Catalogue& catalogue, const ShardData& data) {
  const h5::Handle group = h5::make_group(file, "clinical");
  h5::Handle bounds;
  for (std::size_t f = 0; f < catalogue.fields.size(); ++f) {
    const Field& field = catalogue.fields[f];
    const ColumnData& column = data.clinical[f];
    if (field.kind == FieldKind::number) {
      h5::write(group, field.name, view(column.number));
      h5::describe(group, field.name, "kind", std::string("number"));
    } else {
      h5::write(group, field.name, view(column.code));
      h5::describe(group, field.name, "kind", std::string("category"));
      if (!field.levels.empty()) h5::describe(group, field.name, "levels", field.levels);
    }
    h5::describe(group, field.name, "unit", field.unit);
    h5::describe(group, field.name, "description", field.description);
    if (field.bounds) {
      if (bounds < 0) bounds = h5::make_group(file, "bound");
      const std::vector<std::int8_t> exact(data.id.size(), 0);
      h5::write(bounds, field.name, view(column.bound.empty() ? exact : column.bound));
    }
  }
}

void write_survival(hid_t file, const Catalogue& catalogue, const ShardData& data) {
  const h5::Handle group = h5::make_group(file, "survival");
  for (std::size_t e = 0; e < catalogue.endpoints.size(); ++e) {
    const h5::Handle endpoint = h5::make_group(group, catalogue.endpoints[e].name.c_str());
    h5::set_attribute(endpoint, "description", catalogue.endpoints[e].description);
    h5::write(endpoint, "entry", view(data.survival[e].entry));
    h5::write(endpoint, "time", view(data.survival[e].time));
    h5::write(endpoint, "event", view(data.survival[e].event));
    h5::describe(endpoint, "entry", "unit", std::string("days"));
    h5::describe(endpoint, "time", "unit", std::string("days"));
  }
}

void write_genetics(hid_t file, const Catalogue& catalogue, const ShardData& data) {
  std::vector<std::string> names;
  for (const Feature& feature : catalogue.features) names.push_back(feature.name);
  const h5::Handle dictionary = h5::make_group(file, "dictionary");
  h5::write_strings(dictionary, "feature", names);
  h5::write_strings(dictionary, "gene", catalogue.genes);
  h5::write_strings(dictionary, "class", catalogue.variant_classes);
  h5::write_strings(dictionary, "protein_change", data.variant.protein_changes);
  names.clear();
  for (const Panel& panel : catalogue.panels) names.push_back(panel.name);
  h5::write_strings(dictionary, "panel", names);

  const h5::Handle alteration = h5::make_group(file, "alteration");
  h5::write(alteration, "offset", view(data.alteration.offset));
  h5::write(alteration, "feature", view(data.alteration.value));
  h5::set_attribute(alteration, "class_set", catalogue.class_set);
  const h5::Handle untested = h5::make_group(file, "untested");
  h5::write(untested, "offset", view(data.untested.offset));
  h5::write(untested, "feature", view(data.untested.value));

  const h5::Handle variant = h5::make_group(file, "variant");
  h5::write(variant, "offset", view(data.variant.offset));
  h5::write(variant, "gene", view(data.variant.gene));
  h5::write(variant, "class", view(data.variant.variant_class));
  h5::write(variant, "protein_change", view(data.variant.protein_change));
  h5::write(variant, "vaf", view(data.variant.vaf));

  const h5::Handle panel = h5::make_group(file, "panel");
  for (int p = 0; p < n_profiles; ++p)
    h5::write(panel, std::string(name_of(static_cast<Profile>(p))),
              view(data.panel[static_cast<std::size_t>(p)]));
}

}  // namespace

std::string shard_file_name(Index shard) {
  return fmt::format("shard-{:05}.h5", shard);
}

std::vector<Index> even_shards(Index n_patients, Index patients_per_shard) {
  const Index n_shards = std::max<Index>(1, (n_patients + patients_per_shard - 1) / patients_per_shard);
  std::vector<Index> first(static_cast<std::size_t>(n_shards) + 1);
  for (Index s = 0; s <= n_shards; ++s) first[static_cast<std::size_t>(s)] = n_patients * s / n_shards;
  return first;
}

ShardEntry write_shard(const std::filesystem::path& folder, Index shard, const Catalogue& catalogue,
                       const ShardData& data) {
  require_fits(catalogue, data);
  h5::MemoryFile file;
  h5::set_attribute(file.id(), "format", std::string("chorale-shard"));
  h5::set_attribute(file.id(), "format_version", format_version);
  h5::set_attribute(file.id(), "cohort", catalogue.name);
  h5::set_attribute(file.id(), "shard", shard);
  {
    const h5::Handle patient = h5::make_group(file.id(), "patient");
    h5::write_strings(patient, "id", data.id);
    h5::write(patient, "site", view(data.site));
    if (!catalogue.sites.empty()) h5::describe(patient, "site", "levels", catalogue.sites);
  }
  write_clinical(file.id(), catalogue, data);
  write_survival(file.id(), catalogue, data);
  write_genetics(file.id(), catalogue, data);

  const auto bytes = file.bytes();
  const std::string name = shard_file_name(shard);
  write_file(folder / name, bytes);
  return {.file = name,
          .n_patients = data.n_patients(),
          .n_alterations = static_cast<Index>(data.alteration.value.size()),
          .n_variants = static_cast<Index>(data.variant.gene.size()),
          .n_bytes = static_cast<Index>(bytes.size()),
          .xxh3 = xxh3_128(bytes),
          .sha256 = sha256(bytes)};
}

namespace {

/// The memory of the last shard that this thread let go: the next one is read into pages that are already there.
thread_local std::vector<std::byte> spare;

}  // namespace

struct ShardReader::Impl {
  Impl() : bytes(std::exchange(spare, {})) {}
  ~Impl() {
    image.reset();
    spare = std::move(bytes);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  const Catalogue* catalogue = nullptr;
  ShardEntry entry;
  std::vector<std::byte> bytes;  // `image` reads from it
  std::optional<h5::Image> image;
  h5::Handle file;  // where only columns are read

  template <class T>
  std::vector<T> column(const std::string& path, Index n) const {
    auto values = image ? h5::read<T>(*image, path) : h5::read<T>(file, path);
    if (static_cast<Index>(values.size()) != n) wrong_length(path, static_cast<Index>(values.size()), n);
    return values;
  }
  template <class T>
  std::vector<T> per_patient(const std::string& path) const {
    return column<T>(path, entry.n_patients);
  }
  std::vector<std::string> texts(const std::string& path) const {
    return image ? h5::read_strings(*image, path) : h5::read_strings(file, path);
  }
  std::vector<std::int64_t> offset(const std::string& group) const {
    return column<std::int64_t>(group + "/offset", entry.n_patients + 1);
  }
  SparseRows rows(const std::string& group) const {
    SparseRows rows{.offset = offset(group), .value = {}};
    rows.value = column<std::int32_t>(group + "/feature", rows.offset.back());
    return rows;
  }
  [[noreturn]] void wrong_length(const std::string& path, Index found, Index expected) const {
    throw StoreError({.what = "dataset has another length than the manifest says",
                      .found = std::to_string(found),
                      .expected = std::to_string(expected),
                      .in = (catalogue->folder / entry.file).string() + ", " + path,
                      .remedy = "the shard belongs to another cohort: restore it or make the cohort again"});
  }
};

ShardReader::ShardReader(const Catalogue& catalogue, Index shard, ShardAccess access)
    : impl_(std::make_unique<Impl>()) {
  impl_->catalogue = &catalogue;
  impl_->entry = catalogue.shards.at(static_cast<std::size_t>(shard));
  const auto path = catalogue.folder / impl_->entry.file;
  if (access == ShardAccess::columns) {
    impl_->file = h5::open_file(path.string());
    return;
  }
  // room for any shard at once: one a little larger than the last would not fit where that one was
  std::size_t largest = 0;
  for (const ShardEntry& entry : catalogue.shards)
    largest = std::max(largest, static_cast<std::size_t>(std::max<Index>(0, entry.n_bytes)));
  const std::size_t limit =
      2 * static_cast<std::size_t>(std::max<Index>(0, impl_->entry.n_bytes)) + 1'000'000;
  impl_->bytes.reserve(std::min(largest, limit));
  read_file(path, impl_->bytes);
  const auto refuse = [&](const char* what, const std::string& found, const std::string& expected) {
    throw StoreError({.what = what,
                      .found = found,
                      .expected = expected,
                      .in = path.string(),
                      .remedy = "restore the shard from its copy, or make the cohort again"});
  };
  if (const auto n = static_cast<Index>(impl_->bytes.size()); n != impl_->entry.n_bytes)
    refuse("shard has another size than the manifest says", fmt::format("{} bytes", n),
           fmt::format("{} bytes", impl_->entry.n_bytes));
  if (const auto found = xxh3_128(impl_->bytes); found != impl_->entry.xxh3)
    refuse("shard is not the one in the manifest: its checksum differs", "XXH3-128 " + found,
           impl_->entry.xxh3);
  impl_->image.emplace(impl_->bytes, path.string());
}

ShardReader::~ShardReader() = default;
void ShardReader::let_go_of_memory() {
  spare = {};
}
ShardReader::ShardReader(ShardReader&&) noexcept = default;
ShardReader& ShardReader::operator=(ShardReader&&) noexcept = default;

Index ShardReader::n_patients() const {
  return impl_->entry.n_patients;
}

std::vector<std::string> ShardReader::read_id() const {
  return impl_->texts("/patient/id");
}

std::vector<std::int32_t> ShardReader::read_site() const {
  return impl_->per_patient<std::int32_t>("/patient/site");
}

ColumnData ShardReader::read_clinical(Index field) const {
  const Field& f = impl_->catalogue->fields.at(static_cast<std::size_t>(field));
  ColumnData column;
  if (f.kind == FieldKind::number)
    column.number = impl_->per_patient<double>("/clinical/" + f.name);
  else
    column.code = impl_->per_patient<std::int32_t>("/clinical/" + f.name);
  if (f.bounds) column.bound = impl_->per_patient<std::int8_t>("/bound/" + f.name);
  return column;
}

SurvivalData ShardReader::read_survival(Index endpoint) const {
  const std::string group =
      "/survival/" + impl_->catalogue->endpoints.at(static_cast<std::size_t>(endpoint)).name;
  return {.entry = impl_->per_patient<double>(group + "/entry"),
          .time = impl_->per_patient<double>(group + "/time"),
          .event = impl_->per_patient<std::int8_t>(group + "/event")};
}

SparseRows ShardReader::read_alteration() const {
  return impl_->rows("/alteration");
}
SparseRows ShardReader::read_untested() const {
  return impl_->rows("/untested");
}

std::vector<std::int64_t> ShardReader::read_alteration_offset() const {
  return impl_->offset("/alteration");
}
std::vector<std::int64_t> ShardReader::read_variant_offset() const {
  return impl_->offset("/variant");
}

VariantData ShardReader::read_variant() const {
  VariantData v;
  v.offset = impl_->offset("/variant");
  const Index n = v.offset.back();
  v.gene = impl_->column<std::int32_t>("/variant/gene", n);
  v.variant_class = impl_->column<std::int8_t>("/variant/class", n);
  v.protein_change = impl_->column<std::int32_t>("/variant/protein_change", n);
  v.vaf = impl_->column<float>("/variant/vaf", n);
  v.protein_changes = impl_->texts("/dictionary/protein_change");
  return v;
}

std::vector<std::int16_t> ShardReader::read_panel(Profile profile) const {
  return impl_->per_patient<std::int16_t>("/panel/" + std::string(name_of(profile)));
}

ShardData ShardReader::read_all() const {
  ShardData data{.id = read_id(),
                 .site = read_site(),
                 .clinical = {},
                 .survival = {},
                 .alteration = read_alteration(),
                 .untested = read_untested(),
                 .variant = read_variant(),
                 .panel = {}};
  for (std::size_t f = 0; f < impl_->catalogue->fields.size(); ++f)
    data.clinical.push_back(read_clinical(static_cast<Index>(f)));
  for (std::size_t e = 0; e < impl_->catalogue->endpoints.size(); ++e)
    data.survival.push_back(read_survival(static_cast<Index>(e)));
  for (int p = 0; p < n_profiles; ++p)
    data.panel[static_cast<std::size_t>(p)] = read_panel(static_cast<Profile>(p));
  return data;
}

}  // namespace chorale::io
