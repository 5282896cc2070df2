#pragma once
// The beginnings by which ContentInspector's rules are found. Private to it.

#include <cstdint>
#include <string_view>

namespace alcove::audit {

enum class ContentRule : std::uint32_t {
  kField,  // somewhere in the name of a field
  kDevice,
  kAuthorization,
  kBearer,
  kCookie,
  kDescription,  // SDP
  kCrypto,       // SDP, RFC 4568
  kAddress,      // a private one may begin
  kVendorMessage,
};
inline constexpr std::uint32_t kRuleBit = 0x80000000U;

template <typename Visitor>
void for_each_rule(Visitor&& visit) {
  using enum ContentRule;
  for (const char* name : {"user", "User", "USER",  "room", "Room", "ROOM",  "chan", "Chan",
                           "CHAN", "chat", "Chat",  "devi", "Devi", "DEVI",  "uid=", "uid\"",
                           "uid:", "Uid=", "Uid\"", "Uid:", "UID=", "UID\"", "UID:", "udid",
                           "UDID", "idfa", "IDFA",  "idfv", "imei", "IMEI",  "toke", "Toke",
                           "TOKE", "apik", "api_k", "apiK", "sess", "Sess"})
    visit(std::string_view(name), kField);
  for (const char* device : {"iPhone", "iPad", "Android", "android"})
    visit(std::string_view(device), kDevice);
  for (const char* name : {"Authorization:", "authorization:"})
    visit(std::string_view(name), kAuthorization);
  visit("Bearer ", kBearer);
  for (const char* name : {"\nCookie:", "\ncookie:", "\nSet-Cookie:", "\nset-cookie:"})
    visit(std::string_view(name), kCookie);
  for (const char* line : {"m=audio ", "a=ice-ufrag:", "a=candidate:"})
    visit(std::string_view(line), kDescription);
  visit("a=crypto:", kCrypto);
  for (const char* start :
       {"10.0", "10.1", "10.2", "10.3", "10.4", "10.5", "10.6", "10.7", "10.8", "10.9", "172.1",
        "172.2", "172.3", "192.168.", "100.6", "100.7", "100.8", "100.9", "100.1"})
    visit(std::string_view(start), kAddress);
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (const char high : kDigits)
    for (const char low : kDigits) {
      const char local[] = {'f', 'd', high, low};
      visit(std::string_view(local, 4), kAddress);
    }
  visit("{\"rtc.", kVendorMessage);
}

}  // namespace alcove::audit
