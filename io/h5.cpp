// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "io/h5.hpp"

#include <algorithm>
#include <cstring>

#include <hdf5_hl.h>

#include "io/checksum.hpp"
#include "kernels/error.hpp"

namespace chorale::io::h5 {
namespace {

constexpr std::size_t chunk_elements = std::size_t{1} << 20;

/// HDF5 reports through return values here; its own printed stack would drown the one message we give.
struct Quiet {
  Quiet() { H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr); }
} const quiet;

[[noreturn]] void fail(const std::string& what, const std::string& in) {
  throw StoreError(
      {.what = what,
       .in = in,
       .remedy = "the file is damaged or was made by another program; restore it or make it again"});
}

std::string path_of(hid_t object, const std::string& name = {}) {
  std::vector<char> text(512);
  std::string path;
  if (H5Fget_name(object, text.data(), text.size()) > 0) path = text.data();
  if (H5Iget_name(object, text.data(), text.size()) > 0) path += std::string(", ") + text.data();
  return name.empty() ? path : path + (path.ends_with("/") ? "" : "/") + name;
}

Handle check(hid_t id, herr_t (*close)(hid_t), const std::string& what, const std::string& in) {
  if (id < 0) fail(what, in);
  return {id, close};
}

/// Fixed length, padded with zeros, UTF-8: h5py reads it as bytes of that length.
Handle string_type(std::size_t length) {
  Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
  H5Tset_size(type, std::max<std::size_t>(length, 1));
  H5Tset_strpad(type, H5T_STR_NULLPAD);
  H5Tset_cset(type, H5T_CSET_UTF8);
  return type;
}

std::vector<char> pad(std::span<const std::string> values, std::size_t length) {
  std::vector<char> block(std::max<std::size_t>(values.size() * length, 1), '\0');
  for (std::size_t i = 0; i < values.size(); ++i)
    std::memcpy(block.data() + i * length, values[i].data(), values[i].size());
  return block;
}

/// Appends `n` texts of `length` bytes each, without the zeros that pad them.
void append_unpadded(std::vector<std::string>& values, const char* block, std::size_t n, std::size_t length) {
  for (std::size_t i = 0; i < n; ++i) {
    const char* text = block + i * length;
    values.emplace_back(text, strnlen(text, length));
  }
}

std::vector<std::string> unpad(std::span<const char> block, std::size_t n, std::size_t length) {
  std::vector<std::string> values;
  values.reserve(n);
  append_unpadded(values, block.data(), n, length);
  return values;
}

std::size_t longest(std::span<const std::string> values) {
  std::size_t n = 1;
  for (const auto& value : values) n = std::max(n, value.size());
  return n;
}

void write_block(hid_t parent, const std::string& name, hid_t type, hid_t memory, const void* data,
                 std::size_t n) {
  const hsize_t size = n;
  const hsize_t chunk = std::clamp<hsize_t>(size, 1, chunk_elements);
  const Handle space(H5Screate_simple(1, &size, nullptr), H5Sclose);
  const Handle plist(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
  H5Pset_chunk(plist, 1, &chunk);
  H5Pset_fletcher32(plist);
  H5Pset_obj_track_times(plist, false);
  const std::string in = path_of(parent, name);
  const Handle set = check(H5Dcreate2(parent, name.c_str(), type, space, H5P_DEFAULT, plist, H5P_DEFAULT),
                           H5Dclose, "dataset cannot be made", in);
  if (n > 0 && H5Dwrite(set, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0)
    fail("dataset cannot be written", in);
}

struct Opened {
  Handle set;
  std::size_t n;
};

Opened open_set(hid_t parent, const std::string& name) {
  Handle set(H5Dopen2(parent, name.c_str(), H5P_DEFAULT), H5Dclose);
  if (set < 0) fail("dataset is missing", path_of(parent, name));
  const Handle space(H5Dget_space(set), H5Sclose);
  if (space < 0 || H5Sget_simple_extent_ndims(space) != 1)
    fail("dataset is not one-dimensional", path_of(parent, name));
  return {std::move(set), static_cast<std::size_t>(H5Sget_simple_extent_npoints(space))};
}

/// Length of the dataset's fixed-length strings.
std::size_t string_length(const Opened& opened) {
  const Handle stored(H5Dget_type(opened.set), H5Tclose);
  if (H5Tget_class(stored) != H5T_STRING || H5Tis_variable_str(stored) != 0)
    fail("dataset does not hold fixed-length strings", path_of(opened.set));
  return H5Tget_size(stored);
}

/// Calls take(chunk's values, index of its first element) for each chunk of elements of `size` bytes, its checksum
/// compared. False when a chunk is not where and as write_block() puts it: HDF5 then reads, or says what is wrong.
bool for_each_chunk(const Image& image, const Opened& opened, std::size_t size, const auto& take) {
  const std::size_t chunk = std::min(opened.n, chunk_elements);
  for (std::size_t first = 0; first < opened.n; first += chunk) {
    const hsize_t offset = first;
    unsigned skipped_filters = 0;
    haddr_t address = HADDR_UNDEF;
    hsize_t n_bytes = 0;
    if (H5Dget_chunk_info_by_coord(opened.set, &offset, &skipped_filters, &address, &n_bytes) < 0)
      return false;
    const hsize_t n_data = chunk * size;
    if (skipped_filters != 0 || n_bytes != n_data + sizeof(std::uint32_t) || address > image.bytes().size() ||
        n_bytes > image.bytes().size() - address)
      return false;
    const auto data = image.bytes().subspan(address, n_data);
    std::uint32_t stored = 0;
    std::memcpy(&stored, data.data() + n_data, sizeof stored);
    if (fletcher32(data) != stored) return false;
    take(data, first);
  }
  return true;
}

void read_block(const Opened& opened, hid_t memory, void* data) {
  if (opened.n > 0 && H5Dread(opened.set, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0)
    fail("dataset cannot be read: its checksum differs or it is cut short", path_of(opened.set));
}

void put_attribute(hid_t object, const char* name, hid_t type, hid_t space, const void* data) {
  const Handle attribute = check(H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT), H5Aclose,
                                 "attribute cannot be made", path_of(object, name));
  if (H5Awrite(attribute, type, data) < 0) fail("attribute cannot be written", path_of(object, name));
}

}  // namespace

#define CHORALE_H5_TYPE(T, stored, memory) \
  template <>                              \
  hid_t stored_type<T>() {                 \
    return stored;                         \
  }                                        \
  template <>                              \
  hid_t memory_type<T>() {                 \
    return memory;                         \
  }
CHORALE_H5_TYPE(double, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE)
CHORALE_H5_TYPE(float, H5T_IEEE_F32LE, H5T_NATIVE_FLOAT)
CHORALE_H5_TYPE(std::int8_t, H5T_STD_I8LE, H5T_NATIVE_INT8)
CHORALE_H5_TYPE(std::int16_t, H5T_STD_I16LE, H5T_NATIVE_INT16)
CHORALE_H5_TYPE(std::int32_t, H5T_STD_I32LE, H5T_NATIVE_INT32)
CHORALE_H5_TYPE(std::int64_t, H5T_STD_I64LE, H5T_NATIVE_INT64)
#undef CHORALE_H5_TYPE

MemoryFile::MemoryFile() {
  const Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  H5Pset_fapl_core(access, std::size_t{1} << 20, false);
  const Handle creation(H5Pcreate(H5P_FILE_CREATE), H5Pclose);
  H5Pset_obj_track_times(creation, false);
  file_ = check(H5Fcreate("memory", H5F_ACC_TRUNC, creation, access), H5Fclose, "HDF5 file cannot be made",
                "memory");
  // Only the objects in it take the newer format, which lets attributes outgrow 64 KiB. A newer superblock would carry
  // a mark "open for writing", which H5Fget_file_image of 1.10.8 clears without mending the superblock's checksum.
  H5Fset_libver_bounds(file_, H5F_LIBVER_V110, H5F_LIBVER_V110);
}

std::vector<std::byte> MemoryFile::bytes() {
  if (H5Fflush(file_, H5F_SCOPE_GLOBAL) < 0) fail("HDF5 file cannot be flushed", "memory");
  const ssize_t size = H5Fget_file_image(file_, nullptr, 0);
  if (size < 0) fail("HDF5 file image cannot be taken", "memory");
  std::vector<std::byte> image(static_cast<std::size_t>(size));
  if (H5Fget_file_image(file_, image.data(), image.size()) < 0)
    fail("HDF5 file image cannot be taken", "memory");
  return image;
}

Image::Image(std::span<const std::byte> bytes, const std::string& name_for_messages) : bytes_(bytes) {
  constexpr unsigned flags = H5LT_FILE_IMAGE_DONT_COPY | H5LT_FILE_IMAGE_DONT_RELEASE;
  // the image is opened read-only, so the library does not write through this pointer
  void* image = const_cast<std::byte*>(bytes.data());
  file_ = check(H5LTopen_file_image(image, bytes.size(), flags), H5Fclose, "not a readable HDF5 file",
                name_for_messages);
}

Handle open_file(const std::string& path) {
  const Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
#if H5_VERSION_GE(1, 10, 7)
  H5Pset_file_locking(access, false, true);  // nobody writes to a shard, and some file systems cannot lock
#endif
  return check(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access), H5Fclose, "not a readable HDF5 file", path);
}

Handle make_group(hid_t parent, const char* name) {
  const Handle plist(H5Pcreate(H5P_GROUP_CREATE), H5Pclose);
  H5Pset_obj_track_times(plist, false);
  return check(H5Gcreate2(parent, name, H5P_DEFAULT, plist, H5P_DEFAULT), H5Gclose, "group cannot be made",
               path_of(parent, name));
}

Handle open_group(hid_t parent, const std::string& name) {
  return check(H5Gopen2(parent, name.c_str(), H5P_DEFAULT), H5Gclose, "group is missing",
               path_of(parent, name));
}

bool exists(hid_t parent, const char* name) {
  return H5Lexists(parent, name, H5P_DEFAULT) > 0;
}

Kind kind_of(hid_t parent, const std::string& name) {
  const Handle type(H5Dget_type(open_set(parent, name).set), H5Tclose);
  switch (H5Tget_class(type)) {
    case H5T_INTEGER:
      return H5Tget_size(type) == sizeof(std::int32_t) ? Kind::whole32 : Kind::whole;
    case H5T_FLOAT:
      return Kind::real;
    case H5T_STRING:
      return Kind::text;
    default:
      fail("dataset is neither numbers nor text", path_of(parent, name));
  }
}

template <class T>
void write(hid_t parent, const std::string& name, std::span<const T> values) {
  write_block(parent, name, stored_type<T>(), memory_type<T>(), values.data(), values.size());
}
template void write(hid_t, const std::string&, std::span<const double>);
template void write(hid_t, const std::string&, std::span<const float>);
template void write(hid_t, const std::string&, std::span<const std::int8_t>);
template void write(hid_t, const std::string&, std::span<const std::int16_t>);
template void write(hid_t, const std::string&, std::span<const std::int32_t>);
template void write(hid_t, const std::string&, std::span<const std::int64_t>);

void write_strings(hid_t parent, const std::string& name, std::span<const std::string> values) {
  const std::size_t length = longest(values);
  const Handle type = string_type(length);
  const auto block = pad(values, length);
  write_block(parent, name, type, type, block.data(), values.size());
}

void write_virtual(hid_t parent, const std::string& name, hid_t like,
                   std::span<const VirtualSource> sources) {
  const std::string in = path_of(parent, name);
  hsize_t total = 0;
  for (const auto& source : sources) total += static_cast<hsize_t>(source.n);
  const Handle space(H5Screate_simple(1, &total, nullptr), H5Sclose);
  const Handle plist(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
  H5Pset_layout(plist, H5D_VIRTUAL);
  H5Pset_obj_track_times(plist, false);
  hsize_t first = 0;
  for (const auto& source : sources) {
    const auto n = static_cast<hsize_t>(source.n);
    if (n == 0) continue;
    const Handle theirs(H5Screate_simple(1, &n, nullptr), H5Sclose);
    if (H5Sselect_hyperslab(space, H5S_SELECT_SET, &first, nullptr, &n, nullptr) < 0 ||
        H5Pset_virtual(plist, space, source.file.c_str(), name.c_str(), theirs) < 0)
      fail("virtual dataset cannot be made", in);
    first += n;
  }
  H5Sselect_all(space);
  const Handle type(H5Dget_type(open_set(like, name).set), H5Tclose);
  check(H5Dcreate2(parent, name.c_str(), type, space, H5P_DEFAULT, plist, H5P_DEFAULT), H5Dclose,
        "dataset cannot be made", in);
}

Index length(hid_t parent, const std::string& name) {
  return static_cast<Index>(open_set(parent, name).n);
}

template <class T>
std::vector<T> read(hid_t parent, const std::string& name) {
  const Opened opened = open_set(parent, name);
  std::vector<T> values(opened.n);
  read_block(opened, memory_type<T>(), values.data());
  return values;
}
template std::vector<double> read(hid_t, const std::string&);
template std::vector<float> read(hid_t, const std::string&);
template std::vector<std::int8_t> read(hid_t, const std::string&);
template std::vector<std::int16_t> read(hid_t, const std::string&);
template std::vector<std::int32_t> read(hid_t, const std::string&);
template std::vector<std::int64_t> read(hid_t, const std::string&);

std::vector<std::string> read_strings(hid_t parent, const std::string& name) {
  const Opened opened = open_set(parent, name);
  const std::size_t length = string_length(opened);
  const Handle type = string_type(length);
  std::vector<char> block(opened.n * length);
  read_block(opened, type, block.data());
  return unpad(block, opened.n, length);
}

template <class T>
std::vector<T> read(const Image& image, const std::string& path) {
  const Opened opened = open_set(image, path);
  std::vector<T> values(opened.n);
  const auto copy = [&](std::span<const std::byte> data, std::size_t first) {
    std::memcpy(values.data() + first, data.data(),
                std::min(data.size(), (values.size() - first) * sizeof(T)));
  };
  const Handle stored(H5Dget_type(opened.set), H5Tclose);
  const bool same_type = H5Tequal(stored, memory_type<T>()) > 0;
  if (!same_type || !for_each_chunk(image, opened, sizeof(T), copy))
    read_block(opened, memory_type<T>(), values.data());
  return values;
}
template std::vector<double> read(const Image&, const std::string&);
template std::vector<float> read(const Image&, const std::string&);
template std::vector<std::int8_t> read(const Image&, const std::string&);
template std::vector<std::int16_t> read(const Image&, const std::string&);
template std::vector<std::int32_t> read(const Image&, const std::string&);
template std::vector<std::int64_t> read(const Image&, const std::string&);

std::vector<std::string> read_strings(const Image& image, const std::string& path) {
  const Opened opened = open_set(image, path);
  const std::size_t length = string_length(opened);
  std::vector<std::string> values;
  values.reserve(opened.n);
  const auto cut = [&](std::span<const std::byte> data, std::size_t) {
    const std::size_t n = std::min(data.size() / length, opened.n - values.size());
    append_unpadded(values, reinterpret_cast<const char*>(data.data()), n, length);
  };
  return for_each_chunk(image, opened, length, cut) ? values : read_strings(static_cast<hid_t>(image), path);
}

void set_attribute(hid_t object, const char* name, const std::string& value) {
  const Handle type = string_type(value.size());
  const Handle space(H5Screate(H5S_SCALAR), H5Sclose);
  put_attribute(object, name, type, space, value.empty() ? "" : value.data());
}

void set_attribute(hid_t object, const char* name, std::int64_t value) {
  const Handle space(H5Screate(H5S_SCALAR), H5Sclose);
  put_attribute(object, name, H5T_STD_I64LE, space, &value);
}

void set_attribute(hid_t object, const char* name, std::span<const std::string> values) {
  const std::size_t length = longest(values);
  const hsize_t n = values.size();
  const Handle type = string_type(length);
  const Handle space(H5Screate_simple(1, &n, nullptr), H5Sclose);
  put_attribute(object, name, type, space, pad(values, length).data());
}

std::vector<std::string> texts_attribute(hid_t object, const char* name) {
  const std::string in = path_of(object, name);
  const Handle attribute = check(H5Aopen(object, name, H5P_DEFAULT), H5Aclose, "attribute is missing", in);
  const Handle stored(H5Aget_type(attribute), H5Tclose);
  const Handle space(H5Aget_space(attribute), H5Sclose);
  if (H5Tget_class(stored) != H5T_STRING || H5Tis_variable_str(stored) != 0)
    fail("attribute does not hold fixed-length strings", in);
  const std::size_t length = H5Tget_size(stored);
  const auto n = static_cast<std::size_t>(H5Sget_simple_extent_npoints(space));
  std::vector<char> block(std::max<std::size_t>(n * length, 1));
  if (n > 0 && H5Aread(attribute, string_type(length), block.data()) < 0)
    fail("attribute cannot be read", in);
  return unpad(block, n, length);
}

std::string text_attribute(hid_t object, const char* name) {
  const auto values = texts_attribute(object, name);
  if (values.size() != 1) fail("attribute is not a single text", path_of(object, name));
  return values.front();
}

void describe(hid_t parent, const std::string& name, const char* attribute, const std::string& value) {
  set_attribute(open_set(parent, name).set, attribute, value);
}
void describe(hid_t parent, const std::string& name, const char* attribute,
              std::span<const std::string> values) {
  set_attribute(open_set(parent, name).set, attribute, values);
}
std::string description(hid_t parent, const std::string& name, const char* attribute) {
  return text_attribute(open_set(parent, name).set, attribute);
}

}  // namespace chorale::io::h5
