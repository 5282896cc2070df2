#pragma once
// A room's connected endpoints on one shard, and the fan-out to them: the hot path. Listeners lie
// in one array; what differs between them is twelve header bytes and a key. One thread.

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/datagram.h"
#include "base/ids.h"
#include "base/random.h"
#include "base/time.h"
#include "crypto/srtp.h"
#include "relay/counters.h"
#include "relay/endpoint.h"
#include "relay/listener_stream.h"
#include "relay/shard_message.h"
#include "relay/slot_mapper.h"
#include "rtc/nack.h"
#include "wire/rtcp.h"

namespace alcove::relay {

class LocalRoom {
 public:
  LocalRoom(const base::RelayRoomId& id, unsigned slots);

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

  // One packet of a slot to every listener but its speaker (null when that is on another shard).
  void fan_out(base::Instant received, const Placement& placement, const Endpoint* speaker,
               base::Bytes payload, base::DatagramQueue& out, ShardCounters& counters);
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
    Endpoint* endpoint = nullptr;
    crypto::SrtpSender* sender = nullptr;  // the endpoint's
    bool has_path = false;
    std::array<std::uint8_t, kMaxSlots> payload_types{};
    base::Path path;
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
  };

  std::optional<std::size_t> find(const Endpoint& endpoint) const;
  void send(Listener& listener, Stream& stream, unsigned slot, std::uint64_t index,
            std::uint32_t timestamp, bool marker, base::Bytes payload, base::DatagramQueue& out);

  base::RelayRoomId id_;
  std::size_t endpoints_ = 0;
  base::Instant announced_{};
  std::vector<Listener> listeners_;
  std::vector<Slot> slots_;
  LossHistogram loss_{};
  base::Instant loss_taken_{};
  std::uint8_t room_loss_ = 0;
  base::Instant room_loss_at_{};
};

}  // namespace alcove::relay
