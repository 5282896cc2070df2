#pragma once
// Packets into flows, TCP into streams. One thread.
//
// Bounds: 65,536 open flows (the one that is idle longest, to a second, ends first), 32 MiB of TCP
// bytes that wait for a hole to be filled, 256 KiB of them a direction (then the hole is given up:
// after_gap).

#include <cstdint>
#include <memory>
#include <vector>

#include "audit/inspector.h"

namespace alcove::audit {

class FlowTable {
 public:
  struct Counters {
    std::uint64_t flows = 0;
    std::uint64_t flows_dropped = 0;  // ended to make room
    std::uint64_t stream_gaps = 0;
    std::uint64_t retransmitted_differently = 0;  // a TCP segment seen twice with other bytes
  };
  // ICMP without ports is a flow by its two addresses; an ICMP error counts for its own flow, too.
  explicit FlowTable(std::vector<Inspector*> inspectors);
  ~FlowTable();
  FlowTable(const FlowTable&) = delete;
  FlowTable& operator=(const FlowTable&) = delete;

  void handle_packet(const Packet& packet);
  // Hands plaintext that keys opened to all inspectors (called by the one that opened it).
  void handle_decrypted(Flow& flow, Direction direction, const StreamPiece& piece);
  // Ends all flows and finishes all inspectors. Once.
  void finish();
  const Counters& counters() const;

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace alcove::audit
