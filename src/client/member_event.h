#pragma once
// What happened to a member, once for people (a sentence) and once for scripts (a name and fields,
// one JSON object a line). docs/alcove-client.md lists the names and fields. Any thread.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace alcove::client {

using EventValue = std::variant<bool, std::int64_t, double, std::string>;

struct MemberEvent {
  std::string name;
  std::vector<std::pair<std::string, EventValue>> fields;
  // One line; empty where a person need not know.
  std::string text;

  const EventValue* find(std::string_view field) const;
};

// {"event":"name","field":value,…} without a line feed, RFC 8259. Texts are UTF-8; what is not is
// replaced by U+FFFD. An infinite or undefined number is null.
std::string to_json(const MemberEvent& event);

// "text" as in a JSON document, under the same rules.
std::string json_string(std::string_view text);

}  // namespace alcove::client
