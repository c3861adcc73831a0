// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/error.hpp"

#include <utility>

namespace chorale {
namespace {

std::string compose(const ErrorText& text) {
  std::string message = text.what;
  if (!text.found.empty() || !text.expected.empty()) {
    message += " (";
    if (!text.found.empty()) message += "found " + text.found;
    if (!text.found.empty() && !text.expected.empty()) message += ", ";
    if (!text.expected.empty()) message += "expected " + text.expected;
    message += ")";
  }
  if (!text.in.empty()) message += "\n  in   " + text.in;
  if (!text.remedy.empty()) message += "\n  try  " + text.remedy;
  return message;
}

}  // namespace

Error::Error(ErrorText text, int exit_code)
    : std::runtime_error(compose(text)), text_(std::move(text)), exit_code_(exit_code) {}

void require_size(const char* what, std::size_t found, Index expected) {
  if (static_cast<Index>(found) == expected) return;
  throw ShapeError({.what = what, .found = std::to_string(found), .expected = std::to_string(expected)});
}

}  // namespace chorale
