#include "client/member_event.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"

namespace alcove::client {

namespace {

// The length of the UTF-8 sequence at the start of text, 0 when it is not one.
std::size_t sequence_length(std::string_view text) {
  const auto first = static_cast<unsigned char>(text.front());
  const std::size_t length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  return length <= text.size() && base::is_utf8(text.substr(0, length)) ? length : 0;
}

void append_string(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    const char c = text.front();
    if (length == 0) {
      out += "\\ufffd";
    } else if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  out += '"';
}

struct ValueWriter {
  std::string& out;
  void operator()(bool value) const { out += value ? "true" : "false"; }
  void operator()(std::int64_t value) const { out += fmt::format("{}", value); }
  void operator()(double value) const {
    out += std::isfinite(value) ? fmt::format("{:.10g}", value) : "null";
  }
  void operator()(const std::string& value) const { append_string(out, value); }
};

}  // namespace

const EventValue* MemberEvent::find(std::string_view field) const {
  const auto found =
      std::ranges::find_if(fields, [&](const auto& one) { return one.first == field; });
  return found == fields.end() ? nullptr : &found->second;
}

std::string json_string(std::string_view text) {
  std::string out;
  append_string(out, text);
  return out;
}

std::string to_json(const MemberEvent& event) {
  std::string out = "{\"event\":";
  append_string(out, event.name);
  for (const auto& [name, value] : event.fields) {
    out += ',';
    append_string(out, name);
    out += ':';
    std::visit(ValueWriter{out}, value);
  }
  out += '}';
  return out;
}

}  // namespace alcove::client
