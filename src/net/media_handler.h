#pragma once
// What the media threads drive: one object a thread, sans-IO. src/net does not know the relay; the
// app adapts relay::Shard to this.

#include <cstdint>
#include <vector>

#include "base/address.h"
#include "base/bytes.h"
#include "base/datagram.h"
#include "base/time.h"

namespace alcove::net {

// All calls come from the one media thread that owns the object. Nothing throws.
class MediaHandler {
 public:
  virtual ~MediaHandler() = default;

  // A datagram, or a frame of a TCP connection, of 1 to base::kMaxDatagram bytes. bytes is valid
  // during the call.
  virtual void handle_datagram(base::Instant now, const base::Path& path, base::Bytes bytes) = 0;
  // An accepted TCP connection is gone. Not called for those that the handler closed itself.
  virtual void handle_connection_closed(base::Instant now, std::uint64_t connection) = 0;
  // MediaPort::wake(thread) was called: the handler takes what others put into its queues.
  virtual void handle_wake(base::Instant now) = 0;
  // next_deadline() has come.
  virtual void handle_timeout(base::Instant now) = 0;
  // After each batch of the calls above, before the output below is executed: the place to hand
  // over to other threads what the batch produced for them.
  virtual void handle_batch_end(base::Instant now) = 0;
  // The batch's output has been executed: the last datagram was sent at ended, and the batch took
  // work of the processor's time. What other programs took meanwhile is not in it.
  virtual void handle_batch_cost(base::Instant /*ended*/, base::Duration /*work*/) {}
  virtual base::Instant next_deadline() const = 0;

  // Output, executed and cleared by the media thread after each batch. A path over TCP may name a
  // connection of any thread.
  virtual base::DatagramQueue& datagrams() = 0;
  virtual std::vector<std::uint64_t>& connections_to_close() = 0;
};

}  // namespace alcove::net
