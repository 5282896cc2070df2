#pragma once
// A room's connected endpoints on one shard, and the fan-out to them: the hot path. What it needs
// of listeners lies in arrays of its own, apart from the endpoints: of thousands, nothing is in the
// CPU's cache when a packet comes, so each cache line counts. What differs between listeners is
// twelve header bytes and a key. One thread.
//
// While more than one slot is active, packets are held for kLongestHold, so that all that a
// listener gets lies next to each other in the output. It is released by handle_packet() when every
// active slot has come, by release() at the timer's deadline, and before an endpoint leaves.

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/datagram.h"
#include "base/ids.h"
#include "base/random.h"
#include "base/time.h"
#include "crypto/srtp.h"
#include "relay/counters.h"
#include "relay/deadline_queue.h"
#include "relay/endpoint.h"
#include "relay/held_packets.h"
#include "relay/listener_stream.h"
#include "relay/shard_message.h"
#include "relay/slot_mapper.h"
#include "rtc/nack.h"
#include "wire/rtcp.h"

namespace alcove::relay {

// The timer is the shard's; what is held is due at release_at().
class LocalRoom : public Timer {
 public:
  // holds: false sends each packet at once.
  LocalRoom(const base::RelayRoomId& id, unsigned slots, bool holds);

  const base::RelayRoomId& id() const { return id_; }

  // Endpoints of the room on this shard, connected or not.
  void add_endpoint() { ++endpoints_; }
  void remove_endpoint() { --endpoints_; }
  bool has_endpoints() const { return endpoints_ != 0; }

  // Whether it is time to tell the home shard again that there are endpoints here: the queues
  // between shards are bounded, and a message may have been lost.
  bool announce(base::Instant now);

  // A connected endpoint that may receive hears the slots from now on. It must be removed before it
  // ends.
  void add_listener(Endpoint& endpoint, base::RandomSource& random);
  void remove_listener(const Endpoint& endpoint);
  // The path that the endpoint's packets take, after it has changed; nullopt: none for now.
  void set_path(const Endpoint& endpoint);

  // One packet of a slot, received by its speaker's shard at received: to every listener but the
  // speaker, now or with the next release.
  void handle_packet(base::Instant now, base::Instant received, const SlotFrame& frame,
                     base::DatagramQueue& out, ShardCounters& counters);
  // Sends what is held.
  void release(base::DatagramQueue& out, ShardCounters& counters);
  // kNever when nothing is held.
  base::Instant release_at() const { return release_at_; }
  // Sends again what the listener has lost, byte for byte, within its budget.
  void handle_nack(base::Instant now, Endpoint& endpoint, const wire::Nack& nack,
                   base::DatagramQueue& out, ShardCounters& counters);
  // The sender information of the slots that this listener has been sent since the last call.
  std::vector<wire::SenderInfo> take_sender_info(base::Instant now, const Endpoint& endpoint);

  // A listener's report. True when it is time to tell the home shard: take_loss() then.
  bool add_loss(base::Instant now, std::uint8_t fraction);
  LossHistogram take_loss();
  void set_room_loss(base::Instant at, std::uint8_t fraction);
  // The 90th percentile over all shards; 0 when it is too old.
  std::uint8_t room_loss(base::Instant now) const;

 private:
  struct Listener {
    crypto::RtpSealer sealer;  // of the endpoint's sender
    base::Path path;
    bool has_path = false;
    std::array<std::uint8_t, kMaxSlots> payload_types{};
    Endpoint* endpoint = nullptr;
  };
  struct Stream {
    ListenerStream numbers;
    std::uint32_t reported_packets = 0;
  };
  struct Slot {
    std::vector<Stream> streams;  // one a listener, in the order of listeners_
    rtc::RetransmissionRing ring;
    std::uint64_t last_index = 0;
    std::uint32_t last_timestamp = 0;
    base::Instant last_received{};
    bool is_used = false;
  };

  std::optional<std::size_t> find(const Endpoint& endpoint) const;
  // The slots whose last packet is recent, a bit each.
  std::uint32_t active_slots(base::Instant now) const;
  void fan_out(std::span<const SlotFrame> frames, base::DatagramQueue& out,
               ShardCounters& counters);
  static void send(const Listener& listener, const Stream& stream, std::uint64_t index,
                   const SlotFrame& frame, base::DatagramQueue& out);

  base::RelayRoomId id_;
  std::size_t endpoints_ = 0;
  base::Instant announced_{};
  std::vector<Listener> listeners_;
  std::vector<Slot> slots_;
  const bool holds_;
  HeldPackets held_;
  base::Instant release_at_ = base::kNever;
  LossHistogram loss_{};
  base::Instant loss_taken_{};
  std::uint8_t room_loss_ = 0;
  base::Instant room_loss_at_{};
};

}  // namespace alcove::relay
