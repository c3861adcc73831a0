// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "io/model_file.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "io/file.hpp"
#include "kernels/error.hpp"

namespace chorale::io {
namespace {

using Json = nlohmann::ordered_json;
using Kind = ModelFile::Kind;

constexpr const char* format_name = "chorale-model";
constexpr int model_version = 1;
constexpr std::array kinds{std::pair{Kind::number, std::string_view("number")},
                           std::pair{Kind::log10, std::string_view("log10")},
                           std::pair{Kind::category, std::string_view("category")},
                           std::pair{Kind::feature, std::string_view("feature")}};

[[noreturn]] void refuse(std::string what, std::string found = {}) {
  throw InputError({.what = std::move(what), .found = std::move(found)});
}

Json optional_number(const std::optional<double>& value) {
  return value ? Json(*value) : Json(nullptr);
}
std::optional<double> optional_number(const Json& value) {
  return value.is_null() ? std::nullopt : std::optional(value.get<double>());
}

Kind kind_of(const std::string& name) {
  for (const auto& [kind, word] : kinds)
    if (word == name) return kind;
  refuse("unknown kind of variable", name);
}

void require_variables(const ModelFile& model) {
  std::set<std::string> names;
  for (const auto& variable : model.variables)
    if (variable.name.empty() || !names.insert(variable.name).second)
      refuse("variables have no name, or the same one", variable.name);
}

void require_terms(const ModelFile& model) {
  const auto n_variables = static_cast<Index>(model.variables.size());
  for (const auto& term : model.terms) {
    if (term.variable < 0 || term.variable >= n_variables)
      refuse("term of a variable that is not there", term.name);
    const auto& variable = model.variables[static_cast<std::size_t>(term.variable)];
    const auto& levels = variable.levels;
    const bool of_level = variable.kind == Kind::category && !term.indicates_missing;
    if (of_level ? std::find(levels.begin(), levels.end(), term.level) == levels.end() : !term.level.empty())
      refuse("term of a level that its variable does not have", term.name);
    if (term.indicates_missing && !term.when_missing)
      refuse("term of who misses a variable, without a value for them", term.name);
  }
}

void require_baselines(const ModelFile& model) {
  if (model.baselines.empty()) refuse("there is no baseline hazard");
  std::set<std::string> strata;
  for (const auto& baseline : model.baselines) {
    if (baseline.stratum.empty() != model.strata.empty() || !strata.insert(baseline.stratum).second)
      refuse("baseline hazards do not fit the strata", baseline.stratum);
    if (baseline.time.size() != baseline.cumulative.size() ||
        !std::is_sorted(baseline.time.begin(), baseline.time.end()) ||
        !std::is_sorted(baseline.cumulative.begin(), baseline.cumulative.end()) ||
        (!baseline.cumulative.empty() && baseline.cumulative.front() < 0))
      refuse("baseline hazard does not ascend", baseline.stratum);
  }
}

void require_sound(const ModelFile& model) {
  require_variables(model);
  require_terms(model);
  require_baselines(model);
  if (!std::is_sorted(model.group_cuts.begin(), model.group_cuts.end()))
    refuse("cut points of the risk groups do not ascend");
  if (std::adjacent_find(model.horizons.begin(), model.horizons.end(), std::greater_equal<>()) !=
      model.horizons.end())
    refuse("horizons do not ascend");
}

ModelFile parse(const Json& in) {
  ModelFile model;
  in.at("made_by").get_to(model.made_by);
  const Json& origin = in.at("made_from");
  origin.at("cohort").get_to(model.cohort);
  origin.at("fingerprint").get_to(model.fingerprint);
  origin.at("patients").get_to(model.n_patients);
  origin.at("events").get_to(model.n_events);
  in.at("endpoint").get_to(model.endpoint);
  in.at("class_set").get_to(model.class_set);
  in.at("classes").get_to(model.classes);
  in.at("strata").get_to(model.strata);
  in.at("procedure").get_to(model.procedure);
  for (const Json& v : in.at("variables"))
    model.variables.push_back({.name = v.at("name"),
                               .kind = kind_of(v.at("kind")),
                               .unit = v.at("unit"),
                               .levels = v.at("levels").get<std::vector<std::string>>()});
  for (const Json& t : in.at("terms"))
    model.terms.push_back({.name = t.at("name"),
                           .variable = t.at("variable"),
                           .level = t.at("level"),
                           .indicates_missing = t.at("indicates_missing"),
                           .coefficient = t.at("coefficient"),
                           .when_missing = optional_number(t.at("when_missing"))});
  in.at("centre").get_to(model.centre);
  for (const Json& b : in.at("baseline"))
    model.baselines.push_back({.stratum = b.at("stratum"),
                               .time = b.at("time").get<std::vector<double>>(),
                               .cumulative = b.at("cumulative_hazard").get<std::vector<double>>()});
  in.at("group_cuts").get_to(model.group_cuts);
  in.at("horizons").get_to(model.horizons);
  for (const Json& p : in.at("performance"))
    model.performance.push_back({.measure = p.at("measure"),
                                 .horizon = optional_number(p.at("horizon")),
                                 .apparent = optional_number(p.at("apparent")),
                                 .corrected = optional_number(p.at("corrected"))});
  return model;
}

}  // namespace

std::string_view name_of(Kind kind) {
  return kinds[static_cast<std::size_t>(kind)].second;
}

std::string to_text(const ModelFile& model) {
  Json out;
  out["format"] = format_name;
  out["version"] = model_version;
  out["made_by"] = model.made_by;
  out["made_from"] = {{"cohort", model.cohort},
                      {"fingerprint", model.fingerprint},
                      {"patients", model.n_patients},
                      {"events", model.n_events}};
  out["endpoint"] = model.endpoint;
  out["class_set"] = model.class_set;
  out["classes"] = model.classes;
  out["strata"] = model.strata;
  out["procedure"] = model.procedure;
  out["formula"] =
      "linear predictor = sum of coefficient x value; S(t) = exp(-cumulative_hazard(t) x exp(linear "
      "predictor - "
      "centre)); days";
  Json& variables = out["variables"] = Json::array();
  for (const auto& v : model.variables)
    variables.push_back(
        {{"name", v.name}, {"kind", name_of(v.kind)}, {"unit", v.unit}, {"levels", v.levels}});
  Json& terms = out["terms"] = Json::array();
  for (const auto& t : model.terms)
    terms.push_back({{"name", t.name},
                     {"variable", t.variable},
                     {"level", t.level},
                     {"indicates_missing", t.indicates_missing},
                     {"coefficient", t.coefficient},
                     {"when_missing", optional_number(t.when_missing)}});
  out["centre"] = model.centre;
  Json& baselines = out["baseline"] = Json::array();
  for (const auto& b : model.baselines)
    baselines.push_back({{"stratum", b.stratum}, {"time", b.time}, {"cumulative_hazard", b.cumulative}});
  out["group_cuts"] = model.group_cuts;
  out["horizons"] = model.horizons;
  Json& performance = out["performance"] = Json::array();
  for (const auto& p : model.performance)
    performance.push_back({{"measure", p.measure},
                           {"horizon", optional_number(p.horizon)},
                           {"apparent", optional_number(p.apparent)},
                           {"corrected", optional_number(p.corrected)}});
  return out.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

ModelFile parse_model(std::string_view text, const std::string& name) {
  const auto refuse_file = [&](std::string what, std::string found, std::string expected) {
    throw InputError({.what = std::move(what),
                      .found = std::move(found),
                      .expected = std::move(expected),
                      .in = name,
                      .remedy = "name the model.json of a finished prognosis job"});
  };
  const Json in = Json::parse(text, nullptr, false);
  const auto stands_in = [&](const char* key) {
    return in.is_object() && in.contains(key) ? in[key] : Json(nullptr);
  };
  if (stands_in("format") != format_name)
    refuse_file("not a prognostic model",
                in.is_discarded() ? "no JSON, or a part of it" : "another kind of file",
                std::string("JSON of format ") + format_name);
  if (stands_in("version") != model_version)
    refuse_file("model of another version", "version " + stands_in("version").dump(),
                fmt::format("version {}", model_version));
  ModelFile model;
  try {
    model = parse(in);
    require_sound(model);
  } catch (const Json::exception& problem) {
    refuse_file("the model is not complete", problem.what(), "the file as it was written");
  } catch (const InputError& problem) {
    refuse_file(problem.text().what, problem.text().found, "the file as it was written");
  }
  return model;
}

ModelFile read_model(const std::filesystem::path& path) {
  return parse_model(read_text(path), path.string());
}

}  // namespace chorale::io
