// Policies from anybody: what parses decides every address, explains it, and parses again.

#include <cstdlib>

#include "policy/decide.h"

// NOLINTNEXTLINE(readability-identifier-naming): the name that libFuzzer calls
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace alcove;
  const auto require = [](bool condition) {
    if (!condition) std::abort();
  };
  const auto policy = policy::parse_policy(base::as_text({data, size}));
  if (!policy) {
    require(!policy.error().message.empty());
    return 0;
  }
  require(policy::parse_policy(policy->text).has_value());
  static const auto kNone = policy::GeoDatabase::empty();
  for (const char* text : {"198.51.100.7", "10.0.0.1", "2001:db8::1", "64:ff9b::203.0.113.7",
                           "2001:0:cb00:7107::1", "224.0.0.1"}) {
    const auto address = base::IpAddress::parse(text);
    const policy::Decision decision = policy::decide(*policy, *kNone, *address);
    require(!policy::explain_en(decision).empty() && !policy::explain_fr(decision).empty());
    // With nothing known, what a rule asks for is denied.
    const bool asks = policy->needs_location() || policy->needs_owner();
    if (decision.allowed && decision.reason == policy::Reason::kAllowedByDefault)
      require(!asks || policy->unknown == policy::Policy::Treatment::kAllow);
    policy::decide_offer(*policy, *kNone, *address);
  }
  return 0;
}
