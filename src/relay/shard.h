#pragma once
// One media thread's share of the relay, without sockets, clocks or threads. Endpoints are members'
// PeerConnections; each lives on one shard. A shard is told the time with every call and writes
// what is to be done into a ShardOutput, which the caller executes before the next call or collects
// over several. One thread for each shard. docs/protocol/media.md is what it speaks.

#include <cstdint>
#include <memory>
#include <vector>

#include "alcove/v1/relay.pb.h"
#include "base/address.h"
#include "base/bytes.h"
#include "base/datagram.h"
#include "base/random.h"
#include "base/time.h"
#include "crypto/sealing.h"
#include "relay/counters.h"
#include "relay/load_meter.h"
#include "relay/shard_message.h"

namespace alcove::crypto {
class Certificate;
}

namespace alcove::relay {

// The greatest number of slots and shards that options may ask for.
inline constexpr unsigned kMaxSlots = 8;
inline constexpr unsigned kMaxShards = 64;

// Where members reach the relay. kTcp is passive (RFC 6544). The first is the most preferred.
struct Candidate {
  base::TransportProtocol protocol = base::TransportProtocol::kUdp;
  base::SocketAddress address;
};

struct ShardOptions {
  unsigned index = 0;  // this shard, below count
  unsigned count = 1;
  unsigned slots = 4;  // 1 to kMaxSlots; the same on all shards, as everything below
  std::vector<Candidate> candidates;
  std::size_t max_endpoints = 10'000;     // on this shard; more are refused with REASON_FULL
  std::size_t max_routed_paths = 40'000;  // of other shards' endpoints
  crypto::SealingMethod sealing = crypto::SealingMethod::kAuto;
  // Whether packets of several active slots wait for each other, ten milliseconds at most, so that
  // a listener's lie next to each other in the output. For a caller that merges those (GSO).
  bool hold_packets = true;
};

// Reusable: clear() keeps the memory.
struct ShardOutput {
  // In the order of sending. UDP leaves by any socket on the media port with path.local as source;
  // TCP by the connection, which may be another thread's.
  base::DatagramQueue datagrams;
  std::vector<v1::RelayEvent> events;            // for the control plane
  std::vector<AddressedShardMessage> to_shards;  // never to this shard itself
  std::vector<std::uint64_t> close_connections;  // TCP connections whose endpoint is gone

  bool empty() const {
    return datagrams.empty() && events.empty() && to_shards.empty() && close_connections.empty();
  }
  void clear() {
    datagrams.clear();
    events.clear();
    to_shards.clear();
    close_connections.clear();
  }
};

class Shard {
 public:
  // The certificate is the process's, shared by all shards; it and random outlive the shard.
  Shard(ShardOptions options, const crypto::Certificate& certificate, base::RandomSource& random);
  ~Shard();
  Shard(Shard&&) noexcept;
  Shard& operator=(Shard&&) noexcept;

  // A datagram from the media port, or one RFC 4571 frame of a TCP connection without its length.
  // Hostile: anything that does not fit is dropped and counted.
  void handle_datagram(base::Instant now, const base::Path& path, base::Bytes datagram,
                       ShardOutput& out);
  // From the control plane, for an endpoint of this shard (shard_assigner.h says which).
  void handle_command(base::Instant now, const v1::RelayCommand& command, ShardOutput& out);
  void handle_shard_message(base::Instant now, ShardMessage&& message, ShardOutput& out);
  // A TCP connection has been closed by the peer or the caller. Called on the shard whose thread
  // accepted it; the shard tells the endpoint's owner.
  void handle_connection_closed(base::Instant now, std::uint64_t connection, ShardOutput& out);
  // At or after next_deadline().
  void handle_timeout(base::Instant now, ShardOutput& out);
  // The output of the calls since the last one has been executed: the last datagram was sent at
  // ended, and the calls and the sending took work of the processor's time. What the shard knows of
  // its load is from here; without it no load refuses anybody. Calls with handshakes alone tell
  // their cost.
  void handle_batch_cost(base::Instant ended, base::Duration work);

  // When handle_timeout() is due; kNever when there is nothing to wait for. Changes with every
  // call.
  base::Instant next_deadline() const;
  ShardCounters counters() const;
  const Load& load() const;

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

// The shard that assigns a room's slots. The ids are random, so rooms spread evenly.
unsigned home_shard(const base::RelayRoomId& room, unsigned count);

}  // namespace alcove::relay
