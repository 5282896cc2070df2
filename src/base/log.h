#pragma once
// Structured logs in which no address, name, title, token or key can appear: a field's value is a
// number, a truth value, or text known at compile time. Free text does not convert. Any thread.

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

namespace alcove::base {

// Text from the source code, never from the outside.
class Literal {
 public:
  consteval Literal(const char* text)
      : text_(text) {}  // NOLINT(google-explicit-constructor): reads as text
  constexpr std::string_view view() const { return text_; }

 private:
  std::string_view text_;
};

struct LogField {
  template <std::integral T>
    requires(!std::same_as<T, bool>)
  LogField(Literal field_name, T number)
      : name(field_name), value(static_cast<std::int64_t>(number)) {}
  // A template, so that no pointer converts to a truth value: text must reach the Literal below.
  template <std::same_as<bool> T>
  LogField(Literal field_name, T truth) : name(field_name), value(truth) {}
  LogField(Literal field_name, double number) : name(field_name), value(number) {}
  LogField(Literal field_name, Literal text) : name(field_name), value(text) {}

  Literal name;
  std::variant<std::int64_t, bool, double, Literal> value;
};

enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarning, kError };

// Receives one finished line without a time and without a line feed: `level event key=value …`.
using LogSink = void (*)(LogLevel level, std::string_view line);

// Both once at start-up, before other threads run. The default sink drops everything.
void set_log_sink(LogSink sink);
void set_log_level(LogLevel level);

void log(LogLevel level, Literal event, std::initializer_list<LogField> fields = {});

}  // namespace alcove::base
