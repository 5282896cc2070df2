#pragma once
// Who talks to whom: packets of one protocol between two sockets, both ways. One thread.

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "audit/packet.h"

namespace alcove::audit {

enum class Direction : std::uint8_t { kForward, kBackward };  // forward: from the client

// Who began: the sender of the SYN, else of the first packet seen (where that came from a port
// below 1024 to one above, the receiver).
struct FlowKey {
  base::SocketAddress client;
  base::SocketAddress server;
  std::uint8_t protocol = 0;
  auto operator<=>(const FlowKey&) const = default;
};

enum class Application : std::uint8_t {
  kUnknown,
  kDns,
  kMdns,
  kTls,
  kQuic,
  kHttp,
  kWebSocket,
  kStun,
  kDtls,
  kRtp,
  kSrtp,
  kIcmp,
  kOther,
};

// What an inspector keeps of a flow; freed with the flow.
class FlowState {
 public:
  virtual ~FlowState() = default;
};

struct FlowTraffic {
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;          // IP packets, headers included
  std::uint64_t payload_bytes = 0;  // of the transport, as sent
  std::uint64_t first_number = 0;   // 0: none
  std::uint64_t last_number = 0;
  CaptureTime first;
  CaptureTime last;
};

inline constexpr std::size_t kMaxInspectors = 10;

struct Flow {
  std::uint32_t id = 0;  // from 1, in the order of their first packet
  FlowKey key;
  std::array<FlowTraffic, 2> traffic;  // by Direction
  // Set by inspectors as they recognise it; the last word counts.
  Application application = Application::kUnknown;
  std::string server_name;  // from SNI, HTTP Host, or DNS before; at most 255 bytes
  std::array<std::unique_ptr<FlowState>, kMaxInspectors> states;  // by the inspector's slot

  const FlowTraffic& of(Direction direction) const {
    return traffic[static_cast<std::size_t>(direction)];
  }
  std::uint64_t packets() const { return traffic[0].packets + traffic[1].packets; }
  std::uint64_t bytes() const { return traffic[0].bytes + traffic[1].bytes; }
};

}  // namespace alcove::audit
