#pragma once
// The connection to a relay as a member needs it: rtc::ClientPeer, or a fake in tests. The
// contracts are those of rtc/client_peer.h. One thread.

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "rtc/client_peer.h"

namespace alcove::client {

class MediaPeer {
 public:
  virtual ~MediaPeer() = default;
  virtual std::string create_offer() = 0;
  virtual base::Result<void> set_answer(base::Instant now, std::string_view sdp) = 0;
  virtual base::Result<std::string> create_restart_offer(
      std::vector<base::SocketAddress> local_addresses) = 0;
  virtual base::Result<void> set_restart_answer(base::Instant now, std::string_view sdp) = 0;
  virtual void handle_datagram(base::Instant now, const base::Path& path, base::Bytes datagram) = 0;
  virtual void handle_timeout(base::Instant now) = 0;
  virtual base::Instant next_deadline() const = 0;
  virtual void handle_tcp_opened(base::Instant now, const base::SocketAddress& remote,
                                 const base::Path& path) = 0;
  virtual void handle_tcp_failed(base::Instant now, const base::SocketAddress& remote) = 0;
  virtual void handle_tcp_closed(base::Instant now, std::uint64_t connection) = 0;
  virtual bool send_frame(base::Instant now, base::Bytes payload, std::uint32_t timestamp,
                          bool marker) = 0;
  virtual base::DatagramQueue& outgoing() = 0;
  virtual std::span<const rtc::PeerEvent> events() const = 0;
  virtual base::Bytes payload(const rtc::RemoteFrame& frame) const = 0;
  virtual void clear_events() = 0;
  virtual rtc::PeerState state() const = 0;
  virtual rtc::ClientPeerStatistics statistics() const = 0;
};

// One peer is made for each join.
using MediaPeerFactory = std::function<std::unique_ptr<MediaPeer>(rtc::ClientPeerOptions)>;

// Real peers. random outlives the factory and what it makes.
MediaPeerFactory real_media_peers(base::RandomSource& random);

}  // namespace alcove::client
