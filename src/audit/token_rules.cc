#include "audit/token_rules.h"

#include <algorithm>
#include <array>

namespace alcove::audit {
namespace {

constexpr std::size_t kAgoraStart = 3 + 32;  // "006" and the app's id
constexpr std::size_t kMaxName = 24;
constexpr std::size_t kMaxValue = 128;

bool is_digit(std::uint8_t b) { return b >= '0' && b <= '9'; }
bool is_lower(std::uint8_t b) { return b >= 'a' && b <= 'z'; }
bool is_upper(std::uint8_t b) { return b >= 'A' && b <= 'Z'; }
bool is_letter(std::uint8_t b) { return is_lower(b) || is_upper(b); }
bool is_lower_hex(std::uint8_t b) { return is_digit(b) || (b >= 'a' && b <= 'f'); }
bool is_hex(std::uint8_t b) { return is_lower_hex(b) || (b >= 'A' && b <= 'F'); }
bool is_base64(std::uint8_t b) {
  return is_digit(b) || is_letter(b) || b == '+' || b == '/' || b == '=';
}
bool is_value(std::uint8_t b) {
  return is_token_character(b) || b == '.' || b == '@' || b == '+' || b == '%' || b == '/';
}
bool is_one_of(std::uint8_t b, std::string_view set) {
  return set.find(static_cast<char>(b)) != std::string_view::npos;
}

template <typename Predicate>
std::size_t run_end(base::Bytes text, std::size_t at, std::size_t most, Predicate&& predicate) {
  const std::size_t end = std::min(text.size(), at + most);
  while (at < end && predicate(text[at])) ++at;
  return at;
}
// Passes at most one byte of the set.
std::size_t skip_one(base::Bytes text, std::size_t at, std::string_view set) {
  return at < text.size() && is_one_of(text[at], set) ? at + 1 : at;
}

Token recognize_agora(base::Bytes text, Span run) {
  const std::string_view characters = base::as_text(text).substr(run.begin, run.size());
  for (std::size_t at = characters.find("006"); at != std::string_view::npos;
       at = characters.find("006", at + 1)) {
    const std::size_t begin = run.begin + at;
    const std::size_t hex_end = run_end(text, begin, kAgoraStart, is_lower_hex);
    if (hex_end != begin + kAgoraStart) continue;
    const std::size_t end = run_end(text, hex_end, kMaxToken, is_base64);
    if (end > hex_end) return {TokenKind::kAgora, {begin, end}};
  }
  return {};
}

Token recognize_jwt(base::Bytes text, Span run) {
  const std::string_view all = base::as_text(text);
  if (!all.substr(run.begin).starts_with("eyJ")) return {};
  // The claims are JSON, too; signed with "none", the third part is empty.
  if (!all.substr(run.end).starts_with(".eyJ")) return {};
  std::size_t end = run_end(text, run.end + 1, kMaxToken, is_token_character);
  if (end < text.size() && text[end] == '.')
    end = run_end(text, end + 1, kMaxToken, is_token_character);
  return {TokenKind::kJwt, {run.begin, end}};
}

struct ApiKeyShape {
  std::string_view prefix;
  std::size_t least;
  std::size_t most;
};
constexpr auto kApiKeys = std::to_array<ApiKeyShape>({{"AKIA", 20, 20},
                                                      {"ASIA", 20, 20},
                                                      {"AIza", 39, 39},
                                                      {"ghp_", 40, 40},
                                                      {"gho_", 40, 40},
                                                      {"glpat-", 26, 64},
                                                      {"sk_live_", 24, 128},
                                                      {"xoxb-", 30, 128},
                                                      {"xoxp-", 30, 128}});

Token recognize_api_key(base::Bytes text, Span run) {
  const std::string_view characters = base::as_text(text).substr(run.begin, run.size());
  for (const ApiKeyShape& shape : kApiKeys)
    if (characters.starts_with(shape.prefix) && run.size() >= shape.least &&
        run.size() <= shape.most)
      return {TokenKind::kApiKey, run};
  return {};
}

bool is_uuid(std::string_view run) {
  if (run.size() != 36) return false;
  for (std::size_t i = 0; i < run.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? run[i] != '-' : !is_hex(static_cast<std::uint8_t>(run[i]))) return false;
  }
  return true;
}

int class_of(std::uint8_t b) {
  if (is_digit(b)) return 1;
  if (is_lower(b)) return 2;
  return is_upper(b) ? 3 : 0;
}

// Without '-' and '_', in lower case.
std::string normalized(base::Bytes name) {
  std::string result;
  for (const std::uint8_t b : name)
    if (b != '-' && b != '_') result.push_back(static_cast<char>(is_upper(b) ? b + 32 : b));
  return result;
}

constexpr auto kFieldNames = std::to_array<std::string_view>(
    {"channel",  "channelid", "channelname", "chatroom",   "chatroomid", "chdeviceid",
     "chuserid", "device",    "deviceid",    "deviceuuid", "idfa",       "idfv",
     "imei",     "room",      "roomid",      "roomname",   "udid",       "uid",
     "user",     "userid",    "username",    "xdeviceid",  "xuserid"});
constexpr auto kSecretNames =
    std::to_array<std::string_view>({"accesstoken", "apikey", "authtoken", "refreshtoken",
                                     "sessionid", "sessiontoken", "token", "xauthtoken", "xtoken"});

}  // namespace

std::string_view token_kind_name(TokenKind kind) {
  constexpr std::array<std::string_view, 4> kNames = {"", "Agora token", "JWT", "API key"};
  return kNames[static_cast<std::size_t>(kind)];
}

Token recognize_token(base::Bytes text, Span run) {
  if (const Token agora = recognize_agora(text, run); agora.kind != TokenKind::kNone) return agora;
  if (const Token jwt = recognize_jwt(text, run); jwt.kind != TokenKind::kNone) return jwt;
  return recognize_api_key(text, run);
}

bool looks_random(std::string_view run) {
  if (is_uuid(run)) return true;
  std::array<bool, 256> seen{};
  std::size_t distinct = 0;
  std::size_t digits = 0;
  std::size_t letters = 0;
  std::size_t turns = 0;
  bool hex = true;
  int previous = 0;
  for (const char c : run) {
    const auto byte = static_cast<std::uint8_t>(c);
    if (!seen[byte]) ++distinct;
    seen[byte] = true;
    digits += is_digit(byte) ? 1 : 0;
    letters += is_letter(byte) ? 1 : 0;
    hex = hex && is_hex(byte);
    const int now = class_of(byte);
    if (previous != 0 && now != 0 && now != previous) ++turns;
    previous = now;
  }
  if (hex) return digits >= 4 && letters >= 2 && distinct >= 6;
  return digits >= 2 && letters >= 4 && distinct >= 10 && turns * 4 >= run.size();
}

std::optional<Field> find_field(base::Bytes text, std::size_t at) {
  Span name{at, at};
  while (name.begin > 0 && at - name.begin <= kMaxName && is_token_character(text[name.begin - 1]))
    --name.begin;
  name.end = run_end(text, at, kMaxName + 1, is_token_character);
  if (name.size() > kMaxName) return std::nullopt;
  std::size_t place = skip_one(text, name.end, "\"'");
  place = skip_one(text, place, " ");
  const std::size_t separator = place;
  place = skip_one(text, place, ":=");
  if (place == separator) return std::nullopt;
  place = skip_one(text, place, " ");
  const std::size_t unquoted = place;
  place = skip_one(text, place, "\"'");
  const bool quoted = place != unquoted;
  const Span value{place, run_end(text, place, kMaxValue, is_value)};
  const bool has_digit =
      std::any_of(text.begin() + static_cast<std::ptrdiff_t>(value.begin),
                  text.begin() + static_cast<std::ptrdiff_t>(value.end), is_digit);
  if (value.size() < 2 || (!has_digit && (!quoted || value.size() < 3))) return std::nullopt;
  const std::string known = normalized(text.subspan(name.begin, name.size()));
  if (std::ranges::binary_search(kFieldNames, known)) return Field{name, value, false};
  if (std::ranges::binary_search(kSecretNames, known) && value.size() >= kMinToken)
    return Field{name, value, true};
  return std::nullopt;
}

std::optional<Span> find_device(base::Bytes text, std::size_t at) {
  const auto in_device = [](std::uint8_t b) {
    return is_token_character(b) || b == '/' || b == ',' || b == '.';
  };
  const std::size_t word_end = run_end(text, at, kMaxName, is_letter);
  if (word_end >= text.size()) return std::nullopt;
  const bool android = text[at] == 'A' || text[at] == 'a';
  const bool model = !android && is_digit(text[word_end]);
  if (!model && text[word_end] != '/') return std::nullopt;
  Span device{at, run_end(text, at, kMaxValue, in_device)};
  while (device.begin > 0 && at - device.begin < kMaxValue && in_device(text[device.begin - 1]))
    --device.begin;
  const base::Bytes bytes = text.subspan(device.begin, device.size());
  if (device.size() < 9 || !std::ranges::any_of(bytes, is_digit)) return std::nullopt;
  return device;
}

std::optional<Span> header_value(base::Bytes text, std::size_t after_name) {
  const std::size_t begin = run_end(text, after_name, 4, [](std::uint8_t b) { return b == ' '; });
  const std::size_t end = run_end(text, begin, kMaxToken,
                                  [](std::uint8_t b) { return b >= 0x20 && b < 0x7f && b != '"'; });
  if (end - begin < 4) return std::nullopt;
  return Span{begin, end};
}

std::optional<Span> find_address(base::Bytes text, std::size_t at) {
  const auto in_four = [](std::uint8_t b) { return is_digit(b) || b == '.'; };
  const auto in_six = [](std::uint8_t b) { return is_hex(b) || b == ':' || b == '.'; };
  const bool six = !is_digit(text[at]);
  const auto inside = [&](std::uint8_t b) { return six ? in_six(b) : in_four(b); };
  if (at > 0 && inside(text[at - 1])) return std::nullopt;
  std::size_t end = run_end(text, at, six ? 45 : 15, inside);
  if (end < text.size() && inside(text[end])) return std::nullopt;
  // "192.168.1.23." at the end of a sentence, "192.168.1.23:4000" is outside already.
  while (end > at && text[end - 1] == '.') --end;
  return Span{at, end};
}

}  // namespace alcove::audit
