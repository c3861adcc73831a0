// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "io/results.hpp"

namespace chorale::io::report {

/// A table of results: caption, header cells with units, rows (the first or strongest ones when there are many, and
/// how many of how many), and what each column means.
std::string html_table(const ResultTable& table);

/// Link to the text file that holds the whole table, beside the page.
std::string link_to_file(const ResultTable& table);

/// Keys and values side by side.
std::string fact_list(const std::vector<std::pair<std::string, std::string>>& facts);

/// A complete page around `body`: style sheet and a script of a few lines that sorts tables; nothing is fetched.
std::string page(const std::string& title, const std::string& body);

}  // namespace chorale::io::report
