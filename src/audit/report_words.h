#pragma once
// What the report writers share: numbers, times and names as words in either language, and text
// from packets made harmless. Any thread.

#include <cstdint>
#include <string>
#include <string_view>

#include "audit/report.h"

namespace alcove::audit {

inline std::string_view pick(Language language, std::string_view english, std::string_view french) {
  return language == Language::kFrench ? french : english;
}

// Text that came from packets, files or servers, for people to look at: what is not UTF-8, control
// characters, and characters that turn the direction of writing or are invisible become U+FFFD. So
// a name can neither steer a terminal nor look like another line. At most at_most bytes, then "…".
std::string clean_text(std::string_view text, std::size_t at_most = 4096);

// The same for text of several lines: line feeds and tabs stay. At most 256 KiB.
std::string clean_lines(std::string_view text);

std::string number_text(std::uint64_t number, Language language);  // 12,345 or 12 345
std::string decimal_text(double number, int places, Language language);
std::string size_text(std::uint64_t bytes, Language language);  // 1.2 MB, 1,2 Mo
std::string time_text(CaptureTime time);                        // 2026-11-24 21:52:03.123456 UTC
// From a to b; times of a hostile capture can be further apart than 64 bits of nanoseconds hold.
std::chrono::nanoseconds span_between(CaptureTime a, CaptureTime b);
std::string duration_text(std::chrono::nanoseconds duration, Language language);
// "1 packet", "2 packets": singular for 1, and in French for 0.
std::string counted(std::uint64_t number, std::string_view one, std::string_view many,
                    Language language);

std::string_view severity_text(Severity severity, Language language);  // "serious", "warning", …
std::string_view severity_id(Severity severity);                       // "error", "warning", "info"
std::string_view application_text(Application application);
std::string_view protection_text(Protection protection, Language language);
std::string_view protection_id(Protection protection);
std::string_view codec_text(Codec codec);           // "Opus", "-" for none
std::string transport_text(std::uint8_t protocol);  // "udp", "tcp", "icmp", "ip 47"
std::string country_text(const policy::Country& country, bool private_addresses, Language language);
// Where it went and who owns it: "Germany, AS64500 Example GmbH (China)".
std::string place_text(const policy::Decision& decision, Language language);
// The end of a flow that a decision is about: the one that is not private, else the server.
base::SocketAddress remote_of(const FlowKey& key);

}  // namespace alcove::audit
