// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <sstream>
#include <string>
#include <utility>

#include <boost/archive/binary_iarchive.hpp>
#include <boost/archive/binary_oarchive.hpp>

namespace chorale::jobs {

/// A value as a text of bytes, as briefs carry it.
template <class T>
std::string pack(const T& value) {
  std::ostringstream out;
  boost::archive::binary_oarchive archive(out, boost::archive::no_header);
  archive << value;
  return std::move(out).str();
}

template <class T>
T unpack(const std::string& bytes) {
  std::istringstream in(bytes);
  boost::archive::binary_iarchive archive(in, boost::archive::no_header);
  T value;
  archive >> value;
  return value;
}

}  // namespace chorale::jobs
