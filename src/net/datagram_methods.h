#pragma once
// How UDP sockets send and receive. Any thread.

#include <cstdint>

namespace alcove::net {

// kGso: neighbours in a queue that go to one peer and are of one size leave in one message, which
// the system cuts apart again (UDP_SEGMENT). kAuto is kGso. Where the system refuses it, a socket
// goes on as with kSendmmsg.
enum class SendMethod : std::uint8_t { kAuto, kGso, kSendmmsg };

// kGro: datagrams that came one after the other from one peer and are of one size may be read in
// one message (UDP_GRO), which is cut apart here. That helps who gets bursts from few peers; a
// relay hears from thousands in turn, so kAuto is kRecvmmsg.
enum class ReceiveMethod : std::uint8_t { kAuto, kGro, kRecvmmsg };

}  // namespace alcove::net
