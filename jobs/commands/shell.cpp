// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "jobs/commands/shell.hpp"

#include <cstdio>

#include <sys/wait.h>

namespace chorale::jobs {

std::string quoted(const std::string& word) {
  constexpr const char* plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";
  if (!word.empty() && word.find_first_not_of(plain) == std::string::npos) return word;
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

std::string quoted(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : " ") + quoted(word);
  return text;
}

Said ask(const std::vector<std::string>& command) {
  Said said;
  std::FILE* pipe = ::popen((quoted(command) + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return {.code = 127, .text = "no process could be started"};
  char piece[4096];
  while (const std::size_t n = std::fread(piece, 1, sizeof piece, pipe)) said.text.append(piece, n);
  const int status = ::pclose(pipe);
  said.code = WIFEXITED(status) ? WEXITSTATUS(status) : 1;
  while (!said.text.empty() && said.text.back() == '\n') said.text.pop_back();
  return said;
}

}  // namespace chorale::jobs
