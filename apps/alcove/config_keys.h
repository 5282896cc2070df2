#pragma once
// The table behind config.h: what each key is called, what it is by default, and how it is set.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "alcove/config.h"

namespace alcove::app {

using Value = std::variant<bool, std::int64_t, double, std::string, std::vector<std::string>>;

enum class ValueKind { kBoolean, kInteger, kNumber, kText, kList };

struct Key {
  std::string_view name;
  std::string_view default_value;
  ValueKind kind;
  // The value has the key's kind. What is wrong with it, or nothing.
  std::optional<std::string> (*set)(Config& config, const Value& value);
};

std::span<const Key> key_table();
const Key* find_key(std::string_view name);
// "a number", for messages.
std::string_view describe(ValueKind kind);
// The known key that is nearest to a mistyped one; empty when none is near.
std::string_view nearest_key(std::string_view name);

}  // namespace alcove::app
