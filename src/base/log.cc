#include "base/log.h"

#include <fmt/format.h>

#include <iterator>

namespace alcove::base {
namespace {

LogSink g_sink = nullptr;
LogLevel g_level = LogLevel::kInfo;

constexpr std::string_view name_of(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
  }
  return "error";
}

struct Append {
  std::string& line;
  void operator()(std::int64_t number) const {
    fmt::format_to(std::back_inserter(line), "{}", number);
  }
  void operator()(bool truth) const { line += truth ? "true" : "false"; }
  void operator()(double number) const {
    fmt::format_to(std::back_inserter(line), "{:.6g}", number);
  }
  void operator()(Literal text) const {
    fmt::format_to(std::back_inserter(line), "\"{}\"", text.view());
  }
};

}  // namespace

void set_log_sink(LogSink sink) { g_sink = sink; }
void set_log_level(LogLevel level) { g_level = level; }

void log(LogLevel level, Literal event, std::initializer_list<LogField> fields) {
  if (g_sink == nullptr || level < g_level) return;
  std::string line = fmt::format("{} {}", name_of(level), event.view());
  for (const LogField& field : fields) {
    fmt::format_to(std::back_inserter(line), " {}=", field.name.view());
    std::visit(Append{line}, field.value);
  }
  g_sink(level, line);
}

}  // namespace alcove::base
