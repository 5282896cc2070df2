// Frames of any link layer: the first byte picks it.

#include <array>
#include <cstdint>
#include <cstdlib>

#include "audit/link_layer.h"

// NOLINTNEXTLINE(readability-identifier-naming): the name that libFuzzer calls
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace alcove;
  using audit::LinkType;
  constexpr std::array kTypes = {LinkType::kEthernet, LinkType::kNull, LinkType::kLinuxCooked,
                                 LinkType::kRaw,      LinkType::kLoop, LinkType::kLinuxCooked2,
                                 LinkType::kIpv4,     LinkType::kIpv6, LinkType::kRawBsd12,
                                 LinkType::kRawBsd14, LinkType(0xffff)};
  if (size == 0) return 0;
  const base::Bytes frame = base::Bytes(data, size).subspan(1);
  const auto payload = audit::open_link_layer(kTypes[data[0] % kTypes.size()], frame);
  const bool ip = payload.outcome == audit::LinkOutcome::kIp;
  if (ip != !payload.ip.empty()) std::abort();
  // What is handed on reaches to the end of the frame.
  if (ip && payload.ip.data() + payload.ip.size() != frame.data() + frame.size()) std::abort();
  return 0;
}
