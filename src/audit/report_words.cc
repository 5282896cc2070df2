#include "audit/report_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace alcove::audit {

namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
constexpr std::string_view kNarrowSpace = "\xE2\x80\xAF";

struct CodePoint {
  char32_t value = 0;
  std::size_t length = 0;  // 0: not UTF-8
};

CodePoint read_code_point(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return {first, 1};
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return {};
  char32_t value = first & (0xFF >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {};
    value = value << 6 | (byte(i) & 0x3F);
  }
  const bool overlong = (length == 3 && value < 0x800) || (length == 4 && value < 0x10000);
  const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
  if (overlong || surrogate || value > 0x10FFFF) return {};
  return {value, length};
}

// Control characters, the ones that turn writing round, invisible ones, line separators, tags.
bool is_harmful(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c <= 0x9F) || c == 0xAD || c == 0x61C || c == 0x180E ||
         (c >= 0x200B && c <= 0x200F) || (c >= 0x2028 && c <= 0x202E) ||
         (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF || (c >= 0xFFF0 && c <= 0xFFFB) ||
         (c >= 0xE0000 && c <= 0xE0FFF) || (c & 0xFFFE) == 0xFFFE;
}

std::string grouped(std::string digits, std::string_view separator) {
  for (std::size_t at = digits.size(); at > 3;) {
    at -= 3;
    digits.insert(at, separator);
  }
  return digits;
}

}  // namespace

std::string clean_text(std::string_view text, std::size_t at_most) {
  std::string out;
  out.reserve(std::min(text.size(), at_most));
  while (!text.empty()) {
    const CodePoint point = read_code_point(text);
    const bool harmful = point.length == 0 || is_harmful(point.value);
    const std::size_t length = std::max<std::size_t>(point.length, 1);
    const std::string_view piece = harmful ? kReplacement : text.substr(0, length);
    if (out.size() + piece.size() > at_most) return out + "…";
    out += piece;
    text.remove_prefix(length);
  }
  return out;
}

std::string clean_lines(std::string_view text) {
  constexpr std::size_t kMax = 256 << 10;
  std::string out;
  for (text = text.substr(0, kMax); !text.empty();) {
    const std::size_t end = std::min(text.find_first_of("\n\t"), text.size());
    out += clean_text(text.substr(0, end), kMax);
    if (end < text.size()) out += text[end];
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::string number_text(std::uint64_t number, Language language) {
  return grouped(fmt::format("{}", number), pick(language, ",", kNarrowSpace));
}

std::string decimal_text(double number, int places, Language language) {
  std::string text = fmt::format("{:.{}f}", std::isfinite(number) ? number : 0.0, places);
  if (language == Language::kFrench) std::replace(text.begin(), text.end(), '.', ',');
  return text;
}

std::string size_text(std::uint64_t bytes, Language language) {
  static constexpr std::array<std::string_view, 6> kEnglish = {"B", "kB", "MB", "GB", "TB", "PB"};
  static constexpr std::array<std::string_view, 6> kFrench = {"o", "ko", "Mo", "Go", "To", "Po"};
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 999.5 && unit + 1 < kEnglish.size()) {
    value /= 1000;
    ++unit;
  }
  const int places = unit == 0 || value >= 99.95 ? 0 : 1;
  return decimal_text(value, places, language) + (language == Language::kFrench ? "\u00A0" : " ") +
         std::string(language == Language::kFrench ? kFrench[unit] : kEnglish[unit]);
}

std::string time_text(CaptureTime time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const auto microseconds =
      std::chrono::duration_cast<std::chrono::microseconds>(time - day).count();
  const auto seconds = microseconds / 1000000;
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:06} UTC", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     seconds / 3600, seconds / 60 % 60, seconds % 60, microseconds % 1000000);
}

std::chrono::nanoseconds span_between(CaptureTime a, CaptureTime b) {
  using std::chrono::nanoseconds;
  if (b <= a) return nanoseconds(0);
  const std::uint64_t span = static_cast<std::uint64_t>(b.time_since_epoch().count()) -
                             static_cast<std::uint64_t>(a.time_since_epoch().count());
  return nanoseconds(static_cast<std::int64_t>(
      std::min<std::uint64_t>(span, static_cast<std::uint64_t>(nanoseconds::max().count()))));
}

std::string duration_text(std::chrono::nanoseconds duration, Language language) {
  const double seconds = static_cast<double>(std::max<std::int64_t>(duration.count(), 0)) / 1e9;
  if (seconds < 1) return decimal_text(seconds * 1e3, seconds < 0.1 ? 1 : 0, language) + " ms";
  if (seconds < 60) return decimal_text(seconds, 1, language) + " s";
  const auto whole = static_cast<std::uint64_t>(seconds);
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  if (whole < 86400) return fmt::format("{} h {} min", whole / 3600, whole / 60 % 60);
  return fmt::format("{} {} {} h", number_text(whole / 86400, language), pick(language, "d", "j"),
                     whole / 3600 % 24);
}

std::string counted(std::uint64_t number, std::string_view one, std::string_view many,
                    Language language) {
  const bool singular = number == 1 || (number == 0 && language == Language::kFrench);
  return fmt::format("{} {}", number_text(number, language), singular ? one : many);
}

std::string_view severity_text(Severity severity, Language language) {
  switch (severity) {
    case Severity::kError:
      return pick(language, "serious", "grave");
    case Severity::kWarning:
      return pick(language, "warning", "avertissement");
    case Severity::kInfo:
      break;
  }
  return pick(language, "note", "note");
}

std::string_view severity_id(Severity severity) {
  switch (severity) {
    case Severity::kError:
      return "error";
    case Severity::kWarning:
      return "warning";
    case Severity::kInfo:
      break;
  }
  return "info";
}

std::string_view application_text(Application application) {
  static constexpr std::array<std::string_view, 13> kNames = {
      "unknown", "dns",  "mdns", "tls",  "quic", "http", "websocket",
      "stun",    "dtls", "rtp",  "srtp", "icmp", "other"};
  const auto index = static_cast<std::size_t>(application);
  return index < kNames.size() ? kNames[index] : kNames[0];
}

std::string_view protection_text(Protection protection, Language language) {
  switch (protection) {
    case Protection::kNone:
      return pick(language, "none: it can be played", "aucune, on peut l'écouter");
    case Protection::kEncrypted:
      return pick(language, "encrypted", "chiffré");
    case Protection::kOpenedInner:
      return pick(language, "encrypted end to end inside", "chiffré de bout en bout à l'intérieur");
    case Protection::kOpenedPlain:
      return pick(language, "the relay can play it", "le relais peut l'écouter");
    case Protection::kUnknown:
      break;
  }
  return pick(language, "too few packets to say", "trop peu de paquets pour le dire");
}

std::string_view protection_id(Protection protection) {
  static constexpr std::array<std::string_view, 5> kIds = {"unknown", "none", "encrypted",
                                                           "opened_inner", "opened_plain"};
  const auto index = static_cast<std::size_t>(protection);
  return index < kIds.size() ? kIds[index] : kIds[0];
}

std::string_view codec_text(Codec codec) {
  static constexpr std::array<std::string_view, 5> kNames = {"-", "Opus", "PCMU", "PCMA", "G.722"};
  const auto index = static_cast<std::size_t>(codec);
  return index < kNames.size() ? kNames[index] : kNames[0];
}

std::string transport_text(std::uint8_t protocol) {
  switch (protocol) {
    case ip_protocol::kTcp:
      return "tcp";
    case ip_protocol::kUdp:
      return "udp";
    case ip_protocol::kIcmp:
      return "icmp";
    case ip_protocol::kIcmp6:
      return "icmp6";
    default:
      return fmt::format("ip {}", protocol);
  }
}

std::string country_text(const policy::Country& country, bool private_addresses,
                         Language language) {
  if (country.known()) {
    return fmt::format("{} ({})",
                       language == Language::kFrench ? country.name_fr() : country.name_en(),
                       country.code());
  }
  if (private_addresses) return std::string(pick(language, "own network", "réseau interne"));
  return std::string(pick(language, "not known", "inconnu"));
}

std::string place_text(const policy::Decision& decision, Language language) {
  const policy::GeoRecord& record = decision.record;
  std::string text = country_text(
      record.country, decision.address_class != policy::AddressClass::kGlobal, language);
  if (record.anycast)
    text += pick(language, ", anycast: place not knowable", ", anycast, lieu inconnu");
  if (record.asn == 0 && record.owner.empty()) return text;
  text += fmt::format(", AS{} {}", record.asn, clean_text(record.owner, 80));
  if (record.owner_country.known()) text += fmt::format(" ({})", record.owner_country.code());
  return text;
}

base::SocketAddress remote_of(const FlowKey& key) {
  const auto is_global = [](const base::SocketAddress& address) {
    return policy::classify(address.ip) == policy::AddressClass::kGlobal;
  };
  return !is_global(key.server) && is_global(key.client) ? key.client : key.server;
}

}  // namespace alcove::audit
