#pragma once
// One member of a load: it asks for the room, joins, proves that it was let in, and listens by real
// ICE, DTLS and SRTP. A sampled one follows the room's log and decrypts every frame; the others
// stop following once they are in, and open a share of the packets (docs/load.md). Sans-IO; one
// thread.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "alcove/v1/rooms.pb.h"
#include "base/ids.h"
#include "base/random.h"
#include "client/api.h"
#include "client/event_channel.h"
#include "client/house_check.h"
#include "client/load_arrivals.h"
#include "client/load_statistics.h"
#include "client/media_peer.h"
#include "crypto/ed25519.h"
#include "e2ee/room_keys.h"

namespace alcove::client {

// What all members of a load have in common.
struct LoadRoom {
  base::RoomId room;
  std::optional<roomlog::LinkFragment> fragment;
  std::size_t slots = 4;  // of the server's configuration
  std::uint32_t packet_bucket = 0;
  std::uint32_t opened_share = 50;
  std::shared_ptr<const rtc::ClientIdentity> identity;
  const ManifestGuard* guard = nullptr;  // with the server's manifest
  HouseCheck* house_check = nullptr;     // that has found it well
};

using LoadEffect = std::variant<HttpCall, OpenWebSocket, SendWebSocket, CloseWebSocket>;

class LoadMember {
 public:
  // Until a stage member's client lets in.
  static constexpr base::Duration kAdmissionTimeout = base::seconds(40);
  static constexpr base::Duration kLeaveTimeout = base::seconds(5);
  // Event connections that do not come up, one after the other.
  static constexpr unsigned kMaxLostSockets = 4;

  // The first of two requests of a join: the connection is used again for the second.
  static constexpr std::uint64_t kFirstCall = 1;

  enum class State : std::uint8_t { kNew, kJoining, kInside, kLeaving, kEnded };

  // room, random and peers outlive this. local: the addresses of this member alone.
  LoadMember(const LoadRoom& room, base::RandomSource& random, const MediaPeerFactory& peers,
             std::string name, bool sampled, std::vector<base::SocketAddress> local);
  ~LoadMember();

  void start(base::Instant now);
  // Quietly; kEnded follows at the answer, or soon without one.
  void leave(base::Instant now);
  // Gives no answer to anybody any more.
  void abandon();

  void handle_answer(base::Instant now, base::WallTime wall, std::uint64_t id,
                     const base::Result<HttpAnswer>& answer);
  void handle_websocket_opened(base::Instant now, base::WallTime wall, std::uint64_t id);
  void handle_websocket_message(base::Instant now, base::WallTime wall, std::uint64_t id,
                                base::Bytes message);
  void handle_websocket_closed(base::Instant now, base::WallTime wall, std::uint64_t id,
                               const std::string& why);
  // True where nothing follows from it: only counted. Otherwise handle_batch_end() is due.
  bool handle_datagram(base::Instant now, const base::Path& path, base::Bytes datagram);
  void handle_batch_end(base::Instant now, base::WallTime wall) { settle(now, wall); }
  void handle_timeout(base::Instant now, base::WallTime wall);
  base::Instant next_deadline() const;

  // From now on gaps are counted anew; who is inside was there already.
  void begin_measuring();

  std::vector<LoadEffect> take_effects() { return std::exchange(effects_, {}); }
  // To be sent, then cleared by the caller.
  base::DatagramQueue& datagrams();
  State state() const { return state_; }
  std::uint64_t packets() const { return arrivals_.packets(); }
  bool had_failure() const { return !record_.failure.empty(); }
  // So far, or as it ended.
  LoadRecord record() const;

 private:
  enum Call : std::uint64_t { kRoom = kFirstCall, kJoin = 2, kLeave = 3 };

  void call(Call which, std::string method, std::string target, std::string body);
  void settle(base::Instant now, base::WallTime wall);
  void handle_room(base::Instant now, const base::Result<HttpAnswer>& answer);
  void make_keys(roomlog::Genesis genesis);
  void handle_join(base::Instant now, const base::Result<HttpAnswer>& answer);

  void drain_channel(base::Instant now, base::WallTime wall);
  void handle_channel(base::Instant now, base::WallTime wall, const ChannelConnected& connected);
  void handle_channel(base::Instant now, base::WallTime wall, const ChannelLost& lost);
  void handle_channel(base::Instant now, base::WallTime wall, const v1::Welcome& welcome);
  void handle_channel(base::Instant now, base::WallTime wall, const v1::EventBatch& batch);
  void handle_channel(base::Instant now, base::WallTime wall, const v1::Goodbye& goodbye);
  void handle_channel(base::Instant now, base::WallTime wall, const v1::KeysFromServer& keys);
  void drain_keys(base::Instant now);
  void drain_media(base::Instant now);
  void open_frame(base::Instant now, const rtc::RemoteFrame& frame);

  void fail(base::Instant now, std::string reason, std::string message);
  void fail_by(base::Instant now, const ApiError& error);
  void end();
  void take_channel_effects();
  void count_media(LoadRecord& record) const;

  const LoadRoom& room_;
  base::RandomSource& random_;
  const MediaPeerFactory& peers_;
  std::string name_;
  std::vector<base::SocketAddress> local_;
  crypto::Ed25519PrivateKey identity_;
  std::string room_path_;
  State state_ = State::kNew;
  std::string join_token_;
  std::unique_ptr<e2ee::RoomKeys> keys_;  // gone where the log is not followed any more
  std::unique_ptr<MediaPeer> peer_;
  EventChannel channel_;
  unsigned lost_sockets_ = 0;
  base::Instant give_up_at_ = base::kNever;
  LoadArrivals arrivals_;
  LoadRecord record_;
  base::DatagramQueue nothing_;
  std::vector<LoadEffect> effects_;
};

}  // namespace alcove::client
