#pragma once
// The inside of a Shard, for the shard*.cc files only.

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/ids.h"
#include "base/log.h"
#include "crypto/dtls.h"
#include "relay/deadline_queue.h"
#include "relay/endpoint.h"
#include "relay/handshake_queue.h"
#include "relay/home_room.h"
#include "relay/load_meter.h"
#include "relay/local_room.h"
#include "relay/offer.h"
#include "relay/shard.h"
#include "relay/slot_mapper.h"
#include "relay/source_limits.h"
#include "wire/rtcp.h"
#include "wire/stun.h"

namespace alcove::relay {

class Shard::Implementation {
 public:
  Implementation(ShardOptions options, const crypto::Certificate& certificate,
                 base::RandomSource& random);

  // One call from outside: what time it is, and where effects go.
  struct Turn {
    base::Instant now;
    ShardOutput& out;
  };

  void handle_datagram(Turn turn, const base::Path& path, base::Bytes datagram, unsigned via);
  void handle_command(Turn turn, const v1::RelayCommand& command);
  void handle_shard_message(Turn turn, ShardMessage&& message);
  void handle_connection_closed(Turn turn, std::uint64_t connection);
  void handle_timeout(Turn turn);
  void handle_batch_cost(base::Instant ended, base::Duration work);
  base::Instant next_deadline() const {
    return std::min({deadlines_.next_deadline(), releases_.next_deadline(), handshakes_due_});
  }
  const Load& load() const { return load_meter_.load(); }
  ShardCounters counters() const;

  unsigned index() const { return options_.index; }

 private:
  struct ValidPath {
    Endpoint* endpoint = nullptr;
    unsigned via = 0;  // the shard at whose socket it comes in
    base::Instant last_check;
  };
  struct UfragHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };

  // shard.cc: datagrams, paths, DTLS.
  void handle_stun(Turn turn, const base::Path& path, base::Bytes datagram, unsigned via);
  void handle_check(Turn turn, const base::Path& path, const wire::StunMessage& check,
                    base::Bytes datagram, unsigned via, Endpoint& endpoint);
  void handle_protected(Turn turn, const base::Path& path, base::Bytes datagram, unsigned via);
  void forward_datagram(Turn turn, const base::Path& path, base::Bytes datagram, unsigned owner);
  void drop_datagram(Turn turn, const base::Path& path, DropReason reason);
  void add_path(Turn turn, const base::Path& path, unsigned via, Endpoint& endpoint);
  void forget_path(Turn turn, const base::Path& path, const Endpoint& endpoint);
  void end_path(Turn turn, const base::Path& path);
  void handle_dtls(Turn turn, const base::Path& path, base::Bytes datagram, Endpoint& endpoint);
  void serve_handshake(Turn turn);
  // False when the endpoint failed and is gone.
  bool advance_dtls(Turn turn, Endpoint& endpoint);
  void connect(Turn turn, Endpoint& endpoint);

  // shard_endpoints.cc: commands and deadlines.
  void open_endpoint(Turn turn, const v1::OpenEndpoint& command);
  void restart_endpoint(Turn turn, const v1::RestartEndpoint& command);
  void close_endpoint(Turn turn, const v1::CloseEndpoint& command);
  void allow_sending(Turn turn, const v1::AllowSending& command);
  void allow_receiving(const v1::AllowReceiving& command);
  void close_room(Turn turn, const v1::CloseRelayRoom& command);
  Endpoint* find_endpoint(std::string_view join_id) const;
  wire::IceCredentials make_credentials();
  void choose_streams(Endpoint& endpoint);
  std::string make_answer(const Endpoint& endpoint, const wire::SdpDescription& offer) const;
  LocalRoom& enter_room(Turn turn, const base::RelayRoomId& id);
  void leave_room(Turn turn, Endpoint& endpoint);
  void remove_endpoint(Turn turn, Endpoint& endpoint);
  void lose_endpoint(Turn turn, Endpoint& endpoint, base::Literal why);
  void serve_deadline(Turn turn, Endpoint& endpoint);
  void schedule(Endpoint& endpoint);

  // shard_media.cc: SRTP in, slots, SRTP out.
  void handle_rtp(Turn turn, Endpoint& endpoint, base::MutableBytes packet);
  void handle_rtcp(Turn turn, Endpoint& endpoint, base::MutableBytes packet);
  void handle_report_blocks(Turn turn, Endpoint& endpoint, const wire::ReportBlocks& blocks);
  void submit_frame(Turn turn, const LocalRoom& room, const SpeakerFrame& frame,
                    base::Bytes payload);
  // shared is the payload when it came from another shard.
  void place_frame(Turn turn, const base::RelayRoomId& room, const SpeakerFrame& frame,
                   base::Bytes payload, std::shared_ptr<const base::Buffer> shared);
  void send_to_listeners(Turn turn, LocalRoom& room, const base::JoinId& speaker,
                         const Placement& placement, base::Instant received, base::Bytes payload);
  void release(Turn turn, LocalRoom& room);
  // A packet that could leave at `due` leaves in this batch.
  void note_sent(base::Instant due) {
    batch_.oldest_sent = std::min(batch_.oldest_sent.value_or(due), due);
    batch_.only_handshakes = false;
  }
  void stop_speaker(Turn turn, Endpoint& endpoint);
  void send_sender_report(Turn turn, Endpoint& endpoint);
  void send_receiver_report(Turn turn, Endpoint& endpoint);
  void send_nack(Turn turn, Endpoint& endpoint);
  void send_rtcp(Turn turn, Endpoint& endpoint, base::Bytes compound, base::MutableBytes space);

  // shard_messages.cc: what concerns other shards.
  void take(Turn turn, ForwardedDatagram&& message);
  void take(Turn turn, const RoutePath& message);
  void take(Turn turn, const UnroutePath& message);
  void take(Turn turn, const RoutedConnectionClosed& message);
  void take(Turn turn, const RoomPresence& message);
  void take(Turn turn, SpeakerPacket&& message);
  void take(Turn turn, const SpeakerStopped& message);
  void take(Turn turn, const SlotPacket& message);
  void take(Turn turn, const ListenerLoss& message);
  void take(Turn turn, const RoomLoss& message);
  void unroute(const base::Path& path);
  // To another shard by message, to this one at once.
  template <typename Message>
  void tell(Turn turn, unsigned shard, Message message) {
    if (shard == options_.index)
      take(turn, std::move(message));
    else
      turn.out.to_shards.push_back({shard, std::move(message)});
  }
  unsigned home_of(const base::RelayRoomId& room) const { return home_shard(room, options_.count); }
  LocalRoom* find_room(const base::RelayRoomId& id);

  void emit_state(Turn turn, const Endpoint& endpoint, v1::EndpointStateChanged::State state);

  ShardOptions options_;
  std::vector<wire::IceCandidate> candidates_;
  crypto::DtlsContext dtls_context_;
  base::RandomSource& random_;
  ShardCounters counters_;

  // Rooms outlive their endpoints, so they come first.
  std::unordered_map<base::RelayRoomId, std::unique_ptr<LocalRoom>> rooms_;
  std::unordered_map<base::RelayRoomId, HomeRoom> home_rooms_;
  DeadlineQueue deadlines_;  // of endpoints
  DeadlineQueue releases_;   // of rooms that hold packets
  std::unordered_map<base::JoinId, std::unique_ptr<Endpoint>> endpoints_;
  std::unordered_map<std::string, Endpoint*, UfragHash, std::equal_to<>> ufrags_;
  std::unordered_map<base::Path, ValidPath> paths_;
  std::unordered_map<std::uint64_t, base::Path> connections_;  // of paths_, over TCP
  // Paths that come in at this shard's socket and belong to another.
  std::unordered_map<base::Path, unsigned> routes_;
  std::unordered_map<std::uint64_t, base::Path> routed_connections_;

  HandshakeQueue handshakes_;
  HandshakeBudget handshake_budget_;
  base::Instant handshakes_due_ = base::kNever;
  // Of checks that were refused, and of those that were handed to another shard before it knew
  // their path.
  SourceLimits failed_checks_{kFailedChecksPerSecond, kFailedCheckBurst, kMaxLimitedSources};
  SourceLimits strangers_{kStrangersPerSecond, kStrangersBurst, kMaxLimitedSources};

  // Since the last handle_batch_cost().
  struct Batch {
    std::optional<base::Instant> oldest_sent;  // when it could leave
    unsigned flights = 0;
    bool only_handshakes = true;
  };
  Batch batch_;
  LoadMeter load_meter_;

  // SRTP is decrypted here: what a caller passes in stays as it was.
  std::array<std::uint8_t, base::kMaxDatagram> scratch_{};
};

}  // namespace alcove::relay
