// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <hdf5.h>

#include "kernels/types.hpp"

/// HDF5 as this layer uses it: whole files in memory, one-dimensional datasets, fletcher32 on each of them.
/// Include from io/*.cpp only.
namespace chorale::io::h5 {

/// An HDF5 identifier with its closing function.
class Handle {
 public:
  Handle() = default;
  Handle(hid_t id, herr_t (*close)(hid_t)) : id_(id), close_(close) {}
  ~Handle() { reset(); }
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)), close_(other.close_) {}
  Handle& operator=(Handle&& other) noexcept {
    reset();
    id_ = std::exchange(other.id_, -1);
    close_ = other.close_;
    return *this;
  }
  operator hid_t() const { return id_; }
  void reset() {
    if (id_ >= 0) close_(id_);
    id_ = -1;
  }

 private:
  hid_t id_ = -1;
  herr_t (*close_)(hid_t) = nullptr;
};

/// The stored type of a C++ value: little-endian, as wide as the value.
template <class T>
hid_t stored_type();
/// The same in memory.
template <class T>
hid_t memory_type();

/// A file that is built in memory; `bytes()` is what belongs on disk. Equal calls give equal bytes.
class MemoryFile {
 public:
  MemoryFile();
  hid_t id() const { return file_; }
  std::vector<std::byte> bytes();

 private:
  Handle file_;
};

/// A file image opened for reading; `bytes` must outlive it.
class Image {
 public:
  /// Throws   StoreError when the bytes are no HDF5 file
  Image(std::span<const std::byte> bytes, const std::string& name_for_messages);
  operator hid_t() const { return file_; }
  std::span<const std::byte> bytes() const { return bytes_; }

 private:
  std::span<const std::byte> bytes_;
  Handle file_;
};

/// A file opened for reading, datasets one by one.
/// Throws   StoreError when it is no HDF5 file
Handle open_file(const std::string& path);

Handle make_group(hid_t parent, const char* name);
Handle open_group(hid_t parent, const std::string& name);
bool exists(hid_t parent, const char* name);

/// What a dataset holds, by its stored type.
enum class Kind { whole, whole32, real, text };
Kind kind_of(hid_t parent, const std::string& name);

/// Datasets are one chunk up to a mebibyte of elements, unpacked, with fletcher32.
template <class T>
void write(hid_t parent, const std::string& name, std::span<const T> values);
void write_strings(hid_t parent, const std::string& name, std::span<const std::string> values);

/// A dataset that shows others, one after another: those of the same path in other files, which are named relative to
/// this one. Its type is that of `like`/name.
struct VirtualSource {
  std::string file;
  Index n = 0;  ///< elements
};
void write_virtual(hid_t parent, const std::string& name, hid_t like, std::span<const VirtualSource> sources);
Index length(hid_t parent, const std::string& name);

template <class T>
std::vector<T> read(hid_t parent, const std::string& name);
std::vector<std::string> read_strings(hid_t parent, const std::string& name);

/// The same from an image. Chunks are checked and copied where they lie, which spares HDF5's copies and its slower
/// checksum; whatever does not look as write() left it goes through HDF5.
template <class T>
std::vector<T> read(const Image& image, const std::string& path);
std::vector<std::string> read_strings(const Image& image, const std::string& path);

void set_attribute(hid_t object, const char* name, const std::string& value);
void set_attribute(hid_t object, const char* name, std::int64_t value);
void set_attribute(hid_t object, const char* name, std::span<const std::string> values);

/// Text attributes read back. Throws StoreError when there is none of that name or it is not fixed-length text.
std::string text_attribute(hid_t object, const char* name);
std::vector<std::string> texts_attribute(hid_t object, const char* name);

/// Attribute of the dataset PARENT/NAME.
void describe(hid_t parent, const std::string& name, const char* attribute, const std::string& value);
void describe(hid_t parent, const std::string& name, const char* attribute,
              std::span<const std::string> values);
std::string description(hid_t parent, const std::string& name, const char* attribute);

}  // namespace chorale::io::h5
