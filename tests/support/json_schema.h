#pragma once
// As much of JSON Schema 2020-12 as docs/audit-report.schema.json uses. An unknown keyword is a
// fault, so that a schema cannot ask for what is not checked.

#include <nlohmann/json.hpp>
#include <regex>
#include <string>
#include <vector>

namespace alcove::test {

class JsonSchema {
 public:
  explicit JsonSchema(nlohmann::json schema) : root_(std::move(schema)) {}

  // What is wrong, each with its place; empty when valid.
  std::vector<std::string> faults(const nlohmann::json& value) const {
    std::vector<std::string> found;
    check(root_, value, "$", found);
    return found;
  }

 private:
  using Json = nlohmann::json;
  using Faults = std::vector<std::string>;

  static bool has_type(const std::string& type, const Json& value) {
    return (type == "object" && value.is_object()) || (type == "array" && value.is_array()) ||
           (type == "string" && value.is_string()) || (type == "boolean" && value.is_boolean()) ||
           (type == "null" && value.is_null()) ||
           (type == "integer" && value.is_number_integer()) ||
           (type == "number" && value.is_number());
  }

  void check_type(const Json& type, const Json& value, const std::string& where,
                  Faults& found) const {
    const Json types = type.is_array() ? type : Json::array({type});
    for (const Json& one : types)
      if (has_type(one, value)) return;
    found.push_back(where + ": not of type " + type.dump());
  }

  void check_object(const Json& schema, const Json& value, const std::string& where,
                    Faults& found) const {
    for (const Json& name : schema.value("required", Json::array()))
      if (!value.contains(name)) found.push_back(where + ": without " + name.dump());
    const Json properties = schema.value("properties", Json::object());
    for (const auto& [name, member] : value.items()) {
      if (properties.contains(name))
        check(properties[name], member, where + "." + name, found);
      else if (!schema.value("additionalProperties", true))
        found.push_back(where + ": " + name + " is not in the schema");
    }
  }

  void check(const Json& schema, const Json& value, const std::string& where, Faults& found) const {
    for (const auto& [keyword, rule] : schema.items()) {
      if (keyword == "$ref") {
        check(root_.at(Json::json_pointer(rule.get<std::string>().substr(1))), value, where, found);
      } else if (keyword == "type") {
        check_type(rule, value, where, found);
      } else if (keyword == "const") {
        if (value != rule) found.push_back(where + ": not " + rule.dump());
      } else if (keyword == "enum") {
        if (std::find(rule.begin(), rule.end(), value) == rule.end())
          found.push_back(where + ": not one of " + rule.dump());
      } else if (keyword == "minimum") {
        if (value.is_number() && value < rule) found.push_back(where + ": below " + rule.dump());
      } else if (keyword == "pattern") {
        if (value.is_string() &&
            !std::regex_search(value.get<std::string>(), std::regex(rule.get<std::string>())))
          found.push_back(where + ": not like " + rule.dump());
      } else if (keyword == "items") {
        for (std::size_t i = 0; value.is_array() && i < value.size(); ++i)
          check(rule, value[i], where + "[" + std::to_string(i) + "]", found);
      } else if (!known(keyword)) {
        found.push_back(where + ": this test does not know the keyword " + keyword);
      }
    }
    if (value.is_object()) check_object(schema, value, where, found);
  }
  static bool known(const std::string& keyword) {
    for (const char* other : {"$schema", "$defs", "title", "description", "required", "properties",
                              "additionalProperties"})
      if (keyword == other) return true;
    return false;
  }

  Json root_;
};

}  // namespace alcove::test
