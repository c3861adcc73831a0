// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "io/config/schema.hpp"

#include <fmt/format.h>

namespace chorale::io {
namespace {

std::string facts(const FieldInfo& field) {
  std::string text = field.type;
  if (!field.unit.empty()) text += ", " + field.unit;
  if (!field.range.empty()) text += ", " + field.range;
  return text;
}

}  // namespace

std::string toml_template(const std::string& table, const std::string& help,
                          const std::vector<FieldInfo>& fields) {
  std::string text;
  if (!help.empty()) text += "# " + help + "\n";
  if (!table.empty()) text += "[" + table + "]\n";
  for (const FieldInfo& field : fields) {
    const bool nested = field.key.find('.') != std::string::npos;
    const bool active = !field.default_value.empty() && !nested;
    const std::string assignment = fmt::format("{} = {}", field.key, field.default_value);
    text += fmt::format("{:<40} # {} ({})\n",
                        active   ? assignment
                        : nested ? "#   " + field.key
                                 : "# " + field.key + " = …",
                        field.help, facts(field));
  }
  return text;
}

std::string reference_section(const std::string& table, const std::string& help,
                              const std::vector<FieldInfo>& fields) {
  std::string text = table.empty() ? "" : "## [" + table + "]\n\n";
  if (!help.empty()) text += help + "\n\n";
  text += "| key | default | type, unit, range | meaning |\n|---|---|---|---|\n";
  for (const FieldInfo& field : fields)
    text += fmt::format("| `{}` | {} | {} | {} |\n", field.key,
                        field.default_value.empty() ? "none" : "`" + field.default_value + "`", facts(field),
                        field.help);
  return text;
}

}  // namespace chorale::io
