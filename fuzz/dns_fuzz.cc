// DNS messages from anybody: every name ends, and what is read stays bounded.

#include <cstdlib>

#include "audit/dns.h"

// NOLINTNEXTLINE(readability-identifier-naming): the name that libFuzzer calls
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace alcove;
  const auto require = [](bool condition) {
    if (!condition) std::abort();
  };
  const auto message = audit::parse_dns({data, size});
  if (!message) return 0;
  require(message->questions.size() <= 32 && message->records.size() <= 256);
  for (const auto& question : message->questions) {
    require(question.name.size() <= 255);
    for (const char c : question.name) require(c >= ' ' && c < 0x7f);
    require(audit::addresses_of(*message, question.name).size() <= 16U * 256 * 16);
  }
  return 0;
}
