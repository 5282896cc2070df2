#include "alcove/config.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <charconv>
#include <sstream>

#include "alcove/config_keys.h"

namespace alcove::app {
namespace {

constexpr std::size_t kMaxFile = 1 << 20;
constexpr std::size_t kMaxProblems = 20;
constexpr std::size_t kMaxShownName = 80;

// Collects what is wrong, so that one run shows all of it.
class Problems {
 public:
  void add(std::string text) {
    if (lines_.size() < kMaxProblems) lines_.push_back(std::move(text));
  }
  base::Result<void> result() const {
    if (lines_.empty()) return {};
    return base::fail(base::ErrorCode::kInvalidArgument,
                      fmt::format("{}", fmt::join(lines_, "\n")));
  }

 private:
  std::vector<std::string> lines_;
};

std::string unknown_key(std::string_view name) {
  std::string text = fmt::format("there is no key \"{}\"", name.substr(0, kMaxShownName));
  const std::string_view nearest = nearest_key(name);
  if (!nearest.empty()) text += fmt::format("; did you mean \"{}\"?", nearest);
  return text;
}

template <typename Number>
std::optional<Value> parse_number(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return Value(number);
}

std::string_view trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

Value parse_list(std::string_view text) {
  std::vector<std::string> items;
  while (!trim(text).empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    items.emplace_back(trim(text.substr(0, comma)));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return items;
}

// A value as the environment and flags write it.
std::optional<Value> parse_value(ValueKind kind, std::string_view text) {
  switch (kind) {
    case ValueKind::kBoolean:
      if (text == "true" || text == "1") return Value(true);
      if (text == "false" || text == "0") return Value(false);
      return std::nullopt;
    case ValueKind::kInteger:
      return parse_number<std::int64_t>(text);
    case ValueKind::kNumber:
      return parse_number<double>(text);
    case ValueKind::kText:
      return Value(std::string(text));
    case ValueKind::kList:
      return parse_list(text);
  }
  return std::nullopt;
}

std::optional<Value> list_from_toml(const toml::array& array) {
  std::vector<std::string> items;
  for (const toml::node& node : array) {
    const auto text = node.value_exact<std::string>();
    if (!text) return std::nullopt;
    items.push_back(*text);
  }
  return Value(std::move(items));
}

std::optional<Value> from_toml(ValueKind kind, const toml::node& node) {
  switch (kind) {
    case ValueKind::kBoolean:
      if (const auto value = node.value_exact<bool>()) return Value(*value);
      return std::nullopt;
    case ValueKind::kInteger:
      if (const auto value = node.value_exact<std::int64_t>()) return Value(*value);
      return std::nullopt;
    case ValueKind::kNumber:
      if (const auto value = node.value<double>(); value && node.is_number()) return Value(*value);
      return std::nullopt;
    case ValueKind::kText:
      if (auto value = node.value_exact<std::string>()) return Value(std::move(*value));
      return std::nullopt;
    case ValueKind::kList:
      // One text is a list of one.
      if (auto value = node.value_exact<std::string>())
        return Value(std::vector{std::move(*value)});
      return node.is_array() ? list_from_toml(*node.as_array()) : std::nullopt;
  }
  return std::nullopt;
}

std::optional<std::string> set(Config& config, const Key& key, const std::optional<Value>& value) {
  if (!value) return fmt::format("{} must be {}", key.name, describe(key.kind));
  if (const auto problem = key.set(config, *value)) return fmt::format("{} {}", key.name, *problem);
  return std::nullopt;
}

void apply_section(Config& config, std::string_view section, const toml::table& table,
                   std::string_view file_name, Problems& problems) {
  for (const auto& [name, node] : table) {
    const std::string full = fmt::format("{}.{}", section, name.str());
    const std::string where = fmt::format("{}:{}: ", file_name, name.source().begin.line);
    const Key* key = find_key(full);
    if (key == nullptr) {
      problems.add(where + unknown_key(full));
    } else if (const auto problem = set(config, *key, from_toml(key->kind, node))) {
      problems.add(where + *problem);
    }
  }
}

bool is_section(std::string_view name) {
  return std::ranges::any_of(key_table(), [&](const Key& key) {
    return key.name.starts_with(name) && key.name.substr(name.size()).starts_with('.');
  });
}

// "http.listen" becomes "ALCOVE_HTTP_LISTEN".
std::string variable_of(std::string_view key) {
  std::string name = "ALCOVE_";
  for (const char c : key)
    name += c == '.' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  return name;
}

bool names_a_section(std::string_view variable) {
  return std::ranges::any_of(key_table(), [&](const Key& key) {
    const std::string section = variable_of(key.name.substr(0, key.name.find('.'))) + "_";
    return variable.starts_with(section);
  });
}

}  // namespace

Config::Config() {
  for (const Key& key : key_table()) {
    const toml::table table = toml::parse(fmt::format("value = {}", key.default_value));
    CHECK(!set(*this, key, from_toml(key.kind, *table.get("value"))));
  }
}

std::vector<KeyDescription> keys() {
  std::vector<KeyDescription> result;
  for (const Key& key : key_table()) result.push_back({key.name, key.default_value});
  return result;
}

base::Result<void> apply_toml(Config& config, std::string_view text, std::string_view file_name) {
  if (text.size() > kMaxFile)
    return base::fail(base::ErrorCode::kInvalidArgument,
                      fmt::format("{}: longer than 1 MiB", file_name));
  toml::table root;
  try {
    root = toml::parse(text);
  } catch (const toml::parse_error& error) {
    return base::fail(
        base::ErrorCode::kInvalidArgument,
        fmt::format("{}:{}: {}", file_name, error.source().begin.line, error.description()));
  }
  Problems problems;
  Config changed = config;
  for (const auto& [name, node] : root) {
    const std::string where = fmt::format("{}:{}: ", file_name, name.source().begin.line);
    if (!is_section(name.str()))
      problems.add(where + unknown_key(name.str()));
    else if (!node.is_table())
      problems.add(where + fmt::format("{} is a section: [{}]", name.str(), name.str()));
    else
      apply_section(changed, name.str(), *node.as_table(), file_name, problems);
  }
  base::Result<void> result = problems.result();
  if (result) config = std::move(changed);
  return result;
}

base::Result<void> apply_setting(Config& config, std::string_view name, std::string_view value) {
  const Key* key = find_key(name);
  if (key == nullptr) return base::fail(base::ErrorCode::kInvalidArgument, unknown_key(name));
  if (const auto problem = set(config, *key, parse_value(key->kind, value)))
    return base::fail(base::ErrorCode::kInvalidArgument, *problem);
  return {};
}

base::Result<void> apply_environment(
    Config& config, std::span<const std::pair<std::string, std::string>> variables) {
  Problems problems;
  Config changed = config;
  for (const auto& [name, value] : variables) {
    const auto key = std::ranges::find_if(
        key_table(), [&](const Key& one) { return variable_of(one.name) == name; });
    if (key == key_table().end()) {
      if (names_a_section(name)) problems.add(fmt::format("environment: no key for {}", name));
      continue;
    }
    const base::Result<void> applied = apply_setting(changed, key->name, value);
    if (!applied) problems.add(fmt::format("environment, {}: {}", name, applied.error().message));
  }
  base::Result<void> result = problems.result();
  if (result) config = std::move(changed);
  return result;
}

base::Result<void> check(const Config& config) {
  Problems problems;
  const Config::Http& http = config.http;
  if (http.certificate.empty() != http.key.empty())
    problems.add("http.certificate and http.key belong together: give both or none");
  if (http.certificate.empty() && !http.allow_plain)
    for (const base::SocketAddress& address : http.listen)
      if (!address.ip.is_loopback())
        problems.add(fmt::format(
            "http.listen: {} can be reached from other machines, and without TLS anyone on the way "
            "can read passwords and change the page. Give http.certificate and http.key, or set "
            "http.allow_plain = true where a proxy in front speaks TLS.",
            address.text()));
  if (config.media.listen.empty()) problems.add("media.listen needs at least one address");
  if (config.metrics.listen &&
      std::ranges::find(http.listen, *config.metrics.listen) != http.listen.end())
    problems.add("metrics.listen must not be an address of http.listen: metrics are private");
  if (config.store.path.empty()) problems.add("store.path must not be empty");
  return problems.result();
}

std::optional<base::SocketAddress> parse_socket_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.starts_with('[') && host.ends_with(']');
  if (bracketed) host = host.substr(1, host.size() - 2);
  const auto ip = base::IpAddress::parse(host);
  if (!ip || bracketed != (host.find(':') != std::string_view::npos)) return std::nullopt;
  const auto port = parse_number<std::int64_t>(text.substr(colon + 1));
  if (!port || std::get<std::int64_t>(*port) < 0 || std::get<std::int64_t>(*port) > 65535)
    return std::nullopt;
  return base::SocketAddress{*ip, static_cast<std::uint16_t>(std::get<std::int64_t>(*port))};
}

std::optional<std::int64_t> parse_duration_seconds(std::string_view text) {
  constexpr std::int64_t kLongest = 10LL * 366 * 24 * 3600;
  constexpr std::pair<char, std::int64_t> kUnits[] = {
      {'s', 1}, {'m', 60}, {'h', 3600}, {'d', 24 * 3600}, {'w', 7 * 24 * 3600}};
  if (text.empty()) return std::nullopt;
  const auto* unit = std::ranges::find(kUnits, text.back(), &std::pair<char, std::int64_t>::first);
  const auto number = parse_number<std::int64_t>(text.substr(0, text.size() - 1));
  if (unit == std::end(kUnits) || !number) return std::nullopt;
  const std::int64_t count = std::get<std::int64_t>(*number);
  if (count <= 0 || count > kLongest / unit->second) return std::nullopt;
  return count * unit->second;
}

}  // namespace alcove::app
