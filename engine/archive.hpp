// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <sstream>
#include <streambuf>
#include <string>
#include <utility>

#include <boost/archive/binary_iarchive.hpp>
#include <boost/archive/binary_oarchive.hpp>

namespace chorale::engine {

/// Counts what is written to it, or keeps it in a text.
class ArchiveBytes : public std::streambuf {
 public:
  explicit ArchiveBytes(std::string* text = nullptr) : text_(text) {}
  std::size_t n_bytes() const { return n_bytes_; }

 protected:
  std::streamsize xsputn(const char* bytes, std::streamsize n) override {
    n_bytes_ += static_cast<std::size_t>(n);
    if (text_ != nullptr) text_->append(bytes, static_cast<std::size_t>(n));
    return n;
  }
  int_type overflow(int_type byte) override {
    const char one = traits_type::to_char_type(byte);
    xsputn(&one, 1);
    return byte;
  }

 private:
  std::string* text_;
  std::size_t n_bytes_ = 0;
};

/// A value as an archive, in just the memory that it needs: a text that grows would hold up to twice as much, and a rank
/// holds many parts.
template <class T>
std::string to_archive(const T& value) {
  ArchiveBytes count;
  boost::archive::binary_oarchive(count, boost::archive::no_header) << value;
  std::string text;
  text.reserve(count.n_bytes());
  ArchiveBytes bytes(&text);
  boost::archive::binary_oarchive(bytes, boost::archive::no_header) << value;
  return text;
}

template <class T>
T from_archive(std::string bytes) {
  T value;
  std::istringstream in(std::move(bytes));
  boost::archive::binary_iarchive archive(in, boost::archive::no_header);
  archive >> value;
  return value;
}

}  // namespace chorale::engine
