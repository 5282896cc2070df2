#include "client/media_peer.h"

#include <utility>

namespace alcove::client {

using base::Instant;
using base::Result;

namespace {

class RealPeer final : public MediaPeer {
 public:
  RealPeer(base::RandomSource& random, rtc::ClientPeerOptions options)
      : peer_(rtc::ClientPeer::create(random, std::move(options))) {}

  std::string create_offer() override { return peer_->create_offer(); }
  Result<void> set_answer(Instant now, std::string_view sdp) override {
    return peer_->set_answer(now, sdp);
  }
  Result<std::string> create_restart_offer(
      std::vector<base::SocketAddress> local_addresses) override {
    return peer_->create_restart_offer(std::move(local_addresses));
  }
  Result<void> set_restart_answer(Instant now, std::string_view sdp) override {
    return peer_->set_restart_answer(now, sdp);
  }
  void handle_datagram(Instant now, const base::Path& path, base::Bytes datagram) override {
    peer_->handle_datagram(now, path, datagram);
  }
  void handle_timeout(Instant now) override { peer_->handle_timeout(now); }
  Instant next_deadline() const override { return peer_->next_deadline(); }
  void handle_tcp_opened(Instant now, const base::SocketAddress& remote,
                         const base::Path& path) override {
    peer_->handle_tcp_opened(now, remote, path);
  }
  void handle_tcp_failed(Instant now, const base::SocketAddress& remote) override {
    peer_->handle_tcp_failed(now, remote);
  }
  void handle_tcp_closed(Instant now, std::uint64_t connection) override {
    peer_->handle_tcp_closed(now, connection);
  }
  bool send_frame(Instant now, base::Bytes payload, std::uint32_t timestamp, bool marker) override {
    return peer_->send_frame(now, payload, timestamp, marker);
  }
  base::DatagramQueue& outgoing() override { return peer_->outgoing(); }
  std::span<const rtc::PeerEvent> events() const override { return peer_->events(); }
  base::Bytes payload(const rtc::RemoteFrame& frame) const override {
    return peer_->payload(frame);
  }
  void clear_events() override { peer_->clear_events(); }
  rtc::PeerState state() const override { return peer_->state(); }
  rtc::ClientPeerStatistics statistics() const override { return peer_->statistics(); }

 private:
  std::unique_ptr<rtc::ClientPeer> peer_;
};

}  // namespace

MediaPeerFactory real_media_peers(base::RandomSource& random) {
  return [&random](rtc::ClientPeerOptions options) {
    return std::make_unique<RealPeer>(random, std::move(options));
  };
}

}  // namespace alcove::client
