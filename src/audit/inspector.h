#pragma once
// What looks into flows. The flow table calls every inspector in the order they were added. One
// thread.

#include "audit/flow.h"

namespace alcove::audit {

// A piece of a TCP stream in order, or of what decryption gave.
struct StreamPiece {
  base::Bytes bytes;
  std::uint64_t offset = 0;  // in the stream of this direction; jumps over bytes that never came
  std::uint64_t number = 0;  // of the packet that carried its beginning
  CaptureTime time;
  bool after_gap = false;  // bytes before it are missing: a parser has to find its feet again
};

class Inspector {
 public:
  virtual ~Inspector() = default;
  // The index of its FlowState; the flow table sets it before anything else.
  std::size_t slot = 0;

  virtual void handle_flow(Flow&) {}  // its first packet is about to come
  // Every packet, TCP and fragments included. payload is the wire's.
  virtual void handle_packet(Flow&, Direction, const Packet&) {}
  // TCP, in order, each byte once.
  virtual void handle_stream(Flow&, Direction, const StreamPiece&) {}
  // Application data that keys opened (TLS), as a stream of its own; other inspectors may look at
  // it as at a stream in clear, but only whoever has the keys can read it.
  virtual void handle_decrypted(Flow&, Direction, const StreamPiece&) {}
  // Ended (FIN both ways, RST, or no packet for long), or dropped to make room, or the end of all.
  virtual void handle_flow_end(Flow&) {}
  // The capture's end, after every handle_flow_end.
  virtual void finish() {}
};

}  // namespace alcove::audit
