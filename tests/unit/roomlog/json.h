#pragma once
// Writes the JSON of tests/vectors: objects keep the order in which they are given.

#include <concepts>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/text.h"

namespace alcove::roomlog_test {

class Json {
 public:
  using Members = std::vector<std::pair<std::string, Json>>;
  Json(std::string text) : text_(quote(text)) {}  // NOLINT(google-explicit-constructor)
  Json(const char* text) : Json(std::string(text)) {}
  Json(std::string_view text) : Json(std::string(text)) {}
  Json(bool value) : text_(value ? "true" : "false") {}
  template <std::integral Number>
  Json(Number value) : text_(std::to_string(value)) {}
  Json(Members members) : members_(std::move(members)), kind_(Kind::kObject) {}
  Json(std::vector<Json> items) : items_(std::move(items)), kind_(Kind::kArray) {}
  static Json hex(base::Bytes bytes) { return {base::to_hex(bytes)}; }
  static Json hex(const std::string& bytes) { return hex(base::as_bytes(bytes)); }

  std::string to_text(std::size_t indent = 0) const {
    if (kind_ == Kind::kLeaf) return text_;
    const std::string inner(indent + 2, ' ');
    std::string out;
    const auto begin_item = [&] { out += (out.empty() ? "\n" : ",\n") + inner; };
    for (const auto& [name, value] : members_) {
      begin_item();
      out += quote(name) + ": " + value.to_text(indent + 2);
    }
    for (const Json& item : items_) {
      begin_item();
      out += item.to_text(indent + 2);
    }
    if (!out.empty()) out += "\n" + std::string(indent, ' ');
    return kind_ == Kind::kObject ? "{" + out + "}" : "[" + out + "]";
  }

 private:
  enum class Kind { kLeaf, kObject, kArray };
  static std::string quote(const std::string& text) {
    std::string out = "\"";
    for (const char c : text) {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
    return out + "\"";
  }
  std::string text_;
  Members members_;
  std::vector<Json> items_;
  Kind kind_ = Kind::kLeaf;
};

}  // namespace alcove::roomlog_test
